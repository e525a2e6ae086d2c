"""Service levels and working calendars: read by everybody who signs in, edited by supervisors."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.audit import AuditRow
from core.clock import today
from core.errors import InvalidInput, NotFound
from handoff.clocks import holidays
from handoff.clocks.calendars import ALWAYS, Calendar, written
from handoff.clocks.clock import ClockRow
from handoff.clocks.forecast import forecast
from handoff.clocks.policies import (
    Kind,
    PolicyRow,
    Step,
    Terms,
    Whom,
    remove_policy,
    save_policy,
)
from handoff.clocks.rules import Rules
from handoff.clocks.timetable import (
    DEFAULT,
    CalendarRow,
    all_calendars,
    remove_calendar,
    save_calendar,
    save_days,
)
from handoff.staff import GroupRow
from handoff.tickets import ServiceTier, Urgency
from service.api.deps import DeskDep, OfTheDesk, Supervisor, from_our_page

router = APIRouter(prefix="/api/v1/console/clocks", tags=["clocks"])

_OURS = [Depends(from_our_page)]
Id = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Name = Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")]
Minutes = Annotated[int | None, Field(ge=1, le=100_000)]
Day = list[tuple[Annotated[str, Field(max_length=5)], Annotated[str, Field(max_length=5)]]]
Version = Annotated[int | None, Field(ge=1)]
MOST_DAYS = 400


class StepBody(BaseModel):
    after_min: int = Field(ge=0, le=100_000)
    whom: Whom


class PolicyBody(BaseModel):
    name: Name
    business_type: Name = ""
    urgency: Name = ""
    service_tier: Name = ""
    calendar: Name | None = None
    first_response_min: Minutes = None
    next_response_min: Minutes = None
    resolution_min: Minutes = None
    warn_percent: int = 80
    chain: list[StepBody] = Field(default=[], max_length=8)
    version: Version = None

    def terms(self) -> Terms:
        chain = [Step(step.after_min, step.whom) for step in self.chain]
        return Terms(**self.model_dump(exclude={"chain", "version"}), chain=chain)


class CalendarBody(BaseModel):
    name: Name
    weekly: list[Annotated[Day, Field(max_length=12)]] = Field(max_length=7)
    make_up: Annotated[Day, Field(max_length=12)] = []
    chinese_holidays: bool = True
    version: Version = None


class OwnDayBody(BaseModel):
    """`periods` null takes the day back, an empty list makes it a day off."""

    day: date
    periods: Annotated[Day, Field(max_length=12)] | None = None
    note: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = ""


class DaysBody(BaseModel):
    days: list[OwnDayBody] = Field(min_length=1, max_length=MOST_DAYS)
    version: Version = None


class TryBody(BaseModel):
    business_type: Name = ""
    urgency: Urgency = Urgency.NORMAL
    service_tier: ServiceTier = ServiceTier.STANDARD
    group: Name | None = None
    policy: Name | None = None
    at: AwareDatetime


@dataclass(frozen=True)
class _Asked:
    """A ticket that might be."""

    business_type: str
    urgency: str
    service_tier: str
    sla_policy: str | None
    group_id: str | None
    number: str = ""
    status: str = ""
    assignee: str | None = None


@router.get("/policies")
def get_policies(desk: DeskDep, actor: OfTheDesk) -> dict[str, Any]:
    """Service levels, the most general first, and what an editor may choose."""
    with desk.database.read() as session:
        rows = sorted(session.scalars(select(PolicyRow)), key=_generality)
        return {
            "items": [_policy(row) for row in rows],
            "kinds": [{"value": kind, "label": kind.label} for kind in Kind],
            "whom": [{"value": whom, "label": whom.label} for whom in Whom],
            "open_clocks": _open_clocks(session),
        }


@router.post("/policies", status_code=201, dependencies=_OURS)
def post_policy(desk: DeskDep, actor: Supervisor, body: PolicyBody) -> dict[str, Any]:
    """Make one; open tickets that it fits best go by it at once."""
    with desk.database.write() as session:
        row = save_policy(session, actor, f"p-{secrets.token_hex(4)}", body.terms(), calendars=all_calendars(session))
        return _policy(row)


@router.put("/policies/{policy_id}", dependencies=_OURS)
def put_policy(desk: DeskDep, actor: Supervisor, policy_id: Id, body: PolicyBody) -> dict[str, Any]:
    """Change one; its open clocks are counted anew and keep their pauses."""
    with desk.database.write() as session:
        if session.get(PolicyRow, policy_id) is None:
            raise NotFound("没有找到这条时效，可能已被删除。")
        row = save_policy(
            session, actor, policy_id, body.terms(), calendars=all_calendars(session), version=body.version
        )
        return _policy(row)


@router.delete("/policies/{policy_id}", status_code=204, dependencies=_OURS)
def delete_policy(desk: DeskDep, actor: Supervisor, policy_id: Id) -> None:
    """Remove one; its open clocks go by the next that fits."""
    with desk.database.write() as session:
        remove_policy(session, actor, policy_id)


@router.get("/calendars")
def get_calendars(desk: DeskDep, actor: OfTheDesk) -> dict[str, Any]:
    """Calendars; `warnings` say which year's holidays are not known."""
    with desk.database.read() as session:
        rows = session.scalars(select(CalendarRow).order_by(CalendarRow.id != DEFAULT, CalendarRow.name)).all()
        years = holidays.unknown_years(today())
        return {
            "items": [*(_calendar(session, row) for row in rows), _always(session)],
            "known_years": [min(holidays.KNOWN), max(holidays.KNOWN)],
            "warnings": [holidays.warning(years)] if years else [],
        }


