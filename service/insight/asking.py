"""What a page is asked for: a period and the values of its filters; and the sums that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from service.insight.people import together
from service.insight.rollups import DIMENSIONS, SETS
from service.insight.store import MEASURES, DayRow, OriginRow, VisitRow

MOST_DAYS = 800


@dataclass(frozen=True)
class Filter:
    """Days from `since` to `until`, both included; empty values mean all."""

    since: date
    until: date
    company: str = ""
    department: str = ""
    channel: str = ""
    business_type: str = ""
    page: str = ""

    def check(self) -> Filter:
        """Raises InvalidInput for a period that is none."""
        if self.until < self.since:
            raise InvalidInput("结束日期不能早于开始日期。", code="period")
        if (self.until - self.since).days >= MOST_DAYS:
            raise InvalidInput(f"一次最多统计 {MOST_DAYS} 天，请缩短期间。", code="period")
        if self.department and not self.company:
            raise InvalidInput("请先选择公司，再选择部门。", code="department")
        return self

    @property
    def chosen(self) -> dict[str, str]:
        return {name: value for name in DIMENSIONS if (value := getattr(self, name))}

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    def before(self) -> Filter:
        """The same number of days just before, for comparison."""
        return replace(self, since=self.since - timedelta(days=self.days), until=self.since - timedelta(days=1))


def origins(asked: Filter) -> ColumnElement[bool] | None:
    """The filter on places, as a condition on OriginRow; None for all."""
    wanted = [getattr(OriginRow, name) == value for name, value in asked.chosen.items() if name != "business_type"]
    if not wanted:
        return None
    condition = wanted[0]
    for one in wanted[1:]:
        condition &= one
    return condition


def narrowed(table: Any, day: Any, asked: Filter) -> list[ColumnElement[bool]]:
    """Conditions on a table of facts with `origin` and `business_type`."""
    found: list[ColumnElement[bool]] = [day >= asked.since, day <= asked.until]
    place = origins(asked)
    if place is not None:
        found.append(table.origin.in_(select(OriginRow.id).where(place)))
    if asked.business_type:
        found.append(table.business_type == asked.business_type)
    return found


SUMMED = ("visits", *MEASURES)


def _rolled(asked: Filter, along: str = "") -> tuple[list[ColumnElement[bool]], Any] | None:
    """Conditions on the roll-up that holds the filter, and its column for `along`; None where none does."""
    names = {*asked.chosen, *([along] if along else [])}
    by = next((one for one in SETS if set(one) == names), None)
    if by is None:
        return None
    found: list[ColumnElement[bool]] = [
        DayRow.by == "+".join(by),
        DayRow.day >= asked.since,
        DayRow.day <= asked.until,
    ]
    column = None
    for name, part in zip(by, (DayRow.a, DayRow.b), strict=False):
        if name in asked.chosen:
            found.append(part == asked.chosen[name])
        if name == along:
            column = part
    return found, column


def sums(session: Session, asked: Filter, along: str = "", names: Sequence[str] = SUMMED) -> dict[Any, dict[str, int]]:
    """The sums of the filtered visits: under `None` for all, by day for `along="day"`, by value for a dimension. Only of `names`
    where they are given, which takes less time."""
    rolled = _rolled(asked, along if along != "day" else "")
    if rolled is not None:
        conditions, column = rolled
        totals = [func.sum(getattr(DayRow, name)).label(name) for name in names]
        key = DayRow.day if along == "day" else column
        query = select(*totals).where(*conditions)
    else:
        totals = [
            (func.count() if name == "visits" else func.sum(getattr(VisitRow, name))).label(name) for name in names
        ]
        key = _fact_column(along)
        query = select(*totals).where(*narrowed(VisitRow, VisitRow.day, asked))
        if along and along not in ("day", "business_type"):
            query = query.join(OriginRow, OriginRow.id == VisitRow.origin)
    if key is not None:
        query = query.add_columns(key.label("key")).group_by(key)
    return {
        row.key if key is not None else None: {name: int(getattr(row, name) or 0) for name in names}
        for row in session.execute(query)
    }


def _fact_column(along: str) -> Any:
    if along in ("day", "business_type"):
        return getattr(VisitRow, along)
    return getattr(OriginRow, along) if along else None


def people(session: Session, asked: Filter) -> int:
    """How many different persons there were in the whole period."""
    rolled = _rolled(asked)
    if rolled is not None:
        return together(session.scalars(select(DayRow.people).where(*rolled[0])))
    query = select(func.count(VisitRow.person.distinct())).where(*narrowed(VisitRow, VisitRow.day, asked))
    return session.scalar(query) or 0


def spreads(session: Session, asked: Filter) -> tuple[dict[int, int], dict[int, int]]:
    """Visits by hour of the day, and by the bucket of their first answer's time."""
    rolled = _rolled(asked)
    hours: dict[int, int] = {}
    waits: dict[int, int] = {}
    if rolled is not None:
        for row in session.execute(select(DayRow.hours, DayRow.waits).where(*rolled[0])):
            _add(hours, row.hours)
            _add(waits, row.waits)
        return hours, waits
    inside = narrowed(VisitRow, VisitRow.day, asked)
    counted = func.count()
    hours = dict(session.execute(select(VisitRow.hour, counted).where(*inside).group_by(VisitRow.hour)).all())
    timed = select(VisitRow.wait, counted).where(*inside, VisitRow.wait.is_not(None)).group_by(VisitRow.wait)
    return hours, dict(session.execute(timed).all())


def _add(into: dict[int, int], counts: dict[str, int]) -> None:
    for key, count in counts.items():
        into[int(key)] = into.get(int(key), 0) + count


def values(session: Session) -> dict[str, Sequence[Any]]:
    """What the filters offer."""
    departments: dict[str, set[str]] = {}
    for company, department in session.execute(select(OriginRow.company, OriginRow.department).distinct()):
        if company:
            departments.setdefault(company, set()).update({department} - {""})
    return {
        "companies": [{"name": one, "departments": sorted(departments[one])} for one in sorted(departments)],
        "channels": sorted(session.scalars(select(OriginRow.channel).distinct())),
        "pages": sorted(set(session.scalars(select(OriginRow.page).distinct())) - {""}),
    }
