"""Both days of one cell: 2022年1月1日至2022年12月31日, 自2026-01-01起, 长期."""

from __future__ import annotations

import re
from datetime import date

from core.errors import InvalidInput
from core.text import normalize
from kb.ingest.rows import Cell
from kb.ingest.values import day_of, text_of
from kb.words import bare

Period = tuple[date | None, date | None]

_NO_END = "长期(?:有效|执行)?|永久(?:有效)?|无期限|无固定期限|不限|今后?|至今|现在|另行通知(?:为止)?"
_DAY = r"(?:\d{4}\s*(?:年|[-./])\s*)?\d{1,2}\s*(?:月|[-./])\s*\d{1,2}\s*[日号]?|\d{8}|\d{4}\s*(?:年|[-./])\s*\d{1,2}\s*月?|\d{4}\s*年度?|\d{1,2}\s*月"
_BOTH = re.compile(rf"自?\s*({_DAY})\s*(?:起|开始)?\s*(至|到|[-—–―~]+)\s*({_DAY}|{_NO_END})\s*(?:止|为止)?")
_FROM = re.compile(rf"自?\s*({_DAY})\s*(?:起|开始|以后|之后起)\s*(?:[,、]?\s*(?:长期)?(?:有效|执行|施行|生效)|至今)?")
_UNTIL = re.compile(
    rf"(?:有效期?)?(?:截?止?至|截止到?|到|[-—–―~])\s*({_DAY})\s*(?:止|为止)?|({_DAY})\s*(?:止|为止|到期)"
)
_WHOLE = re.compile(r"\d{4}\s*年度?|\d{4}\s*(?:年|[-./])\s*\d{1,2}\s*月?")
_NONE = re.compile(_NO_END)
_YEAR = re.compile(r"\d{4}")


def period_of(cell: Cell) -> Period:
    """The first and the last day of a cell, None where it has none. Raises InvalidInput for what is no period: a day alone, 三个月."""
    text = "" if isinstance(cell, date) else normalize(text_of(cell)).strip()
    if not isinstance(cell, date):
        if not bare(text) or _NONE.fullmatch(text) or bare(text) in ("无", "none"):
            return None, None
        if found := _BOTH.fullmatch(text):
            begin, between, end = found.groups()
            if "-" in between and "-" in begin and not _YEAR.match(end) and not _NONE.fullmatch(end):
                raise _unclear(text)
            last = None if _NONE.fullmatch(end) else _day(_with_year(end, begin), last=True)
            return _ordered(_day(begin), last, text)
        if found := _FROM.fullmatch(text):
            return _day(found[1]), None
        if found := _UNTIL.fullmatch(text):
            return None, _day(found[1] or found[2], last=True)
        if _WHOLE.fullmatch(text):
            return _day(text), _day(text, last=True)
    raise _unclear(cell.isoformat() if isinstance(cell, date) else text)


def _unclear(text: str) -> InvalidInput:
    return InvalidInput(
        f"有效期“{text[:30]}”看不懂，请写成“2026-01-01至2026-12-31”，没有截止的写“2026-01-01起”或“长期”"
    )


def _with_year(end: str, begin: str) -> str:
    """`end` with the year of `begin` where it names none: 2026年1月至12月."""
    year = _YEAR.match(begin)
    return end if _YEAR.match(end) or not year else f"{year[0]}年{re.sub(r'[-./]', '月', end)}"


def _day(text: str, *, last: bool = False) -> date | None:
    if found := re.fullmatch(r"(\d{4})\s*年度?", text.strip()):
        return date(int(found[1]), 12, 31) if last else date(int(found[1]), 1, 1)
    if not _YEAR.match(text):
        raise InvalidInput(f"有效期里的“{text}”没有写年份，请写成“2026-01-01至2026-12-31”")
    return day_of(text, last=last)


def _ordered(begin: date | None, end: date | None, text: str) -> Period:
    if begin and end and begin > end:
        raise InvalidInput(f"有效期“{text[:30]}”的结束早于开始，请核对")
    return begin, end