@router.post("/calendars", status_code=201, dependencies=_OURS)
def post_calendar(desk: DeskDep, actor: Supervisor, body: CalendarBody) -> dict[str, Any]:
    """Make a calendar."""
    with desk.database.write() as session:
        row = save_calendar(session, actor, f"c-{secrets.token_hex(4)}", **body.model_dump(exclude={"version"}))
        return _calendar(session, row)


@router.put("/calendars/{calendar_id}", dependencies=_OURS)
def put_calendar(desk: DeskDep, actor: Supervisor, calendar_id: Id, body: CalendarBody) -> dict[str, Any]:
    """Change a calendar's week; open clocks are counted anew."""
    with desk.database.write() as session:
        if calendar_id != ALWAYS.id:
            _calendar_row(session, calendar_id)
        return _calendar(session, save_calendar(session, actor, calendar_id, **body.model_dump()))


@router.delete("/calendars/{calendar_id}", status_code=204, dependencies=_OURS)
def delete_calendar(desk: DeskDep, actor: Supervisor, calendar_id: Id) -> None:
    """Remove a calendar that nothing uses. 409 `in_use`."""
    with desk.database.write() as session:
        remove_calendar(session, actor, calendar_id, _used_by(session, calendar_id))


@router.get("/calendars/{calendar_id}/days")
def get_days(
    desk: DeskDep,
    actor: OfTheDesk,
    calendar_id: Id,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
) -> list[dict[str, Any]]:
    """What holds on each day between two, at most 400, and why: `source` is own, holiday, make_up, unknown_year or weekly."""
    if not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        raise InvalidInput(f"请选择先后正确、不超过 {MOST_DAYS} 天的日期范围。")
    with desk.database.read() as session:
        calendar = all_calendars(session).get(calendar_id)
        if calendar is None:
            raise NotFound("没有找到这个日历，可能已被删除。")
        return [_day(calendar, first + timedelta(days=n)) for n in range((last - first).days + 1)]


@router.put("/calendars/{calendar_id}/days", dependencies=_OURS)
def put_days(desk: DeskDep, actor: Supervisor, calendar_id: Id, body: DaysBody) -> dict[str, Any]:
    """Set or take back the company's own days; others stay. Open clocks are counted anew."""
    days = {one.day: None if one.periods is None else (one.periods, one.note) for one in body.days}
    with desk.database.write() as session:
        return _calendar(session, save_days(session, actor, calendar_id, days, body.version))


