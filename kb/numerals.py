"""Chinese numerals as numbers: everyday ones (一千二百) and those of invoices and contracts (壹仟贰佰)."""

from __future__ import annotations

import re
from collections.abc import Callable

NUMERAL = "[〇零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟億萬]"
"""A character of a numeral, as a regular expression."""

_DIGITS = "零一二三四五六七八九"
_DIGIT = {c: i for digits in (_DIGITS, "〇壹贰叁肆伍陆柒捌玖") for i, c in enumerate(digits)} | {"两": 2}
_TENS = {"十": 10, "百": 100, "千": 1_000, "拾": 10, "佰": 100, "仟": 1_000}
_GROUPS = {"万": 10_000, "亿": 100_000_000, "萬": 10_000, "億": 100_000_000}
_APPROXIMATE = "几数第半多余来上近"
"""几百元, 第三天: what follows these is no amount."""


def value(numeral: str) -> int | None:
    """What it stands for; None where it is none, such as 三五 (三五天: three to five) or 千 (单位：千元)."""
    if all(c in _DIGIT for c in numeral):
        spelt = [_DIGIT[c] for c in numeral]
        return int("".join(map(str, spelt))) if len(spelt) != 2 or spelt[0] == 0 else None
    if numeral[0] in _GROUPS or (len(numeral) == 1 and _TENS[numeral] > 10):
        return None
    total = group = 0
    digit: int | None = None
    last = 1
    for c in numeral:
        if c in _DIGIT:
            if digit:
                return None
            digit, last = _DIGIT[c], last if _DIGIT[c] and digit is None else 1
            continue
        last = (_TENS | _GROUPS)[c]
        if c in _TENS:
            group += (1 if digit is None else digit) * last
        elif last > 10_000:
            total, group = (total + group + (digit or 0)) * last, 0
        else:
            total, group = total + (group + (digit or 0)) * last, 0
        digit = None
    return total + group + (digit or 0) * (last // 10 if last > 10 else 1)


def counting(units: str, least: int = 1) -> Callable[[str], str]:
    """Writes numerals of at least so many characters in digits, where one of the `units` (alternatives of a regular expression) follows."""
    found = re.compile(rf"(?<![{_APPROXIMATE}])(?<!{NUMERAL})(?<![\d.]){NUMERAL}{{{least},}}(?={units})")

    def written(match: re.Match[str]) -> str:
        number = value(match[0])
        return match[0] if number is None else str(number)

    return lambda text: found.sub(written, text)
