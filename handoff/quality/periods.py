"""Periods that figures are given for: weeks and months of Shanghai."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from core.clock import SHANGHAI
from core.errors import InvalidInput

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def bounds(period: str) -> tuple[datetime, datetime]:
    """`2026-W47` or `2026-11`: its first moment, and the first one after it. Raises InvalidInput."""
    try:
        if found := _WEEK.fullmatch(period):
            first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
            return _midnight(first), _midnight(first + timedelta(days=7))
        if found := _MONTH.fullmatch(period):
            first = date(int(found[1]), int(found[2]), 1)
            return _midnight(first), _midnight((first + timedelta(days=31)).replace(day=1))
    except (ValueError, OverflowError):
        pass
    raise InvalidInput("统计周期要写成 2026-W47（周）或 2026-11（月）。", code="period")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def week_of(moment: datetime) -> str:
    year, week, _ = moment.astimezone(SHANGHAI).date().isocalendar()
    return f"{year}-W{week:02d}"


def month_of(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m")


def days(start: date, end: date) -> tuple[datetime, datetime]:
    """From the beginning of `start` to the end of `end`. Raises InvalidInput where they are the wrong way round."""
    if end < start:
        raise InvalidInput("结束日期不能早于开始日期。", code="period")
    return _midnight(start), _midnight(end + timedelta(days=1))
