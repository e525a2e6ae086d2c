"""The audit log: who changed what, append-only, each entry bound to the one before by its hash.

Entries wait in the session and are written just before it commits, under a lock that every writer takes last: one chain,
whoever writes, and nobody waits for anybody's transaction in a circle.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Index, String, Text, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment

GENESIS = "0" * 64
"""What the first entry follows."""

_LOCK = 7_340_031
"""PostgreSQL's advisory lock of the chain; any number nobody else uses."""

_WAITING = "audit_waiting"


class AuditRow(Base):
    """`detail` is canonical JSON, kept as text so that the hash can be recomputed to the byte; triggers forbid changing or
    deleting a row."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(160))
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "id"),
        Index("ix_audit_entry_actor", "actor", "id"),
    )

    def computed(self) -> str:
        """The hash that this row must have: sha256 over all its other fields as canonical JSON."""
        moment = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        fields = [self.id, moment, self.actor, self.action, self.subject, self.detail, self.previous]
        return hashlib.sha256(_canonical(fields).encode()).hexdigest()


class HasId(Protocol):
    @property
    def id(self) -> str: ...


@dataclass
class _Waiting:
    actor: str
    action: str
    subject: str
    detail: str
    at: datetime
    savepoints: tuple[Any, ...]


def append(session: Session, actor: HasId | str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Have `actor`'s `action` (`ticket.replied`, `staff.changed`) on `subject` written when `session` commits. `detail` holds
    JSON values; what is none is kept as text."""
    waiting = session.info.setdefault(_WAITING, [])
    savepoints = []
    transaction = session.get_nested_transaction()
    while transaction is not None and transaction.nested:
        savepoints.append(transaction)
        transaction = transaction.parent
    waiting.append(
        _Waiting(
            actor if isinstance(actor, str) else actor.id,
            action,
            subject,
            _canonical(detail).replace("\\u0000", ""),
            now(),
            tuple(savepoints),
        )
    )


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_WAITING):
        return
    session.flush()
    waiting: list[_Waiting] = session.info.pop(_WAITING)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    head = session.execute(select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)).first()
    number, previous = (head.id, head.hash) if head else (0, GENESIS)
    for one in waiting:
        number += 1
        row = AuditRow(
            id=number,
            at=one.at,
            actor=one.actor,
            action=one.action,
            subject=one.subject,
            detail=one.detail,
            previous=previous,
        )
        row.hash = previous = row.computed()
        session.add(row)
    session.flush()


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, transaction: Any) -> None:
    waiting = session.info.get(_WAITING)
    if waiting:
        undone = not transaction.nested
        session.info[_WAITING] = [] if undone else [one for one in waiting if transaction not in one.savepoints]


def entries(session: Session, batch: int = 2000) -> Iterator[AuditRow]:
    """Every entry, oldest first."""
    last = 0
    while rows := session.scalars(select(AuditRow).where(AuditRow.id > last).order_by(AuditRow.id).limit(batch)).all():
        yield from rows
        last = rows[-1].id
        session.expunge_all()


def verify(session: Session) -> int | None:
    """The id of the first entry that was changed, or that follows one which is missing; None where the chain holds."""
    expected, previous = 1, GENESIS
    for row in entries(session):
        if row.id != expected or row.previous != previous or row.hash != row.computed():
            return row.id
        expected, previous = row.id + 1, row.hash
    return None


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the newest entry. Noted elsewhere, they show later that the end of the chain was not cut off."""
    row = session.execute(select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)).first()
    return (row.id, row.hash) if row else (0, GENESIS)


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
