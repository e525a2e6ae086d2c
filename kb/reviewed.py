"""Questions of employees who said whether they were answered rightly: what a release learns from the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.clock import now
from core.text import normalize
from core.transcript import Message, Turn
from kb.store import FeedbackRow

_LATELY = timedelta(days=365)
_MOST = 1000
WRONG = "incorrect"


@dataclass(frozen=True)
class Reviewed:
    """`text`, masked, was answered with the entry, and that was `right` or not. `at` is when the employee said so."""

    text: str
    entry_id: str
    right: bool
    at: datetime


def lately_reviewed(session: Session) -> list[Reviewed]:
    """The newest verdicts of a year. An answer that was incomplete, outdated or unclear says nothing of its being the wrong
    one, and is left out."""
    rows = session.execute(
        select(Turn.outcome, FeedbackRow.entry_id, FeedbackRow.helpful, FeedbackRow.at)
        .join(Message, Message.id == FeedbackRow.message_id)
        .join(Turn, Turn.id == Message.turn_id)
        .where(FeedbackRow.at >= now() - _LATELY, FeedbackRow.entry_id.is_not(None))
        .where(or_(FeedbackRow.helpful, FeedbackRow.reason == WRONG))
        .order_by(FeedbackRow.at.desc(), FeedbackRow.id.desc())
        .limit(_MOST)
    ).all()
    return [
        Reviewed(text, row.entry_id, row.helpful, row.at)
        for row in rows
        if (text := normalize((row.outcome or {}).get("question") or ""))
    ]
