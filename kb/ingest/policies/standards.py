"""Tables in a policy as standards of the knowledge base: which columns are dimensions, which hold values, in which unit.

What is found is a proposal. A person confirms it, and only then `standard_of` makes a table of the knowledge base of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Block, is_banner
from kb.ingest.policies.heads import (
    CROSS,
    NOTHING,
    ORDINAL,
    REMARK,
    bare,
    columns_of_dimensions,
    columns_of_values,
    common_lines,
    dimension_of_values,
    head_lines,
    heading_of,
    in_brackets,
    value_name,
)
from kb.ingest.policies.labels import APPENDIX, ARTICLE, STRUCTURE, label_of
from kb.ingest.policies.superscripts import without_marks
from kb.ingest.policies.units import (
    IN_HEAD,
    column_unit,
    half_told,
    head_unit,
    is_counted,
    is_money,
    measure_of,
    months_of,
    told_unit,
    unit_of_cells,
    value_in,
)

RESERVED = frozenset({"value", "months", "checked"})

_AMOUNT = re.compile("费|补助|补贴|津贴|额|价|金")
"""Headings of amounts of their own, to which another column's unit does not go over."""
_CONDITION = re.compile("月|季|期间|时段|时间|条件|情形|范围|适用|级别|职级|人员|城市|地区")
"""Headings of columns that say when or for whom a value is."""
_CAPTION = re.compile(r"^(?:附?表\s*[\d一二三四五六七八九十]*[-.\d]*|附件\s*[\d一二三四五六七八九十]*)\s*[:：.、]?\s*")
_POINTED_AT = re.compile(
    r"([\u3400-\u9fff]{2,18}(?:费用?|补[贴助]|津贴|奖金|标准|限额|定额|额度|金额|等级|比例|单价|价格))"
    r"(?:应当|应|须|均|一律|分别|统一)?(?:按照?|依照|参照|执行|详?见|如|列于)(?:以下|下列|下|后附|所附|附)表"
)
"""What a sentence such as 飞手驻外补贴按下表执行 says that the table below is about."""
UNNAMED = re.compile(r"附表\d+$")
"""A title that only counts the policy's tables."""
_TABLE_WORD = re.compile(r"(?:表|标准|限额|等级|一览|明细)(?:[（(][^）)]*[)）])?$")


@dataclass(frozen=True)
class Column:
    """`column` counts from 0 in the table's header."""

    name: str
    column: int


@dataclass(frozen=True)
class Setting:
    """How a table is used: its proposal, or what a person has made of it."""

    use: bool
    id: str
    title: str
    unit: str
    dimensions: tuple[Column, ...]
    value_columns: tuple[Column, ...]
    value_dimension: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "use": self.use,
            "id": self.id,
            "title": self.title,
            "unit": self.unit,
            "dimensions": [{"name": one.name, "column": one.column} for one in self.dimensions],
            "value_columns": [{"column": one.column, "name": one.name} for one in self.value_columns],
            "value_dimension": self.value_dimension,
        }


def setting_of(data: dict[str, Any]) -> Setting:
    def columns(key: str) -> tuple[Column, ...]:
        return tuple(Column(str(one["name"]).strip(), int(one["column"])) for one in data.get(key) or ())

    return Setting(
        bool(data.get("use")),
        str(data.get("id") or "").strip(),
        str(data.get("title") or "").strip(),
        str(data.get("unit") or "").strip(),
        columns("dimensions"),
        columns("value_columns"),
        str(data.get("value_dimension") or "").strip(),
    )


@dataclass(frozen=True)
class Found:
    """A table of a document: `header` joins its head lines, `rows` is its body; `article` is where it stands."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    page: int | None
    article: int | None
    proposal: Setting


def find_standards(blocks: Sequence[Block], articles: Iterable[dict[str, Any]], title: str) -> list[Found]:
    """Every table of a document, but for those of its title page, with a proposal; `use` is set where it holds numbers under clear dimensions."""
    found: list[Found] = []
    placed = list(articles)
    start, read = 0, 0
    for index, block in enumerate(blocks):
        if block.kind != "table":
            continue
        near = _near(blocks, index)
        # Articles keep the order of the document: where one table ends, the search for the next begins.
        article = None
        for at in range(start, len(placed)):
            where = placed[at]["text"].find(block.printed, read if at == start else 0)
            if where >= 0:
                article, start, read = placed[at], at, where + len(block.printed)
                break
        if article or not placed:
            found.append(_found(block, near, article, title, len(found) + 1))
    return found


def _near(blocks: Sequence[Block], index: int) -> list[str]:
    """The paragraphs above a table that can speak of it: at most three, none above its article's first, none above another table."""
    near: list[str] = []
    for one in reversed(blocks[max(0, index - 3) : index]):
        if one.kind == "table":
            break
        near.insert(0, one.text)
        label = label_of(one.text)
        if label and label.kind == ARTICLE:
            break
    return near


