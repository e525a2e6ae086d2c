"""Shifts: which hours of which days somebody works, and the roster that says otherwise for single days."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import SHANGHAI
from core.database import Base, Json
from core.errors import Conflict, InvalidInput, NotFound
from core.text import normalize
from handoff.actors import Actor
from handoff.clocks import calendar_of
from handoff.staff import StaffRow, staff

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
WORKDAYS = 0
"""Among a shift's days it stands for the working days of its calendar, 调休 included."""


class ShiftRow(Base):
    """`days` are ISO weekdays (1 is Monday), or `[0]`: the working days of `calendar` (None: the default one). It runs from
    `starts` to `ends` (`HH:MM`, Shanghai); one that ends no later than it starts ends on the next day."""

    __tablename__ = "shift"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    days: Mapped[list[int]] = mapped_column(Json)
    starts: Mapped[str] = mapped_column(String(5))
    ends: Mapped[str] = mapped_column(String(5))
    calendar: Mapped[str | None] = mapped_column(String(40))


class RosterRow(Base):
    """On `day` this person works `shift` instead of their usual one; None: they are off."""

    __tablename__ = "roster"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    shift: Mapped[str | None] = mapped_column(String(40))


class Roster:
    """Who works when, read once for many questions."""

    def __init__(self, session: Session, moment: datetime) -> None:
        self._moment = moment.astimezone(SHANGHAI)
        self._shifts = {row.id: row for row in session.scalars(select(ShiftRow))}
        today = self._moment.date()
        rows = session.scalars(select(RosterRow).where(RosterRow.day.in_([today, today - timedelta(days=1)])))
        self._days = {(row.username, row.day): row.shift for row in rows}
        self._workday = {
            (calendar, day): _works(session, calendar, day)
            for calendar in {row.calendar for row in self._shifts.values() if row.days == [WORKDAYS]}
            for day in (today, today - timedelta(days=1))
        }

    def at_work(self, person: StaffRow) -> bool:
        """Whether their shift runs now; whoever has none works whenever they are on duty."""
        today = self._moment.date()
        return any(self._runs(person, day) for day in (today, today - timedelta(days=1)))

    def available(self, person: StaffRow) -> bool:
        """On duty and at work: dispatch may give them tickets."""
        return person.active and person.on_duty and self.at_work(person)

    def _runs(self, person: StaffRow, day: date) -> bool:
        rostered = (person.username, day) in self._days
        shift = self._shifts.get(self._days[(person.username, day)] if rostered else person.shift)
        if shift is None:
            return not rostered and not person.shift and day == self._moment.date()
        if not rostered and not self._works_on(shift, day):
            return False
        starts, ends = (datetime.combine(day, _clock(text), SHANGHAI) for text in (shift.starts, shift.ends))
        return starts <= self._moment < (ends if ends > starts else ends + timedelta(days=1))

    def _works_on(self, shift: ShiftRow, day: date) -> bool:
        if shift.days == [WORKDAYS]:
            return self._workday[(shift.calendar, day)]
        return day.isoweekday() in shift.days


def _works(session: Session, calendar: str | None, day: date) -> bool:
    """Whether the business calendar (None: the default one) has any open minute on that day."""
    midnight = datetime.combine(day, time(), SHANGHAI)
    return calendar_of(session, calendar).worked(midnight, midnight + timedelta(days=1)) > timedelta(0)


def _clock(text: str) -> time:
    return time.fromisoformat(text)


def shifts(session: Session) -> list[ShiftRow]:
    return list(session.scalars(select(ShiftRow).order_by(ShiftRow.starts, ShiftRow.id)))


def save_shift(session: Session, actor: Actor, shift_id: str, body: dict[str, Any]) -> ShiftRow:
    """Add or change a shift. Raises InvalidInput."""
    name, days = normalize(str(body.get("name") or "")), sorted(set(body.get("days") or ()))
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", shift_id) or not 1 <= len(name) <= 40:
        raise InvalidInput("班次需要一个 40 个字以内的名称。", code="shift_invalid")
    if days != [WORKDAYS] and not (days and set(days) <= set(range(1, 8))):
        raise InvalidInput("请选择班次的工作日，或“随工作日历”。", code="shift_invalid")
    if not all(_TIME.fullmatch(str(body.get(one) or "")) for one in ("starts", "ends")):
        raise InvalidInput("班次的起止时间需要写成 09:00 这样。", code="shift_invalid")
    row = session.get(ShiftRow, shift_id)
    if row is None:
        row = ShiftRow(id=shift_id)
        session.add(row)
    row.name, row.days, row.starts, row.ends = name, days, body["starts"], body["ends"]
    row.calendar = body.get("calendar") or None
    session.flush()
    audit.append(session, actor, "shift.saved", f"shift:{shift_id}", {"name": name, "days": days, **_hours(row)})
    return row


def remove_shift(session: Session, actor: Actor, shift_id: str) -> None:
    """Raises NotFound, or Conflict while somebody works it."""
    row = session.get(ShiftRow, shift_id)
    if row is None:
        raise NotFound("没有这个班次，可能已被删除，请刷新页面。")
    if working := [person.name for person in staff(session) if person.shift == shift_id]:
        raise Conflict(f"{'、'.join(working[:5])} 等还在这个班次，请先换班。", code="shift_in_use")
    session.execute(delete(RosterRow).where(RosterRow.shift == shift_id))
    session.delete(row)
    audit.append(session, actor, "shift.removed", f"shift:{shift_id}", {"name": row.name})


def roster(session: Session, first: date, days: int) -> list[RosterRow]:
    """What differs from the usual shifts on `days` days from `first`."""
    query = select(RosterRow).where(RosterRow.day >= first, RosterRow.day < first + timedelta(days=days))
    return list(session.scalars(query.order_by(RosterRow.day, RosterRow.username)))


def set_roster(session: Session, actor: Actor, username: str, day: date, shift: str | None, *, usual: bool) -> None:
    """On `day` let them work `shift`, or be off (None); `usual` takes it back."""
    if shift is not None and session.get(ShiftRow, shift) is None:
        raise NotFound("没有这个班次，可能已被删除，请刷新页面。")
    row = session.get(RosterRow, (username, day))
    if usual:
        if row:
            session.delete(row)
    elif row:
        row.shift = shift
    else:
        session.add(RosterRow(username=username, day=day, shift=shift))
    audit.append(
        session, actor, "roster.changed", f"staff:{username}", {"day": day.isoformat(), "shift": shift, "usual": usual}
    )


def _hours(row: ShiftRow) -> dict[str, str | None]:
    return {"starts": row.starts, "ends": row.ends, "calendar": row.calendar}
