"""How good it was: satisfaction, reviews of low scores, surveys, inspection, the scoreboard."""

from __future__ import annotations

from sqlalchemy.orm import Session

from handoff.tickets import TicketEventRow, TicketRow


def follow(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    """Ask for a rating when `ticket` is resolved; take the question back when it is reopened."""
    from handoff.quality import satisfaction

    if event.kind == "resolved":
        satisfaction.invite(session, ticket, agent=ticket.assignee or event.actor)
    elif event.kind in ("reopened", "cancelled", "merged"):
        satisfaction.withdraw(session, ticket)
