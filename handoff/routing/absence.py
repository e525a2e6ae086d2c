"""Tickets of somebody who is not there go back to their group, and from a pool to whoever has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.errors import Conflict
from handoff.actors import SYSTEM
from handoff.routing.dispatching import give, pool
from handoff.routing.shifts import Roster
from handoff.staff import GROUP_SETTINGS, GroupRow, StaffRow, groups
from handoff.tickets import OPEN, Status, TicketEventRow, TicketRow

_UNACCEPTED = (Status.ASSIGNED, Status.REOPENED)
_READ = (
    TicketRow.number,
    TicketRow.status,
    TicketRow.group_id,
    TicketRow.assignee,
    TicketRow.first_response_at,
    TicketRow.unread,
    TicketRow.updated_at,
)
_TAKEN = ("assigned", "claimed", "accepted", "reopened", "transferred", "escalated", "replied")


@dataclass(frozen=True)
class Swept:
    """How many tickets went back to their groups, and how many from pools to people."""

    returned: int
    given: int


def sweep(database: Database, moment: datetime | None = None, *, of: str | None = None) -> Swept:
    """Return what the absent hold, or only what one person does, and give out what waits. Each ticket in a transaction of
    its own, looked at again under its lock: two sweeps at once do no harm."""
    moment = moment or now()
    with database.read() as session:
        due = returns(session, moment, TicketRow.assignee == of if of else None)
        waiting = [
            number
            for group in groups(session, active=True)
            if group.dispatch == "auto"
            for number in pool(session, group.id)
        ]
    returned = sum(_return(database, number, moment) for number in due)
    return Swept(returned, sum(_give(database, number, moment) for number in waiting))


def returns(session: Session, moment: datetime, where: ColumnElement[bool] | None = None) -> dict[str, str]:
    """Open tickets that their assignee should not keep, each with the reason; only those `where` it holds, if given.

    Of who has left everything returns; of who went off duty what they had not answered; of anybody what lay longer than the
    group's `answer_within` without being taken up, or, while they are absent, without an answer to the requester.
    """
    query = (
        select(*_READ)
        .join(StaffRow, StaffRow.username == TicketRow.assignee)
        .where(
            TicketRow.status.in_(OPEN),
            or_(
                StaffRow.active.is_(False),
                TicketRow.status.in_(_UNACCEPTED),
                and_(
                    TicketRow.status == Status.IN_PROGRESS,
                    or_(TicketRow.unread, TicketRow.first_response_at.is_(None)),
                ),
            ),
        )
    )
    rows = session.execute(query if where is None else query.where(where)).all()
    if not rows:
        return {}
    people = {row.username: row for row in session.scalars(select(StaffRow))}
    roster = Roster(session, moment)
    minutes = {row.id: row.setting("answer_within") for row in session.scalars(select(GroupRow))}
    taken = _taken_at(session, [ticket.number for ticket in rows])
    found = {}
    for ticket in rows:
        patience = timedelta(minutes=minutes.get(ticket.group_id or "", GROUP_SETTINGS["answer_within"]))
        since = taken.get(ticket.number, ticket.updated_at)
        if why := _why(ticket, people[ticket.assignee], roster, moment, since, patience):
            found[ticket.number] = why
    return found


def _why(
    ticket: Row[Any], person: StaffRow, roster: Roster, moment: datetime, since: datetime, patience: timedelta
) -> str | None:
    if not person.active:
        return f"{person.name}已离开服务台"
    unaccepted = ticket.status in _UNACCEPTED
    unanswered = unaccepted or ticket.first_response_at is None
    left = not person.on_duty and person.duty_changed_at is not None and since <= person.duty_changed_at
    if left and unanswered:
        return f"{person.name}已离岗，尚未答复"
    if unaccepted and moment - since >= patience:
        return f"{person.name} {int(patience.total_seconds() // 60)} 分钟内没有受理"
    away = not roster.available(person)
    if away and ticket.unread and moment - max(since, ticket.updated_at) >= patience:
        return f"{person.name}不在岗，员工在等答复"
    return None


def _taken_at(session: Session, numbers: Sequence[str]) -> dict[str, datetime]:
    """When each of these tickets was last given to its person, or taken up by them."""
    rows = session.execute(
        select(TicketEventRow.ticket, func.max(TicketEventRow.at))
        .where(TicketEventRow.ticket.in_(numbers), TicketEventRow.kind.in_(_TAKEN))
        .group_by(TicketEventRow.ticket)
    )
    return {number: at for number, at in rows}


def _return(database: Database, number: str, moment: datetime) -> bool:
    from handoff import lifecycle

    try:
        with database.write() as session:
            ticket = session.get(TicketRow, number, with_for_update=True)
            why = returns(session, moment, TicketRow.number == number).get(number)
            if ticket is None or why is None:
                return False
            lifecycle.give_back(session, number, SYSTEM, why)
        return True
    except Conflict:
        return False


def _give(database: Database, number: str, moment: datetime) -> bool:
    with database.write() as session:
        ticket = session.get(TicketRow, number, with_for_update=True)
        return ticket is not None and give(session, ticket, moment) is not None
