"""Systems that call the open API, such as the expense system: each has a key of its own, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment
from core.errors import InvalidInput, NotFound, NotSignedIn

_PREFIX = "fssc_"
_SEEN_EVERY = timedelta(minutes=10)


class ApiClientRow(Base):
    __tablename__ = "api_client"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class ApiRequestRow(Base):
    """What a client asked for under an idempotency key, and the ticket that came of it."""

    __tablename__ = "api_request"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    client: Mapped[str] = mapped_column(ForeignKey("api_client.id"))
    key: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), index=True)
    reference: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("client", "key"),)


def add_client(session: Session, name: str, author: str) -> tuple[ApiClientRow, str]:
    """A new client and its key, which is shown this once."""
    name = " ".join(name.split())
    if not name or len(name) > 64:
        raise InvalidInput("请填写接入系统的名称，最长 64 个字。", code="client_name")
    key = _PREFIX + secrets.token_urlsafe(32)
    row = ApiClientRow(id=secrets.token_hex(6), name=name, key_hash=_digest(key), created_by=author, created_at=now())
    session.add(row)
    session.flush()
    return row, key


def revoke_client(session: Session, client_id: str) -> ApiClientRow:
    """Its key is refused from now on. Raises NotFound."""
    row = session.get(ApiClientRow, client_id)
    if row is None:
        raise NotFound("没有这个接入系统。", code="client_not_found")
    row.revoked_at = row.revoked_at or now()
    return row


def clients(session: Session) -> list[ApiClientRow]:
    return list(session.scalars(select(ApiClientRow).order_by(ApiClientRow.created_at)))


def client_of(session: Session, key: str) -> ApiClientRow:
    """Whose key this is. Raises NotSignedIn for an unknown or revoked one."""
    row = session.scalars(select(ApiClientRow).where(ApiClientRow.key_hash == _digest(key))).one_or_none()
    if row is None or row.revoked_at:
        raise NotSignedIn("接口密钥无效或已停用，请联系共享中心管理员。", code="api_key_invalid")
    if row.last_used_at is None or row.last_used_at < now() - _SEEN_EVERY:
        row.last_used_at = now()
    return row


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
