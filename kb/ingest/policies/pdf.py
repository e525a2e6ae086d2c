"""PDF files with text: lines become paragraphs again, tables between rules become tables, running heads go."""

from __future__ import annotations

import logging
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Block, Document, clean, rejoined, table
from kb.ingest.policies.grids import Grid, grid_of, joined_grids, middle_in, tables_of, without_text
from kb.ingest.policies.gutter import Columns, columns_of
from kb.ingest.policies.labels import ARTICLE, STRUCTURE, label_of
from kb.ingest.policies.superscripts import raised
from kb.ingest.policies.watermarks import Watermarks

# It warns of every font that lacks a figure, dozens of lines a file, and nobody can act upon it; what it cannot read it raises.
logging.getLogger("pdfminer").setLevel(logging.ERROR)

Progress = Callable[[int, int], None]
_Form = tuple[tuple[str, ...], int]

_MARGIN = 0.12
"""Running heads and page numbers stand in this part of the page's height, above and below."""
_PAGE_NUMBER = re.compile(
    r"^[-—–·\s]*(?:第\s*)?(?:\d{1,4}|[ivxlcIVXLC]{1,6})(?:\s*页)?(?:\s*[/／]?\s*(?:共\s*)?\d{1,4}(?:\s*页)?)?[-—–·\s]*$"
)
_STOP = tuple("。；：！？;:!?")
_UNREADABLE = re.compile(r"\(cid:\d+\)|[\ue000-\uf8ff\ufffd]")


@dataclass(frozen=True)
class _Line:
    """A printed line. Positions are in points from the left and the top; `height` is the page's.

    `column` are the left and right edges of the column that it is set in, None where it has the page for itself.
    """

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float
    size: float
    height: float
    column: tuple[float, float] | None = None


def read_pdf(path: Path, progress: Progress = lambda done, total: None) -> Document:
    """The blocks of a PDF. Raises InvalidInput (Chinese) for scans, passwords, damage and fonts without characters."""
    try:
        with pdfplumber.open(path) as pdf:
            pages: list[list[_Line | Grid]] = []
            pictures: list[int] = []
            gutters: dict[int, Columns] = {}
            gutter: float | None = None
            watermarks = Watermarks()
            for number, page in enumerate(pdf.pages, 1):
                progress(number - 1, len(pdf.pages))
                found, columns = _read_page(watermarks.without(page).dedupe_chars(), number, gutter)
                if columns is not None:
                    gutters[number] = columns
                    gutter = gutter if columns.doubtful else columns.x
                if not found and page.images:
                    pictures.append(number)
                pages.append(found)
                page.close()
            title = clean(str((pdf.metadata or {}).get("Title") or ""))
    except (PDFPasswordIncorrect, PDFEncryptionError) as error:
        raise InvalidInput("PDF 设有打开密码，无法读取。请取消密码（另存为或打印为新的 PDF）后重试。") from error
    except InvalidInput:
        raise
    except Exception as error:
        if not _is_damage(error):
            raise
        raise InvalidInput("PDF 已损坏，打不开。请重新导出 PDF，或找文件的提供人重新发送。") from error
    _check_text(pages, pictures)
    notes = []
    if pictures:
        notes.append(f"{_pages(pictures)}是图片，没有读取；请用文字识别（OCR）后再导入这些页。")
    if watermarks.texts:
        notes.append("水印（斜排的、盖在正文上的文字）没有读取。")
    kept, dropped = _without_running_heads(pages)
    if dropped:
        notes.append("各页重复的页眉、页脚和页码已去除。")
    notes += _column_notes(gutters)
    whole = _with_whole_tables(kept)
    if mended := [one.page for page in whole for one in page if isinstance(one, Grid) and one.mended]:
        notes.append(f"{_pages(mended)}的表格有缺少框线或被分页截断的单元格，已按位置补全，请对照原文核对。")
    margin = [one.text for page in pages[:3] for one in page if isinstance(one, _Line) and _in_margin(one)]
    about = {"title": title, "margin": "\n".join([*margin, *watermarks.texts])}
    return Document(_blocks(whole), notes, {key: text for key, text in about.items() if text})


