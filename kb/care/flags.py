"""Flags: something an entry's owner should look at, raised by what happened around it; resolved by a person, or when
it holds no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment
from core.errors import NotFound

SOURCE_CHANGED = "source_changed"
"""An article or table that the entry cites was changed or removed."""


class FlagRow(Base):
    """`detail` says in Chinese what happened; the same of an entry is open at most once."""

    __tablename__ = "kb_flag"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    entry_id: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    detail: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    resolved_by: Mapped[str | None] = mapped_column(String(64))


_OPEN = FlagRow.resolved_at.is_(None)
Index(
    "uq_kb_flag_open",
    FlagRow.entry_id,
    FlagRow.kind,
    FlagRow.detail,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)


def flag(session: Session, entry_id: str, kind: str, detail: str = "") -> bool:
    """Raise a flag, unless the very same is open already; return whether it is new. `detail` is cut at 300 characters."""
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[session.get_bind().dialect.name]
    added = session.scalar(
        insert(FlagRow)
        .values(entry_id=entry_id, kind=kind, detail=detail[:300], at=now())
        .on_conflict_do_nothing(index_elements=["entry_id", "kind", "detail"], index_where=_OPEN)
        .returning(FlagRow.id)
    )
    return added is not None


def resolve(session: Session, flag_id: int, by: str) -> FlagRow:
    """Put a flag down, and return it; again does nothing. Raises NotFound."""
    row = session.get(FlagRow, flag_id, with_for_update=True)
    if row is None:
        raise NotFound("没有找到这条提醒，请刷新页面。")
    if row.resolved_at is None:
        row.resolved_at, row.resolved_by = now(), by
    return row


def flags_beginning(session: Session, kind: str, words: str) -> list[FlagRow]:
    """The open flags of a kind whose detail begins with certain words, oldest first."""
    query = select(FlagRow).where(FlagRow.kind == kind, _OPEN, FlagRow.detail.startswith(words, autoescape=True))
    return list(session.scalars(query.order_by(FlagRow.id)))


def put_down(session: Session, flag_ids: Sequence[int], by: str) -> None:
    """Resolve flags that hold no longer."""
    if flag_ids:
        session.execute(
            update(FlagRow).where(FlagRow.id.in_(flag_ids), _OPEN).values(resolved_at=now(), resolved_by=by)
        )


def settle(session: Session, entry_id: str, by: str, seen: datetime) -> None:
    """Put down every flag of an entry that was raised until `seen`."""
    session.execute(
        update(FlagRow)
        .where(FlagRow.entry_id == entry_id, _OPEN, FlagRow.at <= seen)
        .values(resolved_at=now(), resolved_by=by)
    )


def open_flags(session: Session, entry_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Open flags by entry as `{id, kind, detail, at}`, oldest first; entries without any are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in session.scalars(select(FlagRow).where(FlagRow.entry_id.in_(entry_ids), _OPEN).order_by(FlagRow.id)):
        found.setdefault(row.entry_id, []).append(
            {"id": row.id, "kind": row.kind, "detail": row.detail, "at": row.at.isoformat()}
        )
    return found
