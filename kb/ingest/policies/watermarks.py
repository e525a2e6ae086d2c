"""Watermarks of a PDF: letters aslant, and letters that lie over those of the text. Read along they get into words and amounts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any

Char = dict[str, Any]
Style = tuple[int, Any]

_SLANT = 0.1
"""Letters aslant climb at least so much of the way that they go; italics are drawn upright."""
_OFTEN = 0.2
"""A style is that of a watermark where so large a share of its letters lies over the text."""
_LARGER, _PALE = 1.3, 0.55
_APART = 2.5
"""Letters of one watermark follow each other so closely; in sizes of the type."""


class Watermarks:
    """What lies over the pages of one file, in their order. `texts` are what it says."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self._styles: set[Style] = set()

    def without(self, page: Any) -> Any:
        """The page without its watermark."""
        upright = [char for char in page.chars if not _is_slanted(char)]
        self._styles |= _over_the_text(upright)
        marks = [char for char in page.chars if self._is_mark(char)]
        if not marks:
            return page
        self.texts |= dict.fromkeys(_told(marks))
        return page.filter(lambda thing: not self._is_mark(thing))

    def _is_mark(self, thing: Char) -> bool:
        return thing.get("object_type") == "char" and (_is_slanted(thing) or _style(thing) in self._styles)


def _is_slanted(char: Char) -> bool:
    across, up, *_ = char.get("matrix") or (1, 0)
    return min(abs(across), abs(up)) > _SLANT * max(abs(across), abs(up))


def _style(char: Char) -> Style:
    color = char.get("non_stroking_color")
    return round(char["size"]), tuple(color) if isinstance(color, (list, tuple)) else color


def _over_the_text(chars: Sequence[Char]) -> set[Style]:
    """The styles whose letters lie over those of the commonest style. What fills in a blank lies over no letter."""
    letters = [char for char in chars if char["text"].isalnum()]
    styles = Counter(map(_style, letters))
    if len(styles) < 2:
        return set()
    text = styles.most_common(1)[0][0]
    middles = sorted(
        ((one["top"] + one["bottom"]) / 2, (one["x0"] + one["x1"]) / 2) for one in letters if _style(one) == text
    )
    heights = [height for height, _ in middles]
    over = Counter(
        _style(char) for char in letters if _may_be_mark(_style(char), text) and _covers(char, middles, heights)
    )
    return {style for style, count in over.items() if count > 1 and count >= _OFTEN * styles[style]}


def _may_be_mark(style: Style, text: Style) -> bool:
    """Watermarks are larger than the text, or pale: red amounts that stand too close to other letters are none."""
    return style != text and (style[0] >= _LARGER * text[0] or _lightness(style[1]) > _PALE)


def _lightness(color: Any) -> float:
    """0 for black, 1 for white, of a grey, a red-green-blue or a four-colour value; 0 for what is none of these."""
    values = list(color) if isinstance(color, tuple) else [color]
    if not values or not all(isinstance(one, (int, float)) for one in values):
        return 0.0
    if len(values) == 4:
        return (1 - values[3]) * (1 - sum(values[:3]) / 3)
    return sum(values) / len(values)


def _covers(char: Char, middles: Sequence[tuple[float, float]], heights: Sequence[float]) -> bool:
    """Whether the middle of a letter of the text lies well within a character."""
    high, wide = 0.15 * (char["bottom"] - char["top"]), 0.15 * (char["x1"] - char["x0"])
    first, last = bisect_left(heights, char["top"] + high), bisect_right(heights, char["bottom"] - high)
    return any(char["x0"] + wide < x < char["x1"] - wide for _, x in middles[first:last])


def _told(marks: Sequence[Char]) -> list[str]:
    texts: list[str] = []
    before: Char | None = None
    for char in marks:
        near = before is not None and _style(before) == _style(char) and _distance(before, char) < _APART * char["size"]
        if near:
            texts[-1] += char["text"]
        else:
            texts.append(char["text"])
        before = char
    return [text.strip() for text in texts if text.strip()]


def _distance(first: Char, second: Char) -> float:
    x = (first["x0"] + first["x1"] - second["x0"] - second["x1"]) / 2
    y = (first["top"] + first["bottom"] - second["top"] - second["bottom"]) / 2
    return float((x * x + y * y) ** 0.5)