def _column_notes(gutters: dict[int, Columns]) -> list[str]:
    notes = []
    if clear := [page for page, one in gutters.items() if not one.doubtful]:
        notes.append(f"{_pages(clear)}分两栏，已按先左栏后右栏的顺序读取，请对照原文核对。")
    if doubtful := [page for page, one in gutters.items() if one.doubtful]:
        notes.append(
            f"{_pages(doubtful)}有几行文字左右分开，可能是分栏或没有框线的表格，已逐行从左到右读取；"
            "请对照原文核对，顺序不对时请改用 Word 文件导入。"
        )
    return notes


def _pages(numbers: Sequence[int]) -> str:
    """第 1、3 页, at most ten of them."""
    some = list(dict.fromkeys(numbers))
    return f"第 {'、'.join(map(str, some[:10]))}{'等' if len(some) > 10 else ''} 页"


def _is_damage(error: Exception) -> bool:
    """What pdfminer raises on broken files is of many kinds; a stopped import is none of them."""
    module = type(error).__module__
    wraps = (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        AssertionError,
        RecursionError,
        OSError,
        ArithmeticError,
    )
    return isinstance(error, wraps) or module.startswith(("pdfminer", "pdfplumber", "struct", "zlib"))


def _check_text(pages: list[list[_Line | Grid]], pictures: list[int]) -> None:
    texts = [one.text if isinstance(one, _Line) else "".join(map("".join, one.rows)) for page in pages for one in page]
    letters = sum(len(text) for text in texts)
    if letters < 20:
        if pictures or not letters:
            raise InvalidInput(
                "这份 PDF 没有文字层，可能是扫描件。请用文字识别（OCR）软件转换成可以选中文字的 PDF 或 Word，核对后再导入。"
            )
        raise InvalidInput("这份 PDF 里几乎没有文字，请检查是否选对了文件。")
    if sum(len(_UNREADABLE.findall(text)) for text in texts) > 0.05 * letters:
        raise InvalidInput(
            "这份 PDF 的字体没有文字编码，读出来是乱码。请用原来的 Word 文件导入，或用文字识别（OCR）转换后再导入。"
        )


def _read_page(page: Any, number: int, gutter: float | None) -> tuple[list[_Line | Grid], Columns | None]:
    """Lines and tables as they are read, and the page's columns; `gutter` is where earlier pages have theirs.

    Text in a table is in no line.
    """
    found: list[_Line | Grid] = []
    _mark_raised(page.chars)
    outside = page
    for one in (part for whole in tables_of(page) for part in without_text(page, whole)):
        grid = grid_of(page, one, number)
        if table(grid.rows) is None:
            continue
        found.append(grid)
        outside = outside.filter(lambda thing, box=grid.box: not middle_in(thing, box))
    lines, columns = _lines(outside, number, gutter)
    return _in_order([*found, *lines], columns), columns


def _mark_raised(chars: Sequence[dict[str, Any]]) -> None:
    """Make ¹²³ of the digits that are set smaller and higher than the character that they stand behind."""
    before: dict[str, Any] | None = None
    for char in chars:
        if not before or not char["text"].strip():
            before = char if char["text"].strip() else before
            continue
        beside = -1 <= char["x0"] - before["x1"] <= before["size"] * 0.4
        smaller = char["size"] <= before["size"] * 0.8
        higher = (
            before["top"] - before["size"] * 0.5 <= char["top"]
            and char["bottom"] < before["bottom"] - before["size"] * 0.1
        )
        if char["text"].isdecimal() and beside and smaller and higher:
            char["text"] = raised(char["text"])
            before = {**before, "x1": char["x1"]}
        else:
            before = char


def _lines(page: Any, number: int, gutter: float | None) -> tuple[list[_Line], Columns | None]:
    """A page's lines; in two columns, where it has them, each line is in one of them."""
    told = _told(page)
    columns = columns_of([line["chars"] for line in told], gutter)
    lines = [_line(one, number, page.height) for one in told]
    if columns is None:
        return lines, None
    if columns.doubtful:
        # Without a right edge no line is full, and none of a table's lines is joined to the next.
        return [
            replace(one, column=(one.left, inf)) if n in columns.lines else one for n, one in enumerate(lines)
        ], columns
    over = {_where(char) for n, line in enumerate(told) if n not in columns.lines for char in line["chars"]}
    found = [one for n, one in enumerate(lines) if n not in columns.lines]
    for right in (False, True):
        side = page.filter(lambda thing, right=right: _where(thing) not in over and (thing["x0"] > columns.x) == right)
        lines = [_line(one, number, page.height) for one in _told(side)]
        edges = _margins(lines)
        found += [replace(one, column=edges) for one in lines]
    return found, columns


