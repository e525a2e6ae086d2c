"""Reviews of low scores: the group's leader looks into each, says what was found and what is done about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql import ColumnElement

from core import audit
from core.clock import local, now
from core.database import Base, Moment
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.privacy import mask
from handoff.actors import Actor
from handoff.notices import notify
from handoff.quality.defaults import CLASSES
from handoff.quality.satisfaction import SatisfactionRow
from handoff.quality.wording import written
from handoff.quality.workdays import after_workdays
from handoff.staff import leaders_of, supervisors
from handoff.tickets import TicketRow

NOT_OURS = "非服务原因"
CAUSES = (*CLASSES, NOT_OURS)
LEAST_WORDS = 4
MOST_WORDS = 1000


class ReviewRow(Base):
    """A low score to look into until `due_at`. `cause` is one of `CAUSES`; `agent` is who had solved the ticket."""

    __tablename__ = "quality_review"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    satisfaction_id: Mapped[int] = mapped_column(ForeignKey("satisfaction.id"), unique=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), index=True)
    agent: Mapped[str] = mapped_column(String(64))
    group_id: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    overdue_told_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[str | None] = mapped_column(String(64))
    cause: Mapped[str | None] = mapped_column(String(20))
    finding: Mapped[str] = mapped_column(Text, default="")
    action: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("ix_quality_review_open", "closed_at", "due_at"),)


def reviewers_of(session: Session, row: ReviewRow) -> list[str]:
    """The group's leaders but the agent; the supervisors where nobody else leads it."""
    leaders = leaders_of(session, row.group_id) if row.group_id else []
    return [one for one in leaders if one != row.agent] or supervisors(session)


def open_review(
    session: Session, ticket: TicketRow, rating: SatisfactionRow, workdays: int, moment: datetime
) -> ReviewRow:
    """Have the leader look into a low score, once a rating; another low score for the same resolution changes nothing."""
    known = session.scalars(select(ReviewRow).where(ReviewRow.satisfaction_id == rating.id)).one_or_none()
    if known is not None:
        return known
    row = ReviewRow(
        satisfaction_id=rating.id,
        ticket=ticket.number,
        agent=rating.agent,
        group_id=rating.group_id,
        opened_at=moment,
        due_at=after_workdays(session, moment, workdays, rating.group_id),
    )
    session.add(row)
    session.flush()
    notify(
        session,
        reviewers_of(session, row),
        "review",
        f"工单 {ticket.number} 得了 {rating.score} 分，请在 {local(row.due_at)} 前回访并填写原因和措施。",
        key=f"review:{row.id}",
        ticket=ticket.number,
    )
    return row


def may_review(actor: Actor, row: ReviewRow) -> bool:
    """The group's leaders and supervisors, but nobody their own ticket; an administrator always."""
    if actor.has():
        return True
    return actor.id != row.agent and (actor.has("supervisor") or (actor.has("leader") and row.group_id in actor.leads))


def close_review(
    session: Session,
    review_id: int,
    actor: Actor,
    cause: str,
    finding: str,
    action: str,
    *,
    moment: datetime | None = None,
) -> ReviewRow:
    """Close a review with what was found and what is done. Raises NotFound, Forbidden, Conflict `closed`, InvalidInput."""
    row = session.get(ReviewRow, review_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("没有这个回访任务，请刷新列表。")
    if not may_review(actor, row):
        raise Forbidden("低分回访由本组组长或主管处理，本人处理的工单要由别人回访。", code="not_reviewer")
    if row.closed_at is not None:
        raise Conflict("这个回访任务已经办结，不能再改。", code="closed")
    if cause not in CAUSES:
        raise InvalidInput(f"请选择原因分类：{'、'.join(CAUSES)}。", code="cause")
    finding, action = mask(written(finding, MOST_WORDS)), mask(written(action, MOST_WORDS))
    if len(finding) < LEAST_WORDS or len(action) < LEAST_WORDS:
        raise InvalidInput(f"调查结论和改进措施都要写清楚，各不少于 {LEAST_WORDS} 个字。", code="words")
    row.cause, row.finding, row.action = cause, finding, action
    row.closed_at, row.closed_by = moment or now(), actor.id
    audit.append(session, actor, "review.closed", row.ticket, {"review": row.id, "cause": cause})
    notify(
        session,
        [row.agent],
        "review",
        f"工单 {row.ticket} 的低分回访已办结：{finding}",
        key=f"review:{row.id}:closed",
        ticket=row.ticket,
    )
    return row


def _overdue(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return ReviewRow.closed_at.is_(None), ReviewRow.overdue_told_at.is_(None), ReviewRow.due_at <= moment


def any_overdue(session: Session, moment: datetime) -> bool:
    """Whether anybody must still be told of a review whose time is over."""
    return session.scalar(select(ReviewRow.id).where(*_overdue(moment)).limit(1)) is not None


def tell_overdue(session: Session, moment: datetime, limit: int = 200) -> int:
    """Tell leaders and supervisors of reviews whose time is over, once; return how many reviews."""
    rows = session.scalars(
        select(ReviewRow).where(*_overdue(moment)).order_by(ReviewRow.id).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.overdue_told_at = moment
        notify(
            session,
            [*reviewers_of(session, row), *supervisors(session)],
            "review",
            f"工单 {row.ticket} 的低分回访已超过期限（{local(row.due_at)}），请尽快办结。",
            key=f"review:{row.id}:overdue",
            ticket=row.ticket,
            urgent=True,
        )
    return len(rows)
