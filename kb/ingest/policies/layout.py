"""Tables that lay out a page: a form of the office system or a frame in which one cell holds the document's own text, and a policy
that is written as a table, an article a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kb.ingest.policies.blocks import Block
from kb.ingest.policies.labels import ARTICLE, STRUCTURE, Label, label_of

_LEAST = 300
_LINES = 12
"""Characters, or lines, of a cell that is most of its document; a short document may well be one table."""
_MOST = 1500
"""No value of a table is so long."""
_LONGEST_TITLE = 20
_VERSIONS = re.compile("修[订改]前|修[订改]后|原[条规制]|新[条规制]|现行|检查|考核|扣分|处罚|罚款")
"""Heads of tables that compare articles or say what comes of them."""


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


def without_grids(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with the paragraphs of every table that is the policy itself, row by row: 第一条 | 目的 | 为规范…, or 第一条 为规范…
    beside its English or its explanation.

    A table that only speaks of articles, as those of two versions side by side do, stays.
    """
    labels = (label_of(block.text) for block in blocks if block.kind != "table")
    known = {label.value for label in labels if label and label.kind == ARTICLE}
    return [part for block in blocks for part in (_articles(block) if _is_policy(block, known) else (block,))]


def _is_policy(block: Block, known: set[int | None]) -> bool:
    if block.kind != "table" or len(block.rows[0]) > 3:
        return False
    labels = [_label(row[0]) for row in block.rows]
    values = [label.value or 0 for label in labels if label and label.kind == ARTICLE]
    beside = [_label(cell) for row in block.rows for cell in set(row[1:]) - {row[0]}]
    titles = [row[1] for row in block.rows if len(row) == 3 and len(set(row)) == 3]
    return (
        len(values) >= 3
        and values == sorted(set(values))
        and not known & set(values)
        and sum(label is None for label in labels) <= 1
        and not any(label and label.kind == ARTICLE for label in beside)
        and all(len(title) <= _LONGEST_TITLE for title in titles)
        and not _VERSIONS.search("".join(block.rows[0]))
    )


def _articles(block: Block) -> Iterator[Block]:
    for row in block.rows:
        if label := _label(row[0]):
            cells = list(dict.fromkeys(filter(None, row)))
            if not label.rest.strip() and len(cells) > 1 and (len(cells) == 2 or len(row) == 3):
                cells[:2] = [f"{cells[0]} {cells[1]}"]
            for line in "\n".join(cells).split("\n"):
                yield Block("paragraph", line, page=block.page)


def _label(cell: str) -> Label | None:
    label = label_of(cell)
    return label if label and (label.kind == ARTICLE or label.kind in STRUCTURE) else None
