"""What other systems may know of a ticket: how it stands, never what people said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.api_clients import ApiRequestRow
from connectors.webhooks import queue
from handoff.staff import GroupRow
from handoff.tickets import Status, TicketRow
from handoff.timeline import TicketChanged


def facts(session: Session, ticket: TicketRow, reference: str = "") -> dict[str, Any]:
    """`reference` is the caller's own, given with the ticket."""
    group = session.get(GroupRow, ticket.group_id) if ticket.group_id else None
    return {
        "number": ticket.number,
        "reference": reference,
        "status": str(ticket.status),
        "status_label": Status(ticket.status).label,
        "business_type": ticket.business_type,
        "urgency": ticket.urgency,
        "document_no": ticket.document_no,
        "employee_no": ticket.employee_no,
        "page": ticket.page,
        "node": ticket.node,
        "group": group.name if group else None,
        "merged_into": ticket.merged_into,
        "created_at": ticket.created_at.isoformat(),
        "updated_at": ticket.updated_at.isoformat(),
        "resolved_at": ticket.resolved_at.isoformat() if ticket.resolved_at else None,
    }


def tell_webhooks(session: Session, event_id: int, event: TicketChanged) -> None:
    """Subscriber to TicketChanged: a delivery for every webhook that wants it, once."""
    ticket = session.get_one(TicketRow, event.number)
    query = select(ApiRequestRow.reference).where(ApiRequestRow.ticket == event.number).order_by(ApiRequestRow.id)
    reference = session.scalar(query.limit(1)) or ""
    told = {
        **facts(session, ticket, reference),
        "status": event.status,
        "status_label": Status(event.status).label,
        "sequence": event.event_id,
    }
    queue(session, f"ticket-event:{event.event_id}", event.happened, told)
