"""Messages shown again: what an employee may no longer see is left out, because audiences and people change."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from core.clock import today
from core.errors import Unavailable
from kb.entries import Audience, Viewer
from kb.release.live import LiveKnowledge
from kb.search import Searcher
from kb.store import EntryRow, entry_from_dict

WITHHELD = "这条内容已不在您的可见范围内。需要的话请直接输入您的问题，我重新为您查找。"
_CHOSEN = "（已选择的问题）"


def shown_to(
    viewer: Viewer, messages: list[dict[str, Any]], knowledge: LiveKnowledge, session: Session
) -> list[dict[str, Any]]:
    """`messages` (`Message.to_dict`) without answers of entries outside the viewer's audience and without buttons that would
    open nothing today. An answer that has merely expired stays: it was said, and told since when it held."""
    try:
        searcher = knowledge.searcher
    except Unavailable:
        searcher = None
    audiences_of = _audiences(searcher, session)

    def may_see(entry_id: str) -> bool:
        return all(viewer.may_see(audience) for audience in audiences_of(entry_id))

    def opens(choice: str) -> bool:
        kind, _, entry_id = choice.partition(":")
        return kind != "entry" or (searcher is not None and searcher.get(entry_id, viewer, today()) is not None)

    return [_shown(message, may_see, opens) for message in messages]


def _shown(message: dict[str, Any], may_see: Callable[[str], bool], opens: Callable[[str], bool]) -> dict[str, Any]:
    if message["type"] == "answer" and message.get("entry_id") and not may_see(message["entry_id"]):
        emptied = {"entry_id": None, "title": "", "sources": [], "effective_from": None, "options": []}
        return {**message, **emptied, "text": WITHHELD}
    kind, _, entry_id = str(message.get("choice") or "").partition(":")
    if kind == "entry" and not may_see(entry_id):
        return {**message, "text": _CHOSEN, "choice": None}
    if all(opens(option["choice"]) for option in message["options"]):
        return message
    return {**message, "options": [option for option in message["options"] if opens(option["choice"])]}


def _audiences(searcher: Searcher | None, session: Session) -> Callable[[str], tuple[Audience, ...]]:
    """Whom an entry is for: as published and as narrowed since, else as it was last approved; nothing for one that nobody
    knows."""

    @cache
    def audiences_of(entry_id: str) -> tuple[Audience, ...]:
        published = searcher.audiences(entry_id) if searcher else ()
        if published:
            return published
        row = session.get(EntryRow, entry_id)
        return (entry_from_dict(row.body).audience,) if row else ()

    return audiences_of
