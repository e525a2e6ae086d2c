"""PDF files with text: lines become paragraphs again, tables between rules become tables, running heads go."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Block, Document, clean, joined, table
from kb.ingest.policies.labels import label_of

# It warns of every font that lacks a figure, dozens of lines a file, and nobody can act upon it; what it cannot read it raises.
logging.getLogger("pdfminer").setLevel(logging.ERROR)

Progress = Callable[[int, int], None]

_MARGIN = 0.12
"""Running heads and page numbers stand in this part of the page's height, above and below."""
_PAGE_NUMBER = re.compile(
    r"^[-—–·\s]*(?:第\s*)?(?:\d{1,4}|[ivxlcIVXLC]{1,6})(?:\s*页)?(?:\s*[/／]?\s*(?:共\s*)?\d{1,4}(?:\s*页)?)?[-—–·\s]*$"
)
_STOP = tuple("。；：！？;:!?")
_UNREADABLE = re.compile(r"\(cid:\d+\)|[\ue000-\uf8ff\ufffd]")


@dataclass(frozen=True)
class _Line:
    """A printed line. Positions are in points from the left and the top; `height` is the page's."""

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float
    size: float
    height: float


@dataclass(frozen=True)
class _Table:
    rows: list[list[str]]
    page: int
    top: float


def read_pdf(path: Path, progress: Progress = lambda done, total: None) -> Document:
    """The blocks of a PDF. Raises InvalidInput (Chinese) for scans, passwords, damage and fonts without characters."""
    try:
        with pdfplumber.open(path) as pdf:
            pages: list[list[_Line | _Table]] = []
            pictures: list[int] = []
            for number, page in enumerate(pdf.pages, 1):
                progress(number - 1, len(pdf.pages))
                found = _read_page(page, number)
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
        some = "、".join(map(str, pictures[:10])) + ("等" if len(pictures) > 10 else "")
        notes.append(f"第 {some} 页是图片，没有读取；请用文字识别（OCR）后再导入这些页。")
    kept, dropped = _without_running_heads(pages)
    if dropped:
        notes.append("各页重复的页眉、页脚和页码已去除。")
    return Document(_blocks(kept), notes, {"title": title} if title else {})


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


def _check_text(pages: list[list[_Line | _Table]], pictures: list[int]) -> None:
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


def _read_page(page: Any, number: int) -> list[_Line | _Table]:
    """Lines and tables from top to bottom. Text in a table is in no line."""
    found: list[_Line | _Table] = []
    outside = page
    for one in page.find_tables():
        rows = _grid(page, one)
        if table(rows) is None:
            continue
        found.append(_Table(rows, number, one.bbox[1]))
        outside = outside.filter(lambda thing, box=one.bbox: not _middle_in(thing, box))
    for line in outside.dedupe_chars().extract_text_lines(return_chars=True, x_tolerance_ratio=0.5, y_tolerance=3):
        if text := clean(line["text"]):
            sizes = [char["size"] for char in line["chars"]]
            found.append(
                _Line(
                    text, number, line["x0"], line["x1"], line["top"], line["bottom"], median(sizes), float(page.height)
                )
            )
    return sorted(found, key=lambda one: one.top)


