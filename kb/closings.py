"""Closings: what stands below a list or a table and governs it, such as 以上费用一律不予报销。 and 注：以上标准不含早餐。"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.ingest.policies.labels import ITEMS
from kb.leads import BULLET, Lead, Line, lines_of

_POINTS_BACK = re.compile(
    r"(?:^|(?<=[。；;]))[ \u3000]*((?:[（(]?注\d?[：:、]?\s*)?(?:以上|上述|上列|前述|前列|上表|表中)[^。！？!?\n]*[。！？!?]?)"
)


@dataclass(frozen=True)
class Closing:
    """`text` governs what stands from `start` to `end`, in characters of the whole text; there it is said."""

    text: str
    start: int
    end: int


def closings_of(text: str, leads: Sequence[Lead]) -> list[Closing]:
    """The closings of a text whose leads are known."""
    lines = [line for line in lines_of(text) if line.text.strip()]
    return [closing for at in range(len(lines)) for closing in _of_line(lines, at, leads)]


def _of_line(lines: Sequence[Line], at: int, leads: Sequence[Lead]) -> Iterator[Closing]:
    """A line below the list, or the end of its last item."""
    line = lines[at]
    found = None if line.is_table else _POINTS_BACK.search(line.text)
    if found is None or not (within := bool(line.text[: found.start(1)].strip())) and at == 0:
        return
    last = at if within else at - 1
    led = [
        lead.start
        for lead in leads
        if not lead.head and lead.end == lines[last].end and lead.start <= lines[last].start
    ]
    first = last
    while first >= 0 and _is_item(lines[first]):
        first -= 1
    start = min([*led, lines[first + 1].start])
    if start < (end := line.start + found.start(1)):
        yield Closing(found[1].strip(), start, end)


def _is_item(line: Line) -> bool:
    return line.is_table or bool(BULLET.match(line.text)) or bool(line.label and line.label.kind in ITEMS)
