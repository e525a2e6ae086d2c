"""Tickets as the figures see them, made anew whenever something happened to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from core.clock import now
from handoff.clocks.clock import ClockRow
from handoff.clocks.policies import Kind
from handoff.quality.inspections import InspectionRow
from handoff.quality.satisfaction import SatisfactionRow
from handoff.tickets import Status, TicketEventRow, TicketRow
from service.insight.calendar import day_of
from service.insight.names import Names, Place
from service.insight.store import MADE, StateRow, TicketFactRow

_CHUNK = 500
_LATE = 2000
"""So many events are looked at again: a number that was drawn earlier may have been committed later."""

_HANDED = ("transferred", "escalated", "reopened")


def follow_tickets(session: Session, names: Names) -> int:
    """Make the facts of every ticket to which something happened since the last time; how many."""
    state = session.get(StateRow, "tickets")
    last = state.body["event"] if state and state.body.get("made") == MADE else 0
    newest = session.scalar(select(func.max(TicketEventRow.id))) or 0
    numbers = set(
        session.scalars(select(TicketEventRow.ticket).where(TicketEventRow.id > max(0, last - _LATE)).distinct())
    )
    since = (state.at if state else now()) - timedelta(hours=1)
    numbers |= set(
        session.scalars(
            select(InspectionRow.ticket).where(
                or_(
                    InspectionRow.scored_at >= since,
                    InspectionRow.appealed_at >= since,
                    InspectionRow.decided_at >= since,
                )
            )
        )
    )
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _CHUNK):
        make_tickets(session, ordered[start : start + _CHUNK], names)
    session.merge(StateRow(name="tickets", body={"event": newest, "made": MADE}, at=now()))
    return len(ordered)


def make_tickets(session: Session, numbers: Sequence[str], names: Names) -> None:
    """Make the facts of `numbers` anew."""
    events = _by_ticket(session, numbers, TicketEventRow, TicketEventRow.id)
    clocks = _by_ticket(session, numbers, ClockRow, ClockRow.round)
    ratings = _by_ticket(session, numbers, SatisfactionRow, SatisfactionRow.resolution)
    inspected = _by_ticket(session, numbers, InspectionRow, InspectionRow.id)
    facts = []
    tickets = session.scalars(select(TicketRow).where(TicketRow.number.in_(numbers))).all()
    origins = names.origins({_place(ticket) for ticket in tickets})
    for ticket in tickets:
        mine = ticket.number
        facts.append(
            {
                **_standing(ticket, events[mine]),
                **_promises(clocks[mine]),
                "number": mine,
                "origin": origins[_place(ticket)],
                "business_type": ticket.business_type,
                "group_id": ticket.group_id or "",
                "policy": _policy(ticket, clocks[mine]),
                **_judged(ticket, ratings[mine], inspected[mine]),
            }
        )
    session.execute(delete(TicketFactRow).where(TicketFactRow.number.in_(numbers)))
    if facts:
        session.execute(insert(TicketFactRow.__table__), facts)


def _place(ticket: TicketRow) -> Place:
    return (ticket.company or "", ticket.department or "", ticket.channel, ticket.page)


def _by_ticket(session: Session, numbers: Sequence[str], table: Any, order: Any) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for row in session.scalars(select(table).where(table.ticket.in_(numbers)).order_by(order)):
        found[row.ticket].append(row)
    return found


def _standing(ticket: TicketRow, events: Sequence[TicketEventRow]) -> dict[str, Any]:
    kinds = [event.kind for event in events]
    solved = ticket.status in (Status.RESOLVED, Status.CLOSED) and ticket.resolved_at is not None
    asked_more = any(event.kind == "replied" and event.detail.get("then") == "waiting" for event in events)
    return {
        "status": str(ticket.status),
        "filed_day": day_of(ticket.created_at),
        "solved_day": day_of(ticket.resolved_at) if solved and ticket.resolved_at else None,
        "left_day": _left(ticket, events),
        "escalated": int("escalated" in kinds),
        "reopened": ticket.reopenings,
        "once": int(solved and not asked_more and not any(kind in _HANDED for kind in kinds)),
    }


def _left(ticket: TicketRow, events: Sequence[TicketEventRow]) -> date | None:
    """The day on which the ticket stopped being anybody's work."""
    if ticket.status in (Status.RESOLVED, Status.CLOSED):
        return day_of(ticket.resolved_at or ticket.updated_at)
    if ticket.status in (Status.CANCELLED, Status.MERGED):
        ended = [event.at for event in events if event.kind == ticket.status]
        return day_of(ended[-1] if ended else ticket.updated_at)
    return None


def _promises(clocks: Sequence[ClockRow]) -> dict[str, Any]:
    first = [one for one in clocks if one.kind == Kind.FIRST_RESPONSE]
    resolution = [one for one in clocks if one.kind == Kind.RESOLUTION]
    return {
        "first_kept": _kept(first),
        "resolve_kept": _kept(resolution),
        "first_min": first[0].actual_min if first else None,
        "resolve_min": _sum(one.actual_min for one in resolution),
    }


def _policy(ticket: TicketRow, clocks: Sequence[ClockRow]) -> str:
    """The service level that the ticket was promised by; what its last resolution goes by, where clocks differ."""
    by = {one.kind: one.policy for one in clocks if one.policy and one.promised_min is not None}
    return by.get(Kind.RESOLUTION) or by.get(Kind.FIRST_RESPONSE) or ticket.sla_policy or ""


def _kept(clocks: Sequence[ClockRow]) -> int | None:
    promised = [one for one in clocks if one.promised_min is not None]
    if any(one.breached_at is not None for one in promised):
        return 0
    return 1 if promised and all(one.stopped_at is not None for one in promised) else None


def _sum(minutes: Any) -> float | None:
    """The time of every round together; None while one still runs."""
    known = list(minutes)
    return sum(known) if known and None not in known else None


def _judged(
    ticket: TicketRow, ratings: Sequence[SatisfactionRow], inspected: Sequence[InspectionRow]
) -> dict[str, Any]:
    rated = next((one for one in reversed(ratings) if one.state == "rated"), None)
    scored = next((one for one in inspected if one.state in ("scored", "decided")), None)
    return {
        "score": rated.score if rated else None,
        "reasons": rated.reasons if rated else [],
        "quality": scored.total if scored else None,
    }
