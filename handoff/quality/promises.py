"""Whether what was promised about a ticket's times was kept, read from its clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.clocks.clock import ClockRow

_CHUNK = 500


def _chunks(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for place in range(0, len(numbers), _CHUNK):
        yield numbers[place : place + _CHUNK]


def broken(session: Session, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` of which any clock ran out."""
    return {
        number
        for chunk in _chunks(numbers)
        for number in session.scalars(
            select(ClockRow.ticket).where(ClockRow.ticket.in_(chunk), ClockRow.breached_at.is_not(None)).distinct()
        )
    }


def promised(session: Session, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` about which anything was promised at all."""
    return {
        number
        for chunk in _chunks(numbers)
        for number in session.scalars(select(ClockRow.ticket).where(ClockRow.ticket.in_(chunk)).distinct())
    }
