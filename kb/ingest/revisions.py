"""What became of entries since a file was exported: which version they are, who made it, what they said at another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.clock import local
from core.errors import InvalidInput
from kb.care.drafts import DraftRow
from kb.entries import Entry
from kb.store import EntryRow, EntryVersionRow, entry_from_dict

_AT_ONCE = 400


def version_of(text: str) -> int | None:
    """The version that a cell of an export names; None for an empty one. Raises InvalidInput for anything else."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InvalidInput(f"条目版本“{text[:30]}”看不懂，请保留导出时的数字，或清空这一格")
    return int(text)


def states(session: Session, ids: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """The newest version of each entry, a retired one's too, 0 where there is none; and the author of its draft, if any."""
    found: dict[str, tuple[int, str | None]] = dict.fromkeys(ids, (0, None))
    for some in _pieces(ids):
        for entry_id, version in session.execute(select(EntryRow.id, EntryRow.version).where(EntryRow.id.in_(some))):
            found[entry_id] = (version, None)
        for entry_id, author in session.execute(
            select(DraftRow.entry_id, DraftRow.author).where(DraftRow.entry_id.in_(some))
        ):
            found[entry_id] = (found[entry_id][0], author)
    return found


def said_at(session: Session, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Entry]:
    """Entries as they were at a version, by id and version."""
    key = tuple_(EntryVersionRow.entry_id, EntryVersionRow.version)
    return {
        (row.entry_id, row.version): entry_from_dict(row.body)
        for some in _pieces(wanted)
        for row in session.scalars(select(EntryVersionRow).where(key.in_(some)))
    }


def last_changes(session: Session, versions: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Who made this version of each entry and when, as people are told: `zhao 于 2026-11-23 09:30 改过`."""
    key = tuple_(EntryVersionRow.entry_id, EntryVersionRow.version)
    return {
        row.entry_id: f"{row.author} 于 {local(row.at)} {'停用' if row.retired else '改过'}"
        for some in _pieces(versions)
        for row in session.scalars(select(EntryVersionRow).where(key.in_(some)))
    }


def _pieces(some: Iterable[Any]) -> Iterable[list[Any]]:
    every = list(some)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
