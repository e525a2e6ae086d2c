"""Tables that lay out a page: a form of the office system or a frame in which one cell holds the document's own text."""

from __future__ import annotations

from collections.abc import Sequence

from kb.ingest.policies.labels import ARTICLE, label_of

_LEAST = 300
_LINES = 12
"""Characters, or lines, of a cell that is most of its document; a short document may well be one table."""
_MOST = 1500
"""No value of a table is so long."""


def text_cell(row: Sequence[Sequence[str]], letters: int) -> int | None:
    """Which cell of a row, given as its lines, holds running text; None where none does, or several, as those of two versions do.

    `letters` are those of the whole document.
    """
    found = [k for k, lines in enumerate(row) if is_text(lines, letters)]
    return found[0] if len(found) == 1 else None


def is_text(lines: Sequence[str], letters: int) -> bool:
    """Whether a cell's lines are running text rather than a value."""
    labels = (label_of(line) for line in lines)
    articles = sum(label is not None and label.kind == ARTICLE for label in labels)
    long = sum(map(len, lines))
    if len(lines) >= 3 and articles >= 2:
        return True
    return len(lines) >= 5 and (long > _MOST or (2 * long > letters and (long >= _LEAST or len(lines) >= _LINES)))
