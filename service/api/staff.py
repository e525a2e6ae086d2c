"""The people of the desk: groups, skills, shifts, who is on duty."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from core.clock import now, today
from core.errors import Forbidden, NotFound
from handoff import staff as people
from handoff.actors import Actor
from handoff.routing import shifts
from handoff.routing.absence import sweep
from handoff.routing.dispatching import loads
from handoff.routing.shifts import Roster, ShiftRow
from handoff.staff import GroupRow, StaffRow
from service.api.deps import ActorDep, DeskDep, OfTheDesk, Supervisor, from_our_page
from service.users import UserRow

router = APIRouter(prefix="/api/v1/console", tags=["staff"])

_OURS = [Depends(from_our_page)]
Name = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]
Names = Annotated[list[Name], Field(max_length=100)]
Id = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]
Minutes = Annotated[int, Field(ge=1, le=24 * 60)]
Capacity = Annotated[int, Field(ge=0, le=people.MOST_CAPACITY)]


class ChangedGroup(BaseModel):
    name: Name | None = None
    tier: int | None = None
    business_types: Names | None = None
    dispatch: Name | None = None
    calendar: Name | None = None
    active: bool | None = None
    answer_within: Minutes | None = None
    skill_required: bool | None = None


class NewGroup(ChangedGroup):
    id: Name
    name: Name


class NewStaff(BaseModel):
    username: Name


class ChangedStaff(BaseModel):
    groups: Names | None = None
    leads: Names | None = None
    skills: Names | None = None
    capacity: Capacity | None = None
    shift: Name | None = None
    employee_no: Name | None = None


class Duty(BaseModel):
    on: bool


class Shift(BaseModel):
    name: Name
    days: Annotated[list[int], Field(max_length=7)]
    starts: Name
    ends: Name
    calendar: Name | None = None


class RosterDay(BaseModel):
    """`shift` null: off that day; `usual`: what differs from the usual shift is taken back."""

    username: Name
    day: date
    shift: Name | None = None
    usual: bool = False


@router.get("/groups")
def get_groups(desk: DeskDep, actor: OfTheDesk) -> list[dict[str, Any]]:
    """Every service group."""
    with desk.database.read() as session:
        return [group_body(row) for row in people.groups(session)]


@router.post("/groups", status_code=201, dependencies=_OURS)
def post_group(desk: DeskDep, actor: Supervisor, body: NewGroup) -> dict[str, Any]:
    """A new group."""
    with desk.database.write() as session:
        changes = body.model_dump(exclude_unset=True, exclude={"id", "name"})
        return group_body(people.add_group(session, actor, body.id, body.name, **changes))


@router.patch("/groups/{group_id}", dependencies=_OURS)
def patch_group(desk: DeskDep, actor: Supervisor, group_id: Id, body: ChangedGroup) -> dict[str, Any]:
    """Change a group; one that is in use stays active."""
    with desk.database.write() as session:
        return group_body(people.change_group(session, actor, group_id, **body.model_dump(exclude_unset=True)))


@router.get("/staff")
def get_staff(desk: DeskDep, actor: OfTheDesk) -> list[dict[str, Any]]:
    """Who works at the desk: groups, skills, shift, duty, load."""
    with desk.database.read() as session:
        return _people(session, people.staff(session))


@router.post("/staff", status_code=201, dependencies=_OURS)
def post_staff(desk: DeskDep, actor: Supervisor, body: NewStaff) -> dict[str, Any]:
    """Let an administrator work in groups too."""
    with desk.database.write() as session:
        user = session.get(UserRow, body.username)
        if user is None:
            raise NotFound(f"没有用户 {body.username}，请先在“用户”中添加。", code="user_not_found")
        return _people(session, [people.add_staff(session, actor, user.username, user.name)])[0]


@router.patch("/staff/{username}", dependencies=_OURS)
def patch_staff(desk: DeskDep, actor: ActorDep, username: Id, body: ChangedStaff) -> dict[str, Any]:
    """Groups, skills, capacity and shift of somebody; leaders may change all but groups and employee number, of their own
    people."""
    with desk.database.write() as session:
        person = people.staff_of(session, username)
        _require_leading(actor, person)
        changes = body.model_dump(exclude_unset=True)
        # Whoever has the number acts as this person in a channel, so that it is as serious as their groups.
        if not actor.has("supervisor") and {"groups", "leads", "employee_no"} & set(changes):
            raise Forbidden("调整班组和工号请联系主管。", code="role_missing")
        return _people(session, [people.change_staff(session, actor, username, **changes)])[0]


@router.get("/staff/me")
def get_me(desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
    """Who I am at the desk: `person` is null for somebody who works in no group."""
    with desk.database.read() as session:
        row = session.get(StaffRow, actor.id)
        return {"person": _people(session, [row])[0] if row and row.active else None}


@router.post("/staff/me/duty", dependencies=_OURS)
def post_my_duty(desk: DeskDep, actor: ActorDep, body: Duty) -> dict[str, Any]:
    """Go on or off duty. What one has not answered returns to its group at once."""
    return _on_duty(desk, actor, actor.id, body.on)


@router.post("/staff/{username}/duty", dependencies=_OURS)
def post_duty(desk: DeskDep, actor: ActorDep, username: Id, body: Duty) -> dict[str, Any]:
    """Put somebody on or off duty; their leader or a supervisor may."""
    with desk.database.read() as session:
        _require_leading(actor, people.staff_of(session, username))
    return _on_duty(desk, actor, username, body.on)


@router.get("/shifts")
def get_shifts(desk: DeskDep, actor: OfTheDesk) -> list[dict[str, Any]]:
    """Every shift."""
    with desk.database.read() as session:
        return [_shift(row) for row in shifts.shifts(session)]


@router.put("/shifts/{shift_id}", dependencies=_OURS)
def put_shift(desk: DeskDep, actor: Supervisor, shift_id: Id, body: Shift) -> dict[str, Any]:
    """Add or change a shift; `days` are ISO weekdays, or `[0]`: the working days of its calendar."""
    with desk.database.write() as session:
        return _shift(shifts.save_shift(session, actor, shift_id, body.model_dump()))


@router.delete("/shifts/{shift_id}", status_code=204, dependencies=_OURS)
def delete_shift(desk: DeskDep, actor: Supervisor, shift_id: Id) -> Response:
    """Remove a shift that nobody works."""
    with desk.database.write() as session:
        shifts.remove_shift(session, actor, shift_id)
    return Response(status_code=204)


@router.get("/roster")
def get_roster(
    desk: DeskDep, actor: OfTheDesk, first: date | None = None, days: Annotated[int, Query(ge=1, le=62)] = 7
) -> list[dict[str, Any]]:
    """What differs from the usual shifts."""
    with desk.database.read() as session:
        return [
            {"username": row.username, "day": row.day.isoformat(), "shift": row.shift}
            for row in shifts.roster(session, first or today(), days)
        ]


@router.put("/roster", status_code=204, dependencies=_OURS)
def put_roster(desk: DeskDep, actor: ActorDep, body: RosterDay) -> Response:
    """Another shift, or a free day, for somebody on one day."""
    with desk.database.write() as session:
        _require_leading(actor, people.staff_of(session, body.username))
        shifts.set_roster(session, actor, body.username, body.day, body.shift or None, usual=body.usual)
    return Response(status_code=204)


def _on_duty(desk: DeskDep, actor: Actor, username: str, on: bool) -> dict[str, Any]:
    with desk.database.write() as session:
        people.set_duty(session, actor, username, on)
    swept = sweep(desk.database, of=username)
    with desk.database.read() as session:
        return {"person": _people(session, [people.staff_of(session, username)])[0], "returned": swept.returned}


def _require_leading(actor: Actor, person: StaffRow) -> None:
    if not actor.has("supervisor") and not ("leader" in actor.roles and actor.leads & set(person.groups)):
        raise Forbidden("只有本组组长或主管可以调整，请联系他们。", code="role_missing")


def _people(session: Session, rows: list[StaffRow]) -> list[dict[str, Any]]:
    roster = Roster(session, now())
    carried = loads(session, [row.username for row in rows])
    return [person_body(row, roster, carried[row.username]) for row in rows]


def person_body(row: StaffRow, roster: Roster, load: int) -> dict[str, Any]:
    return {
        "username": row.username,
        "name": row.name,
        "roles": row.roles,
        "groups": row.groups,
        "leads": row.leads,
        "skills": row.skills,
        "capacity": row.capacity,
        "shift": row.shift,
        "employee_no": row.employee_no,
        "on_duty": row.on_duty,
        "duty_changed_at": _iso(row.duty_changed_at),
        "at_work": roster.at_work(row),
        "available": roster.available(row),
        "load": load,
    }


def group_body(row: GroupRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "tier": row.tier,
        "business_types": row.business_types,
        "dispatch": row.dispatch,
        "calendar": row.calendar,
        "active": row.active,
        "answer_within": row.setting("answer_within"),
        "skill_required": row.setting("skill_required"),
    }


def _shift(row: ShiftRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "name", "days", "starts", "ends", "calendar")}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
