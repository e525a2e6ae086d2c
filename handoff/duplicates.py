"""The duplicate check: who asks again about what they have an open ticket about joins that ticket, their own and no other."""

from __future__ import annotations

from difflib import SequenceMatcher

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.privacy import mask
from core.text import normalize
from handoff.actors import employee
from handoff.states import heard
from handoff.tickets import OPEN, Reason, TicketDraft, TicketEventRow, TicketRow, Urgency
from handoff.timeline import record

_ALIKE = 0.85
"""Without a document number the words themselves must be so much the same."""

_NEVER_JOINED = {Reason.COMPLAINT, Reason.EMERGENCY}
"""A complaint or an emergency is a ticket of its own: it goes to other people."""


def open_duplicate(session: Session, draft: TicketDraft) -> TicketRow | None:
    """The requester's newest open ticket on the same document and topic, locked; None where there is none.

    The topic is the business type and, where both have one, the subtype. An anonymous visitor's own tickets are those of
    this conversation.
    """
    if draft.reason in _NEVER_JOINED:
        return None
    requester = draft.requester
    own = (
        TicketRow.employee_no.is_(None) & (TicketRow.conversation_id == draft.conversation_id)
        if requester.anonymous
        else TicketRow.employee_no == requester.employee_no
    )
    found = session.scalars(
        select(TicketRow)
        .where(own, TicketRow.status.in_(OPEN), TicketRow.business_type == draft.business_type)
        .order_by(TicketRow.number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    return next((ticket for ticket in reversed(found) if _same_matter(ticket, draft)), None)


def _same_matter(ticket: TicketRow, draft: TicketDraft) -> bool:
    if ticket.subtype and draft.subtype and ticket.subtype != draft.subtype:
        return False
    if (ticket.document_no or None) != (draft.document_no or None):
        return False
    if draft.document_no:
        return True
    one, other = normalize(ticket.description), normalize(mask(draft.description))
    return SequenceMatcher(None, one, other).ratio() >= _ALIKE


def join(session: Session, ticket: TicketRow, draft: TicketDraft) -> TicketRow:
    """Add what `draft` says to `ticket`, once a draft; a higher urgency is taken over."""
    said = session.scalars(
        select(TicketEventRow).where(TicketEventRow.ticket == ticket.number, TicketEventRow.kind == "employee_said")
    )
    if any(event.detail.get("draft") == draft.idempotency_key for event in said):
        return ticket
    detail = {"draft": draft.idempotency_key}
    order = list(Urgency)
    if order.index(Urgency(draft.urgency)) > order.index(Urgency(ticket.urgency)):
        detail |= {"urgency": str(draft.urgency), "urgency_before": ticket.urgency}
        ticket.urgency = draft.urgency
    heard(ticket)
    record(
        session,
        ticket,
        employee(draft.requester, draft.conversation_id),
        "employee_said",
        f"再次提交了同一问题：{draft.description}",
        public=True,
        detail=detail,
    )
    return ticket
