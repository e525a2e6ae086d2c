"""Tables in a policy as standards of the knowledge base: which columns are dimensions, which hold values, in which unit.

What is found is a proposal. A person confirms it, and only then `standard_of` makes a table of the knowledge base of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Block
from kb.ingest.policies.labels import APPENDIX, STRUCTURE, label_of
from kb.ingest.policies.superscripts import without_marks

CROSS = "×"
"""Between two dimensions in one heading, such as 季节×人员级别 with values such as 旺季×集团领导."""
RESERVED = frozenset({"value", "months", "checked"})

_UNIT_NAME = r"(?:万元|千元|百元|元|美元|欧元|港元|日元|%|％|天|日|工作日|小时|公里|次|人|张|级|平方米|㎡)(?:\s*/\s*[\u3400-\u9fffA-Za-z·.]{1,8})*"
_UNIT_TOLD = re.compile(rf"(?:金额|计量|货币)?单位\s*[:：]?\s*(?:人民币)?\s*({_UNIT_NAME}|[\u3400-\u9fff/·]{{1,10}})")
_UNIT_IN_HEAD = re.compile(rf"[（(]\s*({_UNIT_NAME})\s*[)）]")
_NUMBER = re.compile(
    rf"^(?:[¥￥$]|人民币)?\s*([-+]?\d{{1,3}}(?:[,，]\d{{3}})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?)\s*({_UNIT_NAME})?\s*(?:（含）|以内|以下)?$"
)
_NOTHING = re.compile(r"^[-—–/／\\无]*$")
_ORDINAL = re.compile(r"^(?:序号|编号|序|No\.?|#)$", re.IGNORECASE)
_REMARK = re.compile(r"备注|说明|注释|附注|依据|备\s*考")
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
    """Every table of a document with a proposal; `use` is set where it holds numbers under clear dimensions."""
    found: list[Found] = []
    placed = list(articles)
    start, read = 0, 0
    for index, block in enumerate(blocks):
        if block.kind != "table":
            continue
        near = [one.text for one in blocks[max(0, index - 3) : index] if one.kind != "table"]
        # Articles keep the order of the document: where one table ends, the search for the next begins.
        article = None
        for at in range(start, len(placed)):
            where = placed[at]["text"].find(block.printed, read if at == start else 0)
            if where >= 0:
                article, start, read = placed[at], at, where + len(block.printed)
                break
        found.append(_found(block, near, article, title, len(found) + 1))
    return found


def _found(block: Block, near: list[str], article: dict[str, Any] | None, title: str, n: int) -> Found:
    rows = [row for row in block.rows if len(set(row)) > 1 or len(row) < 2]
    banners = [row[0] for row in block.rows if len(set(row)) == 1]
    rows = rows or list(block.rows)
    heads = _head_lines(rows)
    header = tuple(_heading(rows[:heads], column) for column in range(len(rows[0])))
    body = tuple(tuple(row) for row in rows[heads:])
    values = _value_columns(header, body)
    dimensions = [
        k for k in _dimension_columns(header, body) if k not in values and k < min(values, default=len(header))
    ]
    common = _common(rows[:heads], values)
    texts = [*near[::-1], *banners, *header]
    caption = _caption(near, banners, article, title, n)
    proposal = Setting(
        use=bool(dimensions and values and body and any(_number(row[k]) is not None for row in body for k in values)),
        id="",
        title=caption,
        unit=_unit(texts, common, body, values),
        dimensions=tuple(Column(_bare(header[k]) or f"第{k + 1}列", k) for k in dimensions),
        value_columns=tuple(Column(_value_name(rows[:heads], k, common), k) for k in values),
        value_dimension=_value_dimension(rows[:heads], header, values, common),
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
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    seen: dict[str, dict[str, None]] = {name: {} for name in names}
    for row in rows:
        place = [without_marks(row[one.column]) for one in setting.dimensions]
        for one in setting.value_columns:
            text = row[one.column].strip()
            if _NOTHING.match(text):
                continue
            across = one.name.split(CROSS) if CROSS in setting.value_dimension else [one.name]
            whole = tuple((*place, *across) if setting.value_dimension else place)
            if not all(whole):
                raise InvalidInput(f"“{names[whole.index('')]}”这一列有空白，请在原文件里补全，或换一列作为维度。")
            value = _number(text)
            value = text if value is None else value
            if whole in found and found[whole]["value"] != value:
                raise InvalidInput(
                    f"{'、'.join(whole)} 有两个不同的值（{found[whole]['value']} 和 {value}），请增加一个维度来区分它们。"
                )
            found[whole] = {**dict(zip(names, whole, strict=True)), "value": value}
            for name, part in zip(names, whole, strict=True):
                seen[name][part] = None
    if not found:
        raise InvalidInput("这张表没有可用的值，请检查数值列，或选择不使用这张表。")
    return {
        "id": setting.id,
        "title": setting.title,
        "unit": setting.unit,
        **more,
        "dimensions": [{"name": name, "values": list(values)} for name, values in seen.items()],
        "rows": list(found.values()),
    }


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


def _head_lines(rows: Sequence[Sequence[str]]) -> int:
    """How many rows are the head: the first, and more while its merged cells are divided below and no numbers begin."""
    heads = 1
    while heads < min(len(rows) - 1, 4):
        row, above = rows[heads], rows[heads - 1]
        divided = any(above[k] == above[k + 1] and above[k] for k in range(len(above) - 1))
        goes_down = any(one == two and one for one, two in zip(row, above, strict=True))
        numbers = any(_number(cell) is not None for cell in row)
        if numbers or not (divided or goes_down):
            break
        heads += 1
    return heads


def _heading(heads: Sequence[Sequence[str]], column: int) -> str:
    return " ".join(dict.fromkeys(row[column] for row in heads if row[column]))


def _value_columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    """Columns of numbers; where there are none, everything right of the first column if its cells are short."""
    numeric = []
    for column, name in enumerate(header):
        cells = [row[column] for row in body if not _NOTHING.match(row[column])]
        numbers = sum(_number(cell) is not None for cell in cells)
        if cells and numbers * 2 >= len(cells) and not _ORDINAL.match(name) and not (column == 0 and len(header) > 1):
            numeric.append(column)
    if numeric:
        return numeric
    plain = [k for k, name in enumerate(header) if not _ORDINAL.match(name) and not _REMARK.search(name)]
    short = body and all(len(row[k]) <= 20 for row in body for k in plain)
    return plain[1:] if short and len(plain) > 1 else []


def _dimension_columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    return [
        k
        for k, name in enumerate(header)
        if not _ORDINAL.match(name)
        and not _REMARK.search(name)
        and any(row[k] for row in body)
        and not all(row[k].isdecimal() and int(row[k]) == n for n, row in enumerate(body, 1))
    ]


def _common(heads: Sequence[Sequence[str]], values: Sequence[int]) -> set[int]:
    """The head lines that say the same above every value column: they name the values, not their difference."""
    if len(values) < 2:
        return set()
    return {k for k, row in enumerate(heads) if len({row[column] for column in values}) == 1}


def _parts(heads: Sequence[Sequence[str]], column: int, common: set[int]) -> list[str]:
    parts = [_bare(row[column]) for k, row in enumerate(heads) if k not in common]
    return list(dict.fromkeys(part for part in parts if part))


def _value_name(heads: Sequence[Sequence[str]], column: int, common: set[int]) -> str:
    return CROSS.join(part.replace(CROSS, "x") for part in _parts(heads, column, common)) or f"第{column + 1}列"


def _value_dimension(
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


def _unit(texts: Sequence[str], common: set[int], body: Sequence[Sequence[str]], values: Sequence[int]) -> str:
    for pattern in (_UNIT_TOLD, _UNIT_IN_HEAD):
        for text in texts:
            if found := pattern.search(text):
                return re.sub(r"\s+", "", found[1])
    for row in body:
        for k in values:
            if (found := _NUMBER.match(row[k])) and found[2]:
                return re.sub(r"^[万千百](?=元)|\s+", "", found[2])
    return ""


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
        name = _UNIT_IN_HEAD.sub("", re.sub(r"[（(]?\s*(?:金额|计量)?单位\s*[:：].*$", "", text)).strip(" ：:")
        bare = _CAPTION.sub("", name)
        if (
            bare
            and len(name) <= 40
            and (_TABLE_WORD.search(name) or _CAPTION.match(name))
            and not re.search("[。，；]", name)
        ):
            return bare
    if article and (article.get("title") or ""):
        name = article["title"]
        return name if _TABLE_WORD.search(name) else f"{name}表"
    if found := next((found for text in above if (found := _POINTED_AT.search(text))), None):
        return found[1] if _TABLE_WORD.search(found[1]) else f"{found[1]}标准"
    return f"{title}附表{n}"


def _bare(text: str) -> str:
    """A heading without its unit, footnote marks and line breaks."""
    return without_marks(re.sub(r"\s+", "", _UNIT_IN_HEAD.sub("", text)))


def _number(text: str) -> int | float | None:
    """1100 for `1,100`, `1100元`, `1100[1]` or `¥1,100.00`; None for what is no single number."""
    found = _NUMBER.match(without_marks(text))
    if not found:
        return None
    try:
        value = Decimal(re.sub("[,，]", "", found[1]))
    except InvalidOperation:
        return None
    if found[2] and found[2][0] in "万千百" and len(found[2]) > 1:
        value *= {"万": 10_000, "千": 1_000, "百": 100}[found[2][0]]
    return int(value) if value == value.to_integral_value() else float(value)
