"""Numbers as a sheet shows them: 0.03 below the format `0%` is 3%."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openpyxl import Workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

_LARGEST = 10**15
"""Excel keeps fifteen digits."""
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")
_LAYOUT = re.compile(r'\[[^\]]*\]|_.|\*.|["\\]')
_KNOWN = re.compile(r"([¥￥$€]?) ?(#,##)?0(?:\.(0+))? ?(%?)")


@dataclass(frozen=True)
class NumberFormat:
    """Percentages and thousands; what else a format may say is left to the plain number."""

    currency: str
    thousands: bool
    places: int
    percent: bool

    def show(self, value: float) -> str | None:
        """As Excel shows it; None for what is too large or below zero under a currency."""
        if not abs(value) < _LARGEST or value < 0 and self.currency:
            return None
        exact = Decimal(repr(value)) * (100 if self.percent else 1)
        rounded = exact.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP)
        return f"{self.currency}{rounded:{',' if self.thousands else ''}f}{'%' if self.percent else ''}"


def number_format(code: str) -> NumberFormat | None:
    """The format that a code means; None when it shows neither a percentage nor thousands."""
    plain = _LAYOUT.sub("", _CURRENCY.sub(r"\1", code.split(";")[0])).strip()
    found = _KNOWN.fullmatch(plain)
    if not found or not (found[2] or found[4]):
        return None
    return NumberFormat(found[1], bool(found[2]), len(found[3] or ""), bool(found[4]))


def number_formats(book: Workbook) -> dict[int, NumberFormat]:
    """The formats of a workbook that we can show, by the style of a cell."""
    found = {}
    for style, cell in enumerate(book._cell_styles):
        n = cell.numFmtId - BUILTIN_FORMATS_MAX_SIZE
        own = book._number_formats
        code = BUILTIN_FORMATS.get(cell.numFmtId, "") if n < 0 else own[n] if n < len(own) else ""
        if known := number_format(code):
            found[style] = known
    return found
