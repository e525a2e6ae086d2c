"""Web pages: what a reader sees of them, without menus and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import html
from lxml.etree import LxmlError

from core.errors import InvalidInput
from kb.ingest.decoding import decode
from kb.ingest.policies.blocks import Block, Document, clean, joined, table

_DROPPED = {"script", "style", "noscript", "template", "nav", "aside", "footer", "iframe", "svg", "button", "select", "option",
            "input", "textarea", "object", "embed", "canvas", "head", "dialog"}  # fmt: skip
_INLINE = {"a", "abbr", "b", "big", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark",
           "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_STRUCK = {"del", "s", "strike"}
_LINE_THROUGH = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_HEADING = re.compile(r"^h([1-6])$")
_MOST_SPAN = 100


def read_html(path: Path) -> Document:
    """The page's blocks. Raises InvalidInput (Chinese) when there is no text."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(path.read_bytes()).lstrip("\ufeff"))
    try:
        root = html.document_fromstring(text) if text.strip() else None
    except (LxmlError, ValueError, AssertionError):
        root = None
    if root is None:
        raise InvalidInput("网页里没有内容，请用浏览器打开确认后另存为 HTML 再导入。")
    reader = _Reader()
    reader.walk(root)
    titles = [clean(one.text_content()) for one in root.iter("title")]
    blocks = reader.finish()
    notes = []
    if reader.struck:
        notes.append("带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入。")
    if next(root.iter("img"), None) is not None:
        notes.append("图片没有读取；图片里的表格和文字请改成文字后再导入。")
    return Document(blocks, notes, {"title": titles[0]} if titles and titles[0] else {})


class _Reader:
    def __init__(self) -> None:
        self.struck = False
        self._blocks: list[Block] = []
        self._text = ""

    def finish(self) -> list[Block]:
        self._end()
        return self._blocks

    def walk(self, element: Any) -> None:
        """Blocks of an element and all in it. Pages nest deep: a stack of our own, not Python's."""
        stack: list[tuple[Any, str]] = [(element, "open")]
        while stack:
            one, step = stack.pop()
            if step == "tail":
                self._add(one.tail or "")
                continue
            if step == "end":
                self._end(_level(one.tag))
                continue
            tag = one.tag if isinstance(one.tag, str) else ""
            if self._left_out(one):
                continue
            if tag == "br":
                self._end()
                continue
            if tag == "pre":
                self._end()
                for line in "".join(self._texts(one)).splitlines():
                    self._add(line)
                    self._end()
                continue
            if tag == "table" and self._table(one):
                continue
            if tag not in _INLINE:
                self._end()
                stack.append((one, "end"))
            if tag == "li":
                self._add(_marker(one))
            for child in reversed(one):
                stack.append((child, "tail"))
                stack.append((child, "open"))
            self._add(one.text or "")

    def _add(self, text: str) -> None:
        self._text += re.sub(r"\s*\n\s*", "\n", text)

    def _end(self, level: int | None = None) -> None:
        lines = [clean(line) for line in self._text.split("\n")]
        self._text = ""
        text = ""
        for line in lines:
            text = joined(text, line)
        if text and level is None:
            self._blocks.append(Block("paragraph", text))
        elif text:
            self._blocks.append(Block("heading", text, level or 1))

    def _table(self, element: Any) -> bool:
        """Read a table of data; one that lays out the page is left to be walked through."""
        if next(element.iterdescendants("table"), None) is not None:
            return False
        found = table(self._grid(element))
        cells = [cell for row in found.rows for cell in row] if found else []
        if found is None or max(len(cell) for cell in cells) > 1500:
            return False
        self._end()
        for caption in element.iterdescendants("caption"):
            self._add("".join(self._texts(caption)))
            self._end()
        self._blocks.append(found)
        return True

    def _grid(self, element: Any) -> list[list[str]]:
        """The cells with every merged one filled into all its places."""
        rows: list[list[str]] = []
        waiting: dict[int, tuple[int, str]] = {}
        for row in element.iter("tr"):
            cells: list[str] = []
            kept: dict[int, tuple[int, str]] = {}
            for cell in (*(one for one in row if one.tag in ("td", "th")), None):
                while len(cells) in waiting:
                    left, text = waiting.pop(len(cells))
                    if left > 1:
                        kept[len(cells)] = (left - 1, text)
                    cells.append(text)
                if cell is None:
                    break
                text = clean(re.sub(r"\s+", " ", "".join(self._texts(cell))))
                high = _span(cell.get("rowspan"))
                for _ in range(_span(cell.get("colspan"))):
                    if high > 1:
                        kept[len(cells)] = (high - 1, text)
                    cells.append(text)
            waiting = kept
            rows.append(cells)
        return rows

    def _texts(self, element: Any) -> Iterator[str]:
        """The texts that are seen in an element, a blank where a block ends."""
        yield element.text or ""
        for child in element:
            if not self._left_out(child):
                block = child.tag not in _INLINE
                yield "\n" if child.tag == "br" else " " if block else ""
                yield from self._texts(child)
            yield child.tail or ""

    def _left_out(self, element: Any) -> bool:
        """Whether nothing of an element is read: comments, what is not seen, what is struck out."""
        style = element.get("style", "")
        if not isinstance(element.tag, str) or element.tag in _DROPPED:
            return True
        if _HIDDEN.search(style) or element.get("hidden") is not None:
            return True
        if element.tag not in _STRUCK and not _LINE_THROUGH.search(style):
            return False
        self.struck = self.struck or bool(clean(element.text_content()))
        return True


def _span(value: str | None) -> int:
    return min(max(int(value), 1), _MOST_SPAN) if value and value.strip().isdecimal() else 1


def _level(tag: Any) -> int | None:
    found = _HEADING.match(tag) if isinstance(tag, str) else None
    return int(found[1]) if found else None


def _marker(item: Any) -> str:
    """The number that a browser shows before an item of a numbered list."""
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return ""
    start = parent.get("start", "1")
    before = sum(1 for _ in item.itersiblings("li", preceding=True))
    return f"{(int(start) if start.isdecimal() else 1) + before}. "
