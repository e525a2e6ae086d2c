"""Tables between rules on the pages of a PDF, also where a page break has cut a merged cell in two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from typing import Any

from kb.ingest.policies.blocks import clean, joined
from kb.ingest.policies.layout import is_text

_WIDE = 0.6
"""A cell with running text takes at least so much of its table's width."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in points."""


@dataclass(frozen=True)
class Grid:
    """A table on a page of this height. `rows` have every merged cell filled into all its places, `cells` tell by number which places are one cell.

    `open` are the columns whose last cell has no rule below it; `mended` says that text was put where no whole cell is.
    """

    rows: list[list[str]]
    cells: list[list[int]]
    page: int
    box: Box
    height: float
    open: frozenset[int] = frozenset()
    mended: bool = False


@dataclass(frozen=True)
class Rules:
    """A table's cells and its edges, as pdfplumber's tables have them."""

    cells: list[Box]
    bbox: Box


def without_text(page: Any, found: Any) -> list[Rules]:
    """The parts of a table above and below a cell that holds running text of the page; the table itself where none does."""
    rest: list[Box] = sorted(_inside(page, found), key=lambda cell: (cell[1], cell[0]))
    texts = [cell for cell in rest if _is_frame(page, cell, found.bbox)]
    if not texts:
        return [Rules(found.cells, found.bbox)]
    parts, top = [], found.bbox[1]
    for _, first, _, last in [*texts, (0.0, found.bbox[3], 0.0, found.bbox[3])]:
        cells = [cell for cell in rest if cell[1] >= top - 1 and cell[3] <= first + 1]
        edges = [[cell[k] for cell in cells] for k in range(4)]
        parts += [Rules(cells, (min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])))] if cells else []
        top = last
    return parts


def _is_frame(page: Any, cell: Box, table: Box) -> bool:
    if cell[2] - cell[0] < _WIDE * (table[2] - table[0]):
        return False
    lines = [line for part in (page.crop(cell).extract_text() or "").split("\n") if (line := clean(part))]
    return is_text(lines, len(page.chars))


def grid_of(page: Any, found: Any, number: int) -> Grid:
    """The table that pdfplumber has `found` on the page with this number. Places in no cell are filled with the text that stands there."""
    cells = _inside(page, found)
    texts = [_text_of(page.crop(cell)) for cell in cells]
    columns = _edges([x for left, _, right, _ in cells for x in (left, right)])
    lines = _edges([y for _, top, _, bottom in cells for y in (top, bottom)])
    places = [
        [_cell_at(cells, (left + right) / 2, (top + bottom) / 2) for left, right in zip(columns, columns[1:], strict=False)]
        for top, bottom in zip(lines, lines[1:], strict=False)
    ]  # fmt: skip
    holes = _holes(places)
    for column, first, end in holes:
        texts.append(_text_in(page, (columns[column], lines[first], columns[column + 1], lines[end])))
        for line in range(first, end):
            places[line][column] = len(texts) - 1
    filled = [[place or 0 for place in row] for row in places]
    rows = [[texts[place] for place in row] for row in filled]
    kept = [k for k, row in enumerate(rows) if any(row)]
    opened = frozenset(column for column, _, end in holes if end == len(rows))
    mended = any(texts[len(cells) :])
    return Grid(
        [rows[k] for k in kept], [filled[k] for k in kept], number, found.bbox, float(page.height), opened, mended
    )


def tables_of(page: Any) -> list[Any]:
    """pdfplumber's tables of a page. One whose rules begin above its first line is open there: a page break has cut its row."""
    found = page.find_tables()
    tops = {top for one in found if (top := _open_top(page, one.bbox)) is not None}
    return page.find_tables({"explicit_horizontal_lines": sorted(tops)}) if tops else found


def _open_top(page: Any, box: Box) -> float | None:
    """Where the upright rules begin that stand on a table's first line, None where they begin with it."""
    rules = [
        edge["top"]
        for edge in page.edges
        if edge["orientation"] == "v"
        and box[0] - 3 <= edge["x0"] <= box[2] + 3
        and edge["top"] < box[1] - 5
        and edge["bottom"] >= box[1] - 3
    ]
    return min(rules) if len(_edges(rules)) == 1 and len(rules) >= 3 else None


