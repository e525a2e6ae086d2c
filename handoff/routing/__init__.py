"""Who gets a ticket: rules that a supervisor edits, groups, and the people in them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from handoff.tickets import TicketRow


def route(session: Session, ticket: TicketRow) -> None:
    """Give a ticket that was just filed or sent back its tier, group, priority, SLA policy and, where the group works so, a
    person."""
