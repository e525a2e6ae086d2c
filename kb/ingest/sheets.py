"""Tables of cells out of .xlsx and .csv files, row by row, so that a large file needs little memory."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
from openpyxl.worksheet._reader import FORMULA_TAG, INLINE_STRING, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS

from core.errors import InvalidInput
from kb.ingest.attachments import attachments
from kb.ingest.delimited import delimited
from kb.ingest.figures import format_codes, number_formats
from kb.ingest.moments import moment_shown
from kb.ingest.rows import MOST_COLUMNS, PICTURE, Cell, Display, Row, Sheet, ShownDay, Struck, Unusable
from kb.ingest.strings import seen, shared_strings, string_of
from kb.placeholders import is_picture

_TRUE = ("1", "true")
_UNCALCULATED = "是公式，但文件里没有它的计算结果；请用 Excel 打开并保存一次，或粘贴为数值"
_MOST_MERGES = 100_000
_LINKED = re.compile(r'\s*HYPERLINK\(\s*"((?:[^"]|"")+)"', re.I)
_STRUCK = "的内容带删除线，没有读取；如仍然有效请去掉删除线，否则请清空这一格"
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^>]*?\bref=[\"'][A-Z]+\d+:[A-Z]+(\d+)")
_BROKEN = (
    zipfile.BadZipFile,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    SyntaxError,
    EOFError,
    OSError,
)
_TAIL = re.compile(rb"<(?:\w+:)?(?:mergeCells|hyperlinks)\b.*", re.S)
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']")
_LINK = re.compile(rb"<(?:\w+:)?hyperlink\b[^>]*")
_REF = re.compile(rb"\bref=[\"']([A-Z]+\d+)")
_LINK_ID = re.compile(rb"\w+:id=[\"']([^\"']+)")


def read_sheets(path: Path, form: str) -> Iterator[Sheet]:
    """The visible sheets of a checked file, one after the other. Raises InvalidInput when it turns out to be damaged."""
    return _workbook(path) if form == "xlsx" else iter((delimited(path),))


def _workbook(path: Path) -> Iterator[Sheet]:
    with closing(_opened(path)) as book:
        for name, state, part in book.sheets:
            if state == "visible":
                yield Sheet(name.strip(), book.rows(part), book.about(part))


def _opened(path: Path) -> _Book:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Book(path)
    except Exception as error:
        raise _damaged() from error


def _damaged() -> InvalidInput:
    return InvalidInput("表格已损坏，读不出内容。请用 Excel 或 WPS 打开并另存为新的 .xlsx 后重试。")


class _Parser(WorkSheetParser):
    """Excel's values; a formula that was never calculated is told from an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        if element.get("t") == "inlineStr" and (inside := element.find(INLINE_STRING)) is not None:
            _, column = coordinate_to_tuple(element.get("r")) if element.get("r") else (0, self.col_counter + 1)
            self.col_counter = column
            style = int(element.get("s", 0))
            return {"column": column, "value": string_of(inside), "data_type": "s", "style_id": style}
        cell = super().parse_cell(element)
        formula = element.find(FORMULA_TAG)
        if cell["value"] is None and formula is not None and cell["data_type"] != "str":
            cell["value"] = Unusable(PICTURE if is_picture(formula.text or "") else _UNCALCULATED)
        elif cell["data_type"] == "e":
            cell["value"] = Unusable(f"是错误值 {cell['value']}；请在 Excel 中改正")
        calculated = (formula.text or "") if formula is not None else ""
        if found := _LINKED.match(calculated):
            cell["link"] = found[1].replace('""', '"')
        elif calculated.lstrip().upper().startswith("HYPERLINK("):
            cell["unlinked"] = True
        return cell


