"""Filing a ticket: numbered, kept once, joined to the requester's own open one where it says the same."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core.clock import now, today
from core.events import append_event
from core.privacy import mask
from core.transcript import locked
from handoff.actors import employee
from handoff.duplicates import join, open_duplicate
from handoff.routing import route
from handoff.tickets import UNDESCRIBED, Status, TicketCounterRow, TicketDraft, TicketFiled, TicketRow
from handoff.timeline import record


def _next_number(session: Session, day: date) -> str:
    """`FW20261121-0001`; the counter is raised in one statement, so two filings never share a number."""
    dialect = session.get_bind().dialect.name
    statement = (postgres_insert if dialect == "postgresql" else sqlite_insert)(TicketCounterRow)
    last = session.scalar(
        statement.values(day=day, last=1)
        .on_conflict_do_update(index_elements=["day"], set_={"last": TicketCounterRow.last + 1})
        .returning(TicketCounterRow.last)
    )
    return f"FW{day:%Y%m%d}-{last:04d}"


def file_ticket(session: Session, draft: TicketDraft) -> TicketRow:
    """File `draft` and return its ticket; the same `idempotency_key` again returns the first one. What the requester already
    has an open ticket about joins that one: `joined` tells."""
    known = session.scalars(select(TicketRow).where(TicketRow.idempotency_key == draft.idempotency_key)).one_or_none()
    if known:
        return known
    if twin := open_duplicate(session, draft):
        return join(session, twin, draft)
    locked(session, draft.conversation_id)  # Before people of the desk, whom dispatch locks.
    number = _next_number(session, today())
    description = mask(draft.description)
    requester = draft.requester
    ticket = TicketRow(
        number=number,
        idempotency_key=draft.idempotency_key,
        status=Status.NEW,
        business_type=draft.business_type,
        subtype=draft.subtype,
        description=description,
        urgency=draft.urgency,
        document_no=draft.document_no,
        contact=draft.contact,
        employee_no=requester.employee_no,
        requester=requester.to_dict(),
        company=requester.company,
        department=requester.department,
        channel=draft.channel,
        page=draft.page,
        node=draft.node,
        reason=draft.reason,
        conversation_id=draft.conversation_id,
        tried=draft.tried,
        risk_words=[],
        experts=[],
        version=0,
        created_at=now(),
        updated_at=now(),
    )
    session.add(ticket)
    session.flush()
    record(session, ticket, employee(requester, draft.conversation_id), "filed", "提交工单", public=True)
    append_event(
        session,
        TicketFiled(
            number=number,
            conversation_id=draft.conversation_id,
            question="" if draft.description == UNDESCRIBED else mask(draft.asked or draft.description),
            page=draft.page,
            node=draft.node,
            reason=draft.reason,
        ),
    )
    route(session, ticket)
    return ticket


def joined(ticket: TicketRow, draft: TicketDraft) -> bool:
    """Whether `draft` became a part of a ticket that was already there."""
    return ticket.idempotency_key != draft.idempotency_key
