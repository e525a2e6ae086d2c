"""Inside a group: to whom a ticket goes. Least loaded first, ties by who has been idle the longest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import now
from handoff.actors import SYSTEM
from handoff.notices import notify
from handoff.routing.shifts import Roster
from handoff.staff import GroupRow, StaffRow, leaders_of, staff
from handoff.tickets import OPEN, Status, TicketEventRow, TicketRow, Urgency

LOAD = tuple(status for status in OPEN if status is not Status.WAITING)
"""What counts against a person's capacity: not what waits for its requester."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_AGAIN = timedelta(hours=12)
POOLED = "pooled"
"""The notice that a ticket waits to be claimed."""


def give(session: Session, ticket: TicketRow, moment: datetime | None = None) -> str | None:
    """Give `ticket`, whose row the caller has locked, to a person of its group; None where it stays in the pool: the group
    claims by itself, or nobody with room is there who has not handed it back just now."""
    # Lifecycle dispatches what is handed on, so it can only be known when there is something to give.
    from handoff import lifecycle

    moment = moment or now()
    group = session.get(GroupRow, ticket.group_id) if ticket.group_id else None
    if group is None or group.dispatch != "auto" or ticket.assignee or ticket.status not in OPEN:
        return None
    handed_back = _handed_back_by(session, ticket, moment)
    wanted = _skills_wanted(session, ticket)
    chosen = choose(session, group, wanted, moment, but=handed_back)
    if chosen is None:
        return None
    chosen.last_given_at = moment
    lifecycle.assign(session, ticket.number, SYSTEM, to=chosen.username)
    return chosen.username


def give_or_offer(session: Session, ticket: TicketRow, moment: datetime | None = None) -> str | None:
    """As `give`, for a ticket that has just come to its group: where it stays in the pool, whoever may claim it is told."""
    given = give(session, ticket, moment)
    if given is None and ticket.assignee is None and ticket.group_id and ticket.status in OPEN:
        _offer(session, ticket, moment or now())
    return given


def claimants(session: Session, ticket: TicketRow, moment: datetime) -> list[str]:
    """Those of the ticket's group who are there, without who has handed it back just now."""
    roster, handed_back = Roster(session, moment), _handed_back_by(session, ticket, moment)
    return [
        row.username
        for row in staff(session, group=ticket.group_id or "")
        if row.on_duty and roster.available(row) and row.username not in handed_back
    ]


def _offer(session: Session, ticket: TicketRow, moment: datetime) -> None:
    """To those of the group who are there; where nobody is, to whoever leads it."""
    group = session.get(GroupRow, ticket.group_id)
    if group is None:
        return
    told = claimants(session, ticket, moment)
    asked = "可以认领" if told else "组内暂时没有人在岗，请安排"
    notify(
        session,
        told or leaders_of(session, group.id),
        POOLED,
        f"{group.name}派工池有新工单 {ticket.number}（{ticket.business_type}，{ticket.urgency}），{asked}。",
        key=f"pool:{ticket.number}:{ticket.version}",
        ticket=ticket.number,
        urgent=ticket.urgency == Urgency.EMERGENCY,
    )


def choose(
    session: Session, group: GroupRow, wanted: Sequence[str], moment: datetime, *, but: frozenset[str] = frozenset()
) -> StaffRow | None:
    """The person of `group` who gets the next ticket. Their rows stay locked until the transaction ends, so that two
    tickets at once are not given by the same figures."""
    members = [row.username for row in session.scalars(select(StaffRow)) if group.id in row.groups and row.on_duty]
    people = session.scalars(
        select(StaffRow)
        .where(StaffRow.username.in_(members))
        .order_by(StaffRow.username)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    roster = Roster(session, moment)
    there = [one for one in people if group.id in one.groups and roster.available(one) and one.username not in but]
    carried = loads(session, [one.username for one in there])
    free = [one for one in there if carried[one.username] < one.capacity]
    skilled = [one for one in free if set(wanted) & set(one.skills)]
    if not skilled and group.setting("skill_required"):
        return None
    return min(
        skilled or free,
        key=lambda one: (carried[one.username], one.last_given_at or _NEVER, one.username),
        default=None,
    )


def loads(session: Session, usernames: Sequence[str]) -> dict[str, int]:
    """How many open tickets each of them works on."""
    rows = session.execute(
        select(TicketRow.assignee, func.count())
        .where(TicketRow.assignee.in_(usernames), TicketRow.status.in_(LOAD))
        .group_by(TicketRow.assignee)
    )
    return dict.fromkeys(usernames, 0) | {username: count for username, count in rows}


def pool(session: Session, group_id: str, limit: int = 50) -> list[str]:
    """Open tickets of a group that nobody has, the most urgent first, then the oldest."""
    query = select(TicketRow.number).where(
        TicketRow.group_id == group_id, TicketRow.assignee.is_(None), TicketRow.status.in_(LOAD)
    )
    return list(
        session.scalars(query.order_by(TicketRow.priority, TicketRow.created_at, TicketRow.number).limit(limit))
    )


def _skills_wanted(session: Session, ticket: TicketRow) -> list[str]:
    """The skill that the rule asked for, until the ticket went on to another group; else its subtype and business type."""
    query = (
        select(TicketEventRow)
        .where(TicketEventRow.ticket == ticket.number, TicketEventRow.kind.in_(["routed", "transferred", "escalated"]))
        .order_by(TicketEventRow.id.desc())
    )
    last = session.scalars(query.limit(1)).one_or_none()
    skill = (last.detail or {}).get("skill") if last else None
    return [skill] if skill else [one for one in (ticket.subtype, ticket.business_type) if one]


def _handed_back_by(session: Session, ticket: TicketRow, moment: datetime) -> frozenset[str]:
    query = select(TicketEventRow.detail).where(
        TicketEventRow.ticket == ticket.number,
        TicketEventRow.kind == "returned",
        TicketEventRow.at >= moment - _NOT_AGAIN,
    )
    return frozenset(filter(None, ((detail or {}).get("from") for detail in session.scalars(query))))
