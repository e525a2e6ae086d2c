"""Working time: several periods a day, a weekly pattern, the state's holidays and 调休, and the company's own days.

Pure arithmetic. Moments come and go as aware datetimes; inside, days are those of Shanghai, which has kept UTC+8 since
1991. A working instant lies in a period `[start, end)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from core.clock import SHANGHAI
from core.errors import InvalidInput
from handoff.clocks import holidays

DAY = 24 * 60
_ONE = timedelta(days=1)
_EAST = timedelta(hours=8)
HORIZON = timedelta(days=3653)
"""Nothing is searched further away than this; a calendar may be closed for good."""

Period = tuple[int, int]
"""Start and end in minutes of the day, `0 <= start < end <= 1440`."""

Periods = tuple[Period, ...]
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class OwnDay:
    """A day on which the company differs: its periods (none: off) and why."""

    periods: Periods
    note: str = ""


@dataclass(frozen=True)
class WorkDay:
    """What a calendar says of one day. `source` is own, holiday, make_up, unknown_year or weekly."""

    day: date
    periods: Periods
    source: str
    note: str


@dataclass(frozen=True)
class Span:
    """A stretch of working time, aware, `[start, end)`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Calendar:
    """`weekly` holds the periods of Monday to Sunday; `make_up` those of a 调休 day whose weekday is off."""

    id: str
    name: str
    weekly: tuple[Periods, ...]
    make_up: Periods = ()
    chinese_holidays: bool = True
    own: Mapping[date, OwnDay] = field(default_factory=dict)
    version: int = 1
    _kept: dict[date, tuple[Span, ...]] = field(default_factory=dict, compare=False, repr=False)

    def day(self, day: date) -> WorkDay:
        """What holds on `day`, and why: the company's own word, then the state's, then the week's."""
        if day in self.own:
            return WorkDay(day, self.own[day].periods, "own", self.own[day].note)
        usual = self.weekly[day.weekday()]
        if not self.chinese_holidays:
            return WorkDay(day, usual, "weekly", "")
        kind = holidays.kind(day)
        if kind is holidays.Kind.HOLIDAY:
            return WorkDay(day, (), "holiday", holidays.name(day))
        if kind is holidays.Kind.MAKE_UP:
            return WorkDay(day, usual or self.make_up, "make_up", holidays.name(day))
        return WorkDay(day, usual, "weekly" if day.year in holidays.KNOWN else "unknown_year", "")

    def open_on(self, day: date) -> tuple[Span, ...]:
        """The periods of `day` as moments; worked out once."""
        kept = self._kept.get(day)
        if kept is None:
            midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
            kept = self._kept[day] = tuple(
                Span(midnight + timedelta(minutes=start), midnight + timedelta(minutes=end))
                for start, end in self.day(day).periods
            )
        return kept

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The working time between two moments, in order."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        day, last = _day(start), _day(end)
        while day <= last:
            for span in self.open_on(day):
                if span.start >= start and span.end <= end:
                    yield span
                elif span.start < end and span.end > start:
                    yield Span(max(start, span.start), min(end, span.end))
            day += _ONE

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments."""
        return sum((span.length for span in self.spans(start, end)), timedelta())

    def after(self, start: datetime, minutes: float) -> datetime | None:
        """The first moment at which `minutes` of working time have passed since `start`; None beyond the horizon."""
        left = timedelta(minutes=minutes)
        if left <= timedelta():
            return start
        for span in self.spans(start, start + HORIZON):
            if span.length >= left:
                return span.start + left
            left -= span.length
        return None

    def opens(self, moment: datetime) -> datetime | None:
        """The first working instant from `moment` on; None beyond the horizon."""
        span = next(self.spans(moment, moment + HORIZON), None)
        return span.start if span else None

    def is_open(self, moment: datetime) -> bool:
        return self.opens(moment) == moment

    def unknown(self, start: datetime, end: datetime) -> list[int]:
        """Years between two moments whose holidays would count here and are not known."""
        if not self.chinese_holidays:
            return []
        years = range(_day(start).year, _day(end).year + 1)
        return [year for year in years if year not in holidays.KNOWN]


def parse(periods: Sequence[Sequence[str]]) -> Periods:
    """`[["09:00", "12:00"], ["13:30", "18:00"]]` as periods; `24:00` ends a day. Raises InvalidInput."""
    read = tuple(sorted((_minute(start), _minute(end)) for start, end in periods))
    for start, end in read:
        if start >= end:
            raise InvalidInput(f"时段 {clock(start)}–{clock(end)} 的结束时间应晚于开始时间；跨零点请分成两段。")
    for (_, before), (after, _) in zip(read, read[1:], strict=False):
        if after < before:
            raise InvalidInput(f"时段在 {clock(after)} 处重叠，请调整。")
    return read


def written(periods: Periods) -> list[list[str]]:
    """What `parse` reads."""
    return [[clock(start), clock(end)] for start, end in periods]


def clock(minute: int) -> str:
    """`09:30`"""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _minute(text: str) -> int:
    if text == "24:00":
        return DAY
    match = _TIME.fullmatch(text)
    if not match:
        raise InvalidInput(f"时间“{text[:20]}”无法识别，请写成 09:00 这样的格式。")
    return int(match[1]) * 60 + int(match[2])


def _day(moment: datetime) -> date:
    return (moment.astimezone(UTC) + _EAST).date()


ALWAYS = Calendar("always", "全天候 7×24", (((0, DAY),),) * 7, ((0, DAY),), chinese_holidays=False)
"""Every minute of every day: what 特急 counts on."""
