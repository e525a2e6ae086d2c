"""A confirmed FAQ import: worked out beforehand, then written in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.clock import now, today
from core.database import Database
from kb.care.checks import Finding, findings, known, unsafe
from kb.care.drafts import blocking, new_id, submit_drafts
from kb.entries import Entry
from kb.ingest.collisions import Asked, Known, known_questions, stored_entries
from kb.ingest.fields import entry_with, says_the_same, validity_of
from kb.ingest.imports import NOT_SAID, ImportRow, LineRow
from kb.ingest.jobs import Outdated, Task
from kb.ingest.revisions import last_changes, states
from kb.store import entry_to_dict, save_entries
from kb.words import bare

OUTCOMES = ("created", "updated", "merged", "skipped", "failed")
_AT_ONCE = 500
_WRITTEN = ("created", "updated", "merged")
_SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""
_LOCK = 0x6B62696D
"""PostgreSQL's advisory lock of applying: two imports never write the same question at a time."""


@dataclass
class Plan:
    """The entries to write, in order; `seen` is the version, and the draft's author, of each when this was worked out.
    `findings` are those of the ones that become drafts; `held` tells by row which of these cannot be submitted yet, and why.
    `asked` are the questions that it brings, with the entries that had them when it `began`."""

    entries: dict[str, Entry] = field(default_factory=dict)
    seen: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)
    began: datetime = field(default_factory=now)
    asked: dict[str, frozenset[str]] = field(default_factory=dict)


def make_plan(task: Task) -> Plan:
    """Work out every row's outcome, and store it with the row: it is shown once the import is done."""
    about = task.about
    began = now()
    with task.database.read() as session:
        total = session.scalar(select(func.count()).where(LineRow.import_id == about.id)) or 1
        keys = {bare(one) for one in session.scalars(select(LineRow.question).where(LineRow.import_id == about.id))}
        known = known_questions(session, keys, lambda: task.progress(0, total))
    work = _Work(task.database, known, author=about.author, approve=about.approve)
    done = 0
    for rows in _batches(task.database, about.id):
        work.load(rows)
        outcomes = [work.decide(row) for row in rows]
        with task.database.write() as session:
            session.execute(update(LineRow), outcomes)
        done += len(rows)
        task.progress(done, total)
    counts = dict.fromkeys(("rows", *OUTCOMES), 0) | work.counts
    found = {} if about.approve else _findings(task, list(work.changed.values()), total)
    seen = {one: work.seen[one] for one in work.changed}
    asked = {key: frozenset(one.entry_id for one in known.by_question.get(key, ())) for key in work.asked}
    return Plan(work.changed, seen, counts, found, _held(work.wrote, found), began, asked)


