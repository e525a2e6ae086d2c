"""Findings: what is wrong, or may be wrong, with an entry that somebody is about to save.

A finding is `{kind, severity, message, entry_id?, question?, detail?}`; one of severity `error` keeps a draft from being
submitted, a `warning` goes to the reviewer with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.care.amounts import amounts, amounts_of_table, contradictions
from kb.care.asked import Asked, asked, asked_by
from kb.care.flags import SOURCE_CHANGED, FlagRow
from kb.care.gaps import gap
from kb.entries import Entry, Source
from kb.files import article_label
from kb.markup import tags
from kb.placeholders import is_picture, placeholder_in
from kb.policies import policies_to_publish
from kb.store import documents
from kb.tables import edition
from kb.words import bare

Finding = dict[str, Any]
Near = Callable[[Sequence[str]], Sequence[tuple[str, str, float]]]
"""Questions to `(entry id, its question, similarity in [0, 1])` of the published entries nearest to any of them."""

ALIKE = 0.85
"""From this similarity on, two questions are probably the same one."""

_TAG = re.compile(r"<\s*/?\s*(script|iframe|object|embed|style|link|meta|form|input|svg|img|a)\b[^>]*", re.IGNORECASE)
_HANDLER = re.compile(r"<[^>]+\son\w+\s*=", re.IGNORECASE)
_LINK = re.compile(r"\]\(\s*<?([^)>\s]*)")
_SAFE_LINK = re.compile(r"(?:https?:|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)
_BARE_SCHEME = re.compile(r"\b(?:javascript\s*:|vbscript\s*:|data\s*:\s*\w+/)", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """What an entry is checked against. `policies` holds each one's versions, in force or to come; `questions` lists, by its
    letters alone, who asks a question already, `live` by id one question of each approved entry; `changed` what happened to
    the sources of an entry and is not settled yet."""

    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    scenes: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    questions: dict[str, list[Asked]] = field(default_factory=dict)
    live: dict[str, Asked] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)

    def policy(self, policy_id: str, day: date) -> dict[str, Any] | None:
        """The version in force on a day, the newest where none is; None for a policy that there is not."""
        versions = self.policies.get(policy_id, [])
        return next((body for body in versions if _holds(body, day)), versions[0] if versions else None)

    def table(self, table_id: str, day: date) -> dict[str, Any] | None:
        """The edition in force on a day, the newest where none is; None for a table that there is not."""
        newest = self.tables.get(table_id)
        return newest and (edition(newest, day) or newest)


def known(session: Session) -> Known:
    """All of it, to check one entry or many."""
    ids, questions = asked(session)
    changed: dict[str, list[str]] = {}
    for entry_id, detail in session.execute(
        select(FlagRow.entry_id, FlagRow.detail).where(FlagRow.kind == SOURCE_CHANGED, FlagRow.resolved_at.is_(None))
    ):
        changed.setdefault(entry_id, []).append(detail)
    found = _known(
        ids,
        questions,
        policies_to_publish(session),
        [table for table in documents(session, "table") if not table.get("withdrawn")],
        documents(session, "scenes"),
    )
    return replace(found, changed=changed)


def known_of(
    entries: Iterable[Entry],
    policies: Iterable[dict[str, Any]],
    tables: Iterable[dict[str, Any]],
    scenes: Iterable[dict[str, Any]],
    drafts: Iterable[Entry] = (),
) -> Known:
    """The same from what is at hand. `scenes` are documents of pages with their nodes."""
    held = [(entry, False) for entry in entries] + [(entry, True) for entry in drafts]
    questions = [question for entry, drafted in held for question in asked_by(entry, drafted)]
    return _known(frozenset(entry.id for entry, _ in held), questions, policies, tables, scenes)


def _known(
    ids: frozenset[str],
    questions: Iterable[Asked],
    policies: Iterable[dict[str, Any]],
    tables: Iterable[dict[str, Any]],
    scenes: Iterable[dict[str, Any]],
) -> Known:
    by_key: dict[str, list[Asked]] = {}
    live: dict[str, Asked] = {}
    for one in questions:
        by_key.setdefault(one.key, []).append(one)
        if not one.drafted:
            live.setdefault(one.entry_id, one)
    versions: dict[str, list[dict[str, Any]]] = {}
    for body in policies:
        versions.setdefault(body["id"], []).append(body)
    pages = [page for document in scenes for page in document["pages"]]
    return Known(
        versions,
        {body["id"]: body for body in tables},
        frozenset(page["page"] for page in pages)
        | {f"{page['page']}/{node['node']}" for page in pages for node in page.get("nodes") or ()},
        ids,
        by_key,
        live,
    )


def findings(entry: Entry, known: Known, today: date, near: Near | None = None) -> list[Finding]:
    """Everything about `entry`, errors first. Without `near` only equal questions count as duplicates."""
    day = max(today, entry.effective_from or today)
    found = [
        *_shape(entry, today),
        *_gap(entry, known, today),
        *unsafe(entry),
        *_markup(entry),
        *_duplicates(entry, known, near),
        *_sources(entry, known, day),
        *_amounts(entry, known, day),
        *_references(entry, known),
    ]
    return sorted(found, key=lambda finding: finding["severity"] != "error")


def _error(kind: str, message: str, **more: Any) -> Finding:
    return {"kind": kind, "severity": "error", "message": message, **more}


def _warning(kind: str, message: str, **more: Any) -> Finding:
    return {"kind": kind, "severity": "warning", "message": message, **more}


def _shape(entry: Entry, today: date) -> Iterator[Finding]:
    if not bare(entry.question):
        yield _error("missing_question", "请填写标准问。")
    if not entry.answer.strip():
        yield _error("missing_answer", "请填写答案。")
    elif said := placeholder_in(entry.answer):
        yield _error("placeholder_answer", f"答案只写了“{said}”，员工看不到内容；请写明答案。", detail=said)
    elif is_picture(entry.answer):
        yield _error("placeholder_answer", "答案是表格单元格里的图片，图没有带进来；请把图里的内容写成文字。")
    if entry.effective_from and entry.effective_to and entry.effective_to < entry.effective_from:
        yield _error("invalid_dates", "失效日期早于生效日期，请改正其中一个。")
    elif entry.effective_to and entry.effective_to < today:
        yield _warning("expired", f"这条知识已于 {entry.effective_to} 失效，发布后没有人能看到；请延长失效日期或停用。")
    seen: dict[str, str] = {}
    for question in entry.questions:
        if (key := bare(question)) and key in seen:
            yield _warning("repeated", f"相似问“{question}”和“{seen[key]}”是同一个问法，请删掉一个。")
        seen.setdefault(key, question)


def _gap(entry: Entry, known: Known, today: date) -> Iterator[Finding]:
    stored = known.live.get(entry.id)
    if stored and (told := gap(entry.effective_from, (stored.effective_from, stored.effective_to), today)):
        yield _warning("gap", told)


def unsafe(entry: Entry) -> Iterator[Finding]:
    """What no answer may hold, whoever approves it: code of a web page, links that run something."""
    if match := _TAG.search(entry.answer) or _HANDLER.search(entry.answer):
        yield _error("unsafe", "答案里有网页代码，请改用普通文字或 Markdown。", detail=match[0][:80])
    bad = [link for link in _LINK.findall(entry.answer) if link and not _SAFE_LINK.match(link)]
    if bad or _BARE_SCHEME.search(entry.answer):
        yield _error(
            "unsafe", "答案里的链接不安全，请使用 https:// 开头的地址。", detail=(bad or ["javascript:"])[0][:80]
        )


def _markup(entry: Entry) -> Iterator[Finding]:
    if (found := tags(entry.answer)) and not any(unsafe(entry)):
        message = f"答案里有网页标记“{found[0][:30]}”，员工会看到代码本身；请改用普通文字或 Markdown。"
        yield _warning("markup", message)


def _duplicates(entry: Entry, known: Known, near: Near | None) -> Iterator[Finding]:
    told: set[str] = {entry.id}
    for question in entry.questions:
        for other in known.questions.get(bare(question), ()):
            if other.entry_id in told or not _meet(entry, other):
                continue
            told.add(other.entry_id)
            same = other.audience == entry.audience and not other.drafted
            where = "草稿" if other.drafted else "知识"
            message = (
                f"{where} {other.entry_id} 已有同样的问法“{other.question}”，可见范围也相同：请合并成一条，或删掉重复的问法。"
                if same
                else f"{where} {other.entry_id} 已有同样的问法“{other.question}”，可见范围有重叠：请看看是不是该合成一条。"
            )
            more = {"entry_id": other.entry_id, "question": other.question}
            yield _error("duplicate", message, **more) if same else _warning("duplicate", message, **more)
    for other_id, question, similarity in near(entry.questions) if near else ():
        apart = other_id in known.live and not _meet(entry, known.live[other_id])
        if other_id in told or similarity < ALIKE or apart:
            continue
        told.add(other_id)
        yield _warning(
            "duplicate",
            f"和知识 {other_id}“{question}”的问法几乎一样：请看看是不是同一个问题。",
            entry_id=other_id,
            question=question,
            detail=f"{similarity:.2f}",
        )


def _meet(entry: Entry, other: Asked) -> bool:
    """Whether somebody can see both on some day."""
    ours, theirs = entry.audience.companies, other.audience.companies
    return (
        (not ours or not theirs or bool(ours & theirs))
        and (entry.effective_from or date.min) <= (other.effective_to or date.max)
        and (other.effective_from or date.min) <= (entry.effective_to or date.max)
    )


def _sources(entry: Entry, known: Known, day: date) -> Iterator[Finding]:
    if not entry.sources:
        yield _warning("missing_source", "没有写依据：请注明所依据的制度条款或标准表，员工才能核对。")
    for detail in known.changed.get(entry.id, ()):
        yield _warning(
            "source_changed",
            f"依据有改动：{detail.rstrip('。')}。改了答案或依据的，批准后这条提醒自动处理；不用改的，请手动设为已处理。",
            detail=detail,
        )
    for source in entry.sources:
        if source.policy is not None:
            policy = known.policy(source.policy, day)
            if policy is None:
                yield _error("missing_source", f"依据“{source.label}”引用的制度不存在，请重新选择。")
                continue
            if source.article is not None and _article(policy, source) is None:
                yield _error(
                    "missing_source",
                    f"《{policy['title']}》现行版本没有第 {source.article} 条，请重新选择依据的条款。",
                )
            if policy.get("withdrawn"):
                yield _error("missing_source", f"依据“{source.label}”引用的制度已停用，请重新选择。")
                continue
            yield from _in_force(f"《{policy['title']}》", policy, day)
        elif source.table is not None:
            table = known.table(source.table, day)
            if table is None:
                yield _error("missing_source", f"依据“{source.label}”引用的标准表不存在或已停用，请重新选择。")
                continue
            yield from _in_force(f"《{table['title']}》", table, day)
        elif source.regulation is None and source.quote is None:
            yield _warning(
                "unlinked_source",
                f"依据“{source.label}”只是文字：知识库里没有对上的条款或标准表，金额无法核对，改版时也不会提醒。请从列表里选择，或先导入它。",
                detail=source.label,
            )


def _holds(document: dict[str, Any], day: date) -> bool:
    ends, begins = _day(document.get("effective_to")), _day(document.get("effective_from"))
    return (begins is None or begins <= day) and (ends is None or day <= ends)


def _in_force(name: str, document: dict[str, Any], day: date) -> Iterator[Finding]:
    ends, begins = _day(document.get("effective_to")), _day(document.get("effective_from"))
    if ends and ends < day:
        yield _warning("expired_source", f"依据{name}已于 {ends} 废止，请按现行制度核对答案。")
    elif begins and begins > day:
        yield _warning("future_source", f"依据{name}要到 {begins} 才生效，请核对这条知识的生效日期。")


def _amounts(entry: Entry, known: Known, day: date) -> Iterator[Finding]:
    """Every amount once: beside the table that says otherwise, with what is not in the sources either, or among those alone."""
    readable = [found for source in entry.sources if (found := source_amounts(source, known, day)) is not None]
    missing = amounts(entry.answer) - set().union(*readable) if readable else set()
    cited = {source.table for source in entry.sources}
    told: set[str] = set()
    for table in filter(None, (known.table(one, day) for one in known.tables)):
        for row, amount, right in contradictions(entry.answer, table):
            unfounded = (
                f"，{amount} 在所列依据里也找不到" if amount in missing - told and table["id"] not in cited else ""
            )
            told.add(amount)
            yield _warning(
                "amount",
                f"答案里“{row}”是 {amount}，《{table['title']}》里是 {right}{unfounded}：请核对{'数字和依据' if unfounded else ''}。",
                detail=amount,
            )
    if alone := missing - told:
        listed = "、".join(sorted(alone))
        yield _warning("amount", f"{listed} 在所列依据里找不到：请核对数字，或补上它的依据。", detail=listed)


def source_amounts(source: Source, known: Known, day: date) -> set[str] | None:
    """The amounts that a source names on a day; None where its text is not at hand."""
    if source.policy is not None:
        policy = known.policy(source.policy, day)
        if policy is None or source.article is None:
            return None
        article = _article(policy, source)
        return amounts(f"{article['title']}\n{article['text']}", loosely=True) if article else None
    if source.table is not None:
        table = known.table(source.table, day)
        return amounts_of_table(table) if table else None
    return amounts(f"{source.regulation or ''}\n{source.quote}", loosely=True) if source.quote else None


def _article(policy: dict[str, Any], source: Source) -> dict[str, Any] | None:
    """The article that a source means. Only 第…条 has the same number in every version: 附件1 is found by what it is called."""
    called = bare(source.label.rpartition("》")[2])
    named = [one for one in policy["articles"] if called and bare(one.get("label") or "") == called]
    if len(named) == 1 and not _printed(named[0]):
        return named[0]
    return next((one for one in policy["articles"] if one["number"] == source.article), None)


def _printed(article: dict[str, Any]) -> bool:
    """Whether an article's number is the one in its label."""
    number = article["number"]
    return "".join((article.get("label") or "").split()) in (article_label(number), f"第{number}条")


def _references(entry: Entry, known: Known) -> Iterator[Finding]:
    if unknown := [scene for scene in entry.scenes if scene not in known.scenes]:
        yield _warning("unknown_scene", f"适用场景 {'、'.join(unknown)} 没有登记，在那里提问不会优先命中这条知识。")
    if missing := [other for other in entry.related if other not in known.entries or other == entry.id]:
        yield _warning("missing_related", f"后续问题 {'、'.join(missing)} 不存在或已停用，员工看不到这个按钮。")


def _day(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None
