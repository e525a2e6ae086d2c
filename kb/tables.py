"""What a policy table says of the cases that a question names: 成都 in a table of cities and levels.

A table is kept by its newest edition; `earlier` holds the editions before it as long as it is still to come, newest first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from core.text import normalize
from kb.numerals import counting
from kb.words import straddles

MOST_ROWS = 18
"""Three cities with three levels and two seasons."""
_ASIDE = {"months", "checked"}
_MONTHS = re.compile(r"(?<!\d)(?:(1[0-2]|0?[1-9])月?[-~—至到])?(1[0-2]|0?[1-9])月")
_in_digits = counting("月")


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
    """The rows that have, in each dimension of which `text` names a value, one of those values, and that hold in the months it
    names; none where it names no value."""
    plain = normalize(text).casefold()
    rows = table.get("rows") or []
    chosen = False
    for dimension in table.get("dimensions") or ():
        name = dimension["name"]
        named = _named(plain, {str(row[name]) for row in rows if name in row})
        if named:
            rows, chosen = [row for row in rows if str(row.get(name)) in named], True
    return _in_season(table, rows, plain) if chosen else []


def told(tables: Iterable[dict[str, Any]], text: str, today: date) -> str:
    """As Markdown, what the tables in force say of what `text` names; empty where that is nothing, or more than a few rows."""
    parts = []
    for table in filter(None, (edition(one, today) for one in tables)):
        rows = rows_named(table, text)
        if 0 < len(rows) <= MOST_ROWS:
            lines = "\n".join(f"- {_case(table, row)}：{_said(values_of(table, row))}" for row in rows)
            parts.append(f"《{table['title']}》{_unit(table, rows)}：\n\n{lines}")
    return "\n\n".join(parts)


def case_of(tables: Iterable[dict[str, Any]], text: str, before: str = "") -> tuple[list[str], str]:
    """The values that `text` names, in each dimension of which it names none those that the question `before` it names, likewise
    the months; and what else `text` says. No values where `text` names nothing of its own."""
    plain, earlier = normalize(text).casefold(), normalize(before).casefold()
    case: list[str] = []
    own: set[str] = set()
    for table in tables:
        for dimension in table.get("dimensions") or ():
            values = {str(row[dimension["name"]]) for row in table.get("rows") or () if dimension["name"] in row}
            named = _named(plain, values)
            case += sorted(named or _named(earlier, values))
            own |= named
    for value in own:
        plain = plain.replace(normalize(value).casefold(), " ")
    months = _months(plain)
    case += [f"{month}月" for month in sorted(months or _months(earlier))]
    return list(dict.fromkeys(case)) if own or months else [], _MONTHS.sub(" ", _in_digits(plain))


def _named(text: str, values: set[str]) -> set[str]:
    """The values that stand in the text; the longest where one is part of another."""
    found = {value for value in values if len(value) > 1 and _stands(normalize(value).casefold(), text)}
    return {one for one in found if not any(one != other and one in other for other in found)}


def _stands(value: str, text: str) -> bool:
    """Whether a value is meant somewhere: not across two other words (湖南宁乡 is not in 南宁), not as part of a longer number
    or foreign word (P1 in P10), and not as a province of the same name (吉林省)."""
    before = "(?<![a-z0-9])" if value[0].isascii() else ""
    after = "(?![a-z0-9])" if value[-1].isascii() else "(?!省)"
    places = re.finditer(f"{before}{re.escape(value)}{after}", text)
    return any(not straddles(text, *place.span()) for place in places)


def _in_season(table: dict[str, Any], rows: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Without the rows that hold in none of the months that `text` names: those of other months, and those of the ordinary
    season where the same case has a season of its own for them."""
    asked = _months(text)
    if not asked:
        return rows
    special = _seasons(table)
    found = []
    for row in rows:
        months = row.get("months")
        if not asked.isdisjoint(months) if months else not asked <= special(row):
            found.append(row)
    return found


def _months(text: str) -> set[int]:
    """The months that a text names, a range from its first to its last."""
    spans = ((int(first or last), int(last)) for first, last in _MONTHS.findall(_in_digits(text)))
    return {(first - 1 + k) % 12 + 1 for first, last in spans for k in range((last - first) % 12 + 1)}


def _seasons(table: dict[str, Any]) -> Callable[[dict[str, Any]], set[int]]:
    """The months in which a row of the ordinary season gives way to others of its case: those that differ from it at most in
    the season, a dimension that has one value for the ordinary season and others for rows with months."""
    names = [one["name"] for one in table.get("dimensions") or ()]
    seasonal = [row for row in table["rows"] if row.get("months")]
    ordinary = [row for row in table["rows"] if not row.get("months")]
    values = {name: ({row.get(name) for row in ordinary}, {row.get(name) for row in seasonal}) for name in names}
    season = [name for name, (plain, special) in values.items() if len(plain) == 1 and plain.isdisjoint(special)]
    others = [name for name in names if name not in season]
    found: dict[tuple[str, ...], set[int]] = {}
    if len(season) <= 1 and others:
        for row in seasonal:
            found.setdefault(tuple(str(row.get(name)) for name in others), set()).update(row["months"])
    return lambda row: found.get(tuple(str(row.get(name)) for name in others), set())


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
