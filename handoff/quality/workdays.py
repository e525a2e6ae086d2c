"""Deadlines that are counted in working days, by the calendars that the desk keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from handoff.clocks.calendars import ALWAYS, Calendar
from handoff.clocks.timetable import all_calendars, calendar_of
from handoff.staff import GroupRow

_OFFICE = ((9 * 60, 18 * 60),)
STATE = Calendar("state", "法定工作日", (_OFFICE,) * 5 + ((), ()), _OFFICE)
"""Where the desk keeps no calendar, or one that is closed for good."""
_LONGEST = timedelta(days=731)


def after_workdays(session: Session, moment: datetime, days: int, group_id: str | None = None) -> datetime:
    """The end of work on the `days`-th working day after the day of `moment`, by the calendar of the group, else the desk's."""
    for calendar in (_calendar(session, group_id), STATE):
        for count, end in enumerate(_ends(calendar, moment)):
            if count == days:
                return end
    raise AssertionError("the state's calendar opens")


def _calendar(session: Session, group_id: str | None) -> Calendar:
    """Round the clock is for clocks: nobody looks into a low score at night."""
    group = session.get(GroupRow, group_id) if group_id else None
    own = all_calendars(session).get(group.calendar) if group and group.calendar else None
    calendar = own if own and own is not ALWAYS else calendar_of(session)
    return STATE if calendar is ALWAYS else calendar


def _ends(calendar: Calendar, moment: datetime) -> Iterator[datetime]:
    """The end of work on the day of `moment`, whatever day it is, and of each working day after it."""
    today = moment.astimezone(SHANGHAI).date()
    yield _at(today, (calendar.day(today).periods or _OFFICE)[-1][1])
    day = today
    while day - today < _LONGEST:
        day += timedelta(days=1)
        if periods := calendar.day(day).periods:
            yield _at(day, periods[-1][1])


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(), SHANGHAI) + timedelta(minutes=minute)
