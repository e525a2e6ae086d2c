"""Figures of curation, for its page and the dashboard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from kb.curation.store import SIGNALS, ClusterRow, ContributionRow, DecisionRow, OpenQuestionRow, SignalRow

WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Closed:
    """`volume` open questions came up in the period, `closed` of them were closed within seven days of the first time they
    were asked: answered by a release, none of ours, or refused by the policy's owner. `share` is None where there were none."""

    volume: int
    closed: int

    @property
    def share(self) -> float | None:
        return self.closed / self.volume if self.volume else None


def closed_within(session: Session, start: datetime, end: datetime, within: timedelta = WITHIN) -> Closed:
    """Over the questions first asked in [start, end). Of those younger than seven days some may still be closed in time."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    if sqlite:
        took = (func.julianday(OpenQuestionRow.closed_at) - func.julianday(OpenQuestionRow.first_at)) * 86_400
    else:
        took = func.extract("epoch", OpenQuestionRow.closed_at - OpenQuestionRow.first_at)
    in_time = and_(OpenQuestionRow.closed_as.is_not(None), took <= within.total_seconds())
    row = session.execute(
        select(func.count(), func.sum(case((in_time, 1), else_=0))).where(
            OpenQuestionRow.first_at >= start, OpenQuestionRow.first_at < end
        )
    ).one()
    return Closed(int(row[0]), int(row[1] or 0))


def by_signal(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    """How many signals of each kind came in [start, end)."""
    rows = session.execute(
        select(SignalRow.kind, func.count()).where(SignalRow.at >= start, SignalRow.at < end).group_by(SignalRow.kind)
    )
    found = dict(rows.all())
    return {kind: int(found.get(kind, 0)) for kind in SIGNALS}


def by_state(session: Session) -> dict[str, int]:
    """How many clusters are in each state."""
    return dict(Counter(session.scalars(select(ClusterRow.state))))


def contributions(session: Session, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """`{person, curated, answered, reviewed, live, questions}` for everybody who had a part in [start, end), most first: as
    curator, as the agent whose reply was used, as reviewer; `live` of them were published, and settle `questions` questions."""
    rows = session.execute(
        select(ContributionRow.person, ContributionRow.part, DecisionRow.state, DecisionRow.questions)
        .join(DecisionRow, DecisionRow.id == ContributionRow.decision)
        .where(ContributionRow.at >= start, ContributionRow.at < end, DecisionRow.state != "rejected")
    )
    people: dict[str, dict[str, Any]] = {}
    names = {"curator": "curated", "agent": "answered", "reviewer": "reviewed"}
    for row in rows:
        one = people.setdefault(
            row.person, {"person": row.person, "curated": 0, "answered": 0, "reviewed": 0, "live": 0, "questions": 0}
        )
        one[names[row.part]] += 1
        if row.state == "live":
            one["live"] += 1
            one["questions"] += row.questions
    return sorted(people.values(), key=lambda one: (-one["live"], -one["curated"], one["person"]))
