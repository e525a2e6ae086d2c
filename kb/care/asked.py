"""Who asks which question already, kept between calls: only entries that changed are read and taken apart again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.care.drafts import DraftRow
from kb.entries import Audience, Entry
from kb.store import EntryRow, entry_from_dict
from kb.words import bare


@dataclass(frozen=True)
class Asked:
    """A question of an entry, or of a draft, with who reads it when; `key` is what is left of it without punctuation."""

    key: str
    question: str
    entry_id: str
    audience: Audience
    effective_from: date | None
    effective_to: date | None
    drafted: bool


def asked_by(entry: Entry, drafted: bool) -> tuple[Asked, ...]:
    return tuple(
        Asked(bare(question), question, entry.id, entry.audience, entry.effective_from, entry.effective_to, drafted)
        for question in entry.questions
    )


_MOST = 200_000
_kept: dict[Hashable, tuple[Asked, ...]] = {}


def asked(session: Session) -> tuple[frozenset[str], list[Asked]]:
    """The ids of all live entries and drafts, and every question of theirs."""
    if len(_kept) > _MOST:
        _kept.clear()
    ids: set[str] = set()
    found: list[Asked] = []
    for head, bodies, drafted in (
        (
            select(EntryRow.id, EntryRow.version, EntryRow.updated_at).where(EntryRow.deleted.is_(False)),
            lambda some: select(EntryRow.id, EntryRow.body).where(EntryRow.id.in_(some)),
            False,
        ),
        (
            select(DraftRow.entry_id, DraftRow.revision, DraftRow.updated_at).where(DraftRow.deletes.is_(False)),
            lambda some: select(DraftRow.entry_id, DraftRow.body).where(DraftRow.entry_id.in_(some)),
            True,
        ),
    ):
        # An id and a version alone would name different entries in two databases of one process.
        keys = {row[0]: (drafted, *row) for row in session.execute(head)}
        _read(session, {entry_id: key for entry_id, key in keys.items() if key not in _kept}, bodies, drafted)
        ids.update(keys)
        for key in keys.values():
            found += _kept.get(key, ())
    return frozenset(ids), found


def _read(
    session: Session, missing: dict[str, Hashable], bodies: Callable[[Iterable[str]], Any], drafted: bool
) -> None:
    wanted = list(missing)
    for start in range(0, len(wanted), 500):
        for entry_id, body in session.execute(bodies(wanted[start : start + 500])):
            _kept[missing[entry_id]] = asked_by(entry_from_dict(body), drafted)
