"""The amounts, percentages, days and dates that a text names, so that an answer can be held against its sources."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

from kb.numerals import NUMERAL, counting, value
from kb.tables import values_of

_UNITS = (
    "万美元|亿元|万元|美元|元|个?工作日|个?小时|分钟|季度|个月|课时|公里|公斤|周年|dpi|MB|GB|KB|%|‰"
    "|天|日|晚|年|月|周|张|份|人|名|次|行|位|餐|倍|分"
)
_NUMBER = r"\d+(?:\.\d+)?"
_DATE = re.compile(r"(\d{1,2})月(\d{1,2})日")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_RANGE = re.compile(rf"({_NUMBER})[-~–—至到](?={_NUMBER}({_UNITS}))", re.IGNORECASE)
_MEASURE = re.compile(rf"({_NUMBER})({_UNITS})", re.IGNORECASE)
_IN_HUNDRED = re.compile(rf"(百|千)分之({NUMERAL}+)(?:点({NUMERAL}+))?")
_plainly = counting("美元|[元圆]|个?工作日|个?小时|个月")
_at_length = counting("[天日年倍]", least=2)
_anything = counting(f"{_UNITS}|圆")
_SCALE = {"万元": ("元", 10_000), "亿元": ("元", 100_000_000), "万美元": ("美元", 10_000)}
_CLAUSE = re.compile(r"[。；;\n]")
_AND = re.compile(r"[\s、，,/和及与或]*")


def amounts(text: str, loosely: bool = False) -> set[str]:
    """Numbers with their unit (`650元`), dates and clock times of a text, in one spelling each. `loosely`, 一份 is one too: a source says
    many things in words that an answer may say in digits."""
    text = re.sub(r"(?m)^\d+[.、)](?!\d)", "", _plain(text))
    if loosely:
        text = _anything(text)
    found = {f"{int(m[1])}月{int(m[2])}日" for m in _DATE.finditer(text)} | {m[0] for m in _CLOCK.finditer(text)}
    text = _CLOCK.sub("；", _DATE.sub("；", text))
    return found | {_spelling(number, unit) for number, unit in _MEASURE.findall(_RANGE.sub(r"\1\2-", text))}


def amounts_of_table(table: dict[str, Any]) -> set[str]:
    """The amounts of a policy table: every number of its rows in its unit, and what its title and notes name."""
    unit = _unit(table)
    text = "\n".join([table["title"], *map(str, table.get("notes") or [])])
    for row in table["rows"]:
        for cell in values_of(table, row).values():
            text += f"\n{cell}{unit}" if isinstance(cell, (int, float)) else f"\n{cell}"
        text += "".join(f"\n{month}月" for month in row.get("months") or ())
    return amounts(text, loosely=True)


def contradictions(text: str, table: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """`(row, amount, right)` where the text names a row of the table, such as 北京 and 部门负责人, with another amount.

    At least two of the table's dimensions must be named in the clause, or its only one: a city alone is said of much.
    """
    unit, names = _unit(table), [dimension["name"] for dimension in table.get("dimensions") or ()]
    dimension_of = {
        str(row[name]): name for row in table["rows"] for name in names if name in row and len(str(row[name])) > 1
    }
    if not dimension_of or not _MEASURE.fullmatch(f"1{unit}"):
        return
    ordered = sorted(dimension_of, key=len, reverse=True)
    token = re.compile("|".join(map(re.escape, ordered)) + "|" + _MEASURE.pattern, re.IGNORECASE)
    for clause in _CLAUSE.split(_plain(text)):
        named: dict[str, list[str]] = {}
        last, end = "", 0
        for found in token.finditer(clause):
            dimension = dimension_of.get(found[0])
            if dimension is None:
                amount = _spelling(found[1], found[2])
                if amount.endswith(_spelling("1", unit)[1:]) and len(named) >= min(2, len(names)):
                    yield from _disagreeing(table, named, amount, unit)
            elif dimension == last and _AND.fullmatch(clause[end : found.start()]):
                named[dimension].append(found[0])
            else:
                named[dimension] = [found[0]]
            last, end = dimension or "", found.end()


def _disagreeing(
    table: dict[str, Any], named: dict[str, list[str]], amount: str, unit: str
) -> Iterator[tuple[str, str, str]]:
    for combination in product(*named.values()):
        rows = [
            row
            for row in table["rows"]
            if all(str(row.get(name)) == value for name, value in zip(named, combination, strict=True))
        ]
        right = {
            _spelling(str(cell), unit)
            for row in rows
            for cell in values_of(table, row).values()
            if isinstance(cell, (int, float))
        }
        if right and amount not in right:
            yield "、".join(combination), amount, "或".join(sorted(right))


def _unit(table: dict[str, Any]) -> str:
    return str(table.get("unit") or "").split("/")[0]


def _spelling(number: str, unit: str) -> str:
    unit, factor = _SCALE.get(unit, (unit.removeprefix("个") if unit != "个月" else unit, 1))
    return f"{(Decimal(number) * factor).normalize():f}{unit}"


def _plain(text: str) -> str:
    """Half width, no thousands separators, no blanks, and what is certainly an amount in digits: 五百元, 百分之三."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _at_length(_plainly(_IN_HUNDRED.sub(_share, re.sub(r"[ \t*`]", "", text))))
    return re.sub(r"(?<=\d)圆", "元", text)


def _share(match: re.Match[str]) -> str:
    whole, part = value(match[2]), match[3] and [value(c) for c in match[3]]
    if whole is None or (part and None in part):
        return match[0]
    return f"{whole}{'.' + ''.join(map(str, part)) if part else ''}{'%' if match[1] == '百' else '‰'}"
