"""Numbers as a sheet shows them: 0.03 below the format `0%` is 3%, 500 below `0"元/天"` is 500元/天."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openpyxl import Workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

_LARGEST = 10**15
"""Excel keeps fifteen digits."""
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]|'
    r"\[(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|Color ?\d+|[黑蓝青绿红白黄]色?|颜色 ?\d+)\]|"
    r"(?P<core>[#0?][#0?,]*(?:\.[#0?]+)?|General|G/通用格式|@)|(?P<plain>[%$¥￥€+\-() ~<>:]|[^\x00-\x7f])",
    re.I,
)
_BETWEEN = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_PLACES = re.compile(r"(?P<whole>(?:[#0]+,)?[#0]+)(?:\.(?P<fixed>0*)(?P<more>#*))?")


@dataclass(frozen=True)
class _Section:
    """One part of a format; no `whole` where it shows words and no number, `general` where the number as it is."""

    before: str
    after: str
    general: bool = False
    thousands: bool = False
    digits: int = 1
    fixed: int = 0
    places: int = 0
    number: bool = True
    percent: bool = False

    @property
    def telling(self) -> bool:
        """Whether it shows more than the number."""
        return bool(self.before.strip() or self.after.strip() or self.thousands or self.digits > 1 or not self.number)

    def show(self, value: float) -> str:
        exact = abs(Decimal(repr(value)))
        if self.percent:
            exact *= 100
        if not self.number:
            return self.before + self.after
        if self.general:
            return f"{self.before}{_trimmed(exact, 0)}{self.after}"
        rounded = exact.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP)
        whole, _, rest = _trimmed(rounded, self.fixed).partition(".")
        shown = f"{int(whole):,}" if self.thousands else whole.zfill(self.digits)
        return f"{self.before}{shown or '0'}{'.' if rest else ''}{rest}{self.after}"


@dataclass(frozen=True)
class NumberFormat:
    """Its sections for numbers above, below and at zero; None where we do not know what one shows."""

    sections: tuple[_Section | None, ...]

    def show(self, value: float) -> str | None:
        """As Excel shows it; None for what is too large, and where we do not know."""
        if not abs(value) < _LARGEST:
            return None
        at = 1 if value < 0 and len(self.sections) > 1 else 2 if not value and len(self.sections) > 2 else 0
        section = self.sections[at] if at < 2 or self.sections[at] else self.sections[0]
        if section is None:
            return None
        shown = section.show(value).strip()
        return f"-{shown}" if value < 0 and at == 0 else shown


def number_format(code: str) -> NumberFormat | None:
    """The format that a code means; None where it shows the number and nothing else."""
    parts = _BETWEEN.split(code)[:3]
    sections = tuple(map(_section, parts))
    return NumberFormat(sections) if code and any(one is None or one.telling for one in sections) else None


def number_formats(book: Workbook) -> dict[int, NumberFormat]:
    """The formats of a workbook that show more than a number, by the style of a cell."""
    return {style: known for style, code in format_codes(book).items() if (known := number_format(code))}


def format_codes(book: Workbook) -> dict[int, str]:
    """The codes of the formats of a workbook, by the style of a cell."""
    own, codes = book._number_formats, {}
    for style, cell in enumerate(book._cell_styles):
        n = cell.numFmtId - BUILTIN_FORMATS_MAX_SIZE
        codes[style] = BUILTIN_FORMATS.get(cell.numFmtId, "") if n < 0 else own[n] if n < len(own) else ""
    return codes


def _section(code: str) -> _Section | None:
    at, before, after, core, percent = 0, "", "", None, False
    while at < len(code):
        found = _TOKEN.match(code, at)
        if not found:
            return None
        at = found.end()
        if found["core"]:
            if core is not None:
                return None
            core = found["core"]
            continue
        percent = percent or found["plain"] == "%"
        literal = found["quoted"] or found["escaped"] or found["currency"] or found["plain"] or ""
        before, after = (before + literal, after) if core is None else (before, after + literal)
    if core is None:
        return _Section(before, after, number=False) if before.strip() else None
    if core[0] in "Gg@":
        return _Section(before, after, general=True)
    found = _PLACES.fullmatch(core)
    if not found:
        return None
    whole, fixed = found["whole"], len(found["fixed"] or "")
    places = fixed + len(found["more"] or "")
    return _Section(before, after, False, "," in whole, whole.count("0"), fixed, places, True, percent)


def _trimmed(number: Decimal, places: int) -> str:
    """`number` without zeros at its end, but with at least these places."""
    text = f"{number:f}"
    whole, _, rest = text.partition(".")
    rest = rest[:places] + rest[places:].rstrip("0")
    return f"{whole}.{rest}" if rest else whole
