"""The head of a table: how many lines it has, which columns hold values, what tells these apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.ingest.policies.superscripts import without_marks
from kb.ingest.policies.units import IN_HEAD, is_unit, measure_of

CROSS = "×"
"""Between two dimensions in one heading, such as 季节×人员级别 with values such as 旺季×集团领导."""
NOTHING = re.compile(r"^[-—–/／\\无]*$")
ORDINAL = re.compile(r"^(?:序号|编号|序|No\.?|#)$", re.IGNORECASE)
_UNIT_WORD = re.compile(r"^(?:计量|金额)?单位$")
REMARK = re.compile(r"备注|说明|注释|附注|依据|备\s*考")


def head_lines(rows: Sequence[Sequence[str]]) -> int:
    """How many rows are the head: the first, and more while its merged cells are divided below and no numbers begin."""
    heads = 1
    while heads < min(len(rows) - 1, 4):
        row, above = rows[heads], rows[heads - 1]
        divided = any(above[k] == above[k + 1] and above[k] for k in range(len(above) - 1))
        goes_down = any(one == two and one for one, two in zip(row, above, strict=True))
        numbers = any(measure_of(cell) is not None for cell in row)
        if is_units(row):
            heads += 1
            break
        if numbers or not (divided or goes_down):
            break
        heads += 1
    return heads


def is_units(row: Sequence[str]) -> bool:
    """Whether a row says nothing but the units of the columns: | | 元/天 | 元/天 |."""
    told = [cell for cell in row if cell and not _UNIT_WORD.match(cell)]
    return bool(told) and all(is_unit(cell) for cell in told)


def in_brackets(row: Sequence[str]) -> tuple[str, ...]:
    """A row of units as headings have them: （元/天）. Other rows as they are."""
    if not is_units(row):
        return tuple(row)
    return tuple(f"（{cell}）" if is_unit(cell) else "" for cell in row)


def heading_of(heads: Sequence[Sequence[str]], column: int) -> str:
    return " ".join(dict.fromkeys(row[column] for row in heads if row[column]))


def columns_of_values(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    """Columns of numbers; where there are none, everything right of the first column if its cells are short."""
    numeric = []
    for column, name in enumerate(header):
        cells = [row[column] for row in body if not NOTHING.match(row[column])]
        numbers = sum(measure_of(cell) is not None for cell in cells)
        if cells and numbers * 2 >= len(cells) and not ORDINAL.match(name) and not (column == 0 and len(header) > 1):
            numeric.append(column)
    if numeric:
        return numeric
    plain = [k for k, name in enumerate(header) if not ORDINAL.match(name) and not REMARK.search(name)]
    short = body and all(len(row[k]) <= 20 for row in body for k in plain)
    return plain[1:] if short and len(plain) > 1 else []


def columns_of_dimensions(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    return [
        k
        for k, name in enumerate(header)
        if not ORDINAL.match(name)
        and not REMARK.search(name)
        and any(row[k] for row in body)
        and not all(row[k].isdecimal() and int(row[k]) == n for n, row in enumerate(body, 1))
    ]


def common_lines(heads: Sequence[Sequence[str]], values: Sequence[int]) -> set[int]:
    """The head lines that say the same above every value column: they name the values, not their difference."""
    if len(values) < 2:
        return set()
    return {k for k, row in enumerate(heads) if len({row[column] for column in values}) == 1}


def _parts(heads: Sequence[Sequence[str]], column: int, common: set[int]) -> list[str]:
    parts = [bare(row[column]) for k, row in enumerate(heads) if k not in common]
    return list(dict.fromkeys(part for part in parts if part))


def value_name(heads: Sequence[Sequence[str]], column: int, common: set[int]) -> str:
    return CROSS.join(part.replace(CROSS, "x") for part in _parts(heads, column, common)) or f"第{column + 1}列"


def dimension_of_values(
    heads: Sequence[Sequence[str]], header: Sequence[str], values: Sequence[int], common: set[int]
) -> str:
    """A name for what tells the value columns apart; the words are those that such tables commonly have in their corner."""
    if len(values) < 2:
        return ""
    depth = {len(_parts(heads, column, common)) for column in values}
    names = []
    for k in range(max(depth) if len(depth) == 1 else 1):
        names.append(_kind_of([_parts(heads, column, common)[k : k + 1] for column in values], k, names))
    return CROSS.join(names)


def _kind_of(parts: list[list[str]], k: int, taken: list[str]) -> str:
    text = "".join("".join(part) for part in parts)
    guesses = (
        ("季节", "旺季|平季|淡季"),
        ("人员级别", "人员|领导|部级|司局|处级|员工|经理|总监|职级|负责人|[一二三四五六]级|高管|干部"),
        ("地区", "城市|地区|省|北京|上海|一线|二线|国内|国外|境外|[一二三四]类"),
        ("交通工具", "火车|飞机|轮船|高铁|汽车"),
        ("年份", r"(?:19|20)\d{2}"),
        ("费用项目", "费|补助|补贴|住宿|伙食|交通"),
    )
    name = next((name for name, pattern in guesses if re.search(pattern, text)), "项目")
    return name if name not in taken else f"{name}{k + 1}"


def bare(text: str) -> str:
    """A heading without its unit, footnote marks and line breaks."""
    return without_marks(re.sub(r"\s+", "", IN_HEAD.sub("", text)))