def _found(block: Block, near: list[str], article: dict[str, Any] | None, title: str, n: int) -> Found:
    rows = [row for row in block.rows if not is_banner(row)]
    banners = [row[0] for row in block.rows if is_banner(row)]
    rows = rows or list(block.rows)
    head = [in_brackets(row) for row in rows[: head_lines(rows)]]
    header = tuple(heading_of(head, column) for column in range(len(rows[0])))
    body = tuple(tuple(row) for row in rows[len(head) :])
    values = columns_of_values(header, body)
    dimensions = [
        k for k in columns_of_dimensions(header, body) if k not in values and k < min(values, default=len(header))
    ]
    common = common_lines(head, values)
    above = [*near[::-1], *banners, *(header[k] for k in range(len(header)) if k not in values)]
    caption = _caption(near, banners, article, title, n)
    across = dimension_of_values(head, header, values, common)
    named = {bare(header[k]) for k in dimensions}
    proposal = Setting(
        use=bool(
            dimensions and values and body and any(measure_of(row[k]) is not None for row in body for k in values)
        ),
        id="",
        title=caption,
        unit=_unit(above, header, body, values),
        dimensions=tuple(Column(bare(header[k]) or f"第{k + 1}列", k) for k in dimensions),
        value_columns=tuple(Column(value_name(head, k, common), k) for k in values),
        value_dimension=across if across not in named else "指标",
    )
    return Found(header, body, block.page, article["number"] if article else None, proposal)


