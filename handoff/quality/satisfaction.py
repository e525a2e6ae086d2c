"""Satisfaction: once a ticket is resolved its requester is asked for a score, reminded once, and then left in peace.

Every resolution is asked about by itself: a ticket that was reopened is asked about again when it is resolved again, since
that is another answer; a question that is still open is withdrawn by reopening. Until the question expires the requester
may change their mind, and the last word counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql import ColumnElement

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from core.outbox import deliver
from core.privacy import mask
from core.transcript import say
from handoff.actors import SYSTEM, Actor
from handoff.quality.documents import document
from handoff.quality.wording import written
from handoff.tickets import Status, TicketRow

SCORES = {5: "非常满意", 4: "满意", 3: "一般", 2: "不满意", 1: "很不满意"}
MOST_WORDS = 500


class SatisfactionRow(Base):
    """One resolution of a ticket and what its requester thought of it.

    `resolution` counts from 1; `agent` solved it. States: `open`, `rated`, `expired`, `withdrawn` (reopened before rated).
    `reasons` are `class:words`, such as `时效:回复太慢`.
    """

    __tablename__ = "satisfaction"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"))
    resolution: Mapped[int]
    conversation_id: Mapped[str] = mapped_column(String(36))
    agent: Mapped[str] = mapped_column(String(64))
    group_id: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="open")
    invited_at: Mapped[datetime] = mapped_column(Moment)
    remind_at: Mapped[datetime] = mapped_column(Moment)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    score: Mapped[int | None]
    reasons: Mapped[list[str]] = mapped_column(Json, default=list)
    words: Mapped[str] = mapped_column(Text, default="")
    rated_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("ticket", "resolution"),
        Index("ix_satisfaction_state", "state", "expires_at"),
        Index("ix_satisfaction_invited", "invited_at"),
    )


def invite(
    session: Session, ticket: TicketRow, *, agent: str | None = None, moment: datetime | None = None
) -> SatisfactionRow:
    """Ask the requester of a ticket that was just resolved, once a resolution. The caller holds the ticket."""
    known = _of(session, ticket)
    if known is not None:
        return known
    row = _row(session, ticket, agent, moment or now())
    _ask(
        session,
        row,
        f"工单 {ticket.number} 已解决，您对这次服务满意吗？请打个分，也可以说说原因。",
        key=f"rating:{row.id}",
    )
    _record(session, ticket, SYSTEM, "invited_to_rate", "邀请员工评价", {"resolution": row.resolution})
    return row


def _row(session: Session, ticket: TicketRow, agent: str | None, moment: datetime) -> SatisfactionRow:
    settings = document(session, "satisfaction")
    expires_at = moment + timedelta(days=settings["expires_days"])
    row = SatisfactionRow(
        ticket=ticket.number,
        resolution=ticket.reopenings + 1,
        conversation_id=ticket.conversation_id,
        agent=agent or ticket.assignee or "",
        group_id=ticket.group_id,
        state="open",
        invited_at=moment,
        remind_at=min(moment + timedelta(hours=settings["remind_after_hours"]), expires_at),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row


def _of(session: Session, ticket: TicketRow) -> SatisfactionRow | None:
    """The question about the ticket's present resolution, locked."""
    return session.scalars(
        select(SatisfactionRow)
        .where(SatisfactionRow.ticket == ticket.number, SatisfactionRow.resolution == ticket.reopenings + 1)
        .with_for_update()
    ).one_or_none()


def _ask(session: Session, row: SatisfactionRow, text: str, *, key: str) -> None:
    settings = document(session, "satisfaction")
    message = say(
        session,
        row.conversation_id,
        "bot",
        "rating",
        text,
        extras={
            "number": row.ticket,
            "options": [
                {"label": f"{score} 分 · {label}", "choice": f"rate:{row.ticket}:{score}"}
                for score, label in SCORES.items()
            ],
            "low": settings["low_score"],
            "reasons": {side: reasons_of(settings, side) for side in ("low", "high")},
            "expires_at": row.expires_at.isoformat(),
        },
    )
    deliver(session, message, key=key)


def reasons_of(settings: dict[str, Any], side: str) -> list[str]:
    """The reasons offered for a low or a high score, as `class:words`."""
    return [f"{name}:{words}" for name, offered in settings["reasons"][side].items() for words in offered]


def withdraw(session: Session, ticket: TicketRow) -> None:
    """The resolution does not stand: a question about it that is still open is taken back."""
    session.execute(
        update(SatisfactionRow)
        .where(SatisfactionRow.ticket == ticket.number, SatisfactionRow.state == "open")
        .values(state="withdrawn")
    )


