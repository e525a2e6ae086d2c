"""Who gets a ticket: rules that a supervisor edits, groups, and the people in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from handoff.tickets import TicketEventRow, TicketRow


def route(session: Session, ticket: TicketRow, moment: datetime | None = None) -> None:
    """Give a ticket that was just filed its tier, group, priority, SLA policy and, where the group works so, a person.
    What a rule calls an emergency goes to the on-call list at once."""
    from handoff.routing.placing import place

    place(session, ticket, moment)


def dispatch(session: Session, ticket: TicketRow, moment: datetime | None = None) -> str | None:
    """Give an open ticket that nobody has to a person of its group, where the group works so; their username. Where it
    stays in the pool, those who may claim it are told."""
    from handoff.routing.dispatching import give_or_offer

    return give_or_offer(session, ticket, moment)


def follow(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    """Raise or end the alarm, as `event` has just happened to `ticket`; what was offered is not once somebody has it."""
    from handoff.notices import withdraw
    from handoff.routing.dispatching import POOLED
    from handoff.routing.emergency import heed

    heed(session, ticket, event)
    if event.kind in ("claimed", "assigned", "accepted", "transferred", "escalated", "cancelled", "merged", "closed"):
        withdraw(session, POOLED, ticket.number)
