"""Quality inspection: an inspector scores a ticket by the rubric, its agent may appeal, somebody else decides.

waiting → scored (appeal until `appeal_until`) → appealed → decided. A scored inspection whose time to appeal is over stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import local, now
from core.database import Base, Json, Moment
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from handoff.actors import Actor
from handoff.notices import notify
from handoff.quality.documents import QualityDocumentRow, document, newest
from handoff.quality.rubric import checked_points, total_of
from handoff.quality.wording import written
from handoff.quality.workdays import after_workdays

STATES = {"waiting": "待评分", "scored": "已评分", "appealed": "申诉中", "decided": "已裁定"}
DECISIONS = {"upheld": "维持原评分", "changed": "调整评分"}
MOST_WORDS = 1000


class InspectionRunRow(Base):
    """One drawing of a sample: tickets solved from `start` to before `end`, by `rules`, with this `seed`. `key` names what
    may be drawn only once, such as a week."""

    __tablename__ = "inspection_run"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    start: Mapped[datetime] = mapped_column(Moment)
    end: Mapped[datetime] = mapped_column(Moment)
    rules: Mapped[dict[str, Any]] = mapped_column(Json)
    seed: Mapped[int]
    candidates: Mapped[int] = mapped_column(default=0)
    picked: Mapped[int] = mapped_column(default=0)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)


class InspectionRow(Base):
    """A ticket to judge, once ever. `rules` say why it was drawn; `points` are `{item: {points, comment}}` by the rubric of
    `rubric_version`; `total` is 0 to 100, `first_total` what it was before an appeal changed it."""

    __tablename__ = "inspection"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("inspection_run.id"), index=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), unique=True)
    agent: Mapped[str] = mapped_column(String(64))
    group_id: Mapped[str | None] = mapped_column(String(40))
    business_type: Mapped[str] = mapped_column(String(40))
    solved_at: Mapped[datetime] = mapped_column(Moment)
    rules: Mapped[list[str]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    sampled_at: Mapped[datetime] = mapped_column(Moment)
    inspector: Mapped[str | None] = mapped_column(String(64))
    rubric_version: Mapped[int | None]
    points: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    vetoes: Mapped[list[str]] = mapped_column(Json, default=list)
    total: Mapped[float | None]
    first_total: Mapped[float | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    scored_at: Mapped[datetime | None] = mapped_column(Moment)
    appeal_until: Mapped[datetime | None] = mapped_column(Moment)
    appeal: Mapped[str] = mapped_column(Text, default="")
    appealed_at: Mapped[datetime | None] = mapped_column(Moment)
    decision: Mapped[str | None] = mapped_column(String(10))
    decision_words: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index("ix_inspection_state", "state", "sampled_at"),
        Index("ix_inspection_agent", "agent", "solved_at"),
    )


def rubric_of(session: Session, row: InspectionRow) -> dict[str, Any]:
    """The rubric that the inspection was scored by; the newest where it is not scored yet."""
    if row.rubric_version:
        stored = session.get(QualityDocumentRow, ("rubric", "default", row.rubric_version))
        if stored is not None:
            return stored.body
    return document(session, "rubric")


def judges(actor: Actor, row: InspectionRow) -> bool:
    """Inspectors and supervisors judge, never their own work."""
    return actor.has("inspector", "supervisor") and actor.id != row.agent


def _held(session: Session, inspection_id: int) -> InspectionRow:
    row = session.get(InspectionRow, inspection_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("没有这条质检，请刷新列表。")
    return row


def score(
    session: Session,
    inspection_id: int,
    actor: Actor,
    points: Mapping[str, Mapping[str, Any]],
    vetoes: Sequence[str] = (),
    comment: str = "",
    *,
    moment: datetime | None = None,
) -> InspectionRow:
    """Score a ticket by the newest rubric and tell its agent. Raises Forbidden, Conflict `wrong_state`, InvalidInput."""
    moment = moment or now()
    row = _held(session, inspection_id)
    if not judges(actor, row):
        raise Forbidden("质检由质检员或主管评分，自己处理的工单要由别人评。", code="not_inspector")
    if row.state != "waiting":
        raise Conflict("这张工单已经评过分了；有异议请走申诉。", code="wrong_state")
    rubric = document(session, "rubric")
    stored = newest(session, "rubric")
    row.points, row.vetoes = checked_points(rubric, points, vetoes, comment)
    row.total = total_of(rubric, row.points, row.vetoes)
    row.rubric_version = stored.version if stored else None
    row.comment = written(comment, MOST_WORDS)
    row.state, row.inspector, row.scored_at = "scored", actor.id, moment
    row.appeal_until = after_workdays(session, moment, rubric["appeal_days"], row.group_id)
    notify(
        session,
        [row.agent],
        "inspection",
        f"工单 {row.ticket} 质检得 {row.total:g} 分，有异议请在 {local(row.appeal_until)} 前申诉。",
        key=f"inspection:{row.id}:scored",
        ticket=row.ticket,
    )
    audit.append(session, actor, "inspection.scored", row.ticket, {"inspection": row.id, "total": row.total})
    return row


def may_appeal(actor: Actor, row: InspectionRow, moment: datetime) -> bool:
    return (
        actor.id == row.agent and row.state == "scored" and row.appeal_until is not None and moment <= row.appeal_until
    )


def appeal(
    session: Session,
    inspection_id: int,
    actor: Actor,
    words: str,
    *,
    deciders: Sequence[str] = (),
    moment: datetime | None = None,
) -> InspectionRow:
    """The agent says why the score is not right, once and in time. Raises Forbidden, Conflict, InvalidInput.

    `deciders` are those who are told; the inspector who scored does not decide.
    """
    moment = moment or now()
    row = _held(session, inspection_id)
    if actor.id != row.agent:
        raise Forbidden("只有处理这张工单的坐席本人可以申诉。", code="not_agent")
    if row.state != "scored":
        raise Conflict("这条质检现在不能申诉：还没有评分，或已经申诉过。", code="wrong_state")
    if not may_appeal(actor, row, moment):
        raise Conflict(f"申诉期已于 {local(row.appeal_until or moment)} 结束。", code="appeal_expired")
    words = written(words, MOST_WORDS)
    if len(words) < 4:
        raise InvalidInput("请写明申诉理由，不少于 4 个字。", code="words")
    row.state, row.appeal, row.appealed_at = "appealed", words, moment
    notify(
        session,
        [one for one in deciders if one not in (row.agent, row.inspector)],
        "inspection",
        f"工单 {row.ticket} 的质检有申诉，请裁定。",
        key=f"inspection:{row.id}:appealed",
        ticket=row.ticket,
    )
    audit.append(session, actor, "inspection.appealed", row.ticket, {"inspection": row.id})
    return row


def may_decide(actor: Actor, row: InspectionRow) -> bool:
    return row.state == "appealed" and judges(actor, row) and actor.id != row.inspector


def decide(
    session: Session,
    inspection_id: int,
    actor: Actor,
    words: str,
    *,
    points: Mapping[str, Mapping[str, Any]] | None = None,
    vetoes: Sequence[str] = (),
    moment: datetime | None = None,
) -> InspectionRow:
    """Another inspector or a supervisor decides an appeal: without `points` the score is upheld, with them changed.

    Raises Forbidden, Conflict `wrong_state`, InvalidInput.
    """
    row = _held(session, inspection_id)
    if row.state != "appealed":
        raise Conflict("这条质检没有待裁定的申诉。", code="wrong_state")
    if not may_decide(actor, row):
        raise Forbidden("申诉要由原质检员以外的质检员或主管裁定。", code="not_decider")
    words = written(words, MOST_WORDS)
    if len(words) < 4:
        raise InvalidInput("请写明裁定理由，不少于 4 个字。", code="words")
    row.decision = "upheld"
    if points is not None:
        rubric = rubric_of(session, row)
        row.first_total = row.total
        row.points, row.vetoes = checked_points(rubric, points, vetoes, words)
        row.total = total_of(rubric, row.points, row.vetoes)
        row.decision = "changed"
    row.state, row.decision_words, row.decided_by, row.decided_at = "decided", words, actor.id, moment or now()
    notify(
        session,
        [row.agent, *([row.inspector] if row.inspector else [])],
        "inspection",
        f"工单 {row.ticket} 的质检申诉已裁定：{DECISIONS[row.decision]}，{row.total:g} 分。{words}",
        key=f"inspection:{row.id}:decided",
        ticket=row.ticket,
    )
    detail = {"inspection": row.id, "decision": row.decision, "total": row.total, "before": row.first_total}
    audit.append(session, actor, "inspection.decided", row.ticket, detail)
    return row
