"""Conversations: who said what to whom, in order, with what the bot made of it. Texts are kept masked."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import NotFound
from core.identity import Identity
from core.privacy import mask


class Conversation(Base):
    """In mode `agent` the bot is silent and `held_by` names the ticket that what the employee writes joins; `read_seq` is
    the number of the last message that they have seen. `thread` is the group chat that it happens in, empty where the employee
    is alone with the bot."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    thread: Mapped[str] = mapped_column(String(160), default="")
    employee_no: Mapped[str | None] = mapped_column(String(64), index=True)
    identity: Mapped[dict[str, Any]] = mapped_column(Json)
    mode: Mapped[str] = mapped_column(String(10), default="bot")
    held_by: Mapped[str | None] = mapped_column(String(20))
    read_seq: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = (Index("ix_conversation_mode_last", "mode", "last_at"),)


class Turn(Base):
    """The durable inbox: one accepted message of a visitor, and what became of it.

    `owner` is what a client's message id is unique within: the employee, or an anonymous visitor's conversation.
    `body` holds the unmasked text until the turn is done, since a crashed turn is run again from it.
    """

    __tablename__ = "turn"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    owner: Mapped[str] = mapped_column(String(80))
    client_message_id: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Json)
    degraded: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment)
    took_ms: Mapped[float | None]

    __table_args__ = (UniqueConstraint("owner", "client_message_id"), Index("ix_turn_state", "state", "at"))


class Message(Base):
    __tablename__ = "message"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turn.id"), index=True)
    seq: Mapped[int]
    sender: Mapped[str] = mapped_column(String(10))
    type: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    def to_dict(self) -> dict[str, Any]:
        """The shape that channels and the console show; extras by type lie beside the common fields."""
        return {
            **self.body,
            "id": self.id,
            "seq": self.seq,
            "from": self.sender,
            "at": self.at.isoformat(),
            "type": self.type,
            "text": self.text,
            "options": self.body.get("options", []),
        }


def open_conversation(session: Session, channel: str, identity: Identity, thread: str = "") -> Conversation:
    conversation = Conversation(
        id=str(uuid.uuid4()),
        channel=channel,
        thread=thread,
        employee_no=identity.employee_no,
        identity=identity.to_dict(),
        mode="bot",
        created_at=now(),
        last_at=now(),
    )
    session.add(conversation)
    session.flush()
    return conversation


def conversation_of(session: Session, conversation_id: str, identity: Identity) -> Conversation:
    """The conversation, if it is this visitor's own: an employee's by number, an anonymous one's by knowing its id."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.employee_no != identity.employee_no:
        raise NotFound("没有找到这个会话，请刷新页面后重新提问。", code="conversation_not_found")
    return conversation


def locked(session: Session, conversation_id: str) -> Conversation:
    """The conversation as it stands now, for this transaction alone to go on."""
    query = select(Conversation).where(Conversation.id == conversation_id)
    # FOR NO KEY UPDATE: others may still insert rows that refer to it.
    return session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def say(
    session: Session,
    conversation_id: str,
    sender: str,
    kind: str,
    text: str,
    *,
    turn_id: str | None = None,
    extras: dict[str, Any] | None = None,
) -> Message:
    """Append a message to the transcript, masked; it is written with the next flush. Who says something waits until the conversation's lock is free, so that
    numbers do not clash; a ticket's row is locked before its conversation's, never after."""
    moment, said = now(), _said_before(session, conversation_id)
    said.conversation.last_at = moment
    said.last += 1
    message = Message(
        id=str(uuid.uuid4()),
        conversation_id=conversation_id,
        turn_id=turn_id,
        seq=said.last,
        sender=sender,
        type=kind,
        text=mask(text),
        body=_masked(extras or {}),
        at=moment,
    )
    session.add(message)
    return message


@dataclass
class _Said:
    """The number of the last message of a conversation that a transaction has locked."""

    conversation: Conversation
    last: int


def _said_before(session: Session, conversation_id: str) -> _Said:
    """Looked up once a transaction: nobody else says anything before it ends. A savepoint may give the lock back."""
    transaction, known = session.info.get("said", (None, {}))
    if transaction is None or transaction is not session.get_transaction():
        known = {}
    if conversation_id in known:
        return known[conversation_id]
    conversation = locked(session, conversation_id)
    last = session.scalar(select(func.max(Message.seq)).where(Message.conversation_id == conversation_id))
    said = _Said(conversation, last or 0)
    if not session.in_nested_transaction():
        session.info["said"] = (session.get_transaction(), {**known, conversation_id: said})
    return said


_IDS = {"id", "client_message_id", "entry_id", "number"}
"""An id may look like a phone number, and is none."""


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: item if key in _IDS else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def current_conversation(session: Session, channel: str, identity: Identity, thread: str = "") -> Conversation | None:
    """Where an employee goes on, alone or in a group, whatever page or device they come from; an anonymous visitor has to
    know the id."""
    if identity.anonymous:
        return None
    query = select(Conversation).where(
        Conversation.employee_no == identity.employee_no,
        Conversation.channel == channel,
        Conversation.thread == thread,
    )
    return session.scalars(query.order_by(Conversation.last_at.desc()).limit(1)).one_or_none()


def current_options(
    session: Session, channel: str, identity: Identity, thread: str = "", messages: int = 1
) -> tuple[str | None, list[dict[str, Any]]]:
    """The id of the current conversation, None where there is none, and the choices of the last `messages` that were said to the
    employee there, the newest first."""
    if identity.anonymous:
        return None, []
    where = (
        Conversation.employee_no == identity.employee_no,
        Conversation.channel == channel,
        Conversation.thread == thread,
    )
    found = session.scalars(
        select(Conversation.id).where(*where).order_by(Conversation.last_at.desc()).limit(1)
    ).first()
    if found is None:
        return None, []
    bodies = session.scalars(
        select(Message.body)
        .where(Message.conversation_id == found, Message.sender != "user")
        .order_by(Message.seq.desc())
        .limit(messages)
    )
    return found, [option for body in bodies for option in body.get("options", [])]


def unread_of(session: Session, conversation: Conversation) -> int:
    """How many messages the employee has not seen."""
    query = select(func.count()).where(
        Message.conversation_id == conversation.id, Message.seq > conversation.read_seq, Message.sender != "user"
    )
    return session.scalar(query) or 0


def unread_by_number(session: Session, conversation_id: str) -> Counter[str]:
    """How many of the messages that the employee has not seen are about each ticket."""
    query = (
        select(Message.body)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.id == conversation_id, Message.seq > Conversation.read_seq, Message.sender != "user")
        .order_by(Message.seq.desc())
        .limit(200)
    )
    return Counter(body["number"] for body in session.scalars(query) if body.get("number"))


def mark_read(session: Session, conversation: Conversation, seq: int) -> None:
    """The employee has seen everything up to message number `seq`; what was read stays read."""
    last = session.scalar(select(func.max(Message.seq)).where(Message.conversation_id == conversation.id)) or 0
    session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id, Conversation.read_seq < min(seq, last))
        .values(read_seq=min(seq, last))
    )


def messages_of(session: Session, conversation_id: str, after: int = 0, limit: int = 500) -> list[Message]:
    """Messages with a number above `after`, oldest first; the newest `limit` of them."""
    rows = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.seq > after)
        .order_by(Message.seq.desc())
        .limit(limit)
    )
    return list(reversed(rows.all()))
