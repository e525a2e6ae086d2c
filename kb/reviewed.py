"""Questions whose answers were judged, by the employees who asked or by reviewers of a sample: what a release learns from the
one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.clock import now
from core.text import normalize
from core.transcript import Message, Turn
from kb.samples import SampleRow
from kb.store import FeedbackRow

_LATELY = timedelta(days=365)
_MOST = 1000
WRONG = "incorrect"


@dataclass(frozen=True)
class Reviewed:
    """`text`, masked, was answered with the entry, and that was `right` or not. `at` is when that was said."""

    text: str
    entry_id: str
    right: bool
    at: datetime


def lately_reviewed(session: Session) -> list[Reviewed]:
    """The newest verdicts of a year, reviewers' before employees' on the same answer. An answer that was incomplete, outdated
    or unclear, or right in part, says nothing of its being the wrong one, and is left out."""
    judged = _judged(session)
    rows = session.execute(
        select(Turn.id, Turn.outcome, FeedbackRow.entry_id, FeedbackRow.helpful, FeedbackRow.at)
        .join(Message, Message.id == FeedbackRow.message_id)
        .join(Turn, Turn.id == Message.turn_id)
        .where(FeedbackRow.at >= now() - _LATELY, FeedbackRow.entry_id.is_not(None))
        .where(or_(FeedbackRow.helpful, FeedbackRow.reason == WRONG))
        .order_by(FeedbackRow.at.desc(), FeedbackRow.id.desc())
        .limit(_MOST)
    ).all()
    rated = [
        Reviewed(text, row.entry_id, row.helpful, row.at)
        for row in rows
        if row.id not in judged and (text := normalize((row.outcome or {}).get("question") or ""))
    ]
    known = [one for one in judged.values() if one is not None]
    return sorted([*known, *rated], key=lambda one: one.at, reverse=True)[:_MOST]


def _judged(session: Session) -> dict[str, Reviewed | None]:
    """What reviewers said of the sample, by turn; None where they called the answer right in part."""
    rows = session.scalars(
        select(SampleRow)
        .where(SampleRow.reviewed_at >= now() - _LATELY, SampleRow.verdict.is_not(None))
        .order_by(SampleRow.reviewed_at.desc(), SampleRow.id.desc())
        .limit(_MOST)
    )
    found: dict[str, Reviewed | None] = {}
    for row in rows:
        text = normalize(row.question)
        said = row.verdict in ("right", "wrong") and text and row.reviewed_at
        found[row.turn_id] = Reviewed(text, row.entry_id, row.verdict == "right", row.reviewed_at) if said else None
    return found
