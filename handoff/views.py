"""Saved views: a filter of the queue under a name, one's own or shared with everybody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.database import Base, Json
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from handoff.actors import Actor

MOST_OWN = 30


class SavedViewRow(Base):
    """`filter` holds what the list takes: view, status, urgency, … as strings."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(30))
    owner: Mapped[str] = mapped_column(String(64))
    shared: Mapped[bool] = mapped_column(default=False)
    filter: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (UniqueConstraint("owner", "name"),)


def may_share(actor: Actor) -> bool:
    """Leaders and supervisors share views and replies."""
    return actor.has("leader", "supervisor")


def views_of(session: Session, actor: Actor) -> list[SavedViewRow]:
    """Their own and the shared ones."""
    query = select(SavedViewRow).where(or_(SavedViewRow.owner == actor.id, SavedViewRow.shared))
    return list(session.scalars(query.order_by(SavedViewRow.shared, SavedViewRow.id)))


def save_view(session: Session, actor: Actor, name: str, filter: dict[str, str], shared: bool) -> SavedViewRow:
    """Keep `filter` as `name`; an own view of this name is replaced. Raises InvalidInput, Forbidden or Conflict."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 30:
        raise InvalidInput("视图名称需要 1 到 30 个字。", code="name_invalid")
    if shared and not may_share(actor):
        raise Forbidden("共享视图由组长或主管维护，您可以先保存为自己的视图。", code="role_missing")
    own = session.scalars(select(SavedViewRow).where(SavedViewRow.owner == actor.id)).all()
    row = next((one for one in own if one.name == name), None)
    if row is None:
        if len(own) >= MOST_OWN:
            raise Conflict(f"最多保存 {MOST_OWN} 个视图，请先删除不用的视图。", code="too_many_views")
        row = SavedViewRow(name=name, owner=actor.id)
        session.add(row)
    told = shared or bool(row.shared)
    row.filter, row.shared = filter, shared
    session.flush()
    if told:
        audit.append(session, actor, "view.saved", str(row.id), {"name": name, "filter": filter, "shared": shared})
    return row


def remove_view(session: Session, actor: Actor, id: int) -> None:
    """Raises NotFound, or Forbidden for somebody else's."""
    row = session.get(SavedViewRow, id)
    if row is None or (row.owner != actor.id and not row.shared):
        raise NotFound("没有这个视图，可能已被删除，请刷新页面。", code="view_not_found")
    if row.owner != actor.id and not may_share(actor):
        raise Forbidden("这是共享视图，由组长或主管维护。", code="role_missing")
    if row.shared:
        audit.append(session, actor, "view.removed", str(row.id), {"name": row.name})
    session.delete(row)
