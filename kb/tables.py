"""What a policy table says of the cases that a question names: 成都 in a table of cities and levels.

A table is kept by its newest edition; `earlier` holds the editions before it as long as it is still to come, newest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from core.text import normalize

MOST_ROWS = 8
_ASIDE = {"months", "checked"}


def edition(table: dict[str, Any], day: date) -> dict[str, Any] | None:
    """The edition in force on a day; None where none is."""
    found = begun(table, day)
    ends = str((found or {}).get("effective_to") or "")
    return found if not ends or day.isoformat() <= ends else None


def begun(table: dict[str, Any], day: date) -> dict[str, Any] | None:
    """The edition that began last by a day, ended or not; None where all are still to come."""
    return next((one for one in _editions(table) if _begins(one) <= day.isoformat()), None)


def as_of(table: dict[str, Any], day: date) -> dict[str, Any]:
    """What to show of a table on a day: the edition in force, the newest where none is, with those still to come as `coming`,
    newest first."""
    held = edition(table, day) or table
    coming = [_alone(one) for one in _editions(table) if _begins(one) > day.isoformat() and one is not held]
    return {**_alone(held), "coming": coming} if coming else _alone(held)


def with_edition(stored: dict[str, Any], table: dict[str, Any], day: date) -> dict[str, Any]:
    """`stored` with `table` as one more edition, or in place of the one of the same version or the same first day.

    What has begun by `day` stays until the first edition to come begins; one that has begun leaves nothing before it.
    """
    others = [_alone(one) for one in _editions(stored) if not _same(one, table)]
    coming = [one for one in (*others, table) if _begins(one) > day.isoformat()]
    present = [one for one in (table, *others) if _begins(one) <= day.isoformat()]
    newest, *earlier = [*sorted(coming, key=_begins, reverse=True), *present[:1]]
    return {**newest, "earlier": earlier} if earlier else newest


def values_of(table: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """What a row says beside its dimensions, by column."""
    aside = {dimension["name"] for dimension in table.get("dimensions") or ()} | _ASIDE
    return {name: value for name, value in row.items() if name not in aside and not isinstance(value, bool)}


def rows_named(table: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """The rows that have, in each dimension of which `text` names a value, one of those values; none where it names none."""
    plain = normalize(text)
    rows = table.get("rows") or []
    chosen = False
    for dimension in table.get("dimensions") or ():
        name = dimension["name"]
        named = _named(plain, {str(row[name]) for row in rows if name in row})
        if named:
            rows, chosen = [row for row in rows if str(row.get(name)) in named], True
    return rows if chosen else []


def told(tables: Iterable[dict[str, Any]], text: str, today: date) -> str:
    """As Markdown, what the tables in force say of what `text` names; empty where that is nothing, or more than a few rows."""
    parts = []
    for table in filter(None, (edition(one, today) for one in tables)):
        rows = rows_named(table, text)
        if 0 < len(rows) <= MOST_ROWS:
            lines = "\n".join(f"- {_case(table, row)}：{_said(values_of(table, row))}" for row in rows)
            parts.append(f"《{table['title']}》{_unit(table, rows)}：\n\n{lines}")
    return "\n\n".join(parts)


def _named(text: str, values: set[str]) -> set[str]:
    """The values that stand in the text; the longest where one is part of another."""
    found = {value for value in values if len(value) > 1 and normalize(value) in text}
    return {one for one in found if not any(one != other and one in other for other in found)}


def _case(table: dict[str, Any], row: dict[str, Any]) -> str:
    case = " · ".join(str(row[one["name"]]) for one in table["dimensions"] if one["name"] in row)
    months = row.get("months")
    return f"{case}（{'、'.join(map(str, months))}月）" if months else case


def _said(values: dict[str, Any]) -> str:
    if len(values) == 1:
        return str(next(iter(values.values())))
    return "，".join(f"{name} {value}" for name, value in values.items())


def _unit(table: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    counted = any(isinstance(value, (int, float)) for row in rows for value in values_of(table, row).values())
    return f"（{table['unit']}）" if counted and table.get("unit") else ""


def _editions(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [table, *(table.get("earlier") or ())]


def _alone(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != "earlier"}


def _begins(table: dict[str, Any]) -> str:
    return str(table.get("effective_from") or "")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = (((table.get("source") or {}).get("policy"), table.get("version")) for table in (one, other))
    return _begins(one) == _begins(other) or (all(first) and first == second)
