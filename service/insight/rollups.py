"""Sums of a day's facts, by every value and pair of values that the pages' filters ask for.

Sums by all six dimensions at a time would be as many rows as there are visits, so there are sums by one dimension and by
two; what is asked with more filters is summed from the facts, of which few are left then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import case, delete, func, insert, select
from sqlalchemy.orm import Session

from service.insight.people import packed
from service.insight.store import MEASURES, DayRow, EntryDayRow, OriginRow, QuestionRow, ReleaseDayRow, VisitRow
from service.insight.waits import LAST

DIMENSIONS = ("company", "department", "channel", "business_type", "page")

SETS: tuple[tuple[str, ...], ...] = (
    (),
    ("company",),
    ("channel",),
    ("business_type",),
    ("page",),
    ("company", "department"),
    ("company", "channel"),
    ("company", "business_type"),
    ("company", "page"),
    ("channel", "business_type"),
    ("channel", "page"),
    ("business_type", "page"),
)
"""A department is one of its company's, so it never stands alone."""

ENTRY_SETS = ("", "channel", "business_type")
"""Entries by company or page are few enough to be counted from the questions."""


def roll_day(session: Session, day: date) -> None:
    """Sum the facts of `day` anew."""
    session.execute(delete(DayRow).where(DayRow.day == day))
    session.execute(delete(EntryDayRow).where(EntryDayRow.day == day))
    session.execute(delete(ReleaseDayRow).where(ReleaseDayRow.day == day))
    rows = session.execute(
        select(
            OriginRow.company,
            OriginRow.department,
            OriginRow.channel,
            OriginRow.page,
            VisitRow.business_type,
            VisitRow.person,
            VisitRow.hour,
            VisitRow.wait,
            *(getattr(VisitRow, name) for name in MEASURES),
        )
        .join(OriginRow, OriginRow.id == VisitRow.origin)
        .where(VisitRow.day == day)
    ).all()
    if rows:
        facts = _Facts(
            measures=np.array([row[8:] for row in rows]),
            hours=np.array([row.hour for row in rows]),
            waits=np.array([-1 if row.wait is None else row.wait for row in rows]),
            persons=np.array([row.person for row in rows]),
        )
        dimensions = {name: [getattr(row, name) for row in rows] for name in DIMENSIONS}
        values = [one for by in SETS for one in _sums(facts, by, [dimensions[name] for name in by], day)]
        session.execute(insert(DayRow.__table__), values)
    for by in ENTRY_SETS:
        _roll_entries(session, day, by)
    _roll_releases(session, day)


@dataclass(frozen=True)
class _Facts:
    """Of each visit, in one order: its measures, hour, bucket of the wait or -1, and person."""

    measures: np.ndarray
    hours: np.ndarray
    waits: np.ndarray
    persons: np.ndarray


def _sums(facts: _Facts, by: tuple[str, ...], columns: list[list[str]], day: date) -> list[dict[str, Any]]:
    """A row for each value that `columns`, one for each dimension of `by`, have together."""
    keys: dict[tuple[str, ...], int] = {}
    size = len(facts.persons)
    wanted = zip(*columns, strict=True) if columns else ((),) * size
    at = np.fromiter((keys.setdefault(key, len(keys)) for key in wanted), int, size)
    count = len(keys)
    measures = np.zeros((count, len(MEASURES)), int)
    np.add.at(measures, at, facts.measures)
    hours = np.zeros((count, 24), int)
    np.add.at(hours, (at, facts.hours), 1)
    waits = np.zeros((count, LAST + 1), int)
    timed = facts.waits >= 0
    np.add.at(waits, (at[timed], facts.waits[timed]), 1)
    order = np.argsort(at, kind="stable")
    ends = np.cumsum(np.bincount(at, minlength=count))
    made = []
    for key, place in keys.items():
        first = ends[place - 1] if place else 0
        mine = facts.persons[order[first : ends[place]]]
        made.append(
            {
                "by": "+".join(by),
                "a": key[0] if key else "",
                "b": key[1] if len(key) > 1 else "",
                "day": day,
                "visits": len(mine),
                **dict(zip(MEASURES, measures[place].tolist(), strict=True)),
                "hours": {str(hour): int(hours[place, hour]) for hour in np.flatnonzero(hours[place])},
                "waits": {str(bucket): int(waits[place, bucket]) for bucket in np.flatnonzero(waits[place])},
                "people": packed(mine),
            }
        )
    return made


def _roll_entries(session: Session, day: date, by: str) -> None:
    value = {"": None, "channel": OriginRow.channel, "business_type": QuestionRow.business_type}[by]
    columns = [func.count().label("asked"), func.sum(QuestionRow.bad).label("bad"), QuestionRow.entry_id]
    query = select(*columns, *([value.label("a")] if value is not None else []))
    if by == "channel":
        query = query.join(OriginRow, OriginRow.id == QuestionRow.origin)
    query = query.where(QuestionRow.day == day, QuestionRow.band == "answer", QuestionRow.entry_id != "")
    rows = session.execute(query.group_by(QuestionRow.entry_id, *([value] if value is not None else []))).all()
    if rows:
        session.execute(
            insert(EntryDayRow.__table__),
            [
                {
                    "by": by,
                    "a": row.a if by else "",
                    "day": day,
                    "entry_id": row.entry_id,
                    "asked": row.asked,
                    "bad": int(row.bad),
                }
                for row in rows
            ],
        )


def _roll_releases(session: Session, day: date) -> None:
    def of(band: str) -> Any:
        return func.sum(case((QuestionRow.band == band, 1), else_=0))

    rows = session.execute(
        select(
            QuestionRow.release,
            func.count().label("questions"),
            of("answer").label("answers"),
            of("clarify").label("clarified"),
            of("none").label("nones"),
            func.sum(QuestionRow.bad).label("bad"),
        )
        .where(QuestionRow.day == day, QuestionRow.release.is_not(None))
        .group_by(QuestionRow.release)
    ).mappings()
    if values := [{**{name: int(value) for name, value in row.items()}, "day": day} for row in rows]:
        session.execute(insert(ReleaseDayRow.__table__), values)
