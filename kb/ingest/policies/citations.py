"""Which entries rest on an article or a table, and what they are told when it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.orm import Session

from kb.care.drafts import DraftRow
from kb.care.flags import SOURCE_CHANGED, flag
from kb.ingest.policies.compare import Change
from kb.store import EntryRow, EntryVersionRow


@dataclass(frozen=True)
class Citation:
    """An entry whose sources name a policy: `articles` of it by number, None for the policy as a whole."""

    entry_id: str
    question: str
    articles: tuple[int | None, ...]


def citations(session: Session, policy_id: str) -> list[Citation]:
    """The live entries that cite a policy, by id."""
    return [
        Citation(row.id, row.question, tuple(one.get("article") for one in sources))
        for row, sources in _citing(session, "policy", policy_id)
    ]


def affected(cited: Sequence[Citation], changes: Sequence[Change]) -> list[tuple[Citation, str]]:
    """The citations that need another look, each with what has become of what it cites."""
    became = {change.before["number"]: told for change in changes if change.before and (told := _told(change))}
    found = []
    for one in cited:
        reasons = [became[number] for number in dict.fromkeys(one.articles) if number is not None and number in became]
        if reasons:
            found.append((one, "；".join(reasons)))
    return found


def flag_articles(session: Session, policy: dict[str, Any], changes: Sequence[Change]) -> int:
    """Flag the entries whose article changed, went or was renumbered with the new version `policy`; return how many."""
    since = f"（{policy['effective_from']} 起施行）" if policy.get("effective_from") else ""
    intro = f"《{policy['title']}》已更新到版本 {policy.get('version') or '—'}{since}："
    found = affected(citations(session, policy["id"]), changes)
    for one, reasons in found:
        flag(session, one.entry_id, SOURCE_CHANGED, f"{intro}{reasons}。请核对答案和依据。")
    return len(found)


def move_citations(session: Session, policy_id: str, changes: Sequence[Change]) -> None:
    """Let entries and drafts go on citing the articles whose label stays, such as 附件1, where our own number of it moved.

    What they say does not change, so this is no new version of them.
    """
    moved = {
        change.before["number"]: change.after["number"]
        for change in changes
        if change.before and change.after and not change.renumbered
    }
    if all(before == after for before, after in moved.items()):
        return
    for row, _ in _citing(session, "policy", policy_id, lock=True):
        row.body = _moved(row.body, policy_id, moved)
        if stored := session.get(EntryVersionRow, (row.id, row.version)):
            stored.body = _moved(stored.body, policy_id, moved)
    drafts = select(DraftRow).where(_names(DraftRow.body, "policy", policy_id)).order_by(DraftRow.entry_id)
    for draft in session.scalars(drafts.with_for_update()):
        draft.body = _moved(draft.body, policy_id, moved)
    session.flush()


def table_citations(session: Session, table_id: str) -> list[Citation]:
    """The live entries that cite a table, by id."""
    return [Citation(row.id, row.question, ()) for row, _ in _citing(session, "table", table_id)]


def flag_table(session: Session, table_id: str, told: str) -> int:
    """Flag the entries that cite a table whose values changed; `told` says how. Return how many."""
    found = table_citations(session, table_id)
    for one in found:
        flag(session, one.entry_id, SOURCE_CHANGED, f"{told}，请核对答案里的金额和等级。")
    return len(found)


def _citing(
    session: Session, key: str, identity: str, lock: bool = False
) -> list[tuple[EntryRow, list[dict[str, Any]]]]:
    query = select(EntryRow).where(EntryRow.deleted.is_(False), _names(EntryRow.body, key, identity))
    query = query.order_by(EntryRow.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = []
    for row in session.scalars(query):
        sources = [one for one in row.body.get("sources", ()) if one.get(key) == identity]
        if sources:
            found.append((row, sources))
    return found


def _names(body: Any, key: str, identity: str) -> ColumnElement[bool]:
    """Whether the JSON of an entry names a policy or a table; rough, by its text."""
    return cast(body, Text).contains(f'"{key}": {json.dumps(identity)}', autoescape=True)


def _moved(body: dict[str, Any], policy_id: str, moved: Mapping[int, int]) -> dict[str, Any]:
    sources = [
        {**one, "article": moved.get(one["article"], one["article"])}
        if one.get("policy") == policy_id and one.get("article") is not None
        else one
        for one in body.get("sources", ())
    ]
    return {**body, "sources": sources}


def _told(change: Change) -> str:
    assert change.before is not None
    name = _name(change.before)
    if change.kind == "removed":
        return f"{name}已删除"
    if change.after is None:
        return ""
    moved = f"，现为{_name(change.after)}" if change.renumbered else ""
    if change.kind == "changed":
        return f"{name}已修改{moved}"
    return f"{name}的条号变了{moved}" if change.renumbered else ""


def _name(article: dict[str, Any]) -> str:
    return (
        "".join(part for part in (article.get("label"), article.get("title")) if part)[:40]
        or f"第{article['number']}部分"
    )
