"""Domain events: what happened, stored in the transaction that made it happen, told to the other rooms afterwards.

A room appends an event to the log with its own change; the worker hands it to whoever `service.bootstrap`
subscribed. An event is delivered at least once, so a subscriber keys what it writes by the event's id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Database, Json, Moment

_KINDS: dict[str, type[Event]] = {}


@dataclass(frozen=True)
class Event:
    """Base of all events; a subclass's fields must be JSON values and its docstring is its reference."""

    kind: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = cls.__name__
        _KINDS[cls.__name__] = cls


def event_kinds() -> dict[str, type[Event]]:
    return dict(_KINDS)


class EventRow(Base):
    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(500))

    __table_args__ = (Index("ix_event_undelivered", "delivered_at", "id"),)


def append_event(session: Session, event: Event) -> None:
    """Add `event` to the log; it is told only if the session commits."""
    session.add(EventRow(kind=event.kind, body=asdict(event), at=now()))


def undelivered(database: Database) -> bool:
    """Whether any event waits."""
    with database.read() as session:
        query = select(EventRow.id).where(EventRow.delivered_at.is_(None), EventRow.attempts < EventRelay.MAX_ATTEMPTS)
        return session.scalar(query.limit(1)) is not None


Subscriber = Callable[[Session, int, Event], None]


class EventRelay:
    """Hands stored events to subscribers, oldest first, each event in a transaction of its own."""

    MAX_ATTEMPTS = 10

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: dict[str, list[Subscriber]] = {}

    def subscribe(self, event: type[Event], subscriber: Subscriber) -> None:
        """`subscriber(session, event_id, event)` runs in the transaction that marks the event delivered."""
        self._subscribers.setdefault(event.kind, []).append(subscriber)

    def deliver(self, limit: int = 500) -> int:
        """Deliver up to `limit` waiting events; return how many went through. A failing one is kept and counted."""
        with self._database.read() as session:
            waiting = session.scalars(
                select(EventRow.id)
                .where(EventRow.delivered_at.is_(None), EventRow.attempts < self.MAX_ATTEMPTS)
                .order_by(EventRow.id)
                .limit(limit)
            ).all()
        return sum(self._deliver_one(event_id) for event_id in waiting)

    def _deliver_one(self, event_id: int) -> bool:
        try:
            with self._database.write() as session:
                row = session.scalars(
                    select(EventRow)
                    .where(EventRow.id == event_id, EventRow.delivered_at.is_(None))
                    .with_for_update(skip_locked=True)
                ).one_or_none()
                if row is None:
                    return False
                event = _KINDS[row.kind](**row.body)
                for subscriber in self._subscribers.get(row.kind, []):
                    subscriber(session, row.id, event)
                row.delivered_at = now()
            return True
        except Exception as error:
            with self._database.write() as session:
                row = session.get_one(EventRow, event_id)
                row.attempts += 1
                row.error = repr(error)[:500]
            return False
