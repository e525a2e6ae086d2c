"""The people of the desk and the groups they work in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Json, Moment
from handoff.actors import Actor


class GroupRow(Base):
    """A service group. `tier` is 2, or 3 for experts; `dispatch` is `auto` (to a person) or `pool` (claimed by them);
    `settings` holds what only dispatch reads."""

    __tablename__ = "staff_group"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    tier: Mapped[int] = mapped_column(default=2)
    business_types: Mapped[list[str]] = mapped_column(Json, default=list)
    dispatch: Mapped[str] = mapped_column(String(10), default="pool")
    calendar: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class StaffRow(Base):
    """A console user who handles tickets. `capacity` is how many open tickets dispatch gives them at most."""

    __tablename__ = "staff"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    groups: Mapped[list[str]] = mapped_column(Json, default=list)
    leads: Mapped[list[str]] = mapped_column(Json, default=list)
    skills: Mapped[list[str]] = mapped_column(Json, default=list)
    capacity: Mapped[int] = mapped_column(default=20)
    on_duty: Mapped[bool] = mapped_column(default=False)
    duty_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    shift: Mapped[str | None] = mapped_column(String(40))


def staff_actor(session: Session, username: str, name: str, roles: list[str]) -> Actor:
    """A console user as an actor, with the groups that they work in and lead."""
    row = session.get(StaffRow, username)
    return Actor(
        "staff",
        username,
        name,
        frozenset(roles),
        frozenset(row.groups if row else ()),
        frozenset(row.leads if row else ()),
    )