def problem_of(setting: Setting, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """What stands in the way of using a table so, in Chinese; None when nothing does."""
    try:
        standard_of({**setting.as_dict(), "id": setting.id or "t", "title": setting.title or "t"}, header, rows)
    except InvalidInput as error:
        return error.message
    return None


def standard_of(
    data: dict[str, Any], header: Sequence[str], rows: Sequence[Sequence[str]], **more: Any
) -> dict[str, Any]:
    """A table of the knowledge base, as `kb/starter/tables` holds them; `more` joins its body.

    Raises InvalidInput (Chinese) for dimensions that do not tell the values apart.
    """
    setting = setting_of(data)
    names = _dimension_names(setting)
    _check(setting, names, len(header))
    unit, units = _units(setting, header, rows)
    months = _months_columns(setting, header, rows)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    seen: dict[str, dict[str, None]] = {name: {} for name in names}
    for row in rows:
        place = [without_marks(row[one.column]) for one in setting.dimensions]
        for one in setting.value_columns:
            text = row[one.column].strip()
            if NOTHING.match(text):
                continue
            across = one.name.split(CROSS) if CROSS in setting.value_dimension else [one.name]
            whole = tuple((*place, *across) if setting.value_dimension else place)
            if not all(whole):
                raise InvalidInput(f"“{names[whole.index('')]}”这一列有空白，请在原文件里补全，或换一列作为维度。")
            value = value_in(text, units[one.column])
            if not unit and units[one.column] and not isinstance(value, str):
                value = f"{value}{units[one.column]}"
            if whole in found and found[whole]["value"] != value:
                raise InvalidInput(
                    f"{'、'.join(whole)} 有两个不同的值（{found[whole]['value']} 和 {value}），请增加一个维度来区分它们。"
                )
            found[whole] = {**dict(zip(names, whole, strict=True)), "value": value}
            if one.column in months and (when := row[months[one.column]].strip()):
                found[whole]["months"] = _months(when, header[months[one.column]])
            for name, part in zip(names, whole, strict=True):
                seen[name][part] = None
    if not found:
        raise InvalidInput("这张表没有可用的值，请检查数值列，或选择不使用这张表。")
    return {
        "id": setting.id,
        "title": setting.title,
        "unit": unit,
        **more,
        "dimensions": [{"name": name, "values": list(values)} for name, values in seen.items()],
        "rows": list(found.values()),
    }


def _units(setting: Setting, header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, dict[int, str]]:
    """The table's unit and the unit of each value column. The table's is `""` where its columns have several: their values are
    then text with their unit. Raises InvalidInput where the unit of a value cannot be told surely."""
    units = {one.column: column_unit(header[one.column], setting.unit) for one in setting.value_columns}
    if len(set(units.values())) == 1:
        told = next(iter(units.values()))
        unit = setting.unit or told
        if is_money(told) and is_money(unit) and told.split("/")[0] != unit.split("/")[0]:
            raise InvalidInput(f"表头写的单位是“{told}”，这里填的是“{unit}”，请改成一致。")
        units = dict.fromkeys(units, unit)
    else:
        unit = ""
    for one in setting.value_columns:
        if units[one.column] or is_counted(header[one.column]):
            continue
        cells = [row[one.column] for row in rows]
        bare_ones = any((found := measure_of(cell)) and found.value and not found.unit for cell in cells)
        if half_told(cells) or (bare_ones and len(set(units.values())) > 1):
            raise InvalidInput(
                f"“{one.name}”这一列的值没有写单位，或有的写了、有的没有；请填写“单位”，或在原文件里把单位写全后再导入。"
            )
    return unit, units


def _months_columns(setting: Setting, header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[int, int]:
    """The column that tells the months of each value column that has one: 旺季期间 月份 beside 旺季期间 部级.

    Raises InvalidInput for a column that no value is read with although it tells when or for whom they are.
    """
    values = [one.column for one in setting.value_columns]
    used = {*values, *(one.column for one in setting.dimensions)}
    found: dict[int, int] = {}
    for column, name in enumerate(header):
        cells = [row[column] for row in rows if not NOTHING.match(row[column].strip())]
        if column in used or not cells or REMARK.search(name) or ORDINAL.match(name):
            continue
        season = name.split(" ")[0] if " " in name else re.sub("期间|月份|时间|时段|月", "", name)
        of = [k for k in values if season and season in header[k]] if re.search("月|期间|时段", name) else []
        if of:
            found |= dict.fromkeys(of, column)
        elif column > min(values) and _CONDITION.search(name):
            raise InvalidInput(f"“{name}”这一列没有用到，值会失去它说的条件；请把这一列选作维度，或选择不使用这张表。")
    return found


def _months(text: str, heading: str) -> list[int]:
    if (found := months_of(text)) is None:
        raise InvalidInput(f"“{heading}”这一列的“{text}”认不出是哪几个月，请在原文件里写成“7-9月”这样的形式。")
    return found


def _dimension_names(setting: Setting) -> list[str]:
    across = setting.value_dimension.split(CROSS) if setting.value_dimension else []
    return [*(one.name for one in setting.dimensions), *(name.strip() for name in across)]


def _check(setting: Setting, names: list[str], width: int) -> None:
    if not setting.value_columns:
        raise InvalidInput("请至少选择一个数值列，或选择不使用这张表。")
    if not names:
        raise InvalidInput("请至少选择一个维度列（如城市、人员级别），或选择不使用这张表。")
    if any(not name for name in names):
        raise InvalidInput("维度需要名称，如“城市”“人员级别”。")
    if len(set(names)) != len(names):
        raise InvalidInput("两个维度的名称相同，请改成不同的名称。")
    if taken := RESERVED & set(names):
        raise InvalidInput(f"维度不能叫“{min(taken)}”，请换一个名称。")
    used = [one.column for one in (*setting.dimensions, *setting.value_columns)]
    if any(not 0 <= column < width for column in used) or len(set(used)) != len(used):
        raise InvalidInput("同一列只能用一次，而且必须是表里的列，请重新选择。")
    if len(setting.value_columns) > 1 and not setting.value_dimension:
        raise InvalidInput("有多个数值列时，请给它们的区别起一个名称（如“人员级别”）。")
    if setting.value_dimension:
        parts = setting.value_dimension.count(CROSS)
        if any(
            not one.name.strip(CROSS) or (parts and one.name.count(CROSS) != parts) for one in setting.value_columns
        ):
            raise InvalidInput(f"每个数值列的名称应与“{setting.value_dimension}”一一对应。")


def _unit(above: Sequence[str], header: Sequence[str], body: Sequence[Sequence[str]], values: Sequence[int]) -> str:
    """The one unit of the value columns; `""` where they have several, or none is told."""
    told = next((unit for text in above if (unit := told_unit(text))), "")
    told = told or next((unit for text in above if IN_HEAD.search(text) and (unit := head_unit(text))), "")
    heads = {unit for k in values if (unit := head_unit(header[k]))}
    bare_heads = [header[k] for k in values if not head_unit(header[k])]
    if not told and len(heads) == 1 and not any(map(_AMOUNT.search, bare_heads)):
        # 初级 | 中级（元/天）: written once for all.
        told = next(iter(heads))
    units = {column_unit(header[k], told) for k in values}
    if len(units) > 1:
        return told if any(not head_unit(header[k]) and column_unit(header[k], told) for k in values) else ""
    cells = [row[k] for row in body for k in values]
    unit = next(iter(units), "") or unit_of_cells(cells)
    return "" if units <= {""} and half_told(cells) else unit


def _caption(near: list[str], banners: list[str], article: dict[str, Any] | None, title: str, n: int) -> str:
    """What the table is called: the line above it or across it, else its article's title, else what the text above says.

    Numbers of chapters and articles are no part of it: in the next version they are others.
    """
    above: list[str] = []
    for text in near[::-1][:2]:
        label = label_of(text)
        if label and label.kind in STRUCTURE and label.kind != APPENDIX:
            break
        above.append(label.rest.strip() if label and label.kind != APPENDIX else text)
    for text in (*above, *banners):
        name = IN_HEAD.sub("", re.sub(r"[（(]?\s*(?:金额|计量)?单位\s*[:：].*$", "", text)).strip(" ：:")
        bare = _CAPTION.sub("", name)
        if (
            bare
            and len(name) <= 40
            and (_TABLE_WORD.search(name) or _CAPTION.match(name))
            and not re.search("[。，；]|[见按照如列][下附后].{0,2}表$", name)
        ):
            return bare
    if article and (article.get("title") or ""):
        name = article["title"]
        return name if _TABLE_WORD.search(name) else f"{name}表"
    if found := next((found for text in above if (found := _POINTED_AT.search(text))), None):
        return found[1] if _TABLE_WORD.search(found[1]) else f"{found[1]}标准"
    return f"{title}附表{n}"
