"""Deadlines in working days."""

from __future__ import annotations

from datetime import date, datetime

from core.clock import SHANGHAI
from core.database import Database
from handoff.clocks.defaults import seed
from handoff.clocks.timetable import save_calendar, save_days
from handoff.quality.workdays import after_workdays
from handoff.staff import GroupRow

_EARLY = [["08:00", "16:30"]]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_holidays_and_the_companys_own_days_count(database: Database) -> None:
    friday, before_holiday = at("2026-09-18T10:00"), at("2026-09-30T10:00")
    with database.write() as session:
        # Nobody has kept a calendar yet: the state's holds, and 20 September is a Sunday that is worked for 国庆节.
        assert after_workdays(session, friday, 1) == at("2026-09-20T18:00")
        seed(session)
        assert after_workdays(session, before_holiday, 1) == at("2026-10-08T18:00")
        assert after_workdays(session, before_holiday, 0) == at("2026-09-30T18:00")
        assert after_workdays(session, at("2035-05-04T10:00"), 1) == at("2035-05-07T18:00"), "no holidays known"
        own = {date(2026, 9, 20): ([], "司庆"), date(2026, 9, 21): ([["09:00", "12:00"]], "半天")}
        save_days(session, "sun", "workdays", own)
        assert after_workdays(session, friday, 1) == at("2026-09-21T12:00")


def test_a_group_goes_by_its_own_calendar_unless_that_never_rests(database: Database) -> None:
    friday = at("2026-11-20T10:00")
    with database.write() as session:
        seed(session)
        save_calendar(session, "sun", "early", name="早班", weekly=[_EARLY] * 6 + [[]], make_up=_EARLY)
        for group, calendar in (("tax", "early"), ("night", "always")):
            values = {"name": group, "tier": 2, "business_types": [], "dispatch": "pool", "settings": {}}
            session.add(GroupRow(id=group, calendar=calendar, **values))
        assert after_workdays(session, friday, 2, "tax") == at("2026-11-23T16:30")
        assert after_workdays(session, friday, 2, "night") == at("2026-11-24T18:00")
