"""The one way in which something happens to a ticket: an event on its timeline, which clocks, routing and quality follow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit import AuditRow
from core.clock import now
from core.events import Event, append_event
from core.privacy import mask
from handoff.actors import Actor
from handoff.tickets import TicketEventRow, TicketRow


@dataclass(frozen=True)
class TicketChanged(Event):
    """Something happened to a ticket: event `event_id` on its timeline, whose kind is `happened`; `status` is its state
    afterwards."""

    number: str
    happened: str
    status: str
    actor: str
    event_id: int


@dataclass(frozen=True)
class TicketAssigned(Event):
    """A ticket lies with a person now."""

    number: str
    assignee: str
    actor: str


@dataclass(frozen=True)
class TicketReplied(Event):
    """A person of the desk answered the requester."""

    number: str
    conversation_id: str
    message_id: str
    actor: str


@dataclass(frozen=True)
class TicketResolved(Event):
    """A ticket was resolved; `resolution` is masked."""

    number: str
    conversation_id: str
    resolution: str
    actor: str


@dataclass(frozen=True)
class TicketReopened(Event):
    """A resolved or closed ticket was not settled after all."""

    number: str
    reason: str
    actor: str


REMARKS = frozenset({"warned", "breached", "chain_climbed", "invited_to_rate", "attached"})
"""Events that change nothing of the ticket itself: who is writing a reply meanwhile need not look again."""


def record(
    session: Session,
    ticket: TicketRow,
    actor: Actor,
    kind: str,
    text: str,
    *,
    public: bool = False,
    detail: dict[str, Any] | None = None,
) -> TicketEventRow:
    """Put what `actor` has just done to `ticket` on its timeline, masked; raise its version, unless it is a remark; let the
    others follow."""
    # They record events and use verbs themselves, so they can be known only when something happens.
    from handoff import clocks, quality, routing, search

    moment = now()
    if kind not in REMARKS:
        ticket.version = (ticket.version or 0) + 1
    ticket.updated_at = moment
    event = TicketEventRow(
        ticket=ticket.number,
        kind=kind,
        actor=actor.id,
        actor_kind=actor.kind,
        actor_name=actor.name[:64],
        text=mask(text),
        at=moment,
        public=public,
        detail=detail or {},
    )
    session.add(event)
    session.flush()
    audit.append(
        session,
        actor,
        f"ticket.{kind}",
        ticket.number,
        {
            "event": event.id,
            "version": ticket.version,
            "status": str(ticket.status),
            "assignee": ticket.assignee,
            "group": ticket.group_id,
            "text": _digest(event.text),
            "detail": event.detail,
        },
    )
    append_event(session, TicketChanged(ticket.number, kind, str(ticket.status), actor.id, event.id))
    for room in (clocks, search, routing, quality):
        room.follow(session, ticket, event)
    return event


def altered(session: Session, batch: int = 2000) -> int | None:
    """The first event of a timeline that is gone, or no longer says what the audit log knows of it; None where all agree."""
    last = 0
    while rows := session.execute(
        select(AuditRow.id, AuditRow.actor, AuditRow.subject, AuditRow.action, AuditRow.detail)
        .where(AuditRow.id > last, AuditRow.action.startswith("ticket."))
        .order_by(AuditRow.id)
        .limit(batch)
    ).all():
        logged = {}
        for row in rows:
            detail = json.loads(row.detail)
            if "event" in detail:
                kind = row.action.removeprefix("ticket.")
                logged[detail["event"]] = (row.subject, kind, row.actor, detail["text"])
        kept = {
            event.id: (event.ticket, event.kind, event.actor, _digest(event.text))
            for event in session.execute(
                select(
                    TicketEventRow.id,
                    TicketEventRow.ticket,
                    TicketEventRow.kind,
                    TicketEventRow.actor,
                    TicketEventRow.text,
                ).where(TicketEventRow.id.in_(logged))
            )
        }
        if wrong := [event for event, facts in logged.items() if kept.get(event) != facts]:
            return min(wrong)
        last = rows[-1].id
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