class _Book:
    """A workbook of which only texts, date formats and the places of its sheets are in memory."""

    def __init__(self, path: Path) -> None:
        reader = ExcelReader(path, read_only=True, data_only=True, keep_links=False)
        self._archive = reader.archive
        try:
            reader.read_manifest()
            reader.read_workbook()
            apply_stylesheet(reader.archive, reader.wb)
            self._book, self._strings = reader.wb, self._shared(reader)
            self._formats, self._codes = number_formats(reader.wb), format_codes(reader.wb)
            fonts = reader.wb._fonts
            self._struck = {n for n, style in enumerate(reader.wb._cell_styles) if fonts[style.fontId].strike}
            self.sheets = [
                (sheet.name, sheet.state, rel.target)
                for sheet, rel in reader.parser.find_sheets()
                if rel.target in reader.valid_files and "chartsheet" not in rel.Type
            ]
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        self._archive.close()

    def _shared(self, reader: ExcelReader) -> list[str]:
        part = reader.package.find(SHARED_STRINGS)
        if part is None:
            return []
        with self._archive.open(part.PartName[1:]) as source:
            return list(shared_strings(source))

    def about(self, part: str) -> int:
        """How many rows the sheet says that it has; 0 when it does not say."""
        with self._archive.open(part) as source:
            found = _DIMENSION.search(source.read(4096))
        return int(found[1]) if found else 0

    def rows(self, part: str) -> Iterator[Row]:
        """Every row that holds something, with what lies beside its cells and those of empty rows below it."""
        try:
            beside = sorted(attachments(self._archive, part).items(), reverse=True)
            held: Row | None = None
            for row in self._filled(part):
                if held is not None:
                    yield _with(held, beside, row.line)
                held = row
            if held is not None:
                yield _with(held, beside, None)
        except _BROKEN as error:
            raise _damaged() from error

    def _filled(self, part: str) -> Iterator[Row]:
        tail = self._tail(part)
        merges, links = _Merges(_merged(tail)), self._links(part, tail)
        with self._archive.open(part) as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser = _Parser(
                source,
                self._strings,
                data_only=True,
                epoch=self._book.epoch,
                date_formats=self._book._date_formats,
                timedelta_formats=self._book._timedelta_formats,
            )
            hidden_columns: frozenset[int] | None = None
            for line, found in parser.parse():
                if hidden_columns is None:
                    hidden_columns = _hidden_columns(parser)
                hidden = parser.row_dimensions.pop(str(line), {}).get("hidden") in _TRUE
                cells: list[Cell] = []
                notes: list[str] = []
                for cell in found:
                    value, column = cell["value"], cell["column"]
                    if value is None or column > MOST_COLUMNS:
                        continue
                    cells += [None] * (column - len(cells))
                    link = links.get((line, column), "") or cell.get("link", "")
                    told = ["的链接由公式得出，没有导入"] if cell.get("unlinked") else []
                    cells[column - 1] = self._displayed(value, cell.get("style_id", 0), link, told)
                    notes += [f"{get_column_letter(column)} 列{one}" for one in told]
                across = merges.fill(line, cells)
                if any(cell is not None for cell in cells):
                    yield Row(line, cells, across, tuple(notes), merges.continued(line), hidden, hidden_columns)

    def _displayed(self, value: Any, style: int, link: str, told: list[str]) -> Cell:
        """The cell with how the sheet shows it; what a person should know of it goes to `told`."""
        if isinstance(value, str):
            if is_picture(value):
                return Unusable(PICTURE)
            text, notes = seen(value, style in self._struck)
            if not text.strip() and value.strip():
                return Struck(_STRUCK, str(value))
            told += notes
            value = text
        elif style in self._struck and not isinstance(value, Unusable):
            return Struck(_STRUCK, str(value))
        plain = _plain(value)
        if isinstance(value, datetime):
            shown = moment_shown(self._codes.get(style, ""), value)
            if shown is None:
                shown = f"{value:%Y-%m-%d %H:%M}" if value.hour or value.minute else str(plain)
                told.append(f"的日期格式没有照搬，读作 {shown}，请核对")
            return plain if shown == str(plain) else ShownDay.of(value, shown)
        if not isinstance(plain, str):
            return plain
        shown: str | None = plain
        if (form := self._formats.get(style)) and isinstance(value, (int, float)) and not isinstance(value, bool):
            shown = form.show(value)
        return Display(plain, shown, link) if shown != plain or link else plain

    def _tail(self, part: str) -> bytes:
        """What a sheet lists after its rows: merged ranges and links."""
        tail, keeping = b"", False
        with self._archive.open(part) as source:
            while block := source.read(2**20):
                tail += block
                if not keeping:
                    found = _TAIL.search(tail)
                    keeping, tail = bool(found), found[0] if found else tail[-64:]
                if len(tail) > 2**24:
                    break
        return tail if keeping else b""

    def _links(self, part: str, tail: bytes) -> dict[tuple[int, int], str]:
        """Where the cells of a sheet lead to outside of the workbook, by row and column from 1."""
        rels = get_rels_path(part)
        listed = _LINK.findall(tail)[:_MOST_MERGES] if rels in self._archive.namelist() else []
        targets = {rel.Id: rel.Target for rel in get_dependents(self._archive, rels)} if listed else {}
        links: dict[tuple[int, int], str] = {}
        for one in listed:
            if (ref := _REF.search(one)) and (key := _LINK_ID.search(one)):
                target = targets.get(key[1].decode()) or ""
                links[coordinate_to_tuple(ref[1].decode())] = "" if target.startswith("#") else target
        return links


