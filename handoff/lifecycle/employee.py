"""What the employee does to their own ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from core.clock import now
from core.errors import TooMany
from core.transcript import Message, say
from handoff.actors import Actor
from handoff.attachments import attached
from handoff.lifecycle.joining import survivor
from handoff.locking import begin, words
from handoff.notices import notify
from handoff.routing.dispatching import claimants
from handoff.staff import leaders_of, supervisors
from handoff.states import heard
from handoff.tickets import TicketRow
from handoff.timeline import record

URGE_EVERY = timedelta(hours=1)
"""The requester may urge so often."""


def say_to_ticket(
    session: Session,
    number: str,
    actor: Actor,
    text: str,
    attachments: Sequence[str] = (),
    message: Message | None = None,
    *,
    version: int | None = None,
) -> TicketRow:
    """What the requester adds; of a merged ticket, to the one that it was merged into.

    `message` is what they wrote in the chat, where it is in the transcript already.
    """
    ticket = begin(session, survivor(session, number), actor, "say_to_ticket", version)
    text = words(text or ("（附件）" if attachments else ""), "补充内容")
    files = attached(session, ticket, attachments, public=True)
    if message is None:
        message = say(
            session,
            ticket.conversation_id,
            "user",
            "text",
            text,
            extras={"number": ticket.number, "attachments": files},
        )
    heard(ticket)
    event = record(
        session,
        ticket,
        actor,
        "employee_said",
        text,
        public=True,
        detail={
            "message": message.id,
            "attachments": [one["id"] for one in files],
            **({"written_to": number} if number != ticket.number else {}),
        },
    )
    if ticket.assignee:
        notify(
            session,
            [ticket.assignee],
            "employee_said",
            f"工单 {ticket.number} 的员工补充：{text[:60]}",
            key=f"ticket-event:{event.id}",
            ticket=ticket.number,
        )
    return ticket


def urge(session: Session, number: str, actor: Actor, *, version: int | None = None) -> TicketRow:
    """催办, once an hour. Raises TooMany, saying when it is possible again."""
    ticket = begin(session, survivor(session, number), actor, "urge", version)
    moment = now()
    if ticket.urged_at and moment - ticket.urged_at < URGE_EVERY:
        minutes = int((ticket.urged_at + URGE_EVERY - moment).total_seconds() // 60) + 1
        raise TooMany(f"刚刚催办过；{minutes} 分钟后可以再次催办。", code="urged_already")
    ticket.urged_at = moment
    event = record(session, ticket, actor, "urged", "员工催办", public=True)
    notify(
        session,
        urged(session, ticket),
        "urged",
        f"员工催办工单 {ticket.number}（{ticket.urgency}）{'' if ticket.assignee else '，还没有人认领'}",
        key=f"ticket-event:{event.id}",
        ticket=ticket.number,
        urgent=True,
    )
    return ticket


def urged(session: Session, ticket: TicketRow) -> list[str]:
    """Who is told that the requester waits: whoever has the ticket; while it lies in a pool those who may claim it, else the
    group's leaders, else the supervisors."""
    if ticket.assignee:
        return [ticket.assignee]
    return claimants(session, ticket, now()) or leaders_of(session, ticket.group_id or "") or supervisors(session)
