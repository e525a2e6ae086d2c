"""Exact medians and ninth tenths by SQL: the nearest rank, alike on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, tuple_
from sqlalchemy.orm import Session

Quantiles = tuple[int, float, float]
"""How many values there are, and those that half and nine tenths of them do not pass."""


def quantiles(
    session: Session, value: Any, conditions: Sequence[ColumnElement[bool]], key: Any = None
) -> dict[Any, Quantiles]:
    """Of all values, under None; of each `key` too where it is given. Nothing where there are no values."""
    inside = [*conditions, value.is_not(None)]
    if session.get_bind().dialect.name == "postgresql":
        return _discrete(session, value, inside, key)
    found = _ranked(session, value, inside, None)
    return found | _ranked(session, value, inside, key) if key is not None else found


def _discrete(session: Session, value: Any, inside: Sequence[Any], key: Any) -> dict[Any, Quantiles]:
    at = [func.percentile_disc(share).within_group(value) for share in (0.5, 0.9)]
    query = select(func.count(), *at).where(*inside)
    if key is not None:
        query = query.add_columns(key).group_by(func.grouping_sets(tuple_(), key))
    rows = session.execute(query)
    return {row[3] if key is not None else None: (int(row[0]), float(row[1]), float(row[2])) for row in rows if row[0]}


def _ranked(session: Session, value: Any, inside: Sequence[Any], key: Any) -> dict[Any, Quantiles]:
    by = key if key is not None else literal(1)
    ranked = (
        select(
            by.label("key"),
            value.label("value"),
            func.row_number().over(partition_by=by, order_by=value).label("place"),
            func.count().over(partition_by=by).label("n"),
        )
        .where(*inside)
        .subquery()
    )

    def at(percent: int) -> Any:
        return func.max(case((ranked.c.place == (ranked.c.n * percent + 99) // 100, ranked.c.value)))

    rows = session.execute(select(ranked.c.key, ranked.c.n, at(50), at(90)).group_by(ranked.c.key, ranked.c.n))
    return {row[0] if key is not None else None: (int(row[1]), float(row[2]), float(row[3])) for row in rows}


def month(session: Session, day: Any) -> ColumnElement[str]:
    """`2026-11` of a column of days."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(day, "YYYY-MM")
    return func.strftime("%Y-%m", day)