def _hidden_columns(parser: WorkSheetParser) -> frozenset[int]:
    ranges = (
        range(int(column["min"]) - 1, min(int(column["max"]), MOST_COLUMNS))
        for column in parser.column_dimensions.values()
        if column.get("hidden") in _TRUE
    )
    return frozenset(column for some in ranges for column in some)


def _merged(tail: bytes) -> list[tuple[int, int, int, int]]:
    """Merged ranges as top, left, bottom, right, the last first."""
    ranges = (range_boundaries(ref.decode()) for ref in _MERGE.findall(tail)[:_MOST_MERGES])
    return sorted(((top, left, bottom, right) for left, top, right, bottom in ranges), reverse=True)


def _with(row: Row, beside: list[tuple[int, list[str]]], below: int | None) -> Row:
    """`row` with what lies beside it and before the row `below`, taken from the end of `beside`, the first line last."""
    notes: list[str] = []
    while beside and (below is None or beside[-1][0] < below):
        line, told = beside.pop()
        notes += told if line == row.line else [f"第 {line} 行 {one}" for one in told] if line > row.line else []
    return replace(row, notes=(*row.notes, *notes)) if notes else row


def _plain(value: Any) -> Cell:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, (date, Unusable)):
        return value
    if isinstance(value, timedelta):
        return None if not value else str(value)
    return str(value)


class _Merges:
    """Gives every row of a merged range the value that Excel keeps in its first cell."""

    def __init__(self, ranges: list[tuple[int, int, int, int]]) -> None:
        self._coming = ranges
        self._open: list[tuple[int, int, int, int, Cell]] = []

    def fill(self, line: int, cells: list[Cell]) -> tuple[tuple[int, int], ...]:
        while self._coming and self._coming[-1][0] <= line:
            top, left, bottom, right = self._coming.pop()
            value = cells[left - 1] if top == line and left <= len(cells) else None
            if bottom >= line and left <= MOST_COLUMNS:
                self._open.append((bottom, left, right, top, value))
        if not self._open:
            return ()
        self._open = [one for one in self._open if one[0] >= line]
        for _, left, _, _, value in self._open:
            if value is not None:
                cells += [None] * (left - len(cells))
                if cells[left - 1] is None:
                    cells[left - 1] = value
        return tuple((left - 1, right - 1) for _, left, right, _, _ in self._open if right > left)

    def continued(self, line: int) -> frozenset[int]:
        """The columns (from 0) of a row, filled before, whose cell is merged with the one above."""
        return frozenset(left - 1 for _, left, _, top, value in self._open if top < line and value is not None)
