"""Rows out of CSV files, in every encoding and with every delimiter that offices save."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from core.errors import InvalidInput
from kb.ingest.columns import field_of
from kb.ingest.decoding import decode
from kb.ingest.rows import MOST_COLUMNS, Cell, Row, Sheet

csv.field_size_limit(2**24)


def delimited(path: Path) -> Sheet:
    """The rows of a CSV file. Raises InvalidInput, while they are read, where a quote is not closed."""
    text = decode(path.read_bytes()).lstrip("\ufeff")
    head = "\n".join(text[:200_000].splitlines()[:30])
    return Sheet("", _records(text, _delimiter(head)), text.count("\n") + 1)


def _delimiter(head: str) -> str:
    """The one of comma, semicolon and tab that cuts a line of the head into most known columns."""
    if named := re.match(r"sep=(.)\r?\n", head):
        return named[1]

    def known(delimiter: str) -> tuple[int, int]:
        rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))
        best = max((len({field_of(cell) for cell in row} - {None}) for row in rows), default=0)
        return best, max((len(row) for row in rows), default=0)

    return max((",", ";", "\t"), key=known)


def _records(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins, most = 1, 0
    try:
        for line, record in enumerate(reader, 1):
            most = max(most, len(record))
            if len(record) < most and any(_swallows(value, delimiter) for value in record):
                raise _unpaired(begins)
            cells: list[Cell] = [value if value.strip() else None for value in record[:MOST_COLUMNS]]
            if any(cell is not None for cell in cells):
                yield Row(line, cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _unpaired(begins) from error


def _swallows(value: str, delimiter: str) -> bool:
    """Whether a cell holds what look like rows, as it does when its closing quote is missing."""
    lines = value.strip().splitlines()
    return len(lines) > 1 and all(delimiter in line for line in lines)


def _unpaired(line: int) -> InvalidInput:
    return InvalidInput(
        f"CSV 第 {line} 行开始的引号没有成对，后面的行会混进同一格。请检查这一行的英文双引号，或用 Excel 打开核对后另存为 .xlsx 重试。"
    )
