"""What the desk tells its people: a ticket came, a clock runs out, somebody is asked for. Told once, whoever tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, String, Text, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment


class NoticeRow(Base):
    """`key` says what caused it; the same cause never tells the same person twice."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    username: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(30))
    ticket: Mapped[str | None] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    urgent: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_notice_username_read", "username", "read_at", "id"),
        Index("ix_notice_ticket_kind", "ticket", "kind"),
        Index("ix_notice_at", "at"),
    )


@dataclass(frozen=True)
class Notice:
    """Something to tell one person; `key` names the cause (at most 90 characters)."""

    username: str
    kind: str
    text: str
    key: str
    ticket: str | None = None
    urgent: bool = False


def notify(
    session: Session,
    usernames: list[str],
    kind: str,
    text: str,
    *,
    key: str,
    ticket: str | None = None,
    urgent: bool = False,
) -> int:
    """Tell each of `usernames`; return how many were told. `key` names the cause (at most 90 characters)."""
    return notify_all(session, [Notice(username, kind, text, key, ticket, urgent) for username in usernames])


def notify_all(session: Session, notices: Sequence[Notice]) -> int:
    """Tell many things at a time; return how many were new."""
    if not notices:
        return 0
    dialect = session.get_bind().dialect.name
    statement = (postgres_insert if dialect == "postgresql" else sqlite_insert)(NoticeRow.__table__)
    moment = now()
    statement = statement.on_conflict_do_nothing(index_elements=["key"])
    if dialect == "postgresql":  # What returns something goes a thousand rows a statement there.
        statement = statement.returning(NoticeRow.__table__.c.id)
    told = session.execute(
        statement,
        [
            {
                "key": f"{one.key}:{one.username}",
                "username": one.username,
                "kind": one.kind,
                "ticket": one.ticket,
                "text": one.text,
                "urgent": one.urgent,
                "at": moment,
            }
            for one in notices
        ],
    )
    return len(told.all()) if dialect == "postgresql" else told.rowcount


def notices_of(session: Session, username: str, *, unread: bool = False, limit: int = 50) -> list[NoticeRow]:
    """The newest notices of a person."""
    query = select(NoticeRow).where(NoticeRow.username == username)
    if unread:
        query = query.where(NoticeRow.read_at.is_(None))
    return list(session.scalars(query.order_by(NoticeRow.id.desc()).limit(limit)))


def withdraw(session: Session, kind: str, ticket: str) -> None:
    """What was told of `ticket` under `kind` needs nobody any more."""
    session.execute(
        update(NoticeRow)
        .where(NoticeRow.ticket == ticket, NoticeRow.kind == kind, NoticeRow.read_at.is_(None))
        .values(read_at=now())
    )


def mark_read(session: Session, username: str, up_to: int) -> None:
    """Everything up to notice `up_to` is read."""
    session.execute(
        update(NoticeRow)
        .where(NoticeRow.username == username, NoticeRow.id <= up_to, NoticeRow.read_at.is_(None))
        .values(read_at=now())
    )
