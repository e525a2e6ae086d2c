"""Exact medians and ninth tenths: the nearest rank. The database filters, packs the values of each day, and sorts nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, LargeBinary, cast, func, literal, select
from sqlalchemy.orm import Session

Quantiles = tuple[int, float, float]
"""How many values there are, and those that half and nine tenths of them do not pass."""


@dataclass(frozen=True)
class Spread:
    """`days`: how many records each day has; `all` of their values, and of each month's under its name (`2026-11`). What has no
    value counts for its day only."""

    days: dict[date, int]
    all: Quantiles | None
    months: dict[str, Quantiles]


def spread(session: Session, value: Any, inside: Sequence[ColumnElement[bool]], day: Any) -> Spread:
    """How the values of records spread, by their `day`."""
    days: dict[date, int] = {}
    months: dict[str, list[np.ndarray]] = defaultdict(list)
    for at, count, values in _values(session, value, inside, day):
        days[at] = count
        if len(values):
            months[f"{at:%Y-%m}"].append(values)
    parts = [one for some in months.values() for one in some]
    return Spread(days, _of(parts) if parts else None, {month: _of(some) for month, some in months.items()})


def _values(session: Session, value: Any, inside: Sequence[Any], day: Any) -> Iterable[tuple[date, int, np.ndarray]]:
    if session.get_bind().dialect.name == "postgresql":
        packed = func.string_agg(func.float8send(value), cast(literal(b""), LargeBinary))
        for at, count, values in session.execute(select(day, func.count(), packed).where(*inside).group_by(day)):
            yield at, count, np.frombuffer(values or b"", ">f8")
        return
    days: dict[date, list[float | None]] = defaultdict(list)
    for at, one in session.execute(select(day, value).where(*inside)):
        days[at].append(one)
    for at, found in days.items():
        yield at, len(found), np.array([one for one in found if one is not None], float)


def _of(parts: Sequence[np.ndarray]) -> Quantiles:
    values = np.sort(np.concatenate(parts))
    return len(values), *(float(values[(len(values) * percent + 99) // 100 - 1]) for percent in (50, 90))
