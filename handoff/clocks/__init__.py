"""Service level agreements: clocks on business calendars, which follow what happens to a ticket."""

from __future__ import annotations

from sqlalchemy.orm import Session

from handoff.tickets import TicketEventRow, TicketRow


def follow(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    """Start, stop, pause or go on with the clocks of `ticket`, as `event` has just happened to it."""
