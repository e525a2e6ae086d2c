"""Whether what the desk wrote has come to the employee, as far as anybody can know."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.outbox import DeliveryRow, DeliveryState
from core.transcript import Conversation, Message

Reach = Literal["read", "unread", "delivered", "waiting", "unsure", "dead", "settled"]
_TELLS_WHAT_WAS_READ = frozenset({"widget"})
"""Other channels tell at most what has arrived."""


def reach_of(session: Session, conversation_id: str) -> dict[str, Reach]:
    """By message id, of all that people of the desk said in a conversation."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return {}
    rows = session.execute(
        select(Message.id, Message.seq, DeliveryRow.state)
        .outerjoin(DeliveryRow, DeliveryRow.message_id == Message.id)
        .where(Message.conversation_id == conversation_id, Message.sender == "agent")
    )
    tells = conversation.channel in _TELLS_WHAT_WAS_READ
    return {row.id: _reach(row.state, tells, row.seq <= conversation.read_seq) for row in rows}


def _reach(state: str | None, tells: bool, seen: bool) -> Reach:
    if tells and seen:
        return "read"
    if state in (DeliveryState.WAITING, DeliveryState.SENDING):
        return "waiting"
    if state in (DeliveryState.UNSURE, DeliveryState.DEAD, DeliveryState.SETTLED):
        return DeliveryState(state).value
    return "unread" if tells else "delivered"
