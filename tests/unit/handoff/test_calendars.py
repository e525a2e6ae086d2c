"""Working time: lunch, weekends, holidays, 调休, the company's own days, years that nobody knows yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from core.clock import SHANGHAI
from core.errors import InvalidInput
from handoff.clocks import holidays
from handoff.clocks.calendars import ALWAYS, Calendar, OwnDay, parse
from handoff.clocks.reckoning import Walk, worked

DAY = parse([["09:00", "12:00"], ["13:30", "18:00"]])
WORKDAYS = Calendar("workdays", "工作日", (DAY,) * 5 + ((), ()), DAY)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-23 11:50", 30, "2026-11-23 13:50"),  # lunch does not count
        ("2026-11-23 11:30", 30, "2026-11-23 12:00"),  # due as the morning ends, not after lunch
        ("2026-11-20 17:45", 30, "2026-11-23 09:15"),  # a weekend
        ("2026-09-30 17:30", 60, "2026-10-08 09:30"),  # National Day
        ("2026-10-09 17:30", 60, "2026-10-10 09:30"),  # Saturday, 10 October is worked for it
        ("2026-11-22 03:00", 15, "2026-11-23 09:15"),  # asked in the night of a Sunday
        ("2026-11-23 09:00", 900, "2026-11-24 18:00"),  # two working days
    ],
)
def test_a_promise_runs_out_in_working_time(start: str, minutes: int, due: str) -> None:
    assert WORKDAYS.after(at(start), minutes) == at(due)
    assert WORKDAYS.worked(at(start), at(due)) == timedelta(minutes=minutes)


def test_round_the_clock_knows_neither_night_nor_holiday() -> None:
    assert ALWAYS.after(at("2026-10-01 23:50"), 30) == at("2026-10-02 00:20")


def test_the_companys_own_days_come_before_the_states() -> None:
    own = {
        date(2026, 11, 24): OwnDay((), "司庆"),
        date(2026, 10, 3): OwnDay(parse([["10:00", "12:00"]]), "月结值班"),
    }
    calendar = Calendar("own", "own", WORKDAYS.weekly, DAY, True, own)
    assert calendar.after(at("2026-11-23 17:30"), 60) == at("2026-11-25 09:30")
    assert calendar.after(at("2026-10-03 08:00"), 30) == at("2026-10-03 10:30")
    assert calendar.day(date(2026, 11, 24)).note == "司庆"


def test_a_year_that_the_library_does_not_know_goes_by_the_week_and_is_warned_of() -> None:
    year = max(holidays.KNOWN) + 1
    calendar = Calendar("w", "w", WORKDAYS.weekly, DAY)
    new_year = date(year, 1, 1)
    assert calendar.day(new_year).periods == WORKDAYS.weekly[new_year.weekday()]
    assert calendar.day(new_year).source == "unknown_year"
    start, end = datetime(year - 1, 12, 31, 17, tzinfo=SHANGHAI), datetime(year, 1, 4, 12, tzinfo=SHANGHAI)
    assert calendar.unknown(start, end) == [year]
    assert ALWAYS.unknown(start, end) == []
    assert holidays.unknown_years(date(year - 1, 11, 22)) == [year]
    assert holidays.unknown_years(date(year - 1, 6, 1)) == []
    assert str(year) in holidays.warning([year])


def test_what_counts_again_only_after_lunch_is_broken_only_then() -> None:
    start = at("2026-11-23 11:30")
    assert Walk(WORKDAYS, start, []).runs_out(30) == at("2026-11-23 12:00")
    assert Walk(WORKDAYS, start, []).passes(30) == at("2026-11-23 13:30")
    assert worked(WORKDAYS, start, at("2026-11-23 13:30"), []) == timedelta(minutes=30)


def test_a_pause_moves_the_due_time_and_one_that_lasts_takes_it_away() -> None:
    start = at("2026-11-23 10:00")
    pauses = [(at("2026-11-23 10:30"), at("2026-11-23 14:00"))]
    assert Walk(WORKDAYS, start, pauses).runs_out(60) == at("2026-11-23 14:30")
    lasting = [(at("2026-11-23 10:30"), None)]
    assert Walk(WORKDAYS, start, lasting).runs_out(60) is None
    assert Walk(WORKDAYS, start, lasting).runs_out(30) == at("2026-11-23 10:30")
    assert Walk(WORKDAYS, start, lasting).passes(30) is None


def test_a_calendar_that_never_opens_has_no_due_time() -> None:
    closed = Calendar("x", "x", ((),) * 7)
    assert closed.after(at("2026-11-23 10:00"), 1) is None
    assert closed.opens(at("2026-11-23 10:00")) is None


@pytest.mark.parametrize(
    "periods", [[["12:00", "09:00"]], [["09:00", "12:00"], ["11:00", "13:00"]], [["9:00", "12:00"]]]
)
def test_periods_that_make_no_sense_are_refused(periods: list[list[str]]) -> None:
    with pytest.raises(InvalidInput):
        parse(periods)


def test_every_moment_is_reckoned_in_shanghai() -> None:
    assert WORKDAYS.after(datetime.fromisoformat("2026-11-23T01:00:00+00:00"), 5) == at("2026-11-23 09:05")