def _middle_in(thing: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _grid(page: Any, one: Any) -> list[list[str]]:
    """The table's cells with every merged one filled into all its places."""
    cells = [
        (cell, clean((page.crop(cell).extract_text(x_tolerance_ratio=0.5) or "").replace("\n", "")))
        for cell in _inside(page, one)
    ]
    columns = _edges([x for (left, _, right, _), _ in cells for x in (left, right)])
    lines = _edges([y for (_, top, _, bottom), _ in cells for y in (top, bottom)])
    rows: list[list[str]] = []
    for top, bottom in zip(lines, lines[1:], strict=False):
        row = []
        for left, right in zip(columns, columns[1:], strict=False):
            x, y = (left + right) / 2, (top + bottom) / 2
            row.append(next((text for (x0, y0, x1, y1), text in cells if x0 <= x <= x1 and y0 <= y <= y1), ""))
        rows.append(row)
    return rows


def _inside(page: Any, one: Any) -> list[tuple[float, float, float, float]]:
    """The table's cells, cut to the page: rules may run over its edge."""
    x0, top, x1, bottom = page.bbox
    cut = [(max(c[0], x0), max(c[1], top), min(c[2], x1), min(c[3], bottom)) for c in one.cells]
    return [cell for cell in cut if cell[2] - cell[0] > 1 and cell[3] - cell[1] > 1]


def _edges(values: list[float]) -> list[float]:
    """Positions that differ by less than a rule's width are one."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > 3:
            found.append(value)
    return found


def _without_running_heads(pages: list[list[_Line | _Table]]) -> tuple[list[list[_Line | _Table]], bool]:
    """Without page numbers and what stands in the margin of page after page."""

    def in_margin(line: _Line) -> bool:
        return line.bottom < line.height * _MARGIN or line.top > line.height * (1 - _MARGIN)

    def key(line: _Line) -> tuple[str, int]:
        return re.sub(r"\d+", "#", line.text), round(line.top / 8)

    seen = Counter(
        where
        for page in pages
        for where in {key(one) for one in page if isinstance(one, _Line) and in_margin(one)}
        | {(text, at + 1) for text, at in {key(one) for one in page if isinstance(one, _Line) and in_margin(one)}}
    )
    often = max(2, round(0.4 * len(pages)))
    kept: list[list[_Line | _Table]] = []
    dropped = False
    for page in pages:
        rest = []
        for one in page:
            running = isinstance(one, _Line) and in_margin(one) and not _begins_article(one)
            if running and (seen[key(one)] >= often or _PAGE_NUMBER.match(one.text)):
                dropped = True
            else:
                rest.append(one)
        kept.append(rest)
    return kept, dropped


def _begins_article(line: _Line) -> bool:
    label = label_of(line.text)
    return label is not None and label.kind in ("article", "chapter")


def _blocks(pages: Sequence[Sequence[_Line | _Table]]) -> list[Block]:
    lines = [one for page in pages for one in page if isinstance(one, _Line)]
    body = _common_size(lines)
    left, right = _margins([line for line in lines if abs(line.size - body) < 1])
    gap = _common_gap(pages, body)
    blocks: list[Block] = []
    held: Block | None = None
    before: _Line | _Table | None = None
    for page in pages:
        for one in page:
            if isinstance(one, _Table):
                blocks += [held] if held else []
                held = None
                _add_table(blocks, one, before)
            elif held is not None and isinstance(before, _Line) and _goes_on(before, one, body, left, right, gap):
                held = Block(held.kind, joined(held.text, one.text), held.level, held.page)
            else:
                blocks += [held] if held else []
                heading = _is_heading(one, body, left, right)
                held = Block("heading" if heading else "paragraph", one.text, _level(one.size, body), one.page)
            before = one
    return blocks + ([held] if held else [])


def _add_table(blocks: list[Block], one: _Table, before: _Line | _Table | None) -> None:
    """A table that goes on on the next page joins its first part; a head that is printed again is dropped."""
    found = table(one.rows, one.page)
    last = blocks[-1] if blocks else None
    if found is None:
        return
    goes_on = isinstance(before, _Table) and before.page == one.page - 1 and last is not None and last.kind == "table"
    if goes_on and last is not None and len(last.rows[0]) == len(found.rows[0]):
        again = 0
        while again < min(len(found.rows), len(last.rows), 3) and found.rows[again] == last.rows[again]:
            again += 1
        blocks[-1] = Block("table", page=last.page, rows=last.rows + found.rows[again:])
    else:
        blocks.append(found)


def _goes_on(last: _Line, line: _Line, body: float, left: float, right: float, gap: float) -> bool:
    """Whether `line` is of the same paragraph as the line before it."""
    if abs(last.size - line.size) > 1:
        return False
    same_page = last.page == line.page
    if same_page and line.top < last.bottom - line.size * 0.7:
        return False
    if same_page and line.top - last.bottom > max(gap * 1.6, gap + body * 0.6):
        return False
    numbered = label_of(line.text) is not None
    if _is_heading(last, body, left, right) and _is_heading(line, body, left, right):
        return same_page and not numbered and label_of(last.text) is None
    full = last.right > right - 1.6 * body
    indented = line.left > left + 1.2 * body
    if not full or indented:
        return False
    return not (numbered and last.text.endswith(_STOP))


def _is_heading(line: _Line, body: float, left: float, right: float) -> bool:
    """Larger than the text, or a short line in the middle of the page."""
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


def _common_gap(pages: Sequence[Sequence[_Line | _Table]], body: float) -> float:
    gaps = [
        second.top - first.bottom
        for page in pages
        for first, second in zip(page, page[1:], strict=False)
        if isinstance(first, _Line) and isinstance(second, _Line) and second.top > first.bottom - body * 0.5
    ]
    return max(median(gaps), 0.0) if gaps else body * 0.5
