"""Days of Shanghai."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from core.clock import SHANGHAI


def midnight(day: date) -> datetime:
    """The first moment of `day`."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def each_day(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
