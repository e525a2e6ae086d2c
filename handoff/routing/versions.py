"""What a supervisor edits for dispatch, as numbered versions: a draft, the one in force, and all that were before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, NotFound
from handoff.actors import Actor

RULES, EMERGENCY, UNITS = "rules", "emergency", "units"
KIND_LABELS = {RULES: "派工规则", EMERGENCY: "应急名单", UNITS: "重点单位"}


class DispatchVersionRow(Base):
    """`state` is draft, active or past; of each kind at most one is a draft and one active. `revision` counts savings."""

    __tablename__ = "dispatch_version"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    comment: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(String(64))
    saved_at: Mapped[datetime] = mapped_column(Moment)
    revision: Mapped[int] = mapped_column(default=1)
    activated_by: Mapped[str | None] = mapped_column(String(64))
    activated_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = tuple(
        Index(
            f"uq_dispatch_version_{state}",
            "kind",
            unique=True,
            sqlite_where=text(f"state = '{state}'"),
            postgresql_where=text(f"state = '{state}'"),
        )
        for state in ("draft", "active")
    )


def in_force(session: Session, kind: str) -> DispatchVersionRow | None:
    return _in_state(session, kind, "active")


def draft_of(session: Session, kind: str) -> DispatchVersionRow | None:
    return _in_state(session, kind, "draft")


def version(session: Session, kind: str, number: int) -> DispatchVersionRow:
    """Raises NotFound."""
    row = session.get(DispatchVersionRow, (kind, number))
    if row is None:
        raise NotFound(f"没有第 {number} 版{KIND_LABELS[kind]}。")
    return row


def versions(session: Session, kind: str) -> list[DispatchVersionRow]:
    """All but the draft, the newest first."""
    query = select(DispatchVersionRow).where(DispatchVersionRow.kind == kind, DispatchVersionRow.state != "draft")
    return list(session.scalars(query.order_by(DispatchVersionRow.number.desc())))


def save_draft(
    session: Session, kind: str, body: dict[str, Any], actor: Actor, *, comment: str = "", revision: int = 0
) -> DispatchVersionRow:
    """Store the draft. `revision` is that of the draft it was made from, 0 for a new one. Raises Conflict when somebody
    else saved meanwhile."""
    row = _locked(session, kind, "draft")
    if (row.revision if row else 0) != revision:
        raise Conflict(f"{KIND_LABELS[kind]}的草稿刚被别人改过，请刷新后在最新的草稿上修改。", code="version_conflict")
    if row is None:
        row = _added(session, kind, "draft", body, actor, comment)
    else:
        row.body, row.comment, row.author = body, comment, actor.id
        row.saved_at, row.revision = now(), row.revision + 1
    audit.append(session, actor, f"{kind}.drafted", f"{kind}:{row.number}", {"body": body, "comment": comment})
    return row


def drop_draft(session: Session, kind: str, actor: Actor) -> None:
    row = _locked(session, kind, "draft")
    if row:
        audit.append(session, actor, f"{kind}.dropped", f"{kind}:{row.number}", {})
        session.delete(row)


def activate(session: Session, kind: str, actor: Actor, *, revision: int) -> DispatchVersionRow:
    """Let the draft take effect. Raises Conflict when it is not the draft that was looked at."""
    row = _locked(session, kind, "draft")
    if row is None:
        raise Conflict("没有可以启用的草稿，可能刚被别人启用或放弃，请刷新。", code="no_draft")
    if row.revision != revision:
        raise Conflict("草稿刚被别人改过，请刷新、重新试算后再启用。", code="version_conflict")
    _retire(session, kind)
    row.state, row.activated_by, row.activated_at = "active", actor.id, now()
    session.flush()
    audit.append(session, actor, f"{kind}.activated", f"{kind}:{row.number}", {"body": row.body})
    return row


def put(session: Session, kind: str, body: dict[str, Any], actor: Actor, *, number: int) -> DispatchVersionRow:
    """Let `body` take effect at once, as a new version. `number` is the one it was made from, 0 for none. Raises
    Conflict when another one is in force by now."""
    row = _locked(session, kind, "active")
    if (row.number if row else 0) != number:
        raise Conflict(f"{KIND_LABELS[kind]}刚被别人改过，请刷新后再改。", code="version_conflict")
    if row and row.body == body:
        return row
    _retire(session, kind)
    row = _added(session, kind, "active", body, actor)
    row.activated_by, row.activated_at = actor.id, row.saved_at
    audit.append(session, actor, f"{kind}.activated", f"{kind}:{row.number}", {"body": body})
    return row


def _in_state(session: Session, kind: str, state: str) -> DispatchVersionRow | None:
    query = select(DispatchVersionRow).where(DispatchVersionRow.kind == kind, DispatchVersionRow.state == state)
    return session.scalars(query).one_or_none()


def _locked(session: Session, kind: str, state: str) -> DispatchVersionRow | None:
    query = select(DispatchVersionRow).where(DispatchVersionRow.kind == kind, DispatchVersionRow.state == state)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _retire(session: Session, kind: str) -> None:
    row = _locked(session, kind, "active")
    if row:
        row.state = "past"
        session.flush()


def _added(
    session: Session, kind: str, state: str, body: dict[str, Any], actor: Actor, comment: str = ""
) -> DispatchVersionRow:
    last = session.scalar(select(func.max(DispatchVersionRow.number)).where(DispatchVersionRow.kind == kind)) or 0
    row = DispatchVersionRow(
        kind=kind, number=last + 1, state=state, body=body, comment=comment, author=actor.id, saved_at=now(), revision=1
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"{KIND_LABELS[kind]}刚被别人改过，请刷新后再改。", code="version_conflict") from error
    return row
