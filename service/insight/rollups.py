"""Sums of a day's facts, by every value and pair of values that the pages' filters ask for.

Sums by all six dimensions at a time would be as many rows as there are visits, so there are sums by one dimension and by
two; what is asked with more filters is summed from the facts, of which few are left then.
"""

from __future__ import annotations

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
        values = [one for dimensions in SETS for one in _sums(rows, dimensions, day)]
        session.execute(insert(DayRow.__table__), values)
    for by in ENTRY_SETS:
        _roll_entries(session, day, by)
    _roll_releases(session, day)


def _sums(rows: list[Any], dimensions: tuple[str, ...], day: date) -> list[dict[str, Any]]:
    keys: dict[tuple[str, ...], int] = {}
    at = np.array([keys.setdefault(tuple(getattr(row, name) for name in dimensions), len(keys)) for row in rows])
    count = len(keys)
    measures = np.zeros((count, len(MEASURES)), int)
    np.add.at(measures, at, np.array([row[8:] for row in rows]))
    hours = np.zeros((count, 24), int)
    np.add.at(hours, (at, np.array([row.hour for row in rows])), 1)
    waits = np.zeros((count, LAST + 1), int)
    timed = np.array([row.wait is not None for row in rows])
    if timed.any():
        np.add.at(waits, (at[timed], np.array([row.wait for row in rows if row.wait is not None])), 1)
    persons = np.array([row.person for row in rows])
    order = np.argsort(at, kind="stable")
    ends = np.cumsum(np.bincount(at, minlength=count))
    made = []
    for key, place in keys.items():
        first = ends[place - 1] if place else 0
        mine = persons[order[first : ends[place]]]
        made.append(
            {
                "by": "+".join(dimensions),
                "a": key[0] if key else "",
                "b": key[1] if len(key) > 1 else "",
                "day": day,
                "visits": len(mine),
                **dict(zip(MEASURES, measures[place].tolist(), strict=True)),
                "hours": {str(hour): int(n) for hour, n in enumerate(hours[place]) if n},
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
