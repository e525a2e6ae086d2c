"""What a sheet holds, whatever file it came from: rows of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

MOST_COLUMNS = 256


@dataclass(frozen=True)
class Unusable:
    """A cell that shows something in Excel which the file does not hold; `reason` says so in Chinese."""

    reason: str


@dataclass(frozen=True)
class Struck(Unusable):
    """A cell all of whose `text` is struck out."""

    text: str = ""


PICTURE = "是单元格里的图片，没有读取；请把图里的内容写成文字"
"""The reason of a cell that WPS shows as a picture."""


class ShownDay(date):
    """A day that a sheet shows in another way: as `shown`."""

    shown: str

    @classmethod
    def of(cls, day: date, shown: str) -> ShownDay:
        found = cls(day.year, day.month, day.day)
        found.shown = shown
        return found


class Display(str):
    """The text of a cell that a sheet shows in another way: as `shown`, and with the address `link` behind it, if any.

    `shown` is None where we do not know how.
    """

    shown: str | None
    link: str

    def __new__(cls, text: str, shown: str | None, link: str) -> Display:
        cell = super().__new__(cls, text)
        cell.shown, cell.link = shown, link
        return cell


Cell = str | date | Unusable | None


@dataclass(frozen=True, slots=True)
class Row:
    """`line` counts from 1 as the program shows it; `merged` are the first and last column (from 0) of merges across.

    `notes` are what a person should be told of what it shows and holds not: pictures, comments. `continued` are the columns (from 0)
    whose cell is merged with the one above; `hidden` is a row that the program does not show, `hidden_columns` (from 0) are the
    columns of its sheet that it does not.
    """

    line: int
    cells: list[Cell]
    merged: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    continued: frozenset[int] = frozenset()
    hidden: bool = False
    hidden_columns: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """`rows` may be gone through once. `about` is how many there are, as far as the file says."""

    name: str
    rows: Iterator[Row]
    about: int