def joined_grids(first: Grid, second: Grid) -> Grid | None:
    """A table with its part on the next page, None when that is another table. A head that is printed again goes."""
    if _width(first) != _width(second):
        first, second = _used(first), _used(second)
    if _width(first) != _width(second) or not second.rows:
        return None
    again = 0
    while again < min(len(second.rows), len(first.rows), 3) and second.rows[again] == first.rows[again]:
        again += 1
    more = max((cell for row in first.cells for cell in row), default=0) + 1
    rows = [*map(list, first.rows), *map(list, second.rows[again:])]
    cells = [*first.cells, *([cell + more for cell in row] for row in second.cells[again:])]
    mended = _fill_cut(rows, cells, len(first.rows), first.open)
    return replace(first, rows=rows, cells=cells, open=second.open, mended=first.mended or second.mended or mended)


def middle_in(thing: dict[str, Any], box: Box) -> bool:
    """Whether the middle of a character or rule of pdfplumber is in a box."""
    x, y = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _fill_cut(rows: list[list[str]], cells: list[list[int]], cut: int, opened: frozenset[int]) -> bool:
    """Fill the halves of cells that the page break before row `cut` has divided; whether there were any.

    A half without text tells itself by the missing rule above the break. Writers that draw that rule leave, at the left, an
    empty cell over several rows below it.
    """
    if not 0 < cut < len(rows):
        return False
    mended, beside = False, True
    for column in range(len(rows[0])):
        above, below = _whole(cells, cut - 1, column), _whole(cells, cut, column)
        was, now = rows[cut - 1][column], rows[cut][column]
        if was and not now and (column in opened or (beside and len(below) > 1)):
            for line in below:
                rows[line][column] = was
        elif now and not was and column in opened:
            for line in above:
                rows[line][column] = now
        else:
            beside = False
            continue
        mended = True
    return mended


def _whole(cells: list[list[int]], line: int, column: int) -> list[int]:
    """The rows over which the cell at a place goes."""
    return [k for k, row in enumerate(cells) if row[column] == cells[line][column]]


def _width(grid: Grid) -> int:
    return len(grid.rows[0]) if grid.rows else 0


def _used(grid: Grid) -> Grid:
    """Without the columns that are empty: rules that are drawn twice make such."""
    used = [column for column in range(_width(grid)) if any(row[column] for row in grid.rows)]
    return replace(
        grid,
        rows=[[row[column] for column in used] for row in grid.rows],
        cells=[[row[column] for column in used] for row in grid.cells],
        open=frozenset(k for k, column in enumerate(used) if column in grid.open),
    )


def _holes(places: list[list[int | None]]) -> list[tuple[int, int, int]]:
    """`(column, first row, row behind the last)` of the places one below the other that are in no cell."""
    return [
        (column, (rows := list(group))[0], rows[-1] + 1)
        for column, cells in enumerate(zip(*places, strict=True))
        for empty, group in groupby(range(len(cells)), lambda line, cells=cells: cells[line] is None)
        if empty
    ]


def _cell_at(cells: list[Box], x: float, y: float) -> int | None:
    return next((k for k, (x0, y0, x1, y1) in enumerate(cells) if x0 <= x <= x1 and y0 <= y <= y1), None)


def _text_in(page: Any, box: Box) -> str:
    return _text_of(page.filter(lambda thing: middle_in(thing, box)))


def _text_of(part: Any) -> str:
    """The lines of a cell as one: where numbers meet, as two values of one cell do, they stay two."""
    return reduce(joined, map(clean, (part.extract_text(x_tolerance_ratio=0.5) or "").split("\n")))


def _inside(page: Any, found: Any) -> list[Box]:
    """The table's cells, cut to the page: rules may run over its edge."""
    x0, top, x1, bottom = page.bbox
    cut = [(max(c[0], x0), max(c[1], top), min(c[2], x1), min(c[3], bottom)) for c in found.cells]
    return [cell for cell in cut if cell[2] - cell[0] > 1 and cell[3] - cell[1] > 1]


def _edges(values: list[float]) -> list[float]:
    """Positions that differ by less than a rule's width are one."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > 3:
            found.append(value)
    return found