def _told(page: Any) -> list[dict[str, Any]]:
    """pdfplumber's lines from top to bottom, each with its characters."""
    told = page.extract_text_lines(return_chars=True, x_tolerance_ratio=0.5, y_tolerance=3)
    return sorted((line for line in told if clean(line["text"])), key=lambda line: line["top"])


def _line(told: dict[str, Any], number: int, height: float) -> _Line:
    size = median(char["size"] for char in told["chars"])
    edges = (told["x0"], told["x1"], told["top"], told["bottom"])
    return _Line(clean(told["text"]), number, *edges, size, float(height))


def _where(thing: dict[str, Any]) -> tuple[Any, float, float]:
    return thing.get("text"), thing["x0"], thing["top"]


def _in_order(things: list[_Line | Grid], columns: Columns | None) -> list[_Line | Grid]:
    """From top to bottom; what stands in columns the left one first, down to the next thing that goes over both."""

    def top(one: _Line | Grid) -> float:
        return one.box[1] if isinstance(one, Grid) else one.top

    def side(one: _Line | Grid) -> int:
        if columns is None or columns.doubtful:
            return 0
        if isinstance(one, Grid):
            return 1 if one.box[2] <= columns.x else 2 if one.box[0] >= columns.x else 0
        return 0 if one.column is None else 1 if one.left < columns.x else 2

    def place(one: _Line | Grid) -> tuple[int, int, float]:
        at, beside = top(one), side(one)
        return (bisect_left if beside else bisect_right)(over, at), beside, at

    over = sorted(top(one) for one in things if not side(one))
    return sorted(things, key=place)


def _in_margin(line: _Line) -> bool:
    return line.bottom < line.height * _MARGIN or line.top > line.height * (1 - _MARGIN)


def _without_running_heads(pages: list[list[_Line | Grid]]) -> tuple[list[list[_Line | Grid]], bool]:
    """Without page numbers and what stands in the margin of page after page. A table in the heads, as procedures have it, tells
    number and version: it stays once.

    第一章 总则 and 附件2 may begin a page; they are of its head only where the very same words are in the same place of the next.
    No article is.
    """
    seen = _in_margins(pages)
    forms = Counter(form for page in pages for form in {_form(one) for one in page if isinstance(one, Grid)})
    often = max(2, round(0.4 * len(pages)))
    kept: list[list[_Line | Grid]] = []
    dropped = False
    shown: set[_Form] = set()
    for number, page in enumerate(pages):
        rest = []
        near = [*pages[max(number - 2, 0) : number], *pages[number + 1 : number + 3]]
        for one in page:
            if isinstance(one, Grid):
                form = _form(one)
                running = form in shown and forms[form] >= often and one.box[1] < _MARGIN * one.height
                shown.add(form)
            elif not _in_margin(one) or (label := label_of(one.text)) and label.kind == ARTICLE:
                running = False
            elif label and label.kind in STRUCTURE:
                running = any(_is_again(one, other) for other in near)
            else:
                text = re.sub(r"\d+", "#", one.text)
                running = seen[text, _place(one)] >= often or bool(_PAGE_NUMBER.match(one.text))
            dropped = dropped or running
            rest += [] if running else [one]
        kept.append(rest)
    return kept, dropped


def _form(grid: Grid) -> _Form:
    """A table's words and place, whatever numbers it has."""
    return tuple(re.sub(r"\d+", "#", cell) for row in grid.rows for cell in row), round(grid.box[1] / 8)


def _in_margins(pages: list[list[_Line | Grid]]) -> Counter[tuple[str, int]]:
    """On how many pages a margin tells the same, whatever numbers it has, in about the same place."""
    found: Counter[tuple[str, int]] = Counter()
    for page in pages:
        here = {
            (re.sub(r"\d+", "#", one.text), _place(one)) for one in page if isinstance(one, _Line) and _in_margin(one)
        }
        found.update(here | {(text, at + 1) for text, at in here})
    return found


def _place(line: _Line) -> int:
    return round(line.top / 8)


def _is_again(line: _Line, page: list[_Line | Grid]) -> bool:
    """Whether a page tells the very same in about the same place of its margin."""
    return any(
        isinstance(one, _Line) and one.text == line.text and _in_margin(one) and abs(one.top - line.top) < 8
        for one in page
    )


