"""Rows that would leave a question without an answer for a while: told before they are confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.care.gaps import gap
from kb.ingest.fields import Line
from kb.store import EntryRow

_AT_ONCE = 500


def note_gaps(session: Session, lines: Iterable[Line], today: date) -> None:
    """Note it on every row that lets an entry begin later which answers today: as it says, or if a person lets it overwrite."""
    about: dict[str, list[tuple[Line, date]]] = {}
    for line in lines:
        begins = _begins(line)
        entry_id = {"update": line.entry_id, "collide": line.other_id}.get(line.action)
        if entry_id and begins and begins > today:
            about.setdefault(entry_id, []).append((line, begins))
    ids = list(about)
    for start in range(0, len(ids), _AT_ONCE):
        query = select(EntryRow.id, EntryRow.effective_from, EntryRow.effective_to)
        query = query.where(EntryRow.id.in_(ids[start : start + _AT_ONCE]), EntryRow.deleted.is_(False))
        for entry_id, was, until in session.execute(query):
            for line, begins in about[entry_id]:
                if told := gap(begins, (was, until), today):
                    line.notes.append(told if line.action == "update" else f"如选“覆盖”：{told}")


def _begins(line: Line) -> date | None:
    value = line.fields.get("effective_from")
    return date.fromisoformat(value) if value else None
