"""Exact medians and ninth tenths by SQL, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session


def quantiles(
    session: Session, value: Any, conditions: Sequence[ColumnElement[bool]], key: Any = None
) -> dict[Any, tuple[int, float, float]]:
    """How many values there are, and those that half and nine tenths of them do not pass; by `key`, under None without."""
    by = key if key is not None else literal(1)
    inside = (
        select(
            by.label("key"),
            value.label("value"),
            func.row_number().over(partition_by=by, order_by=value).label("place"),
            func.count().over(partition_by=by).label("n"),
        )
        .where(*conditions, value.is_not(None))
        .subquery()
    )

    def at(percent: int) -> Any:
        return func.max(case((inside.c.place == (inside.c.n * percent + 99) // 100, inside.c.value)))

    rows = session.execute(select(inside.c.key, inside.c.n, at(50), at(90)).group_by(inside.c.key, inside.c.n))
    return {row[0] if key is not None else None: (int(row[1]), float(row[2]), float(row[3])) for row in rows}


def month(session: Session, day: Any) -> ColumnElement[str]:
    """`2026-11` of a column of days."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(day, "YYYY-MM")
    return func.strftime("%Y-%m", day)
