"""What every reader makes of a document: one stream of headings, paragraphs and tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

TITLE = 0
"""The level of a document's own title; chapters and the like have 1 to 9."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\x00-\x08\x0e-\x1f\x7f]")
_RADICALS = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]")
_SUPPLEMENT = str.maketrans(
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺"
    "⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀"
    "聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
)
"""Unicode's EquivalentUnifiedIdeograph for U+2E81–U+2EF3, of which NFKC knows but two; U+2E80 has none."""
_SPACES = re.compile("[ \t\u00a0\u2002-\u200a\u202f]+")


@dataclass(frozen=True)
class Block:
    """`text` is one paragraph; a table has `rows` instead, every row as long as the first, merged cells filled in.

    `page` counts from 1 and is None where the format has no pages.
    """

    kind: Literal["heading", "paragraph", "table"]
    text: str = ""
    level: int = 1
    page: int | None = None
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def printed(self) -> str:
        """The block as Markdown."""
        return markdown_table(self.rows) if self.kind == "table" else self.text


@dataclass(frozen=True)
class Document:
    """`notes` say in Chinese what was not read; `about` is what the file tells of itself (title, number, version …)."""

    blocks: list[Block]
    notes: list[str] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)


def clean(text: str) -> str:
    """Nothing invisible, plain spaces, radicals that PDF fonts put in place of characters turned back; all else as printed."""
    text = _INVISIBLE.sub("", text)
    text = _RADICALS.sub(lambda found: unicodedata.normalize("NFKC", found[0].translate(_SUPPLEMENT)), text)
    return _SPACES.sub(" ", text).strip(" \n\r\t\f\v\u3000")


def joined(first: str, second: str) -> str:
    """Two lines of one paragraph: a space between them only where two Latin words meet."""
    if not first or not second:
        return first + second
    if first[-1].isascii() and second[0].isascii() and first[-1].isalnum() and second[0].isalnum():
        return f"{first} {second}"
    return first + second


def rejoined(first: str, second: str) -> str:
    """Two lines that the width of the page has parted: a number that it has cut is one again."""
    return first + second if first[-1:].isdecimal() and second[:1].isdecimal() else joined(first, second)


def table(rows: list[list[str]], page: int | None = None) -> Block | None:
    """A table of at least two rows and two columns with something in it, else None. Empty rows and columns go."""
    width = max((len(row) for row in rows), default=0)
    full = [[clean(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    full = [row for row in full if any(row)]
    used = [column for column in range(width) if any(row[column] for row in full)]
    if len(full) < 2 or len(used) < 2:
        return None
    return Block("table", page=page, rows=tuple(tuple(row[column] for column in used) for row in full))


def markdown_table(rows: tuple[tuple[str, ...], ...]) -> str:
    """The first row is the head, as Markdown wants it. A row merged to one cell is told once: before or behind the table, else in it."""
    first = next((k for k, row in enumerate(rows) if not is_banner(row)), 0)
    last = next((k for k in range(len(rows), first, -1) if not is_banner(rows[k - 1])), len(rows))
    printed = [_line((row[0], *[""] * (len(row) - 1)) if is_banner(row) else row) for row in rows[first:last]]
    rule = "|" + " --- |" * len(rows[0])
    around = [" ".join(row[0].split()) for row in (*rows[:first], *rows[last:])]
    return "\n\n".join([*around[:first], "\n".join([printed[0], rule, *printed[1:]]), *around[first:]])


def is_banner(row: Sequence[str]) -> bool:
    """Whether a row is one cell with words in it, merged over the table's columns: its title, its note."""
    return len(row) > 1 and len(set(row)) == 1 and any(c.isalpha() for c in row[0])


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "｜") for cell in row) + " |"
