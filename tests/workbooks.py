"""Excel files as people make them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet


def workbook(*sheets: Sequence[Sequence[Any]], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """A .xlsx of these sheets of rows; `change` may do more to the first one."""
    book = Workbook()
    book.remove(book.active)
    for n, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"表{n}")
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book.worksheets[0])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
