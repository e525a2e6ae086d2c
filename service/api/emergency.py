"""The emergency channel: who is on call, which calls there were, who acknowledged when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from handoff.actors import Actor
from handoff.permissions import may
from handoff.routing import versions
from handoff.routing.emergency import CALLING, EmergencyCallRow, acknowledge, may_acknowledge
from handoff.routing.oncall import lists_body
from handoff.routing.placing import rules_in_force
from handoff.routing.versions import EMERGENCY
from handoff.staff import staff
from handoff.tickets import Status, TicketRow
from service.api.deps import ActorDep, DeskDep, OfTheDesk, Supervisor, from_our_page
from service.api.ticket_body import names_of
from service.users import users

router = APIRouter(prefix="/api/v1/console/emergency", tags=["emergency"])

_OURS = [Depends(from_our_page)]
_SHOWN = 100


class Lists(BaseModel):
    """`number` is the version that was edited."""

    lists: Annotated[list[dict[str, Any]], Field(max_length=20)]
    number: Annotated[int, Field(ge=0, le=2**31 - 1)]


class Acknowledgement(BaseModel):
    words: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    false_alarm: bool = False


@router.get("/list")
def get_lists(desk: DeskDep, actor: OfTheDesk) -> dict[str, Any]:
    """The on-call lists, and who and which words can be put on them."""
    with desk.database.read() as session:
        row = versions.in_force(session, EMERGENCY)
        rules = rules_in_force(session)
        return {
            "number": row.number if row else 0,
            "lists": row.body["lists"] if row else [],
            "changed_by": row.author if row else None,
            "changed_at": row.saved_at.isoformat() if row else None,
            "people": [{"username": username, "name": name} for username, name in _callable(session).items()],
            "words": rules.risk_words() if rules else [],
        }


@router.put("/list", dependencies=_OURS)
def put_lists(desk: DeskDep, actor: Supervisor, body: Lists) -> dict[str, Any]:
    """Other lists, for calls that begin from now on. 409 `version_conflict`."""
    with desk.database.write() as session:
        made = lists_body(body.lists, set(_callable(session)))
        row = versions.put(session, EMERGENCY, made, actor, number=body.number)
        return {"number": row.number, "lists": row.body["lists"]}


@router.get("")
def get_calls(desk: DeskDep, actor: OfTheDesk) -> list[dict[str, Any]]:
    """Calls about tickets that one may read: those nobody has acknowledged first, then the newest."""
    with desk.database.read() as session:
        rows = session.execute(
            select(EmergencyCallRow, TicketRow)
            .join(TicketRow, TicketRow.number == EmergencyCallRow.ticket)
            .order_by(case((EmergencyCallRow.state == CALLING, 0), else_=1), EmergencyCallRow.called_at.desc())
            .limit(_SHOWN)
        ).all()
        shown = [(call, ticket) for call, ticket in rows if _sees(actor, ticket, call)]
        return _bodies(session, actor, shown)


@router.post("/{number}/acknowledge", dependencies=_OURS)
def post_acknowledge(
    desk: DeskDep,
    actor: ActorDep,
    number: Annotated[str, Path(max_length=20, pattern=r"^[^\x00]+$")],
    body: Acknowledgement,
) -> dict[str, Any]:
    """I take care of it; or `false_alarm`: it is none. 409 `already_acknowledged`, `emergency_ended`."""
    with desk.database.write() as session:
        row = acknowledge(session, number, actor, words=body.words, false_alarm=body.false_alarm)
        return _bodies(session, actor, [(row, session.get_one(TicketRow, number))])[0]


def _sees(actor: Actor, ticket: TicketRow, call: EmergencyCallRow) -> bool:
    return may(actor, "read", ticket) or may_acknowledge(actor, ticket, call)


def _callable(session: Session) -> dict[str, str]:
    """Who can be on call: the people of the desk and administrators, by username."""
    found = {row.username: row.name for row in staff(session)}
    return found | {user.username: user.name for user in users(session) if "admin" in user.roles}


def _bodies(session: Session, actor: Actor, rows: list[tuple[EmergencyCallRow, TicketRow]]) -> list[dict[str, Any]]:
    everybody = {
        name
        for call, ticket in rows
        for name in (
            ticket.assignee,
            call.acknowledged_by,
            *call.people,
            *(n for one in call.called for n in one["usernames"]),
        )
    }
    names = names_of(session, everybody)

    def person(username: str) -> dict[str, str]:
        return {"username": username, "name": names.get(username, username)}

    return [
        {
            "number": ticket.number,
            "description": ticket.description,
            "business_type": ticket.business_type,
            "company": ticket.company,
            "status": ticket.status,
            "status_label": Status(ticket.status).staff_label,
            "risk_words": ticket.risk_words,
            "assignee": person(ticket.assignee) if ticket.assignee else None,
            "state": call.state,
            "why": call.why,
            "list": call.list_name,
            "minutes": call.minutes,
            "called_at": call.called_at.isoformat(),
            "called": [{"people": [person(name) for name in one["usernames"]], "at": one["at"]} for one in call.called],
            "next_at": call.next_at.isoformat() if call.next_at else None,
            "acknowledged_by": person(call.acknowledged_by) if call.acknowledged_by else None,
            "acknowledged_at": call.acknowledged_at.isoformat() if call.acknowledged_at else None,
            "words": call.words,
            "false_alarm": call.false_alarm,
            "mine": call.state == CALLING and may_acknowledge(actor, ticket, call),
        }
        for call, ticket in rows
    ]
