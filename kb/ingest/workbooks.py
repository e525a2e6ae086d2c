"""Sheets that we write: text and nothing else, so that no cell is ever taken for a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_HEAD = Font(bold=True)
_HEAD_FILL = PatternFill("solid", fgColor="FFE8EEF7")
_WRAP = Alignment(vertical="top", wrap_text=True)
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r]")
_GUARDED = re.compile(r"'+(?=[=+\-@＝＋－＠\t\r])")


def guarded(text: str) -> str:
    """`text` as a cell that no program takes for a formula: what begins like one gets an apostrophe before it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text


def new_sheet(book: Workbook, title: str, header: Sequence[str], widths: dict[str, int]) -> WriteOnlyWorksheet:
    """A sheet of a write-only workbook with its header, which stays in sight."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for at, label in enumerate(header, 1):
        sheet.column_dimensions[get_column_letter(at)].width = widths.get(label, 16)
    cells = text_cells(sheet, header)
    for cell in cells:
        if cell is not None:
            cell.font, cell.fill = _HEAD, _HEAD_FILL
    sheet.append(cells)
    return sheet


def text_cells(sheet: WriteOnlyWorksheet, texts: Sequence[str]) -> list[WriteOnlyCell | None]:
    """One row of text cells, guarded; none where there is nothing to say."""
    cells: list[WriteOnlyCell | None] = []
    for text in texts:
        cell = None
        if text:
            cell = WriteOnlyCell(sheet, value=guarded(text))
            cell.alignment = _WRAP
        cells.append(cell)
    return cells