def apply_plan(session: Session, row: ImportRow, plan: Plan) -> dict[str, int]:
    """Write the plan's entries, approved or as drafts to be reviewed. Raises Outdated when one has changed since, or when
    somebody has brought in a question of theirs."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if states(session, plan.entries) != plan.seen or _asked_meanwhile(session, plan):
        raise Outdated
    if row.approve:
        save_entries(session, plan.entries.values(), row.author, row.applied_by)
    else:
        refused = submit_drafts(session, plan.entries.values(), row.author, plan.findings)
        if refused:
            raise Outdated
        if plan.held:
            told = [{"import_id": row.id, "n": n, "message": message} for n, message in plan.held.items()]
            session.execute(update(LineRow), told)
    return {**row.counts, **plan.counts, **({"held": len(plan.held)} if plan.held else {})}


def _asked_meanwhile(session: Session, plan: Plan) -> bool:
    known = known_questions(session, plan.asked, lambda: None, plan.began - _SKEW)
    return any(
        one.entry_id not in plan.asked[key] and one.entry_id not in plan.entries
        for key, some in known.by_question.items()
        for one in some
    )


def _findings(task: Task, entries: list[Entry], total: int) -> dict[str, list[Finding]]:
    """As for a draft that is saved by hand, but for questions that are merely alike: a search for each of 50,000 rows would
    take an hour, so those are looked for when an editor saves or submits it."""
    with task.database.read() as session:
        against = known(session)
    found = {}
    for entry in entries:
        if some := findings(entry, against, today()):
            found[entry.id] = some
        task.progress(total, total)
    return found


def _held(wrote: Mapping[int, tuple[str, str]], found: Mapping[str, list[Finding]]) -> dict[int, str]:
    wrong = {entry_id: some for entry_id, all_ in found.items() if (some := blocking(all_))}
    return {
        n: "；".join(filter(None, (message, "存为草稿，处理后再送审", *wrong[entry_id])))
        for n, (entry_id, message) in wrote.items()
        if entry_id in wrong
    }


def _batches(database: Database, import_id: str) -> Iterator[list[LineRow]]:
    last = -1
    while True:
        with database.read() as session:
            query = select(LineRow).where(LineRow.import_id == import_id, LineRow.n > last).order_by(LineRow.n)
            rows = list(session.scalars(query.limit(_AT_ONCE)))
        if not rows:
            return
        yield rows
        last = rows[-1].n


class _Work:
    """Goes through the rows in order and keeps what the entries will be by then."""

    def __init__(self, database: Database, known: Known, *, author: str, approve: bool) -> None:
        self._database = database
        self._known = known
        self._author = author
        self._approve = approve
        self._now: dict[str, Entry] = {}
        self._became: dict[int, str | None] = {}
        self._said_by: dict[str, tuple[str, int]] = {}
        self.changed: dict[str, Entry] = {}
        self.seen: dict[str, tuple[int, str | None]] = {}
        self.wrote: dict[int, tuple[str, str]] = {}
        self.asked: set[str] = set()
        self.counts: dict[str, int] = {}

    def load(self, rows: list[LineRow]) -> None:
        """The entries that these rows are about, unless earlier rows have changed them."""
        ids = {one for row in rows for one in (row.entry_id, row.other_id) if one} - set(self.seen)
        with self._database.read() as session:
            self._now |= stored_entries(session, ids)
            self.seen |= states(session, ids)

    def decide(self, row: LineRow) -> dict[str, Any]:
        outcome, message, entry_id = self._outcome(row)
        self._became[row.n] = entry_id
        if entry_id is not None and outcome in _WRITTEN:
            self.wrote[row.n] = entry_id, message or row.message
        self.counts["rows"] = self.counts.get("rows", 0) + 1
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        return {
            "import_id": row.import_id,
            "n": row.n,
            "outcome": outcome,
            "message": message or row.message,
            "entry_id": entry_id or row.entry_id,
        }

    def _outcome(self, row: LineRow) -> tuple[str, str, str | None]:
        if row.action == "invalid":
            return "failed", row.message, None
        if row.action == "same":
            return "skipped", row.message, row.entry_id
        if row.action == "collide":
            target = self._became.get(row.other_line) if row.other_line is not None else row.other_id
            if row.resolution == "skip":
                return "skipped", f"{row.message}；按您的选择跳过", target
            if row.resolution in ("merge", "overwrite") and target is not None:
                return self._merge(row, target) if row.resolution == "merge" else self._overwrite(row, target)
            if row.resolution == "create" and row.entry_id == row.other_id:
                beside = new_id()
                self.seen[beside] = (0, None)
                return self._put(row, beside)
        return self._put(row, row.entry_id or "")

    def _put(self, row: LineRow, entry_id: str, said: Mapping[str, Any] | None = None) -> tuple[str, str, str | None]:
        before = self._now.get(entry_id)
        if before is None and row.action == "update":
            return "failed", f"条目 {entry_id} 已不在知识库中，请核对编号", None
        fields = {name: value for name, value in (said or row.body).items() if name not in NOT_SAID}
        after = entry_with(before or Entry(id=entry_id, question=""), fields)
        if refused := self._refused(entry_id) or (row.other_line is None and self._said_before(row, entry_id)):
            return "failed", refused, None
        if self._approve and (wrong := blocking(unsafe(after))):
            return "failed", f"{wrong[0]}这一行不能直接通过，没有写入", None
        if "seen" in row.body and (changed := self._since_preview(row, entry_id, after, fields)):
            return changed
        self._keep(after)
        self._said_by[entry_id] = row.sheet, row.line
        return ("updated" if before else "created"), "", entry_id

    def _since_preview(
        self, row: LineRow, entry_id: str, after: Entry, fields: Mapping[str, Any]
    ) -> tuple[str, str, str | None] | None:
        """What becomes of a row that is about something else by now than a person has agreed to; None when it is not."""
        before = self._now.get(entry_id)
        version = self.seen.get(entry_id, (0, None))[0]
        came = row.action == "create" and before is not None and entry_id not in self.changed
        if came or version != row.body["seen"].get(entry_id, version):
            if before is not None and says_the_same(before, fields):
                return "skipped", "预览之后已有人写入同样的内容", entry_id
            with self._database.read() as session:
                who = last_changes(session, [(entry_id, version)]).get(entry_id, "已有人改过")
            return "failed", f"预览之后，{who}条目 {entry_id}，这一行没有写入；请重新导入，核对后再确认", None
        key = bare(after.question)
        if before is not None and key in {bare(one) for one in before.questions}:
            return None
        self.asked.add(key)
        expected = {*row.body["met"], row.other_id, *self.changed}
        found = [one for one in self._known.all(key, _asked(after), entry_id) if one.entry_id not in expected]
        if not found:
            return None
        with self._database.read() as session:
            met = stored_entries(session, [found[0].entry_id]).get(found[0].entry_id)
        if before is None and met is not None and says_the_same(met, fields):
            return "skipped", f"预览之后已有人写入同样的内容，即条目 {met.id}", met.id
        told = f"预览之后，知识库里有了问题相同的条目 {found[0].entry_id}“{found[0].question}”"
        return "failed", f"{told}，这一行没有写入；请重新导入，再选合并、覆盖或新建", None

    def _said_before(self, row: LineRow, entry_id: str) -> str | None:
        where = self._where_said(row, entry_id)
        return where and f"{where}已经改写了条目 {entry_id}，这一行没有再改；请只保留一行后重新导入"

    def _where_said(self, row: LineRow, entry_id: str) -> str | None:
        """The row of the same file that an entry's content is from, if any."""
        if entry_id not in self._said_by:
            return None
        sheet, line = self._said_by[entry_id]
        return f"第 {line} 行" if sheet == row.sheet else f"工作表“{sheet}”第 {line} 行"

    def _overwrite(self, row: LineRow, entry_id: str) -> tuple[str, str, str | None]:
        """What a row that met the entry by its question says in place of it: an empty cell says nothing, unless the row names the entry."""
        if row.body.get("id") == entry_id:
            return self._put(row, entry_id)
        whole = {name: value for name, value in row.body.items() if name not in NOT_SAID}
        said = {name: value for name, value in whole.items() if value}
        before, where = self._now.get(entry_id), self._where_said(row, entry_id)
        if row.other_line is not None and where and before is not None and not _for_the_same(before, row.body):
            return "failed", f"{where}写给不同的可见范围，不能由这一行覆盖；请为这一行选“新建”后重新导入", None
        outcome, message, written = self._put(row, entry_id, said)
        if outcome != "updated" or before is None:
            return outcome, message, written
        told = [row.message]
        if where:
            told.append(f"替换了{where}写入的内容")
        if len(said) < len(whole):
            told.append("空着的列保留了原来的内容")
        if kept := _still_restricted(before, row.body):
            told.append(f"可见范围空着，仍然只有{kept}能看到")
        return outcome, "；".join(told), written

    def _merge(self, row: LineRow, entry_id: str) -> tuple[str, str, str | None]:
        before = self._now.get(entry_id)
        if before is None:
            return "failed", f"条目 {entry_id} 已不在知识库中，无法合并", None
        known = {bare(one) for one in before.questions}
        new = [one for one in (row.question, *row.body.get("similar", ())) if bare(one) not in known]
        left = bare(row.body.get("answer", "")) not in ("", bare(before.answer))
        unused = "；两处的答案不同，这一行的答案没有采用" if left else ""
        if not new:
            return "skipped", f"条目 {entry_id} 已有这些问法，没有新的可以合并{unused}", entry_id
        if refused := self._refused(entry_id):
            return "failed", refused, None
        self._keep(entry_with(before, {"similar": [*before.similar, *new]}))
        return "merged", f"{len(new)} 个问法并入条目 {entry_id}{unused}", entry_id

    def _refused(self, entry_id: str) -> str | None:
        author = self.seen.get(entry_id, (0, None))[1]
        if author is None or (author == self._author and not self._approve):
            return None
        return f"{author} 对这条知识的修改还没有审核，请先处理那份草稿再导入"

    def _keep(self, entry: Entry) -> None:
        self._now[entry.id] = self.changed[entry.id] = entry


def _asked(entry: Entry) -> Asked:
    return Asked(entry.id, entry.question, True, entry.audience.companies, validity_of(entry_to_dict(entry)))


def _for_the_same(entry: Entry, body: Mapping[str, Any]) -> bool:
    """Whether a row is for those who may see the entry, as far as it says."""
    kinds = (("companies", entry.audience.companies), ("groups", entry.audience.groups))
    return all(names == frozenset(body.get(name, names)) for name, names in kinds)


def _still_restricted(before: Entry, body: Mapping[str, Any]) -> str:
    """Whom an overwriting row leaves an entry to, where its cells of the audience name nobody."""
    kinds = (("companies", "公司", before.audience.companies), ("groups", "人员组", before.audience.groups))
    kept = [f"{what}“{'、'.join(sorted(names))}”" for name, what, names in kinds if names and body.get(name) == []]
    return "、".join(kept)
