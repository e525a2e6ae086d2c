"""How often each entry answered: the questions asked most, and those asked more than before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.store import EntryRow, documents
from service.insight.asking import Filter, narrowed
from service.insight.rollups import ENTRY_SETS
from service.insight.store import EntryDayRow, QuestionRow

MOST = 15
_RISING_LEAST = 5
"""Fewer than this many in the period are chance."""


def counts(session: Session, asked: Filter) -> dict[str, tuple[int, int]]:
    """How often each entry answered, and how often that was called no use; the most asked first."""
    chosen = list(asked.chosen)
    by = chosen[0] if len(chosen) == 1 else ""
    if len(chosen) <= 1 and by in ENTRY_SETS:
        total, bad, entry = func.sum(EntryDayRow.asked), func.sum(EntryDayRow.bad), EntryDayRow.entry_id
        query = select(entry, total, bad).where(
            EntryDayRow.by == by,
            EntryDayRow.a == (asked.chosen[by] if by else ""),
            EntryDayRow.day >= asked.since,
            EntryDayRow.day <= asked.until,
        )
    else:
        total, bad, entry = func.count(), func.sum(QuestionRow.bad), QuestionRow.entry_id
        query = select(entry, total, bad).where(
            *narrowed(QuestionRow, QuestionRow.day, asked), QuestionRow.band == "answer", entry != ""
        )
    query = query.group_by(entry).order_by(total.desc(), entry)
    return {row[0]: (int(row[1]), int(row[2] or 0)) for row in session.execute(query)}


Counts = Mapping[str, tuple[int, int]]


def top(session: Session, now: Counts) -> list[dict[str, Any]]:
    """The entries that answered most, of `counts`."""
    found = list(now.items())[:MOST]
    titles = titles_of(session, [one for one, _ in found])
    return [
        {"entry_id": one, "question": titles.get(one, one), "asked": count, "bad": bad} for one, (count, bad) in found
    ]


def rising(session: Session, now: Counts, past: Counts) -> list[dict[str, Any]]:
    """The entries that answered more often than in the period before, the largest growth first."""
    grown = [
        (count - past.get(one, (0, 0))[0], one, count)
        for one, (count, _) in now.items()
        if count >= _RISING_LEAST and count > 1.2 * past.get(one, (0, 0))[0]
    ]
    best = sorted(grown, key=lambda one: (-one[0], one[1]))[:MOST]
    titles = titles_of(session, [one for _, one, _ in best])
    return [
        {"entry_id": one, "question": titles.get(one, one), "asked": count, "before": count - growth}
        for growth, one, count in best
    ]


def titles_of(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """What people read above each entry: its standard question, or the article that a passage is."""
    wanted = set(ids)
    found = dict(session.execute(select(EntryRow.id, EntryRow.question).where(EntryRow.id.in_(wanted))).all())
    passages = {one: article_of(one) for one in wanted if one not in found and "#" in one}
    if passages:
        labels = article_labels(session)
        found |= {one: labels[article] for one, article in passages.items() if article in labels}
    return found


def article_of(passage: str) -> tuple[str, int]:
    """`travel-policy@2#12.1` is a piece of article 12 of `travel-policy`."""
    policy, _, number = passage.partition("#")
    digits = number.partition(".")[0]
    return policy.partition("@")[0], int(digits) if digits.isdigit() else 0


def article_labels(session: Session) -> dict[tuple[str, int], str]:
    """`《差旅费管理办法》第十二条` by policy and article number."""
    return {
        (policy["id"], article["number"]): f"《{policy['title']}》{article.get('label') or ''}"
        for policy in documents(session, "policy")
        for article in policy["articles"]
    }
