"""The durable outbox: what is said to an employee, kept in the transaction that says it until their channel has it.

waiting    due at `due_at`
sending    claimed by one process until `claimed_until`; a claim that ran out may have been sent or not
delivered  the channel has it
unsure     it may have been sent, and the channel cannot tell: a person decides
dead       given up
settled    a person told the employee another way
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, and_, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column
from sqlalchemy.sql import ColumnElement

from core.clock import now
from core.database import Base, Database, Json, Moment
from core.transcript import Conversation, Message

PULLED = frozenset({"widget"})
"""Channels that get the bot's answers with the answer to their own request."""

CLAIM = timedelta(seconds=30)
"""Longer than a channel's send should take: what takes longer is held to be lost with its process."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    UNSURE = "unsure"
    DEAD = "dead"
    SETTLED = "settled"


_UNDER_WAY = (DeliveryState.WAITING, DeliveryState.SENDING)


class DeliveryRow(Base):
    """One message on its way to one channel. `key` names what caused it; `first_tried_at` is when it may have been sent
    first, from which a channel's memory of keys is counted."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    channel: Mapped[str] = mapped_column(String(20))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"))
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Moment)
    claim: Mapped[str | None] = mapped_column(String(36))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    first_tried_at: Mapped[datetime | None] = mapped_column(Moment)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_delivery_state_due", "state", "due_at"),
        Index("ix_delivery_conversation_state", "conversation_id", "state", "id"),
    )


_PUT = {
    name: insert(DeliveryRow.__table__).on_conflict_do_nothing(index_elements=["key"])
    for name, insert in (("postgresql", postgres_insert), ("sqlite", sqlite_insert))
}


def deliver(session: Session, message: Message, *, key: str) -> None:
    """Have `message` brought to its conversation's channel; the same `key` (at most 120 characters) is delivered once.

    What is said in one conversation arrives in the order in which it was handed over here.
    """
    conversation = session.get_one(Conversation, message.conversation_id)
    moment = now()
    row = {
        "key": key, "channel": conversation.channel, "conversation_id": conversation.id, "message_id": message.id,
        "state": DeliveryState.WAITING, "attempts": 0, "due_at": moment, "at": moment,
    }  # fmt: skip
    connection = session.connection()
    connection.execute(_PUT[connection.dialect.name], row)


def _due(moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Nobody has it, its time has come, and nothing said before it in the conversation is still on its way."""
    before = aliased(DeliveryRow)
    return and_(
        or_(
            and_(DeliveryRow.state == DeliveryState.WAITING, DeliveryRow.due_at <= moment),
            and_(DeliveryRow.state == DeliveryState.SENDING, DeliveryRow.claimed_until < moment),
        ),
        ~select(before.id)
        .where(
            before.conversation_id == DeliveryRow.conversation_id,
            before.state.in_(_UNDER_WAY),
            before.id < DeliveryRow.id,
        )
        .exists(),
    )


# Made once: making them costs as much as asking.
_DUE = (
    select(DeliveryRow.id)
    .where(_due(bindparam("moment", type_=Moment())))
    .order_by(DeliveryRow.id)
    .limit(bindparam("most", type_=Integer()))
)
_CLAIM = (
    select(DeliveryRow)
    .where(DeliveryRow.id.in_(bindparam("ids", expanding=True)), _due(bindparam("moment", type_=Moment())))
    .order_by(DeliveryRow.id)
    .with_for_update(skip_locked=True, of=DeliveryRow)
)


def due(session: Session, moment: datetime, limit: int = 100) -> list[int]:
    """Deliveries that may be claimed at `moment`, the oldest first."""
    return list(session.scalars(_DUE, {"moment": moment, "most": limit}))


def anything_due(database: Database) -> bool:
    with database.read() as session:
        return bool(due(session, now(), limit=1))


def claim(session: Session, delivery_id: int, moment: datetime) -> tuple[DeliveryRow, bool] | None:
    """One delivery as `claim_all` gives it; None where somebody else was quicker."""
    return next(iter(claim_all(session, [delivery_id], moment)), None)


def claim_all(session: Session, ids: Sequence[int], moment: datetime) -> list[tuple[DeliveryRow, bool]]:
    """Deliveries for the one process that may send them until `CLAIM` has passed, each with whether an earlier claim ran out, so
    that it may have been sent already. What somebody else was quicker to claim is left out."""
    claimed = []
    for row in session.scalars(_CLAIM, {"moment": moment, "ids": ids}):
        claimed.append((row, row.state == DeliveryState.SENDING))
        row.state = DeliveryState.SENDING
        row.attempts += 1
        row.claim = str(uuid.uuid4())
        row.claimed_until = moment + CLAIM
        row.first_tried_at = row.first_tried_at or moment
    session.flush()
    return claimed


def finish(session: Session, delivery: DeliveryRow, **values: Any) -> bool:
    """Record what became of a claimed delivery; False when the claim was lost to another process meanwhile."""
    done = session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.id == delivery.id,
            DeliveryRow.claim == delivery.claim,
            DeliveryRow.state == DeliveryState.SENDING,
        )
        .values(claim=None, claimed_until=None, **values)
    )
    return done.rowcount == 1


_TABLE = DeliveryRow.__table__
_ARRIVED = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("one"),
        _TABLE.c.claim == bindparam("by"),
        _TABLE.c.state == DeliveryState.SENDING,
    )
    .values(
        state=DeliveryState.DELIVERED,
        claim=None,
        claimed_until=None,
        error=None,
        delivered_at=bindparam("moment"),
        receipt=bindparam("what"),
    )
)


def arrived(session: Session, sent: Sequence[tuple[DeliveryRow, dict[str, Any]]]) -> int:
    """Record that claimed deliveries arrived, each with its receipt; how many, without those whose claim was lost meanwhile."""
    moment = now()
    rows = [{"one": row.id, "by": row.claim, "moment": moment, "what": receipt} for row, receipt in sent]
    return session.connection().execute(_ARRIVED, rows).rowcount


def try_again(session: Session, delivery_id: int) -> bool:
    """Have a dead, unsure or waiting delivery sent now; False where it is none of these."""
    given_up = DeliveryRow.state.in_((DeliveryState.DEAD, DeliveryState.UNSURE))
    put = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, given_up)
        .values(state=DeliveryState.WAITING, attempts=0, due_at=now(), error=None, first_tried_at=None)
    )
    hurried = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state == DeliveryState.WAITING)
        .values(due_at=now())
    )
    return put.rowcount + hurried.rowcount > 0


def settle(session: Session, delivery_id: int) -> bool:
    """Never send it; False where it is being sent or has arrived."""
    over = (DeliveryState.DEAD, DeliveryState.UNSURE, DeliveryState.WAITING)
    put = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state.in_(over))
        .values(state=DeliveryState.SETTLED)
    )
    return put.rowcount == 1
