"""Web pages: what a reader sees of them, without menus and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from lxml import html
from lxml.etree import LxmlError, iterwalk

from core.errors import InvalidInput
from kb.ingest.decoding import decode
from kb.ingest.policies.blocks import TITLE, Block, Document, clean, joined, table
from kb.ingest.policies.labels import label_of
from kb.ingest.policies.layout import text_cell
from kb.ingest.policies.numbering import spelled
from kb.ingest.policies.superscripts import raised

_DROPPED = {"script", "style", "noscript", "template", "nav", "aside", "footer", "iframe", "svg", "button", "select", "option",
            "input", "textarea", "object", "embed", "canvas", "head", "dialog"}  # fmt: skip
_INLINE = {"a", "abbr", "b", "big", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark",
           "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_STRUCK = {"del", "s", "strike"}
_LINE_THROUGH = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_LINES_KEPT = re.compile(r"white-space(?:-collapse)?\s*:\s*(?:pre(?:-wrap|-line|serve)?|break-spaces)\b", re.IGNORECASE)
_RAISED = re.compile(r"vertical-align\s*:\s*super", re.IGNORECASE)
_AROUND = {"nav", "navbar", "navigation", "menu", "menubar", "breadcrumb", "breadcrumbs", "crumb", "crumbs", "copyright",
           "topbar", "sidebar"}  # fmt: skip
_AT_THE_FOOT = {"footer", "foot"}
"""Words in the class or id of what stands around the text of a page; in a text of its own the foot is the signature."""
_TEXT = {"main", "article"}
_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_ARTICLE = re.compile(r"第\s*[一二三四五六七八九十百零〇\d]+\s*条")
_LAST_LINE = re.compile(
    r"^[上下]一篇\s*[:：]|^(?:版权所有|Copyright|©)|版权所有$|(?:ICP\s*备|公网安备)\s*\d", re.IGNORECASE
)
_NUMBERS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
_LIST_STYLES = {"lower-alpha": "lowerLetter", "lower-latin": "lowerLetter", "upper-alpha": "upperLetter",
                "upper-latin": "upperLetter", "lower-roman": "lowerRoman", "upper-roman": "upperRoman",
                "cjk-ideographic": "chineseCounting", "simp-chinese-informal": "chineseCounting", "none": "none"}  # fmt: skip
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
    reader = _Reader(root)
    reader.walk(root)
    titles = [clean(one.text_content()) for one in root.iter("title")]
    blocks = reader.finish()
    notes = []
    if reader.struck:
        notes.append("带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入。")
    if next(root.iter("img"), None) is not None:
        notes.append("图片没有读取；图片里的表格和文字请改成文字后再导入。")
    if reader.hidden:
        notes.append("网页里隐藏的条款没有读取；如属于正文，请在浏览器里全部展开后另存，或改用 Word 文件导入。")
    if reader.around:
        notes.append("网页的菜单、页眉、页脚和导航没有读取。")
    return Document(blocks, notes, {"title": titles[0]} if titles and titles[0] else {})


def tables_in(markup: str) -> list[Block]:
    """The blocks of a `<table>` that stands in another text, such as Markdown."""
    root = html.document_fromstring(markup)
    reader = _Reader(root)
    reader.walk(root)
    return reader.finish()


class _Reader:
    """`struck`, `around` and `hidden` say whether struck-out text, what stands around the text and hidden articles were left out."""

    def __init__(self, root: Any) -> None:
        self.struck = self.around = self.hidden = False
        self._title = _title(root)
        self._letters = len(clean("".join(root.xpath("//text()[not(ancestor::script or ancestor::style)]"))))
        self._numbers: dict[Any, int] = {}
        self._raised: set[Any] = set()
        self._blocks: list[Block] = []
        self._text = ""

    def finish(self) -> list[Block]:
        self._end()
        while self._blocks and _is_last_line(self._blocks[-1]):
            self._blocks.pop()
            self.around = True
        return self._blocks

    def walk(self, element: Any) -> None:
        """Blocks of an element and all in it. Pages nest deep: a stack of our own, not Python's."""
        stack: list[tuple[Any, str]] = [(element, "open")]
        while stack:
            one, step = stack.pop()
            if step == "tail":
                self._add(self._as_set(one.getparent(), one.tail))
                continue
            if step == "end":
                self._end(TITLE if one is self._title else _level(one.tag))
                continue
            tag = one.tag if isinstance(one.tag, str) else ""
            self._note_raised(one)
            if self._left_out(one):
                if tag == "li" and _is_struck(one):
                    self._marker(one)
                continue
            if tag == "br":
                self._end()
                continue
            if tag == "pre" or _LINES_KEPT.search(one.get("style") or "") and not _has_blocks(one):
                self._end()
                for line in "".join(self._texts(one)).splitlines():
                    self._add(line)
                    self._end()
                continue
            if tag == "table" and not self._lays_out(one) and self._table(one):
                continue
            if tag not in _INLINE:
                self._end()
                stack.append((one, "end"))
            if tag == "li":
                marker = self._marker(one)
                self._add(marker if clean("".join(self._texts(one))) else "")
            for child in reversed(one):
                stack.append((child, "tail"))
                stack.append((child, "open"))
            self._add(self._as_set(one, one.text))

    def _note_raised(self, element: Any) -> None:
        """Keep in mind that an element's text is set as a superscript: its parent has been seen before it."""
        if element.tag == "sup" or element.getparent() in self._raised or _RAISED.search(element.get("style") or ""):
            self._raised.add(element)

    def _as_set(self, element: Any, text: str | None) -> str:
        return raised(text or "") if element in self._raised else text or ""

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
            self._blocks.append(Block("heading", text, level))

    def _lays_out(self, element: Any) -> bool:
        """Whether a table lays out the text of the page. Its rows without that text become tables of their own, to be walked to."""
        rows = [row for row in element.iter("tr") if next(row.iterancestors("table")) is element]
        cells = [[_lines(cell) for cell in row if cell.tag in ("td", "th")] for row in rows]
        texts = [text_cell(row, self._letters) is not None for row in cells]
        if not any(texts):
            return False
        captions = element.findall("caption")
        groups = groupby(zip(rows, texts, strict=True), lambda pair: pair[1])
        element[:] = [*captions, *(_part([row for row, _ in group], of_text) for of_text, group in groups)]
        element.tag = "div"
        return True

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
        self._note_raised(element)
        yield self._as_set(element, element.text)
        for child in element:
            if not self._left_out(child):
                block = child.tag not in _INLINE
                yield "\n" if child.tag == "br" else " " if block else ""
                yield from self._texts(child)
            yield self._as_set(element, child.tail)

    def _left_out(self, element: Any) -> bool:
        """Whether nothing of an element is read: comments, what is not seen, what is struck out."""
        style = element.get("style", "")
        if not isinstance(element.tag, str) or element.tag in _DROPPED:
            return True
        if (_HIDDEN.search(style) or element.get("hidden") is not None) and not self._is_main(element):
            self.hidden = self.hidden or bool(_ARTICLE.search(element.text_content()))
            return True
        if self._is_around(element):
            self.around = self.around or bool(clean(element.text_content()))
            return True
        if not _is_struck(element):
            return False
        self.struck = self.struck or bool(clean(element.text_content()))
        return True

    def _is_main(self, element: Any) -> bool:
        """Whether most of a page's text is in an element: a script shows it once the page is loaded, as on WeChat."""
        return element.get("id") == "js_content" or 2 * len(clean(element.text_content())) > self._letters

    def _is_around(self, element: Any) -> bool:
        """Whether an element is a menu, a page head or the like: by its name, and not where title, articles or most text is in it."""
        words = {word.lower() for word in _WORD.findall(f"{element.get('class', '')} {element.get('id', '')}")}
        if element.tag != "header" and not words & (_AROUND | _AT_THE_FOOT):
            return False
        own = any(one.tag in _TEXT for one in element.iterancestors())
        if own and not words & _AROUND:
            return False
        if element.tag in ("html", "body", *_TEXT) or next(element.iterdescendants(*_TEXT), None) is not None:
            return False
        if any(self._title is None or one is self._title for one in element.iter("h1")):
            return False
        text = clean(element.text_content())
        return 2 * len(text) < self._letters and not _ARTICLE.search(text)

    def _marker(self, item: Any) -> str:
        """The number that a browser shows before an item of a numbered list; each call counts one further."""
        parent = item.getparent()
        if parent is None or parent.tag != "ol":
            return ""
        before = self._numbers.get(parent, _integer(parent.get("start"), 1) - 1)
        number = self._numbers[parent] = _integer(item.get("value"), before + 1)
        form = _form(item) or _form(parent) or "decimal"
        text = spelled(number, form)
        return f"{text}、" if form == "chineseCounting" else f"{text}. " if text else ""


