"""How far each role sees into quality, and who may change what it goes by."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden
from handoff.actors import Actor
from handoff.staff import GroupRow
from service.api.deps import ActorDep
from service.users import UserRow

Day = Annotated[str, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")]


def sees_all(actor: Actor) -> bool:
    return actor.has("supervisor", "inspector", "auditor")


def groups_seen(actor: Actor) -> frozenset[str] | None:
    """Groups whose quality `actor` may read; None means all. Raises Forbidden for those who lead nobody."""
    if sees_all(actor):
        return None
    if actor.has("leader"):
        return actor.leads
    raise Forbidden("服务质量由组长、主管、质检员和审计员查看，请联系主管开通。", code="role_missing")


def _only(*roles: str, doing: str):
    def allowed(actor: ActorDep) -> Actor:
        if not actor.has(*roles):
            raise Forbidden(f"您没有{doing}的权限，请联系主管。", code="role_missing")
        return actor

    return allowed


SettingUp = Annotated[Actor, Depends(_only("supervisor", doing="修改质量规则"))]
Drawing = Annotated[Actor, Depends(_only("supervisor", "inspector", doing="抽检工单"))]
Surveying = Annotated[Actor, Depends(_only("supervisor", "inspector", doing="发起问卷回访"))]
Overseeing = Annotated[Actor, Depends(_only("supervisor", "inspector", "auditor", doing="查看问卷回访"))]


def group_names(session: Session) -> dict[str, str]:
    return dict(session.execute(select(GroupRow.id, GroupRow.name)).all())


def holders(session: Session, *roles: str) -> list[str]:
    """Usernames of console users with any of `roles`."""
    return [user.username for user in session.scalars(select(UserRow)) if {*roles} & {*user.roles}]


def named(names: dict[str, str], username: str | None) -> dict[str, Any] | None:
    return {"username": username, "name": names.get(username, username)} if username else None
