"""Numbers of lists in Markdown as a page shows them: an item that is written `1.` again is the next one, inner lists have letters."""

from __future__ import annotations

import re

from kb.ingest.policies.labels import label_of
from kb.ingest.policies.numbering import spelled

_ITEM = re.compile(r"^([ \t]*)(?:(\d{1,3})([.)])|[-*+])[ \t]+(?=\S)")
_HEADING = re.compile(r" {0,3}#")
_FORMS = ("decimal", "lowerLetter", "lowerRoman")


class Lists:
    """Counts along the lines of one document, in their order."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str, int]] = []
        self._blank = False

    def shown(self, line: str) -> str:
        """The line with the number that a reader sees."""
        found = _ITEM.match(line)
        if found is None:
            if (self._blank and line[:1].strip()) or _begins_anew(line):
                self._open = []
            self._blank = not line.strip()
            return line
        self._blank = False
        indent, kind = len(found[1].expandtabs(4)), found[3] or ""
        while self._open and self._open[-1][0] > indent:
            self._open.pop()
        before = self._open.pop() if self._open and indent - self._open[-1][0] < 2 else None
        number = int(found[2] or 0)
        if before and before[1] == kind and number <= before[2]:
            number = before[2] + 1
        self._open.append((indent, kind, number))
        if not kind:
            return line
        depth = sum(bool(one) for _, one, _ in self._open)
        return f"{found[1]}{spelled(number, _FORMS[(depth - 1) % len(_FORMS)])}{kind} {line[found.end() :]}"


def _begins_anew(line: str) -> bool:
    """Whether a line ends the list above it without an empty one between: a heading, 第二条, （二）."""
    return bool(_HEADING.match(line)) or label_of(line.lstrip("*_> ")) is not None
