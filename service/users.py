"""The console's users and their sessions."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from pwdlib import PasswordHash
from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import NotSignedIn

_HASHER = PasswordHash.recommended()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


class UserRow(Base):
    __tablename__ = "console_user"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)


class SessionRow(Base):
    """A sign-in; only the hash of its token is kept."""

    __tablename__ = "console_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("console_user.username"))
    expires_at: Mapped[datetime] = mapped_column(Moment)


def create_first_admin(session: Session, password: str) -> str | None:
    """Create `admin` when there is no user at all; return its password, made up unless given. None if not needed."""
    if session.scalar(select(func.count()).select_from(UserRow)):
        return None
    password = password or secrets.token_urlsafe(12)
    session.add(
        UserRow(
            username="admin",
            name="管理员",
            password_hash=_HASHER.hash(password),
            roles=["admin"],
            created_at=now(),
        )
    )
    return password


def set_password(session: Session, username: str, password: str) -> bool:
    """Give a user a new password and end their sessions; False when there is no such user."""
    user = session.get(UserRow, username)
    if user is None:
        return False
    user.password_hash = _HASHER.hash(password)
    session.execute(delete(SessionRow).where(SessionRow.username == username))
    return True


def sign_in(session: Session, username: str, password: str, hours: int) -> tuple[str, UserRow]:
    """A new session's token and its user. Raises NotSignedIn, as slowly for an unknown user as for a known one."""
    user = session.get(UserRow, username)
    if not _HASHER.verify(password, user.password_hash if user else _NOBODY) or user is None:
        raise NotSignedIn("用户名或密码不正确，请重新输入。", code="wrong_password")
    token = secrets.token_urlsafe(32)
    session.execute(delete(SessionRow).where(SessionRow.expires_at < now()))
    session.add(SessionRow(token_hash=_digest(token), username=username, expires_at=now() + timedelta(hours=hours)))
    return token, user


def user_of(session: Session, token: str | None) -> UserRow:
    """The user of a session. Raises NotSignedIn."""
    row = session.get(SessionRow, _digest(token)) if token else None
    if row is None or row.expires_at < now():
        raise NotSignedIn("请先登录。")
    return session.get_one(UserRow, row.username)


def sign_out(session: Session, token: str | None) -> None:
    if token:
        session.execute(delete(SessionRow).where(SessionRow.token_hash == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
