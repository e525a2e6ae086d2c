"""What channels call back with, stored before it is acknowledged: worked on once, in order for each sender.

waiting   nobody has it
claimed   one process has it until `claimed_until`; a claim that ran out is taken over, and what it did is found done
done      answered, or nothing to answer
failed    given up after several tries; kept for people to look at
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from core.clock import now
from core.database import Base, Database, Json, Moment

CLAIM = timedelta(seconds=30)
MOST_ATTEMPTS = 5
_PAUSES = (2, 5, 15, 60)
_KEPT = timedelta(days=7)
"""Longer than any channel sends a message again."""


class ArrivalRow(Base):
    """`key` is the digest of the channel's own id of the message; `sender` is who wrote it, whose arrivals go in order."""

    __tablename__ = "arrival"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(64))
    sender: Mapped[str] = mapped_column(String(160))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Moment)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index("ix_arrival_state_due", "state", "due_at"),
        Index("ix_arrival_sender_state", "channel", "sender", "state", "id"),
    )


_STORE = {
    name: insert(ArrivalRow.__table__)
    .on_conflict_do_nothing(index_elements=["channel", "key"])
    .returning(ArrivalRow.__table__.c.id)
    for name, insert in (("postgresql", postgres_insert), ("sqlite", sqlite_insert))
}


@dataclass(frozen=True)
class Incoming:
    """What a channel called back with. `key` is the channel's own id of it, `sender` who wrote it."""

    channel: str
    key: str
    sender: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Arrival:
    """A claimed one. `key` is unique within its channel and stays the same over all attempts."""

    id: int
    channel: str
    key: str
    body: dict[str, Any]
    attempts: int


def store(database: Database, channel: str, key: str, sender: str, body: dict[str, Any]) -> bool:
    """Keep what arrived; False where it had arrived before. Only after this may it be acknowledged."""
    return store_all(database, [Incoming(channel, key, sender, body)])[0]


def store_all(database: Database, incoming: Sequence[Incoming]) -> list[bool]:
    """Several at once, as `store`, in one transaction."""
    moment = now()
    rows = [
        {
            "channel": one.channel, "key": hashlib.sha256(one.key.encode()).hexdigest(), "sender": one.sender,
            "body": one.body, "state": "waiting", "attempts": 0, "due_at": moment, "error": "", "at": moment,
        }
        for one in incoming
    ]  # fmt: skip
    with database.write(urgent=True) as session:
        connection = session.connection()
        statement = _STORE[connection.dialect.name]
        return [connection.execute(statement, row).scalar() is not None for row in rows]


def due(database: Database, limit: int = 50) -> list[int]:
    """What may be worked on now, oldest first: for each sender the first that is not done."""
    with database.read() as session:
        return list(session.scalars(_DUE, {"moment": now(), "most": limit}))


def claim(database: Database, ids: Sequence[int]) -> list[Arrival]:
    """For the one process that may work on them until `CLAIM` has passed; without those that somebody else was quicker to claim."""
    with database.write() as session:
        return _claimed(session, ids)


def go_on(database: Database, arrivals: Sequence[Arrival], most: int) -> list[Arrival]:
    """`done` with these, and up to `most` others claimed, in one transaction."""
    with database.write() as session:
        end(session, arrivals)
        ids = list(session.scalars(_DUE, {"moment": now(), "most": most})) if most > 0 else []
        return _claimed(session, ids) if ids else []


def _claimed(session: Session, ids: Sequence[int]) -> list[Arrival]:
    rows = list(session.scalars(_CLAIM, {"moment": now(), "ids": ids}))
    for row in rows:
        row.state, row.claimed_until, row.attempts = "claimed", now() + CLAIM, row.attempts + 1
    session.flush()
    return [Arrival(row.id, row.channel, row.key, row.body, row.attempts) for row in rows]


def done(database: Database, arrivals: Sequence[Arrival]) -> None:
    """As `end`, in a transaction of its own."""
    with database.write() as session:
        end(session, arrivals)


def end(session: Session, arrivals: Sequence[Arrival]) -> None:
    """What was written is in the transcript now, masked; the bodies are not kept."""
    session.connection().execute(_DONE, [{"one": one.id, "tried": one.attempts} for one in arrivals])


_DONE = (
    update(ArrivalRow.__table__)
    .where(
        ArrivalRow.__table__.c.id == bindparam("one"),
        ArrivalRow.__table__.c.state == "claimed",
        ArrivalRow.__table__.c.attempts == bindparam("tried"),
    )
    .values(state="done", body={}, error="", claimed_until=None)
)


def failed(database: Database, arrival: Arrival, reason: str) -> None:
    """Try again later, more slowly each time; give up after MOST_ATTEMPTS."""
    if arrival.attempts >= MOST_ATTEMPTS:
        ending: dict[str, Any] = {"state": "failed"}
    else:
        pause = timedelta(seconds=_PAUSES[min(arrival.attempts, len(_PAUSES)) - 1])
        ending = {"state": "waiting", "due_at": now() + pause}
    with database.write() as session:
        _end(session, arrival, error=reason[:300], **ending)


def forget_old(database: Database) -> None:
    """What was done a week ago."""
    with database.write() as session:
        session.execute(delete(ArrivalRow).where(ArrivalRow.state == "done", ArrivalRow.at < now() - _KEPT))


def _end(session: Session, arrival: Arrival, **values: Any) -> None:
    session.execute(
        update(ArrivalRow)
        .where(ArrivalRow.id == arrival.id, ArrivalRow.state == "claimed", ArrivalRow.attempts == arrival.attempts)
        .values(claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )


def _queries() -> tuple[Select[tuple[int]], Select[tuple[ArrivalRow]]]:
    """What is due, and its claim, made once: making them costs as much as asking."""
    moment = bindparam("moment", type_=Moment())
    ready = or_(
        and_(ArrivalRow.state == "waiting", ArrivalRow.due_at <= moment),
        and_(ArrivalRow.state == "claimed", ArrivalRow.claimed_until < moment),
    )
    before = aliased(ArrivalRow)
    first = (
        ~select(before.id)
        .where(
            before.channel == ArrivalRow.channel,
            before.sender == ArrivalRow.sender,
            before.state.in_(("waiting", "claimed")),
            before.id < ArrivalRow.id,
        )
        .exists()
    )
    due = select(ArrivalRow.id).where(ready, first).order_by(ArrivalRow.id).limit(bindparam("most", type_=Integer()))
    ids = bindparam("ids", expanding=True)
    claim = select(ArrivalRow).where(ArrivalRow.id.in_(ids), ready).order_by(ArrivalRow.id)
    return due, claim.with_for_update(skip_locked=True)


_DUE, _CLAIM = _queries()
