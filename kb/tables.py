"""What a policy table says of the cases that a question names: 成都 in a table of cities and levels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from core.text import normalize

MOST_ROWS = 8
_ASIDE = {"months", "checked"}


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
    for table in tables:
        rows = rows_named(table, text) if _in_force(table, today) else []
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


def _in_force(table: dict[str, Any], today: date) -> bool:
    begins, ends = (str(table.get(name) or "") for name in ("effective_from", "effective_to"))
    return (not begins or begins <= today.isoformat()) and (not ends or today.isoformat() <= ends)
