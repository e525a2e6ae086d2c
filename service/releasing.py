"""Publishing and rolling back from the command line: what changes, what gets better or worse, and what the gate says."""

from __future__ import annotations

from typing import Any

from core.database import Database
from core.errors import InvalidInput
from core.settings import Settings
from kb.encoder import Encoder
from kb.release.loading import Progress
from kb.release.publish import Candidate, Published, publish, roll_back
from kb.release.releases import accepted_wrong_rate

_SHARES = (
    ("首位命中", "top1"),
    ("直接答对率", "coverage"),
    ("答错率", "wrong_rate"),
    ("范围外拒答率", "out_of_scope_refused"),
)
_MOST_LINES = 20


def release(
    settings: Settings,
    database: Database,
    encoder: Encoder,
    progress: Progress,
    *,
    author: str = "cli",
    override_reason: str | None = None,
    refit: bool = False,
) -> Published:
    """Publish the live entries, showing what that changes. Raises InvalidInput or Conflict as `kb.release.publish.publish` does."""
    with database.read() as session:
        wrong_rate = accepted_wrong_rate(session, settings.wrong_rate)

    def tell(text: str) -> None:
        progress(f"  {text}")

    done = publish(
        database,
        settings.home,
        encoder,
        author=author,
        wrong_rate=wrong_rate,
        progress=tell,
        override_reason=override_reason,
        refit=refit,
        shown=lambda candidate: [tell(line) for line in described(candidate)] and None,
    )
    words = f"published in {done.seconds:.1f} s, {done.encoded} texts encoded" if done.new else "is already live"
    tell(f"release {done.number} with {done.entries} entries {words}")
    return done


def roll_back_to(database: Database, number: int, reason: str, progress: Progress, author: str = "cli") -> None:
    """Raises NotFound, Conflict, or InvalidInput without a reason."""
    if not reason.strip():
        raise InvalidInput("请说明回滚的原因。")
    roll_back(database, number, author, reason.strip())
    progress(f"release {number} serves again; running processes take it up within seconds")


def described(candidate: Candidate) -> list[str]:
    """Lines for people: changes, before → after, questions whose answer changes, the gate."""
    prepared = candidate.prepared
    report, counts = prepared["report"], prepared["changes"]
    lines = [f"变化：新增 {counts['added']}，修改 {counts['changed']}，移除 {counts['removed']}"]
    if report["before"] is not None:
        listed = [("＋", "added"), ("～", "changed"), ("－", "removed")]
        names = [f"  {sign} {one['question']}" for sign, kind in listed for one in report["changes"][kind]]
        lines += _short(names, sum(counts.values()))
    before, after = report["before"] or {}, prepared["evaluation"]
    lines += [f"{label}：{_percent(before.get(name))} → {_percent(after.get(name))}" for label, name in _SHARES]
    lines.append("匹配模型：沿用" if candidate.carried else "匹配模型：重新训练")
    changed = [f"  {one['question']}：{_difference(one['before'], one['after'])}" for one in report["answer_changes"]]
    if changed:
        lines.append(f"答案有变化的问题（{report['answers_changed']} 个）：")
        lines += _short(changed, report["answers_changed"])
    gate = candidate.gate
    return [
        *lines,
        "质量检查：通过" if gate.passed else "质量检查：未通过",
        *(f"  {reason}" for reason in gate.reasons),
    ]


def _short(lines: list[str], total: int) -> list[str]:
    return lines[:_MOST_LINES] + ([f"  …… 共 {total} 项"] if total > _MOST_LINES else [])


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    if all(before[name] == after[name] for name in ("band", "entry_id")):
        return f"{_told(after)}，答案内容有改动"
    return f"{_told(before)} → {_told(after)}"


def _told(answer: dict[str, Any]) -> str:
    if answer["entry_id"] is None:
        return "不回答"
    return f"{'直接回答' if answer['band'] == 'answer' else '反问'}“{answer['question']}”"
