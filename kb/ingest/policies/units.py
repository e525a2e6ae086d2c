"""Units of a table's values: 500 in a column 住宿费（元/天）, 1.5万元 in a table of 万元, months such as 10-4月."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from kb.ingest.policies.superscripts import without_marks

_NAME = r"(?:亿元|万元|千元|百元|元|美元|欧元|港元|日元|%|％|天|日|工作日|小时|公里|次|人|张|级|平方米|㎡)(?:\s*/\s*[\u3400-\u9fffA-Za-z·.]{1,8})*"
_TOLD = re.compile(
    rf"单位\s*[:：]\s*(?:人民币)?\s*({_NAME}|[\u3400-\u9fff/·]{{1,10}})|[（(]\s*(?:金额|计量|货币)?单位\s*({_NAME})\s*[)）]"
)
IN_HEAD = re.compile(rf"[（(]\s*({_NAME})\s*[)）]")
_NUMBER = re.compile(
    rf"^(?:[¥￥$]|人民币)?\s*([-+]?\d{{1,3}}(?:[,，]\d{{3}})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?)\s*({_NAME})?\s*(?:（含）|以内|以下)?$"
)
_MONEY = {"元": 1, "百元": 100, "千元": 1_000, "万元": 10_000, "亿元": 100_000_000}
_COUNTED = re.compile("次数|人数|天数|台数|件数|数量|比例|占比|比率|折扣|系数|年限")
"""Columns whose bare numbers are no amounts, whatever 单位：万元 above the table says."""
_ENDS_BARE = re.compile(r"^[^A-Za-z]*\d$")
"""An amount in words without its unit: 500-800, 不超过900."""
_MONTHS = re.compile(r"(\d{1,2})月?(?:[-—–~～至到]+(?:次年)?(\d{1,2}))?月?(?:份)?[、,，;；及和]?")


@dataclass(frozen=True)
class Measure:
    """`unit` as it is printed behind the number, `""` where none is."""

    value: Decimal
    unit: str


def measure_of(text: str) -> Measure | None:
    """1100 for `1,100`, `1100元`, `1100[1]` or `¥1,100.00`; None for what is no single number."""
    found = _NUMBER.match(without_marks(text))
    if not found:
        return None
    try:
        return Measure(Decimal(re.sub("[,，]", "", found[1])), _plain(found[2] or ""))
    except InvalidOperation:
        return None


def value_in(text: str, unit: str) -> int | float | str:
    """A cell's value in `unit`: a number where it is one of that unit, else the text with the unit that it is of."""
    measure = measure_of(text)
    if measure is None:
        return f"{text}{unit}" if unit and _ENDS_BARE.search(text) else text
    factor = _factor(measure.unit, unit)
    if factor is None:
        return without_marks(text)
    value = measure.value * factor
    return int(value) if value == value.to_integral_value() else float(value)


def told_unit(text: str) -> str:
    """The unit that 单位：万元 names."""
    found = _TOLD.search(text)
    return _plain(found[1] or found[2]) if found else ""


def is_unit(text: str) -> bool:
    """Whether a text is a unit and nothing else: 元/天."""
    return bool(re.fullmatch(_NAME, text.strip()))


def head_unit(text: str) -> str:
    """The unit in brackets in a column's heading."""
    found = IN_HEAD.search(text)
    return _plain(found[1]) if found else told_unit(text)


def column_unit(heading: str, unit: str) -> str:
    """The unit of a column's bare numbers in a table of `unit`; `""` for counts and shares in one of money."""
    if own := head_unit(heading):
        return own
    return "" if is_money(unit) and is_counted(heading) else unit


def is_counted(heading: str) -> bool:
    return bool(_COUNTED.search(heading))


def unit_of_cells(cells: Iterable[str]) -> str:
    """The one unit that values are written with, amounts of money as 元; `""` where they are of several, or of none."""
    units = {measure.unit for cell in cells if (measure := measure_of(cell)) and measure.unit}
    bases = {_base(unit) for unit in units}
    return bases.pop() if len(bases) == 1 else ""


def half_told(cells: Iterable[str]) -> bool:
    """Whether some values are written with a unit and others, 500-800 too, without any."""
    told = bare = False
    for cell in cells:
        measure = measure_of(cell)
        told = told or bool(measure and measure.unit)
        bare = bare or bool(not measure.unit and measure.value if measure else _ENDS_BARE.search(cell))
    return told and bare


def is_money(unit: str) -> bool:
    return unit.split("/")[0] in _MONEY


def months_of(text: str) -> list[int] | None:
    """`[11, 12, 1, 2]` for 11-2月; None for what is no list of months."""
    plain = re.sub(r"\s", "", text)
    found: list[int] = []
    at = 0
    while at < len(plain):
        part = _MONTHS.match(plain, at)
        if part is None:
            return None
        first, last = int(part[1]), int(part[2] or part[1])
        if not (1 <= first <= 12 and 1 <= last <= 12):
            return None
        found += [(first - 1 + k) % 12 + 1 for k in range((last - first) % 12 + 1)]
        at = part.end()
    return list(dict.fromkeys(found)) if "月" in plain else None


def _base(unit: str) -> str:
    name, slash, rest = unit.partition("/")
    return f"{'元' if name in _MONEY else name}{slash}{rest}"


def _factor(unit: str, wanted: str) -> Decimal | None:
    """What turns a number of one unit into one of another; None where that cannot be. 1100元 is one of 元/天 too."""
    if not unit:
        return Decimal(1)
    (name, _, per), (other, _, other_per) = unit.partition("/"), wanted.partition("/")
    if per and per != other_per:
        return None
    if name == other:
        return Decimal(1)
    if name in _MONEY and other in _MONEY:
        return Decimal(_MONEY[name]) / Decimal(_MONEY[other])
    return None


def _plain(unit: str) -> str:
    return re.sub(r"\s+", "", unit).replace("％", "%").replace("㎡", "平方米")