@router.post("/try", dependencies=_OURS)
def post_try(desk: DeskDep, actor: OfTheDesk, body: TryBody) -> dict[str, Any]:
    """What a ticket filed at `at` would be promised: the policy that fits, each due time, every period counted, and when the
    chain would climb if nobody did anything."""
    asked = _Asked(body.business_type, body.urgency, body.service_tier, body.policy, body.group)
    with desk.database.read() as session:
        return forecast(Rules.read(session), asked, body.at)


@router.get("/changes")
def get_changes(
    desk: DeskDep, actor: Supervisor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[dict[str, Any]]:
    """Who changed which service level or calendar, newest first, from the audit log."""
    with desk.database.read() as session:
        ours = or_(AuditRow.subject.startswith("sla_policy:"), AuditRow.subject.startswith("calendar:"))
        rows = session.scalars(select(AuditRow).where(ours).order_by(AuditRow.id.desc()).limit(limit))
        return [
            {
                "at": row.at.isoformat(),
                "actor": row.actor,
                "action": row.action,
                "subject": row.subject,
                "detail": row.detail,
            }
            for row in rows
        ]


def _generality(row: PolicyRow) -> tuple[int, str, str, int, str]:
    named = sum(map(bool, (row.business_type, row.urgency, row.service_tier)))
    urgency = ["", *Urgency].index(row.urgency)
    return named, row.service_tier, row.business_type, urgency, row.id


def _policy(row: PolicyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "business_type": row.business_type,
        "urgency": row.urgency,
        "service_tier": row.service_tier,
        "calendar": row.calendar,
        "first_response_min": row.first_response_min,
        "next_response_min": row.next_response_min,
        "resolution_min": row.resolution_min,
        "warn_percent": row.warn_percent,
        "chain": row.chain,
        **_stamp(row.version, row.updated_at, row.updated_by),
    }


def _calendar(session: Session, row: CalendarRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "weekly": row.weekly,
        "make_up": row.make_up,
        "chinese_holidays": row.chinese_holidays,
        "own_days": [{"day": day, **own} for day, own in sorted(row.days.items())],
        "used_by": _used_by(session, row.id),
        "fixed": False,
        **_stamp(row.version, row.updated_at, row.updated_by),
    }


def _always(session: Session) -> dict[str, Any]:
    return {
        "id": ALWAYS.id,
        "name": ALWAYS.name,
        "weekly": [written(day) for day in ALWAYS.weekly],
        "make_up": written(ALWAYS.make_up),
        "chinese_holidays": False,
        "own_days": [],
        "used_by": _used_by(session, ALWAYS.id),
        "fixed": True,
        "version": ALWAYS.version,
        "updated_at": None,
        "updated_by": "system",
    }


def _stamp(version: int, at: datetime, by: str) -> dict[str, Any]:
    return {"version": version, "updated_at": at.isoformat(), "updated_by": by}


def _used_by(session: Session, calendar_id: str) -> list[str]:
    policies = session.scalars(select(PolicyRow.name).where(PolicyRow.calendar == calendar_id))
    groups = session.scalars(select(GroupRow.name).where(GroupRow.calendar == calendar_id))
    return [*(f"时效“{name}”" for name in policies), *groups]


def _calendar_row(session: Session, calendar_id: str) -> CalendarRow:
    row = session.get(CalendarRow, calendar_id)
    if row is None:
        raise NotFound("没有找到这个日历，可能已被删除。")
    return row


def _open_clocks(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ClockRow).where(ClockRow.stopped_at.is_(None))) or 0


def _day(calendar: Calendar, day: date) -> dict[str, Any]:
    said = calendar.day(day)
    return {
        "day": day.isoformat(),
        "periods": written(said.periods),
        "source": said.source,
        "note": said.note,
    }
