"""Working days of the state's calendar, for deadlines that are counted in days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from core.clock import SHANGHAI
from handoff.clocks.holidays import Kind, kind


def is_workday(day: date) -> bool:
    """By the State Council's holidays and 调休; Monday to Friday in a year whose holidays are not known yet."""
    known = kind(day)
    return known is Kind.MAKE_UP if known else day.weekday() < 5


def after_workdays(moment: datetime, days: int) -> datetime:
    """18:00 of the `days`-th working day after the day of `moment`."""
    day = moment.astimezone(SHANGHAI).date()
    while days > 0:
        day += timedelta(days=1)
        days -= is_workday(day)
    return datetime(day.year, day.month, day.day, 18, tzinfo=SHANGHAI)
