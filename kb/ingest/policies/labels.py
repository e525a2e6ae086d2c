"""The numbers that begin chapters, articles and items of a Chinese document."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_DIGITS |= {c: n for n, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
_TENS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_CHINESE = "零〇○一二两三四五六七八九十百千"
NUMERAL = rf"[{_CHINESE}\d０-９]"
"""One character of a number, as a pattern."""

_SPACED = rf"{NUMERAL}(?:\s?{NUMERAL})*"
"""A number that justified setting may have drawn apart, as in 第 十 二 条."""
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_GAP = r"[ \t\u3000]"
_AFTER_ARTICLE = "的规|规定|所列|所述|所称|第[一二三四五六七八九十\\d]+款|款|项|、\\s*[第附]|和|及|或|至|中|，|,|之规"
"""What follows the number of an article that a sentence speaks of, rather than begins with."""

PART, CHAPTER, SECTION, CLAUSE, ARTICLE, APPENDIX, CHINESE, BRACKET, DECIMAL, POINTED, BRACKET_DIGIT, CIRCLE = (
    "part", "chapter", "section", "clause", "article", "appendix", "chinese", "bracket", "decimal", "pointed",
    "bracket_digit", "circle",
)  # fmt: skip

STRUCTURE = {APPENDIX: 1, PART: 2, CHAPTER: 3, SECTION: 4, CLAUSE: 5}
"""Headings above articles, and how they nest."""
ITEMS = (CHINESE, BRACKET, POINTED, DECIMAL, BRACKET_DIGIT, CIRCLE)
"""Numbers of items, outermost first."""

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (PART, re.compile(rf"(第\s*({_SPACED})\s*[编篇部]分?)(?={_GAP}|$|[：:])")),
    (CHAPTER, re.compile(rf"(第\s*({_SPACED})\s*章)(?!{_AFTER_ARTICLE}|节)")),
    (SECTION, re.compile(rf"(第\s*({_SPACED})\s*节)(?!{_AFTER_ARTICLE}|点|约|省|能)")),
    (ARTICLE, re.compile(rf"(第\s*({_SPACED})\s*条(?:之{NUMERAL}+)?)(?!{_AFTER_ARTICLE})")),
    (APPENDIX, re.compile(rf"(附\s*(?:件|录|表|图)\s*({NUMERAL}*|[A-Z]))(?=[：:.．、\s（(《]|$)")),
    (APPENDIX, re.compile(r"((?:Appendix|Annex|Attachment)\s+(\d{1,2}|[A-Z]))(?=[：:.．、\s（(—–-]|$)", re.IGNORECASE)),
    (CHINESE, re.compile(r"(([一二三四五六七八九十百]+)\s*[、．.])")),
    (BRACKET, re.compile(r"([（(]\s*([一二三四五六七八九十百]+)\s*[)）])")),
    (
        POINTED,
        re.compile(
            r"((\d{1,3}(?:[.．]\d{1,3}){1,4})[.．、]?)(?![\d.．%％])(?![万亿千百元角分个天日年月周时倍米公次人折号版])(?=[ \u3000\u3400-\u9fff]|$)"
        ),
    ),
    (DECIMAL, re.compile(r"((\d{1,3})\s*[.．、])(?!\d)")),
    (BRACKET_DIGIT, re.compile(r"([（(]?\s*(\d{1,3})\s*[)）])")),
    (CIRCLE, re.compile(rf"(([{_CIRCLED}]))")),
)

_CLAUSE = re.compile(rf"((\d{{1,2}}){_GAP}+)(?=[\u3400-\u9fff][\u3400-\u9fffA-Za-z、/（）()]{{1,19}}$)")


@dataclass(frozen=True)
class Label:
    """The number at the head of a paragraph. `text` is the number as printed, `value` what it counts to, `rest` all after it."""

    kind: str
    text: str
    value: int | None
    rest: str


def label_of(text: str) -> Label | None:
    """The number that `text` begins with, if any."""
    for kind, pattern in _PATTERNS:
        if found := pattern.match(text):
            letter = kind == APPENDIX and re.fullmatch("[A-Za-z]", found[2])
            value = ord(found[2].upper()) - ord("A") + 1 if letter else value_of(found[2])
            return Label(kind, _closed(found[1]), value, text[found.end() :])
    return None


def _closed(text: str) -> str:
    """Without blanks but those between Latin words: 第12条, Appendix A."""
    return re.sub(r"(?<![A-Za-z])\s+|\s+(?![A-Za-z\d])", "", text)


def clause_of(text: str) -> Label | None:
    """The number of a heading such as 4 程序, which only those around it tell from other text."""
    found = _CLAUSE.match(text)
    return Label(CLAUSE, found[2], int(found[2]), text[found.end() :]) if found else None


def value_of(numeral: str) -> int | None:
    """12 for 十二, 12, １２ or 一二; 105 for 一百零五; None for what is no number or too large to be one of an article."""
    numeral = re.sub(r"\s", "", numeral)
    if numeral in _CIRCLED and len(numeral) == 1:
        return _CIRCLED.index(numeral) + 1
    if numeral.isdecimal():
        return int(numeral) if len(numeral) <= 5 else None
    if numeral and all(c in _DIGITS or c in _TENS for c in numeral):
        if not any(c in _TENS for c in numeral):
            digits = "".join(str(_DIGITS[c]) for c in numeral)
            return int(digits) if len(digits) <= 5 else None
        total = current = 0
        for c in numeral:
            if c in _TENS:
                total += (current or 1) * _TENS[c]
                current = 0
            else:
                current = _DIGITS[c]
        return total + current
    return None


def chinese(number: int) -> str:
    """十二 for 12, as Word and ministries write it, up to 9999; digits beyond."""
    if not 0 < number < 10_000:
        return "零" if number == 0 else str(number)
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if zero and text else "") + "零一二三四五六七八九"[digit] + name
            zero = False
        else:
            zero = True
    return text.removeprefix("一") if text.startswith("一十") else text