def _part(rows: list[Any], of_text: bool) -> Any:
    """Some rows of a table, as a table, or as what stands in their cells."""
    part = html.Element("div" if of_text else "table")
    for row in rows:
        part.append(row)
        for one in [row, *row] if of_text else ():
            one.tag = "div" if one.tag in ("tr", "td", "th") else one.tag
    return part


def _lines(element: Any) -> list[str]:
    """The lines of an element's text, as its blocks divide it."""
    parts: list[str] = []
    for event, one in iterwalk(element, events=("start", "end")):
        tag = one.tag if isinstance(one.tag, str) else "script"
        if tag not in _INLINE:
            parts.append("\n")
        if event == "start":
            parts.append(one.text or "" if tag not in _DROPPED else "")
        elif one is not element:
            parts.append(one.tail or "")
    return [line for part in "".join(parts).split("\n") if (line := clean(part))]


def _span(value: str | None) -> int:
    return min(max(int(value), 1), _MOST_SPAN) if value and value.strip().isdecimal() else 1


def _has_blocks(element: Any) -> bool:
    return any(isinstance(one.tag, str) and one.tag not in _INLINE for one in element.iterdescendants())


def _level(tag: Any) -> int | None:
    found = _HEADING.match(tag) if isinstance(tag, str) else None
    return int(found[1]) if found else None


def _title(root: Any) -> Any | None:
    """The only h1 of the page's main text, else of the page."""
    found = [one for one in root.iter("h1") if label_of(clean(one.text_content())) is None]
    inner = [one for one in found if any(above.tag in _TEXT for above in one.iterancestors())]
    return inner[0] if len(inner) == 1 else found[0] if len(found) == 1 else None


def _is_struck(element: Any) -> bool:
    return element.tag in _STRUCK or bool(_LINE_THROUGH.search(element.get("style", "")))


def _is_last_line(block: Block) -> bool:
    """Whether a block is plainly of the page and not of the text, such as 上一篇：… and 版权所有 …"""
    return block.kind == "paragraph" and bool(_LAST_LINE.search(block.text)) and "。" not in block.text


def _form(element: Any) -> str | None:
    """How a list or an item wants to be counted, as `numbering.spelled` calls it."""
    style = _LIST_STYLE.search(element.get("style", ""))
    return _LIST_STYLES.get(style[1].lower()) if style else _NUMBERS.get(element.get("type", ""))


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?\d{1,6}\s*", text) else otherwise
