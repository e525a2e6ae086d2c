"""The durable outbox: what is said to an employee, kept in the transaction that says it until their channel has it.

waiting    due at `due_at`
sending    claimed by one process until `claimed_until`; a claim that ran out may have been sent or not
delivered  the channel has it
unsure     it may have been sent, and the channel cannot tell: a person decides
dead       given up
settled    a person told the employee another way

What waited together and fits into one message rides together: a set, fixed in the transaction that claims it, so that another
attempt says the same. What befalls one of a set befalls all; its rows keep its name, `rides_with`, when it has arrived.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, and_, bindparam, case, or_, select, update
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

MOST_TOGETHER = 30
"""Deliveries in one set."""


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
    first, from which a channel's memory of keys is counted; `rides_with` is the id of the first of its set, which bears it too,
    and None for what goes alone."""

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
    rides_with: Mapped[int | None]
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
    session.flush()  # The message has to be there before its delivery.
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
_BEHIND = (
    select(DeliveryRow)
    .where(
        DeliveryRow.conversation_id.in_(bindparam("conversations", expanding=True)),
        DeliveryRow.state.in_(_UNDER_WAY),
        DeliveryRow.id.not_in(bindparam("claimed", expanding=True)),
    )
    # A set that is fixed comes whole, however much else waits.
    .order_by(case((DeliveryRow.rides_with.in_(bindparam("sets", expanding=True)), 0), else_=1), DeliveryRow.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(of=DeliveryRow)
)
_ONE = aliased(DeliveryRow)
_WITH_ITS_SET = (
    select(DeliveryRow)
    .join(
        _ONE,
        or_(
            DeliveryRow.id == _ONE.id,
            and_(
                DeliveryRow.conversation_id == _ONE.conversation_id,
                DeliveryRow.state == DeliveryState.WAITING,
                DeliveryRow.rides_with == _ONE.rides_with,
            ),
        ),
    )
    .where(_ONE.id == bindparam("one"))
    .order_by(DeliveryRow.id)
    .with_for_update(of=DeliveryRow)
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


def riders(session: Session, claimed: Sequence[DeliveryRow]) -> dict[int, list[DeliveryRow]]:
    """By the id of each of what was just claimed, what belongs behind it in one message, in order: the rest of its set where that
    is fixed; else, on a first attempt, what waits directly behind it untried, and may yet ride with it."""
    asking = [row for row in claimed if row.rides_with is not None or row.attempts == 1]
    if not asking:
        return {}
    asked = {
        "conversations": [row.conversation_id for row in asking],
        "claimed": [row.id for row in asking],
        "sets": [row.rides_with or 0 for row in asking],
        "most": MOST_TOGETHER * len(asking),
    }
    behind: dict[str, list[DeliveryRow]] = {}
    for row in session.scalars(_BEHIND, asked):
        behind.setdefault(row.conversation_id, []).append(row)
    return {row.id: _riders(row, behind.get(row.conversation_id, [])) for row in asking}


def _riders(first: DeliveryRow, behind: Sequence[DeliveryRow]) -> list[DeliveryRow]:
    if first.rides_with is not None:
        return [row for row in behind if row.rides_with == first.rides_with]
    untried = takewhile(lambda row: row.attempts == 0, sorted(behind, key=lambda row: row.id))
    return list(untried)[: MOST_TOGETHER - 1]


def ride(first: DeliveryRow, others: Sequence[DeliveryRow]) -> None:
    """Claim `others` with `first`, which is claimed: from now on they are a set."""
    first.rides_with = first.rides_with or first.id
    for row in others:
        row.rides_with, row.state, row.attempts = first.rides_with, first.state, first.attempts
        row.claim, row.claimed_until, row.first_tried_at = first.claim, first.claimed_until, first.first_tried_at


def finish(session: Session, deliveries: Sequence[DeliveryRow], **values: Any) -> bool:
    """Record what became of a claimed delivery, or of all of a set; False when the claim was lost to another process meanwhile."""
    done = session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.id.in_([row.id for row in deliveries]),
            DeliveryRow.claim == deliveries[0].claim,
            DeliveryRow.state == DeliveryState.SENDING,
        )
        .values(claim=None, claimed_until=None, **values)
    )
    return done.rowcount == len(deliveries)


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


_LEFT = (DeliveryState.DEAD, DeliveryState.UNSURE, DeliveryState.WAITING)


def try_again(session: Session, delivery_id: int) -> bool:
    """Have a dead, unsure or waiting delivery sent now; False where it is none of these. Of a set that waits, all is sent now;
    what was given up stands for itself, whatever it rode with."""
    one, others = _with_its_set(session, delivery_id)
    if one is None or one.state not in _LEFT:
        return False
    if one.state != DeliveryState.WAITING:
        one.state, one.attempts, one.error, one.first_tried_at = DeliveryState.WAITING, 0, None, None
    for row in (one, *others):
        row.due_at = now()
    session.flush()
    return True


def settle(session: Session, delivery_id: int) -> bool:
    """Never send it; False where it is being sent or has arrived. The rest of its set goes on without it; where that may have
    been sent, and so can only be repeated as it was, the rest is left to a person, as unsure."""
    one, others = _with_its_set(session, delivery_id)
    if one is None or one.state not in _LEFT:
        return False
    if one.first_tried_at is not None:
        for row in others:
            row.state, row.rides_with = DeliveryState.UNSURE, None
    one.state, one.rides_with = DeliveryState.SETTLED, None
    session.flush()
    return True


def _with_its_set(session: Session, delivery_id: int) -> tuple[DeliveryRow | None, list[DeliveryRow]]:
    """A delivery, and what waits to be sent with it; all of them locked, in the order in which they are claimed."""
    rows = session.scalars(_WITH_ITS_SET, {"one": delivery_id}, execution_options={"populate_existing": True}).all()
    others = [row for row in rows if row.id != delivery_id]
    return next((row for row in rows if row.id == delivery_id), None), others
