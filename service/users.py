"""The console's users and their sessions."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from pwdlib import PasswordHash
from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound, NotSignedIn, SettingsError
from handoff.actors import SYSTEM, Actor
from handoff.staff import follow_user

_HASHER = PasswordHash.recommended()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))

ROLES = (
    "admin",
    "editor",
    "reviewer",
    "publisher",
    "agent",
    "expert",
    "leader",
    "supervisor",
    "inspector",
    "auditor",
)
"""Editors draft, reviewers approve, publishers publish. Agents handle the tickets of their groups, experts those of tier 3,
leaders answer for a group, supervisors for the desk; inspectors judge quality, auditors read all and change nothing. An
administrator may do everything."""

LEAST_PASSWORD = 10
MOST_PASSWORD = 200
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


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
    if password and len(password) < LEAST_PASSWORD:
        raise SettingsError(f"FSSC_ADMIN_PASSWORD needs at least {LEAST_PASSWORD} characters")
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


def users(session: Session) -> list[UserRow]:
    return list(session.scalars(select(UserRow).order_by(UserRow.username)))


def add_user(
    session: Session, username: str, name: str, password: str, roles: Sequence[str], *, by: Actor = SYSTEM
) -> UserRow:
    """Add a user; who has a role of the desk becomes one of its people. Raises InvalidInput for an unusable name, password
    or role, Conflict for a username that is taken."""
    if not _NAME.fullmatch(username):
        raise InvalidInput("用户名只能用字母、数字、点、下划线和连字符，最长 64 个字符。", code="username_invalid")
    row = UserRow(username=username, name=_called(name or username), roles=_known(roles), created_at=now())
    row.password_hash = _HASHER.hash(_long_enough(password))
    if session.get(UserRow, username):
        raise Conflict(f"用户 {username} 已存在，请换一个用户名。", code="user_exists")
    session.add(row)
    session.flush()
    audit.append(session, by, "user.added", f"user:{username}", {"name": row.name, "roles": row.roles})
    follow_user(session, by, username, row.name, row.roles)
    return row


def change_user(
    session: Session,
    username: str,
    *,
    name: str | None = None,
    roles: Sequence[str] | None = None,
    password: str | None = None,
    by: Actor = SYSTEM,
) -> UserRow:
    """Change what is given. New roles or a new password end the user's sessions; the last administrator stays one."""
    user = _locked(session, username)
    before = list(user.roles)
    if name is not None:
        user.name = _called(name)
    if roles is not None:
        user.roles = _known(roles)
        _keep_an_administrator(session)
    if password is not None:
        user.password_hash = _HASHER.hash(_long_enough(password))
    if password is not None or user.roles != before:
        session.execute(delete(SessionRow).where(SessionRow.username == username))
    detail = {"name": user.name, "roles": user.roles, "roles_before": before, "password": password is not None}
    audit.append(session, by, "user.changed", f"user:{username}", detail)
    follow_user(session, by, username, user.name, user.roles)
    return user


def remove_user(session: Session, username: str, *, by: Actor = SYSTEM) -> None:
    """Remove a user with their sessions; what they wrote keeps their name, what they held returns to its groups. Raises
    Conflict for the last administrator."""
    user = _locked(session, username)
    session.execute(delete(SessionRow).where(SessionRow.username == username))
    session.delete(user)
    _keep_an_administrator(session)
    audit.append(session, by, "user.removed", f"user:{username}", {"name": user.name, "roles": user.roles})
    follow_user(session, by, username, user.name, None)


def set_password(session: Session, username: str, password: str) -> bool:
    """Give a user a new password and end their sessions; False when there is no such user."""
    if session.get(UserRow, username) is None:
        return False
    change_user(session, username, password=password)
    return True


def _locked(session: Session, username: str) -> UserRow:
    """The user, with every user locked, so that two administrators cannot remove each other. Raises NotFound."""
    rows = session.scalars(
        select(UserRow).order_by(UserRow.username).with_for_update().execution_options(populate_existing=True)
    )
    found = {row.username: row for row in rows}.get(username)
    if found is None:
        raise NotFound(f"没有用户 {username}。", code="user_not_found")
    return found


def _keep_an_administrator(session: Session) -> None:
    session.flush()
    if not any("admin" in roles for roles in session.scalars(select(UserRow.roles))):
        raise Conflict("至少要有一位管理员：请先让另一位用户成为管理员。", code="last_admin")


def _long_enough(password: str) -> str:
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD or not password.isprintable():
        raise InvalidInput(
            f"密码需要 {LEAST_PASSWORD} 到 {MOST_PASSWORD} 个字符，不能有换行等控制字符。", code="password_length"
        )
    return password


def _known(roles: Sequence[str]) -> list[str]:
    if unknown := [role for role in roles if role not in ROLES]:
        raise InvalidInput(f"没有角色 {'、'.join(unknown)}；可用的角色：{'、'.join(ROLES)}。", code="role_unknown")
    return [role for role in ROLES if role in roles]


def _called(name: str) -> str:
    name = " ".join("".join(c for c in name if c.isprintable()).split())
    if not name or len(name) > 64:
        raise InvalidInput("姓名需要 1 到 64 个字。", code="name_invalid")
    return name


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
