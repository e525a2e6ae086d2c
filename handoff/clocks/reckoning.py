"""What a clock says: working time since its start without its pauses, and the moment at which a promise is used up.

Pure. Pauses are `(start, end)`, oldest first and apart; the end of one that still lasts is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from handoff.clocks.calendars import HORIZON, Calendar, Span

Pause = tuple[datetime, datetime | None]


def running(start: datetime, end: datetime, pauses: Sequence[Pause]) -> Iterator[tuple[datetime, datetime]]:
    """The stretches between `start` and `end` that no pause takes out."""
    at = start
    for begin, finish in pauses:
        if begin >= end:
            break
        if begin > at:
            yield at, begin
        if finish is None:
            return
        at = max(at, finish)
    if at < end:
        yield at, end


def counted(calendar: Calendar, start: datetime, end: datetime, pauses: Sequence[Pause]) -> Iterator[Span]:
    """The working time that counts, in order: what an auditor adds up."""
    for begin, finish in running(start, end, pauses):
        yield from calendar.spans(begin, finish)


class Walk:
    """Along the working time of a clock from its `start`, as far as is asked for; what was walked once is kept."""

    def __init__(self, calendar: Calendar, start: datetime, pauses: Sequence[Pause]) -> None:
        self._start = start
        self._ahead = counted(calendar, start, start + HORIZON, pauses)
        self._walked: list[tuple[timedelta, Span]] = []
        self._length = timedelta()

    def _spans(self) -> Iterator[tuple[timedelta, Span]]:
        """Each span with what had counted before it."""
        yield from self._walked
        for span in self._ahead:
            one = (self._length, span)
            self._walked.append(one)
            self._length += span.length
            yield one

    def runs_out(self, minutes: float) -> datetime | None:
        """The first moment at which `minutes` have counted; None while a pause keeps it from coming."""
        end = timedelta(minutes=minutes)
        if end <= timedelta():
            return self._start
        for before, span in self._spans():
            if before + span.length >= end:
                return span.start + (end - before)
        return None

    def passes(self, minutes: float) -> datetime | None:
        """The moment after which more than `minutes` have counted: where they are used up at the end of a period, or as a
        pause begins, that is when the clock goes on."""
        end = timedelta(minutes=minutes)
        for before, span in self._spans():
            if before + span.length > end:
                return span.start + (end - before)
        return None


def worked(calendar: Calendar, start: datetime, end: datetime, pauses: Sequence[Pause]) -> timedelta:
    """What has counted between `start` and `end`."""
    return sum((span.length for span in counted(calendar, start, end, pauses)), timedelta())


def minutes(length: timedelta) -> float:
    """Minutes with two decimals, as they are stored."""
    return round(length / timedelta(minutes=1), 2)
