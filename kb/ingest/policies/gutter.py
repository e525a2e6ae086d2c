"""Where a page of a PDF is set in two columns: the clear strip between them, and the order in which a reader goes through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

_CLEAR = 0.8
"""A gutter is at least so wide, and so wide are the gaps that may be one; in sizes of the type."""
_FULL = 1.6
"""A line is full that ends so near to its column's edge; in sizes of the type."""
_CLOSING = frozenset("，。、；：！？）》」』】〕”’")
_SHORTEST = 8
"""Columns of running text are at least so many characters wide; narrower ones are those of a table without rules."""


@dataclass(frozen=True)
class Run:
    """What a line prints without a wide gap in it; positions in points. `line` counts the page's lines from 0."""

    line: int
    left: float
    right: float
    size: float


@dataclass(frozen=True)
class Columns:
    """Two columns either side of `x` on the lines `lines`; `doubtful` when it may as well be a table without rules."""

    x: float
    lines: frozenset[int]
    doubtful: bool = False


def columns_of(lines: Sequence[Sequence[dict[str, Any]]], known: float | None = None) -> Columns | None:
    """The columns of a page, from the characters of its lines (pdfplumber's) from top to bottom.

    `known` is the place of the gutter on an earlier page: what is set around it needs no further sign of being columns.
    """
    runs = [run for n, chars in enumerate(lines) for run in _runs(n, chars)]
    if not runs:
        return None
    left, right = min(run.left for run in runs), max(run.right for run in runs)
    size = median(run.size for run in runs)
    places = [
        edge - _CLEAR * size / 2 for edge in _edges(runs, left + 0.3 * (right - left), left + 0.7 * (right - left))
    ]
    found = []
    for x in [*places, *([known] if known is not None else [])]:
        near = known is not None and abs(known - x) < 2 * size
        bands = (band for band in _bands(runs, x, size) if near or _is_text(band, x))
        found.append(Columns(x, frozenset(run.line for band in bands for run in band)))
    best = max(found, key=lambda one: len(one.lines), default=None)
    if best is not None and best.lines:
        return best
    beside = [Columns(x, _beside(runs, x, size), True) for x in places]
    return next((one for one in beside if len(one.lines) >= 3), None)


def _runs(line: int, chars: Sequence[dict[str, Any]]) -> list[Run]:
    printed = sorted((char for char in chars if char["text"].strip()), key=lambda char: char["x0"])
    if not printed:
        return []
    size = median(char["size"] for char in printed)
    cuts = [
        k
        for k, (one, two) in enumerate(pairwise(printed), 1)
        if two["x0"] - _right(one) > _CLEAR * min(one["size"], two["size"])
    ]
    parts = [printed[a:b] for a, b in pairwise([0, *cuts, len(printed)])]
    return [Run(line, part[0]["x0"], max(map(_right, part)), size) for part in parts]


def _right(char: dict[str, Any]) -> float:
    """Where the ink of a character ends: the blank half of a closing mark may hang over its column's edge."""
    return char["x1"] - (0.45 * (char["x1"] - char["x0"]) if char["text"] in _CLOSING else 0.0)


def _edges(runs: Sequence[Run], first: float, last: float) -> list[float]:
    """Where several lines of a right column may begin, the commonest place first."""
    lefts = Counter(round(run.left) for run in runs if first <= run.left <= last)
    return [edge for edge, count in lefts.most_common(5) if count >= 2]


def _bands(runs: Sequence[Run], x: float, size: float) -> list[list[Run]]:
    """The runs between one line that goes over the gutter and the next; only bands with text on both sides."""
    half = _CLEAR * size / 2
    over = {run.line for run in runs if run.left < x + half - 1 and run.right > x - half + 1}
    bands: list[list[Run]] = [[]]
    for run in runs:
        if run.line in over:
            bands.append([])
        else:
            bands[-1].append(run)
    return [band for band in bands if {run.left < x for run in band} == {True, False}]


def _is_text(band: Sequence[Run], x: float) -> bool:
    """Whether both sides are running text: of about one width, and many lines go to the edge."""
    sides = [_lines_of([run for run in band if (run.left < x) == first]) for first in (True, False)]
    widths = [max(run.right for run in side) - min(run.left for run in side) for side in sides]
    size = median(run.size for run in band)
    together = {run.line for run in sides[0]} & {run.line for run in sides[1]}
    across = range(max(side[0].line for side in sides), min(side[-1].line for side in sides) + 1)
    return (
        len(sides[0]) >= 3
        and len(sides[1]) >= 2
        and (len(together) >= 2 or len(across) >= 2)
        and min(widths) >= max(_SHORTEST * size, 0.7 * max(widths))
        and all(_full(side, size) >= 0.25 * len(side) for side in sides)
        and sum(_full(side, size) for side in sides) >= 0.4 * sum(map(len, sides))
    )


def _lines_of(runs: Sequence[Run]) -> list[Run]:
    """One run a line, from its first letter to its last."""
    lines: dict[int, Run] = {}
    for run in runs:
        last = lines.get(run.line, run)
        lines[run.line] = Run(run.line, min(last.left, run.left), max(last.right, run.right), run.size)
    return [lines[n] for n in sorted(lines)]


def _full(side: Sequence[Run], size: float) -> int:
    edge = max(run.right for run in side)
    return sum(edge - run.right < _FULL * size for run in side)


def _beside(runs: Sequence[Run], x: float, size: float) -> frozenset[int]:
    """The lines that end before the strip and go on right behind it."""
    half = _CLEAR * size / 2
    before = {run.line for run in runs if run.right <= x - half + 1}
    return frozenset(run.line for run in runs if run.line in before and abs(run.left - x - half) < 2)
