"""How a ticket ends, and begins again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict
from core.events import append_event
from handoff.actors import SYSTEM, Actor
from handoff.lifecycle.conversing import speak
from handoff.locking import begin, words
from handoff.notices import notify
from handoff.states import REOPEN_WITHIN
from handoff.talk import release
from handoff.tickets import Status, TicketRow
from handoff.timeline import TicketReopened, TicketResolved, record


def resolve(session: Session, number: str, actor: Actor, text: str, *, version: int | None = None) -> TicketRow:
    """Settled: `text` tells the requester how."""
    ticket = begin(session, number, actor, "resolve", version)
    text = words(text, "解决说明")
    speak(session, ticket, actor, text, key=f"ticket:{number}:{ticket.version}:resolution")
    settle(session, ticket, actor, text)
    return ticket


def settle(session: Session, ticket: TicketRow, actor: Actor, text: str) -> None:
    """Resolve a ticket that is locked and checked, and whose requester has just been told `text`."""
    ticket.status, ticket.resolved_at, ticket.closed_at = Status.RESOLVED, now(), None
    ticket.resolution, ticket.unread = text, False
    release(session, ticket, "resolved")
    record(session, ticket, actor, "resolved", text, public=True)
    append_event(session, TicketResolved(ticket.number, ticket.conversation_id, ticket.resolution, actor.id))


def close(session: Session, number: str, actor: Actor, *, version: int | None = None) -> TicketRow:
    """Done with: the requester confirms, or a supervisor ends it."""
    ticket = begin(session, number, actor, "close", version)
    text = "员工确认已解决" if actor.kind == "employee" else "关闭工单"
    _close(session, ticket, actor, text)
    return ticket


def _close(session: Session, ticket: TicketRow, actor: Actor, text: str) -> None:
    ticket.status, ticket.closed_at = Status.CLOSED, now()
    release(session, ticket, "closed")
    record(session, ticket, actor, "closed", text, public=True)


def any_due(session: Session, moment: datetime, days: int) -> bool:
    """Whether a ticket was resolved `days` before `moment` or earlier, and is not closed."""
    query = select(TicketRow.number).where(
        TicketRow.status == Status.RESOLVED, TicketRow.resolved_at <= moment - timedelta(days=days)
    )
    return session.scalar(query.limit(1)) is not None


def close_due(session: Session, moment: datetime, days: int, limit: int = 50) -> int:
    """Close up to `limit` tickets that were resolved `days` before `moment`, and return how many."""
    due = session.scalars(
        select(TicketRow)
        .where(TicketRow.status == Status.RESOLVED, TicketRow.resolved_at <= moment - timedelta(days=days))
        .order_by(TicketRow.resolved_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for ticket in due:
        _close(session, ticket, SYSTEM, f"解决满 {days} 天，自动关闭")
    return len(due)


def reopen(session: Session, number: str, actor: Actor, reason: str, *, version: int | None = None) -> TicketRow:
    """Not settled after all; it goes back to whoever had it."""
    ticket = begin(session, number, actor, "reopen", version)
    reason = words(reason, "重新打开的原因")
    since = ticket.resolved_at or ticket.closed_at or ticket.updated_at
    if now() - since > REOPEN_WITHIN:
        raise Conflict(
            f"工单 {number} 解决已超过 {REOPEN_WITHIN.days} 天，不能重新打开，请提交新工单并写上这个编号。",
            code="too_late",
        )
    ticket.status, ticket.resolved_at, ticket.closed_at = Status.REOPENED, None, None
    ticket.reopenings += 1
    ticket.unread = actor.kind == "employee"
    event = record(session, ticket, actor, "reopened", reason, public=True, detail={"times": ticket.reopenings})
    append_event(session, TicketReopened(ticket.number, reason, actor.id))
    if ticket.assignee and ticket.assignee != actor.id:
        notify(
            session,
            [ticket.assignee],
            "reopened",
            f"工单 {number} 被重新打开：{reason}",
            key=f"ticket-event:{event.id}",
            ticket=number,
        )
    return ticket


def cancel(session: Session, number: str, actor: Actor, reason: str, *, version: int | None = None) -> TicketRow:
    """No longer wanted."""
    ticket = begin(session, number, actor, "cancel", version)
    reason = words(reason, "取消原因")
    ticket.status, ticket.closed_at, ticket.unread = Status.CANCELLED, now(), False
    release(session, ticket, "cancelled")
    event = record(session, ticket, actor, "cancelled", f"取消：{reason}", public=True, detail={"reason": reason})
    if actor.kind == "employee" and ticket.assignee:
        notify(
            session,
            [ticket.assignee],
            "cancelled",
            f"员工取消了工单 {number}：{reason}",
            key=f"ticket-event:{event.id}",
            ticket=number,
        )
    return ticket
