"""How the knowledge fares: what is asked much, little or never, what is rated badly, and what runs out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from kb.care.drafts import SUBMITTED, DraftRow
from kb.care.flags import FlagRow
from kb.store import EntryRow, EntryVersionRow, FeedbackRow, HitRow

DAYS = 30
"""Hot, cold and expiring look this many days back or ahead."""

HOT_MOST, HOT_LEAST = 50, 3
"""Hot are the 50 entries that answered most in the last 30 days, at least three times."""

BAD_LEAST = 2
"""Rated badly is an entry with at least two 没用 since it says what it says, and no fewer than 有用."""

RETIRED = "retired"
"""The state of entries that were taken out: they are in no other, and can be restored."""

STATES = ("flagged", "hot", "cold", "never", "bad", "expired", "expiring", "review_due")


def condition(state: str, today: date) -> ColumnElement[bool]:
    """The entries in a state, as a condition on `EntryRow`."""
    since = today - timedelta(days=DAYS)
    hit = exists().where(HitRow.entry_id == EntryRow.id)
    match state:
        case "flagged":
            return exists().where(FlagRow.entry_id == EntryRow.id, FlagRow.resolved_at.is_(None))
        case "hot":
            return EntryRow.id.in_(_hottest(since).with_only_columns(HitRow.entry_id))
        case "cold":
            return and_(hit, ~exists().where(HitRow.entry_id == EntryRow.id, HitRow.day >= since))
        case "never":
            return ~hit
        case "bad":
            return EntryRow.id.in_(_badly_rated().with_only_columns(FeedbackRow.entry_id))
        case "expired":
            return EntryRow.effective_to < today
        case "expiring":
            return EntryRow.effective_to.between(today, today + timedelta(days=DAYS))
        case "review_due":
            return EntryRow.review_on <= today
    raise ValueError(state)


def counts(session: Session, today: date) -> dict[str, int]:
    """How many entries and drafts there are, how many entries are in each state, and how many were taken out."""
    live = EntryRow.deleted.is_(False)
    drafts = dict(Counter(session.scalars(select(DraftRow.state))))
    submitted = drafts.pop(SUBMITTED, 0)
    found = {
        "entries": session.scalar(select(func.count()).where(live)) or 0,
        "drafts": sum(drafts.values()),
        "submitted": submitted,
        RETIRED: session.scalar(select(func.count()).where(EntryRow.deleted.is_(True))) or 0,
    }
    for state in STATES:
        found[state] = session.scalar(select(func.count(EntryRow.id)).where(live, condition(state, today))) or 0
    return found


def hottest(session: Session, today: date, limit: int = 10) -> list[dict[str, Any]]:
    """`{id, question, hits}`, most hits in the last 30 days first."""
    top = _hottest(today - timedelta(days=DAYS)).subquery()
    rows = session.execute(
        select(EntryRow.id, EntryRow.question, top.c.hits)
        .join(top, top.c.entry_id == EntryRow.id)
        .where(EntryRow.deleted.is_(False))
        .order_by(top.c.hits.desc(), EntryRow.id)
        .limit(limit)
    )
    return [{"id": row.id, "question": row.question, "hits": int(row.hits)} for row in rows]


def badly_rated(session: Session, limit: int = 10) -> list[dict[str, Any]]:
    """`{id, question, helpful, unhelpful}`, most 没用 first."""
    bad = _badly_rated().subquery()
    rows = session.execute(
        select(EntryRow.id, EntryRow.question, bad.c.helpful, bad.c.unhelpful)
        .join(bad, bad.c.entry_id == EntryRow.id)
        .where(EntryRow.deleted.is_(False))
        .order_by(bad.c.unhelpful.desc(), EntryRow.id)
        .limit(limit)
    )
    return [
        {"id": row.id, "question": row.question, "helpful": int(row.helpful), "unhelpful": int(row.unhelpful)}
        for row in rows
    ]


def most_hits_first(today: date) -> ColumnElement[Any]:
    """The hits of the last 30 days as an order of `EntryRow`."""
    total = select(func.sum(HitRow.count)).where(
        HitRow.entry_id == EntryRow.id, HitRow.day >= today - timedelta(days=DAYS)
    )
    return func.coalesce(total.scalar_subquery(), 0).desc()


def hits(session: Session, ids: Sequence[str], today: date) -> dict[str, int]:
    """Hits of the last 30 days by entry."""
    rows = session.execute(
        select(HitRow.entry_id, func.sum(HitRow.count).label("hits"))
        .where(HitRow.entry_id.in_(ids), HitRow.day >= today - timedelta(days=DAYS))
        .group_by(HitRow.entry_id)
    )
    return {row.entry_id: int(row.hits) for row in rows}


def feedback(session: Session, entry_id: str, recent: int = 10) -> dict[str, Any]:
    """`{helpful, unhelpful, reasons: {reason: count}, recent: [{comment, reason, at}]}` over all versions."""
    rated = session.execute(
        select(FeedbackRow.helpful, FeedbackRow.reason, func.count().label("count"))
        .where(FeedbackRow.entry_id == entry_id)
        .group_by(FeedbackRow.helpful, FeedbackRow.reason)
    ).all()
    words = session.execute(
        select(FeedbackRow.comment, FeedbackRow.reason, FeedbackRow.at)
        .where(
            FeedbackRow.entry_id == entry_id,
            FeedbackRow.helpful.is_(False),
            or_(FeedbackRow.comment.is_not(None), FeedbackRow.reason.is_not(None)),
        )
        .order_by(FeedbackRow.at.desc())
        .limit(recent)
    )
    return {
        "helpful": sum(row[2] for row in rated if row.helpful),
        "unhelpful": sum(row[2] for row in rated if not row.helpful),
        "reasons": {row.reason: row[2] for row in rated if not row.helpful and row.reason},
        "recent": [{"comment": row.comment, "reason": row.reason, "at": row.at.isoformat()} for row in words],
    }


def _hottest(since: date):
    total = func.sum(HitRow.count).label("hits")
    return (
        select(HitRow.entry_id, total)
        .where(HitRow.day >= since)
        .group_by(HitRow.entry_id)
        .having(func.sum(HitRow.count) >= HOT_LEAST)
        .order_by(func.sum(HitRow.count).desc(), HitRow.entry_id)
        .limit(HOT_MOST)
    )


def _badly_rated():
    """Feedback since an entry's questions or answer last changed: what was mended starts afresh, what only got another owner
    or another day does not."""
    helpful = func.sum(case((FeedbackRow.helpful, 1), else_=0))
    unhelpful = func.sum(case((FeedbackRow.helpful, 0), else_=1))
    return (
        select(FeedbackRow.entry_id, helpful.label("helpful"), unhelpful.label("unhelpful"))
        .join(EntryRow, EntryRow.id == FeedbackRow.entry_id)
        .where(FeedbackRow.at >= _said_since())
        .group_by(FeedbackRow.entry_id)
        .having(and_(unhelpful >= BAD_LEAST, unhelpful >= helpful))
    )


def _said_since():
    """When the newest version came whose questions or answer are others than those of the version before."""
    one, before = aliased(EntryVersionRow), aliased(EntryVersionRow)
    said = (one.body[name].as_string() != before.body[name].as_string() for name in ("question", "similar", "answer"))
    return (
        select(func.max(one.at))
        .outerjoin(before, and_(before.entry_id == one.entry_id, before.version == one.version - 1))
        .where(one.entry_id == EntryRow.id, or_(before.entry_id.is_(None), *said))
        .correlate(EntryRow)
        .scalar_subquery()
    )
