"""One change to many entries: each gets a submitted draft, and each a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypedDict

from sqlalchemy.orm import Session

from core.errors import Conflict, FSSCError, NotFound
from kb.care.checks import Finding
from kb.care.drafts import REJECTED, DraftRow, propose, submit
from kb.entries import Audience, Entry
from kb.store import EntryRow, entry_from_dict

MOST = 500


class Change(TypedDict, total=False):
    """What to change; what is absent stays. A date of None takes the date away."""

    owner: str
    business_type: str
    effective_from: date | None
    effective_to: date | None
    review_on: date | None
    audience: Audience
    add_scenes: Sequence[str]
    remove_scenes: Sequence[str]
    retire: bool


Check = Callable[[Entry], list[Finding]]


def bulk_edit(session: Session, ids: Sequence[str], change: Change, author: str, check: Check) -> list[dict[str, Any]]:
    """`{id, outcome, message}` for each id in order: `draft` (submitted for review), `unchanged`, or `failed` and why."""
    results = []
    for entry_id in dict.fromkeys(ids):
        try:
            with session.begin_nested():
                changed = _edit_one(session, entry_id, change, author, check)
            outcome, message = ("draft", "已提交审核。") if changed else ("unchanged", "本来就是这样，没有改动。")
        except FSSCError as error:
            outcome, message = "failed", error.message
        results.append({"id": entry_id, "outcome": outcome, "message": message})
    return results


def _edit_one(session: Session, entry_id: str, change: Change, author: str, check: Check) -> bool:
    row = session.get(EntryRow, entry_id)
    if row is None or row.deleted:
        raise NotFound("这条知识已停用，或还没有批准过，不能批量修改。")
    draft = session.get(DraftRow, entry_id)
    if draft is not None and draft.author == author:
        told = (
            "您对这条知识的修改被退回了，还没有处理"
            if draft.state == REJECTED
            else "您对这条知识还有一份没有审核完的修改"
        )
        raise Conflict(f"{told}；批量修改会丢掉它，请先提交，或放弃那份草稿。", code="draft_by_you")
    entry = entry_from_dict(row.body)
    changed = applied(entry, change)
    retire = bool(change.get("retire"))
    if changed == entry and not retire:
        return False
    propose(session, changed, author, base_version=row.version, deletes=retire)
    submit(session, entry_id, author, [] if retire else check(changed))
    return True


def applied(entry: Entry, change: Change) -> Entry:
    """`entry` with the change made, whatever its draft says."""
    given: dict[str, Any] = {
        name: change[name]
        for name in ("owner", "business_type", "effective_from", "effective_to", "review_on", "audience")
        if name in change
    }
    dropped = set(change.get("remove_scenes") or ())
    scenes = [scene for scene in (*entry.scenes, *(change.get("add_scenes") or ())) if scene not in dropped]
    return replace(entry, **given, scenes=tuple(dict.fromkeys(scenes)))