def _blocks(pages: Sequence[Sequence[_Line | Grid]]) -> list[Block]:
    lines = [one for page in pages for one in page if isinstance(one, _Line)]
    body = _common_size(lines)
    edges = _margins([line for line in lines if abs(line.size - body) < 1])
    gap = _common_gap(pages, body)
    blocks: list[Block] = []
    held: Block | None = None
    before: _Line | Grid | None = None
    for page in pages:
        for one in page:
            if isinstance(one, Grid):
                blocks += [held] if held else []
                held = None
                blocks += [found] if (found := table(one.rows, one.page)) else []
            elif held is not None and isinstance(before, _Line) and _goes_on(before, one, body, edges, gap):
                held = Block(held.kind, rejoined(held.text, one.text), held.level, held.page)
            else:
                blocks += [held] if held else []
                heading = _is_heading(one, body, edges)
                held = Block("heading" if heading else "paragraph", one.text, _level(one.size, body), one.page)
            before = one
    return blocks + ([held] if held else [])


def _with_whole_tables(pages: Sequence[Sequence[_Line | Grid]]) -> list[list[_Line | Grid]]:
    """Every table that goes on on the next page joined to its first part."""
    whole: list[list[_Line | Grid]] = []
    holder: list[_Line | Grid] = []
    before: _Line | Grid | None = None
    for page in pages:
        whole.append([])
        for one in page:
            last = holder[-1] if holder and isinstance(before, Grid) and before.page == one.page - 1 else None
            if isinstance(one, Grid) and isinstance(last, Grid) and (found := joined_grids(last, one)):
                holder[-1] = found
            else:
                holder = whole[-1]
                holder.append(one)
            before = one
    return whole


def _goes_on(last: _Line, line: _Line, body: float, edges: tuple[float, float], gap: float) -> bool:
    """Whether `line` is of the same paragraph as the line before it. From column to column is as from page to page."""
    if abs(last.size - line.size) > 1:
        return False
    if (last.column is None) != (line.column is None):
        return False
    same_page = (last.page, last.column) == (line.page, line.column)
    if same_page and line.top < last.bottom - line.size * 0.7:
        return False
    if same_page and line.top - last.bottom > max(gap * 1.6, gap + body * 0.6):
        return False
    numbered = label_of(line.text) is not None
    if _is_heading(last, body, edges) and _is_heading(line, body, edges):
        return same_page and not numbered and label_of(last.text) is None
    full = last.right > (last.column or edges)[1] - 1.6 * body
    indented = line.left > (line.column or edges)[0] + 1.2 * body
    if not full or indented:
        return False
    return not (numbered and last.text.endswith(_STOP))


def _is_heading(line: _Line, body: float, edges: tuple[float, float]) -> bool:
    """Larger than the text, or a short line in the middle of the page or of its column."""
    left, right = line.column or edges
    if line.size > body * 1.12:
        return True
    middle = abs((line.left - left) - (right - line.right)) < 1.5 * body
    return middle and line.left - left > 3 * body and not line.text.endswith(_STOP) and len(line.text) <= 40


def _level(size: float, body: float) -> int:
    return 1 if size > body * 1.4 else 2 if size > body * 1.2 else 3


def _common_size(lines: list[_Line]) -> float:
    counts: Counter[float] = Counter()
    for line in lines:
        counts[round(line.size * 2) / 2] += len(line.text)
    return counts.most_common(1)[0][0] if counts else 10.5


def _margins(lines: list[_Line]) -> tuple[float, float]:
    """Where full lines begin and end: the commonest left edge among the leftmost, the right edge that most long lines reach."""
    if not lines:
        return 0.0, 0.0
    lefts = Counter(round(line.left / 3) * 3 for line in lines)
    often = [edge for edge, count in lefts.items() if count >= max(2, 0.08 * len(lines))]
    left = min(often) if often else min(line.left for line in lines)
    rights = sorted(line.right for line in lines)
    return float(left), rights[int(0.9 * (len(rights) - 1))]


def _common_gap(pages: Sequence[Sequence[_Line | Grid]], body: float) -> float:
    gaps = [
        second.top - first.bottom
        for page in pages
        for first, second in zip(page, page[1:], strict=False)
        if isinstance(first, _Line) and isinstance(second, _Line) and second.top > first.bottom - body * 0.5
    ]
    return max(median(gaps), 0.0) if gaps else body * 0.5
