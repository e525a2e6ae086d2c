"""Word's automatic numbers: what stands before a paragraph on the page and nowhere in its text.

Levels are defined in numbering.xml (ECMA-376 part 1, 17.9); paragraphs and styles point at them. Counters belong to the abstract
definition, so lists that share one go on counting, unless an override starts them again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from kb.ingest.policies.labels import chinese

_CIRCLED = "⓪①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_LEGAL = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"


@dataclass
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    legal: bool = False
    restart: int | None = None
    style: str | None = None


@dataclass
class _List:
    abstract: str
    levels: dict[int, _Level]
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts along the paragraphs of one document, in their order."""

    def __init__(self, document: Any) -> None:
        self._lists: dict[str, _List] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._styles = {style.style_id: style.element for style in document.styles if style.element is not None}
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return
        abstracts = {one.get(qn("w:abstractNumId")): one for one in root.findall(qn("w:abstractNum"))}
        links = {
            link.get(qn("w:val")): one
            for one in abstracts.values()
            if (link := one.find(qn("w:styleLink"))) is not None
        }
        for num in root.findall(qn("w:num")):
            pointer = num.find(qn("w:abstractNumId"))
            abstract = abstracts.get(pointer.get(qn("w:val"))) if pointer is not None else None
            if abstract is None:
                continue
            if (linked := abstract.find(qn("w:numStyleLink"))) is not None:
                abstract = links.get(linked.get(qn("w:val")), abstract)
            one = _List(abstract.get(qn("w:abstractNumId")), _levels(abstract))
            for override in num.findall(qn("w:lvlOverride")):
                level = int(override.get(qn("w:ilvl"), "0"))
                if (whole := override.find(qn("w:lvl"))) is not None:
                    one.levels[level] = _level(whole)
                if (start := override.find(qn("w:startOverride"))) is not None:
                    one.starts[level] = _number(start.get(qn("w:val")), 1)
            self._lists[num.get(qn("w:numId"))] = one

    def label(self, paragraph: Any) -> str:
        """The number of a `w:p` element with the blank behind it, `""` without one; each call counts one further."""
        found = self._place(paragraph)
        if found is None:
            return ""
        number, level = found
        one = self._lists.get(number)
        if one is None or level not in one.levels:
            return ""
        counts = self._count(number, one, level)
        definition = one.levels[level]
        if definition.format == "bullet":
            return ""
        text = re.sub(
            r"%(\d)", lambda found: self._part(one, counts, int(found[1]) - 1, definition.legal), definition.text
        )
        return f"{text} " if text.strip() and text[-1] not in "、）)" else text

    def _count(self, number: str, one: _List, level: int) -> dict[int, int]:
        counts = self._counts.setdefault(one.abstract, {})
        if level in one.starts and (number, level) not in self._begun:
            counts[level] = one.starts[level]
        elif level in counts:
            counts[level] += 1
        else:
            counts[level] = one.levels[level].start
        self._begun.add((number, level))
        for upper in range(level):
            if upper in one.levels:
                counts.setdefault(upper, one.levels[upper].start)
        for lower, definition in one.levels.items():
            restarts = definition.restart is None or level < definition.restart
            if lower > level and restarts and definition.restart != 0:
                counts.pop(lower, None)
        return counts

    def _part(self, one: _List, counts: dict[int, int], level: int, legal: bool) -> str:
        definition = one.levels.get(level, _Level())
        return spelled(counts.get(level, definition.start), "decimal" if legal else definition.format)

    def _place(self, paragraph: Any) -> tuple[str, int] | None:
        """`(numId, level)` of a paragraph: its own, else that of its style or of a style that this is based on."""
        properties = paragraph.find(qn("w:pPr"))
        number, level = _pointer(properties)
        style = properties.find(qn("w:pStyle")) if properties is not None else None
        name = style.get(qn("w:val")) if style is not None else None
        own, seen = name, set()
        while number is None and name in self._styles and name not in seen:
            seen.add(name)
            element = self._styles[name]
            number, styled = _pointer(element.find(qn("w:pPr")))
            level = styled if level is None else level
            if number is None:
                based = element.find(qn("w:basedOn"))
                name = based.get(qn("w:val")) if based is not None else None
        if number is None or number == "0":
            return None
        if level is None and number in self._lists:
            levels = self._lists[number].levels
            level = next((k for k, one in levels.items() if one.style in (own, name)), 0)
        return number, level or 0


def spelled(number: int, form: str) -> str:
    """`number` in one of Word's number formats."""
    if form in (
        "chineseCounting",
        "chineseCountingThousand",
        "japaneseCounting",
        "taiwaneseCounting",
        "koreanCounting",
    ):
        return chinese(number)
    if form in ("taiwaneseCountingThousand", "ideographDigital", "japaneseDigitalTenThousand"):
        return chinese(number) if form == "taiwaneseCountingThousand" else _digits(number)
    if form in ("chineseLegalSimplified", "ideographLegalTraditional", "japaneseLegal"):
        text = chinese(number).translate(_LEGAL)
        return f"壹{text}" if text.startswith("拾") else text
    if form == "ideographTraditional" and 1 <= number <= 10:
        return _STEMS[number - 1]
    if form == "ideographZodiac" and 1 <= number <= 12:
        return _BRANCHES[number - 1]
    if form.startswith("decimalEnclosedCircle") and 0 <= number < len(_CIRCLED):
        return _CIRCLED[number]
    if form == "ideographEnclosedCircle" and 1 <= number <= 10:
        return "㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉"[number - 1]
    if form == "decimalZero":
        return f"{number:02}"
    if form in ("decimalFullWidth", "decimalFullWidth2"):
        return "".join(chr(ord(c) + 0xFEE0) for c in str(number))
    if form in ("upperLetter", "lowerLetter") and number > 0:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form == "upperLetter" else letter.lower()
    if form in ("upperRoman", "lowerRoman") and 0 < number < 4000:
        return _roman(number) if form == "upperRoman" else _roman(number).lower()
    return "" if form == "none" else str(number)


def _digits(number: int) -> str:
    return "".join("〇一二三四五六七八九"[int(c)] for c in str(number))


def _roman(number: int) -> str:
    text = ""
    for value, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        text += letters * (number // value)
        number %= value
    return text


def _levels(abstract: Any) -> dict[int, _Level]:
    return {_number(one.get(qn("w:ilvl")), 0): _level(one) for one in abstract.findall(qn("w:lvl"))}


def _level(element: Any) -> _Level:
    def value(name: str) -> str | None:
        child = element.find(qn(name))
        return child.get(qn("w:val")) if child is not None else None

    legal = element.find(qn("w:isLgl"))
    restart = value("w:lvlRestart")
    return _Level(
        start=_number(value("w:start"), 1),
        format=value("w:numFmt") or "decimal",
        text=value("w:lvlText") or "",
        legal=legal is not None and legal.get(qn("w:val"), "1") not in ("0", "false"),
        restart=_number(restart, 0) if restart is not None else None,
        style=value("w:pStyle"),
    )


def _pointer(properties: Any) -> tuple[str | None, int | None]:
    numbering = properties.find(qn("w:numPr")) if properties is not None else None
    if numbering is None:
        return None, None
    number, level = numbering.find(qn("w:numId")), numbering.find(qn("w:ilvl"))
    return (
        number.get(qn("w:val")) if number is not None else None,
        _number(level.get(qn("w:val")), 0) if level is not None else None,
    )


def _number(text: str | None, otherwise: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise
