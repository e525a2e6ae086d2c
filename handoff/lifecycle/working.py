"""Working on a ticket: public replies, internal notes, corrections. The two kinds of words are different calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.events import append_event
from core.privacy import mask
from handoff.actors import Actor
from handoff.attachments import attached
from handoff.lifecycle.conversing import speak
from handoff.lifecycle.ending import settle
from handoff.locking import begin, words
from handoff.states import wrong_state
from handoff.talk import hold
from handoff.tickets import BUSINESS_TYPES, OPEN, OTHER, Status, TicketRow, Urgency
from handoff.timeline import TicketAssigned, TicketReplied, record

Then = Literal["waiting", "resolved"]


def reply(
    session: Session,
    number: str,
    actor: Actor,
    text: str,
    attachments: Sequence[str] = (),
    then: Then | None = None,
    *,
    version: int | None = None,
) -> TicketRow:
    """Answer the requester, in the conversation where they asked. Who answers a ticket that nobody has, takes it.

    `then` says what comes next: `waiting` for the requester's word, or `resolved`.
    """
    ticket = begin(session, number, actor, "reply", version)
    text = words(text, "回复内容")
    if then and ticket.status not in OPEN:
        raise wrong_state(ticket)
    files = attached(session, ticket, attachments, public=True)
    before = {"status": str(ticket.status), "assignee": ticket.assignee}
    invited = actor.id in ticket.experts
    if ticket.assignee is None and not invited and ticket.status in OPEN:
        ticket.assignee = actor.id
        append_event(session, TicketAssigned(ticket.number, actor.id, actor.id))
    if ticket.status in OPEN and ticket.assignee is not None:
        if then == "waiting":
            ticket.status = Status.WAITING
        elif ticket.status != Status.WAITING:
            ticket.status = Status.IN_PROGRESS
    ticket.unread = False
    event = record(
        session,
        ticket,
        actor,
        "replied",
        text,
        public=True,
        detail={"attachments": [one["id"] for one in files], "then": then, "before": before},
    )
    if ticket.status in OPEN and then != "resolved":
        hold(session, ticket, actor)
    message = speak(session, ticket, actor, text, files, key=f"ticket-event:{event.id}")
    append_event(session, TicketReplied(ticket.number, ticket.conversation_id, message.id, actor.id))
    if then == "resolved":
        settle(session, ticket, actor, text)
    return ticket


def note(
    session: Session,
    number: str,
    actor: Actor,
    text: str,
    attachments: Sequence[str] = (),
    *,
    version: int | None = None,
) -> TicketRow:
    """Words for colleagues, which the requester never sees."""
    ticket = begin(session, number, actor, "note", version)
    files = attached(session, ticket, attachments, public=False)
    record(
        session,
        ticket,
        actor,
        "noted",
        words(text, "备注内容"),
        detail={"attachments": [one["id"] for one in files]},
    )
    return ticket


def seen(session: Session, number: str, actor: Actor, *, version: int | None = None) -> TicketRow:
    """Whoever holds the ticket, or anybody while nobody does, has read what the requester wrote; no event."""
    ticket = begin(session, number, actor, "seen", version)
    if ticket.unread and ticket.assignee in (None, actor.id):
        ticket.unread = False
    return ticket


_LABELS = {
    "business_type": "业务类型",
    "subtype": "业务子类",
    "urgency": "紧急程度",
    "priority": "优先级",
    "document_no": "单据号",
    "contact": "联系方式",
    "emergency": "应急标记",
}


def change(session: Session, number: str, actor: Actor, *, version: int | None = None, **fields: Any) -> TicketRow:
    """Correct what the ticket says: `business_type`, `subtype`, `urgency`, `priority`, `document_no`, `contact`,
    `emergency`."""
    ticket = begin(session, number, actor, "change", version)
    changed = {name: _checked(name, value) for name, value in fields.items()}
    changed = {name: value for name, value in changed.items() if getattr(ticket, name) != value}
    if not changed:
        return ticket
    before = {name: getattr(ticket, name) for name in changed}
    for name, value in changed.items():
        setattr(ticket, name, value)
    hidden = {"contact"}
    record(
        session,
        ticket,
        actor,
        "changed",
        "；".join(
            f"修改了{_LABELS[name]}" if name in hidden else f"{_LABELS[name]}：{_shown(before[name])} → {_shown(value)}"
            for name, value in changed.items()
        ),
        detail={
            "before": {name: value for name, value in before.items() if name not in hidden},
            "after": {name: value for name, value in changed.items() if name not in hidden},
        },
    )
    return ticket


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return mask(str(value)) if value not in (None, "") else "无"


def _checked(name: str, value: Any) -> Any:
    good = {
        "business_type": lambda: value in (*BUSINESS_TYPES, OTHER),
        "subtype": lambda: isinstance(value, str) and len(value) <= 40,
        "urgency": lambda: value in list(Urgency),
        "priority": lambda: isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4,
        "document_no": lambda: value is None or (isinstance(value, str) and len(value) <= 64),
        "contact": lambda: value is None or (isinstance(value, str) and len(value) <= 100),
        "emergency": lambda: isinstance(value, bool),
    }.get(name)
    if good is None or not good():
        raise InvalidInput(f"{_LABELS.get(name, name)}不符合要求，请修改后重试。", code="field_invalid")
    if name in ("document_no", "contact"):
        return (value or "").strip() or None
    return value
