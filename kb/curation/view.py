"""Clusters as the workbench shows them: the list, and one with everything that a decision needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from core.errors import NotFound
from kb.care.drafts import DraftRow
from kb.curation.deciding import decisions_of
from kb.curation.drafting import Passage, nearest
from kb.curation.nights import ticket_numbers
from kb.curation.store import MERGED, OPEN, ClusterRow, OpenQuestionRow, SignalRow
from kb.curation.tickets import TicketFacts, Tickets
from kb.curation.wording import plain
from kb.search import Searcher
from kb.words import bare

ORDERS = ("people", "recent", "minutes", "new", "rising")
MOST_QUESTIONS = 200
TREND_WEEKS = 8


def find(
    session: Session,
    *,
    state: str = OPEN,
    text: str = "",
    business_type: str = "",
    company: str = "",
    page_of: str = "",
    signal: str = "",
    least: int = 1,
    order: str = "people",
    page: int = 1,
    page_size: int = 50,
) -> tuple[list[dict[str, Any]], int]:
    """A page of clusters in a state (or `all`) with at least `least` questions, and how many there are. `text` is looked for in
    names and questions; `company`, `page_of` and `signal` are those of any question."""
    query = select(ClusterRow).where(ClusterRow.questions >= least)
    query = query.where(ClusterRow.state == state) if state != "all" else query.where(ClusterRow.state != MERGED)
    if business_type:
        query = query.where(ClusterRow.business_type == business_type)
    for word in text.split():
        inside = _any(OpenQuestionRow.text.icontains(word, autoescape=True))
        query = query.where(or_(ClusterRow.name.icontains(word, autoescape=True), inside))
    if company:
        query = query.where(_any(OpenQuestionRow.company == company))
    if page_of:
        query = query.where(_any(OpenQuestionRow.page == page_of))
    if signal:
        had = select(SignalRow.id).where(SignalRow.question == OpenQuestionRow.id, SignalRow.kind == signal).exists()
        query = query.where(_any(had))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    by = {
        "people": ClusterRow.people.desc(),
        "recent": ClusterRow.last_at.desc(),
        "minutes": ClusterRow.minutes.desc(),
        "new": ClusterRow.created_at.desc(),
        "rising": (ClusterRow.recent - ClusterRow.before).desc(),
    }[order if order in ORDERS else "people"]
    ordered = query.order_by(by, ClusterRow.questions.desc(), ClusterRow.id)
    rows = session.scalars(ordered.offset((page - 1) * page_size).limit(page_size)).all()
    return [row_of(row) for row in rows], total


def _any(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(OpenQuestionRow.id).where(OpenQuestionRow.cluster == ClusterRow.id, condition).exists()


def row_of(row: ClusterRow) -> dict[str, Any]:
    """A cluster in a list."""
    return {
        **{
            name: getattr(row, name)
            for name in (
                "id",
                "name",
                "named_by",
                "state",
                "business_type",
                "questions",
                "people",
                "answered",
                "recent",
                "before",
                "minutes",
                "merged_into",
                "split_from",
                "came_back",
                "version",
            )
        },
        **{
            name: value.isoformat() if (value := getattr(row, name)) else None
            for name in ("created_at", "last_at", "snoozed_until", "decided_at", "closed_at")
        },
    }


def detail(
    session: Session, cluster: int, tickets: Tickets, searcher: Searcher | None, moment: datetime
) -> dict[str, Any]:
    """One cluster: its questions, who asked where, the trend, what it costs, what is nearest, what agents answered, what was
    decided. Raises NotFound."""
    row = session.get(ClusterRow, cluster)
    if row is None:
        raise NotFound("没有这一组问题，请刷新列表。", code="cluster_not_found")
    questions = questions_of(session, cluster)
    facts = list(tickets.facts(session, ticket_numbers(session, cluster)).values())
    texts = [row.name, *dict.fromkeys(one.text for one in questions if bare(one.text) != bare(row.name))][:4]
    near = nearest(searcher, texts, moment.astimezone(SHANGHAI).date(), 6) if searcher else []
    reasons = session.execute(
        select(SignalRow.kind, SignalRow.detail)
        .join(OpenQuestionRow, OpenQuestionRow.id == SignalRow.question)
        .where(OpenQuestionRow.cluster == cluster)
        .order_by(SignalRow.at.desc())
        .limit(2000)
    ).all()
    return {
        **row_of(row),
        "members": [question_of(one) for one in questions],
        "units": counted([" ".join(filter(None, (one.company, one.department))) for one in questions]),
        "companies": counted([one.company for one in questions]),
        "places": counted([f"{one.page}/{one.node}" if one.node else one.page for one in questions]),
        "channels": counted([one.channel for one in questions]),
        "signals": counted([one.kind for one in reasons], 10),
        "ratings": counted([one.detail.get("reason") or "" for one in reasons if one.kind == "rated_bad"]),
        "comments": [one.detail["comment"] for one in reasons if one.detail.get("comment")][:10],
        "trend": trend(session, cluster, moment),
        "tickets": [ticket_of(one) for one in facts[:20]],
        "nearest": [
            {
                "entry_id": one.entry.id,
                "question": one.entry.heading,
                "answer": one.entry.answer[:600],
                "passage": one.entry.is_passage,
                "matched": one.matched_question,
                "probability": round(one.probability, 4),
            }
            for one in near
        ],
        "decisions": [decision_of(session, one) for one in decisions_of(session, cluster)[:50]],
        "release": searcher.release if searcher else None,
    }


def questions_of(session: Session, cluster: int, most: int = MOST_QUESTIONS) -> list[OpenQuestionRow]:
    """The newest questions of a cluster."""
    query = select(OpenQuestionRow).where(OpenQuestionRow.cluster == cluster)
    return list(session.scalars(query.order_by(OpenQuestionRow.last_at.desc(), OpenQuestionRow.id).limit(most)))


def question_of(row: OpenQuestionRow) -> dict[str, Any]:
    """`said` is the question without greetings and thanks, as it would become a similar question."""
    return {
        "said": plain(row.text),
        **{
            name: getattr(row, name)
            for name in (
                "id",
                "text",
                "company",
                "department",
                "channel",
                "page",
                "node",
                "shown",
                "signals",
                "likeness",
                "placed_by",
                "conversation_id",
                "closed_as",
                "entry_id",
                "probability_now",
                "release_now",
            )
        },
        **{
            name: value.isoformat() if (value := getattr(row, name)) else None
            for name in ("first_at", "last_at", "closed_at", "told_at")
        },
    }


def ticket_of(one: TicketFacts) -> dict[str, Any]:
    return {"number": one.number, "status": one.status, "minutes": one.minutes, "rating": one.rating}


def decision_of(session: Session, row: Any) -> dict[str, Any]:
    draft = session.get(DraftRow, row.entry_id) if row.entry_id and row.state in ("drafted", "rejected") else None
    return {
        "id": row.id,
        "kind": row.kind,
        "by": row.by,
        "at": row.at.isoformat(),
        "entry_id": row.entry_id,
        "state": row.state,
        "detail": row.detail,
        "comment": draft.comment if draft is not None else "",
    }


def trend(session: Session, cluster: int, moment: datetime) -> list[dict[str, Any]]:
    """`{week, questions}` of the last eight weeks, the oldest first; `week` is its last day."""
    since = moment - timedelta(weeks=TREND_WEEKS)
    times = session.scalars(
        select(OpenQuestionRow.last_at).where(OpenQuestionRow.cluster == cluster, OpenQuestionRow.last_at > since)
    )
    weeks = Counter(int((moment - at) / timedelta(weeks=1)) for at in times)
    return [
        {
            "week": (moment - timedelta(weeks=ago)).astimezone(SHANGHAI).date().isoformat(),
            "questions": weeks.get(ago, 0),
        }
        for ago in range(TREND_WEEKS - 1, -1, -1)
    ]


def counted(values: Sequence[str], most: int = 5) -> list[dict[str, Any]]:
    """`{name, count}`, the commonest first; empty names are left out."""
    return [{"name": name, "count": count} for name, count in Counter(filter(None, values)).most_common(most)]


def evidence_of(found: dict[str, Any], passages: Sequence[Passage]) -> dict[str, Any]:
    """What goes with a policy gap: how many asked what and where, and what the policies say near it."""
    return {
        "questions": [one["text"] for one in found["members"]][:20],
        "asked": found["questions"],
        "people": found["people"],
        "minutes": found["minutes"],
        "units": found["units"],
        "places": found["places"],
        "tickets": [one["number"] for one in found["tickets"]],
        "passages": [{"id": one.id, "title": one.title, "text": one.text[:400]} for one in passages],
    }