def rate(
    session: Session,
    number: str,
    actor: Actor,
    score: int,
    reasons: Sequence[str] = (),
    words: str = "",
    *,
    moment: datetime | None = None,
) -> SatisfactionRow:
    """What the requester says of the last resolution of their ticket; again within the time, the last word counts.

    A low score opens a review task for the group's leader; a better one closes the ticket. Raises NotFound for somebody
    else's ticket, Conflict `not_resolved` or `rating_expired`, InvalidInput for a score or reason that is not offered.
    """
    from handoff.lifecycle import close
    from handoff.locking import lock
    from handoff.quality.reviews import open_review

    moment = moment or now()
    (ticket,) = lock(session, number)
    if actor.kind != "employee" or actor.id != (ticket.employee_no or ticket.conversation_id):
        raise NotFound(f"没有找到工单 {number}，请核对编号。", code="ticket_not_found")
    if ticket.status not in (Status.RESOLVED, Status.CLOSED):
        raise Conflict("这张工单还没有解决，解决后会请您评价。", code="not_resolved")
    settings = document(session, "satisfaction")
    chosen = _checked(settings, score, reasons)
    row = _of(session, ticket) or _row(session, ticket, None, ticket.resolved_at or moment)
    if row.state == "expired" or row.expires_at <= moment:
        raise Conflict("评价时间已过。如果问题还没解决，可以再提一张工单，或直接告诉我。", code="rating_expired")
    said = mask(written(words, MOST_WORDS))
    if (row.state, row.score, row.reasons, row.words) == ("rated", score, chosen, said):
        return row
    row.state, row.score, row.reasons, row.words, row.rated_at = "rated", score, chosen, said, moment
    ticket.rating = score
    _record(
        session,
        ticket,
        actor,
        "rated",
        f"员工评价 {score} 分（{SCORES[score]}）",
        {"score": score, "reasons": chosen, "words": said, "resolution": row.resolution},
    )
    if score <= settings["low_score"]:
        open_review(session, ticket, row, settings["review_days"], moment)
    elif ticket.status == Status.RESOLVED:
        close(session, number, actor)
    return row


def _checked(settings: dict[str, Any], score: int, reasons: Sequence[str]) -> list[str]:
    if score not in SCORES:
        raise InvalidInput("请打 1 到 5 分。", code="score")
    sides = (["low"] if score <= 3 else []) + (["high"] if score >= 3 else [])
    offered = [reason for side in sides for reason in reasons_of(settings, side)]
    if any(reason not in offered for reason in reasons):
        raise InvalidInput("这个原因不在选项里，请重新选择。", code="reasons")
    return [reason for reason in offered if reason in reasons]


def _record(session: Session, ticket: TicketRow, actor: Actor, kind: str, text: str, detail: dict[str, Any]) -> None:
    from handoff.timeline import record

    record(session, ticket, actor, kind, text, public=True, detail=detail)


def standing(session: Session, number: str) -> dict[str, Any] | None:
    """How the newest question about a ticket stands: `{state, score, reasons, words, expires_at}`."""
    row = session.scalars(
        select(SatisfactionRow)
        .where(SatisfactionRow.ticket == number)
        .order_by(SatisfactionRow.resolution.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return {
        "state": row.state,
        "score": row.score,
        "reasons": row.reasons,
        "words": row.words,
        "expires_at": row.expires_at.isoformat(),
    }


def to_remind(session: Session, moment: datetime, limit: int = 200) -> list[int]:
    """Questions that are open, were asked long enough ago and were not reminded of yet."""
    query = select(SatisfactionRow.id).where(*_unanswered(moment)).order_by(SatisfactionRow.id).limit(limit)
    return list(session.scalars(query))


def remind(session: Session, satisfaction_id: int, moment: datetime) -> bool:
    """Remind the requester; False where somebody was quicker, or they have answered meanwhile."""
    from handoff.locking import lock

    number = session.scalar(select(SatisfactionRow.ticket).where(SatisfactionRow.id == satisfaction_id))
    if number is None:
        return False
    lock(session, number)
    row = session.scalars(
        select(SatisfactionRow)
        .where(SatisfactionRow.id == satisfaction_id, *_unanswered(moment))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return False
    row.reminded_at = moment
    _ask(session, row, f"工单 {row.ticket} 还等着您的评价，点一下就好。", key=f"rating:{row.id}:reminder")
    return True


def _unanswered(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SatisfactionRow.state == "open",
        SatisfactionRow.reminded_at.is_(None),
        SatisfactionRow.remind_at <= moment,
        SatisfactionRow.expires_at > moment,
    )


def expire_due(session: Session, moment: datetime) -> int:
    """Close the questions whose time is over; return how many."""
    done = session.execute(
        update(SatisfactionRow)
        .where(SatisfactionRow.state == "open", SatisfactionRow.expires_at <= moment)
        .values(state="expired")
    )
    return done.rowcount


def any_over(session: Session, moment: datetime) -> bool:
    """Whether the time of any open question is over."""
    over = select(SatisfactionRow.id).where(SatisfactionRow.state == "open", SatisfactionRow.expires_at <= moment)
    return session.scalar(over.limit(1)) is not None
