"""HTML in texts that should have none, as web pages and other knowledge bases leave it: what it says, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from core.errors import InvalidInput

_TOKEN = re.compile(
    r"<!--.*?-->|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<more>(?:[\s/][^<>]*)?)>|"
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});",
    re.S,
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_SPANS = re.compile(r"\b(?:row|col)span\s*=\s*[\"']?\s*(?!1\b)\d", re.I)
_HANDLER = re.compile(r"\bon\w+\s*=", re.I)
_SAFE = re.compile(r"(?:https?:|mailto:|tel:)", re.I)
_PLAIN = frozenset(
    [
        "b",
        "strong",
        "i",
        "em",
        "u",
        "span",
        "font",
        "small",
        "big",
        "center",
        "label",
        "tbody",
        "thead",
        "tfoot",
        "colgroup",
        "col",
        "html",
        "body",
    ]
)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "blockquote",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "table",
        "hr",
        "pre",
        "dl",
        "dt",
        "dd",
        "caption",
    ]
)
_OTHERS = frozenset(["br", "li", "tr", "td", "th", "a"])
_REFUSED = frozenset(
    [
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "link",
        "meta",
        "form",
        "input",
        "button",
        "select",
        "option",
        "textarea",
        "svg",
        "math",
        "img",
        "video",
        "audio",
        "source",
        "canvas",
        "base",
        "frame",
        "frameset",
        "applet",
        "noscript",
        "template",
        "marquee",
        "head",
        "title",
        "del",
        "s",
        "strike",
        "sup",
        "sub",
        "ins",
    ]
)
_KNOWN = _PLAIN | _BLOCKS | _OTHERS | _REFUSED


def tags(text: str) -> list[str]:
    """The HTML tags in a text, as they are written; `<姓名>` and `<1000` are none."""
    return [one[0] for one in _tokens(text) if one["name"]]


def without_markup(text: str) -> str:
    """`text` as it would show, in Markdown: lists, links and simple tables stay. A text without HTML comes back the same.

    Raises InvalidInput where it holds what cannot be said so: scripts, pictures, struck-out text, merged cells.
    """
    if not any(True for _ in _tokens(text)):
        return text
    writer, at = _Writer(), 0
    for token in _tokens(text):
        writer.say(text[at : token.start()])
        at = token.end()
        if token["name"]:
            writer.tag(token["name"].lower(), bool(token["close"]), token["more"] or "")
        elif token[0].startswith("&"):
            writer.say(unescape(token[0]).replace("\xa0", " "))
    writer.say(text[at:])
    said = writer.text()
    if tags(said):
        raise _refused(tags(said)[0])
    return said


def _tokens(text: str) -> Iterator[re.Match[str]]:
    for token in _TOKEN.finditer(text):
        if not token["name"]:
            if token[0].startswith("<") or unescape(token[0]) != token[0]:
                yield token
        elif token["name"].lower() in _KNOWN:
            yield token


def _refused(what: str) -> InvalidInput:
    return InvalidInput(f"有网页代码“{what[:30]}”，不能照原样显示，请改成普通文字或 Markdown")


class _Writer:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._rows: list[list[str]] | None = None

    def say(self, text: str) -> None:
        if self._rows is None:
            self._parts.append(text)
        elif self._rows and self._rows[-1]:
            self._rows[-1][-1] += text.replace("\n", " ").replace("|", "\\|")
        elif text.strip():
            raise _refused("<table>")

    def tag(self, name: str, closing: bool, more: str) -> None:
        if name in _REFUSED or _HANDLER.search(more):
            raise _refused(f"<{name}>")
        if name in _PLAIN:
            return
        if self._rows is not None or name in ("table", "tr", "td", "th"):
            self._table(name, closing, more)
        elif name == "a":
            self._link(closing, more)
        elif name == "br":
            self.say("\n")
        elif name in ("ul", "ol"):
            self._list(None if name == "ul" else 0, closing)
        elif name == "li":
            self._item(closing)
        else:
            self._gap("\n\n")

    def text(self) -> str:
        if self._rows is not None or self._links:
            raise _refused("<table>" if self._rows is not None else "<a>")
        said = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(self._parts)) if self._parts else ""
        return re.sub(r"\n{3,}", "\n\n", said).strip()

    def _gap(self, gap: str) -> None:
        if self._parts:
            self._parts.append(gap)

    def _list(self, first: int | None, closing: bool) -> None:
        if closing and self._lists:
            self._lists.pop()
        elif not closing:
            self._lists.append(first)
        self._gap("\n\n")

    def _item(self, closing: bool) -> None:
        if closing:
            return
        mark = "- "
        if self._lists and (number := self._lists[-1]) is not None:
            self._lists[-1] = number + 1
            mark = f"{number + 1}. "
        self._gap("\n")
        self.say(mark)

    def _link(self, closing: bool, more: str) -> None:
        if not closing:
            found = _HREF.search(more)
            self._links.append((unescape(next(filter(None, found.groups()), "")) if found else "", len(self._parts)))
            return
        if not self._links:
            return
        address, begin = self._links.pop()
        label = " ".join("".join(self._parts[begin:]).split())
        if address and not (_SAFE.match(address) and re.fullmatch(r"[^\s()<>\[\]]+", address)):
            raise _refused(f"<a href={address}>")
        self._parts[begin:] = [f"[{label or address}]({address})" if address and label != address else label]

    def _table(self, name: str, closing: bool, more: str) -> None:
        if name == "table" and not closing and self._rows is None:
            self._rows = []
        elif self._rows is None or name not in ("table", "tr", "td", "th", "p", "div", "br") or _SPANS.search(more):
            raise _refused(f"<{name}{more}>")
        elif name == "table" and not closing:
            raise _refused("<table>")
        elif name == "table":
            self._write_table()
        elif name == "tr" and not closing:
            self._rows.append([])
        elif name in ("td", "th") and not closing:
            if not self._rows:
                raise _refused(f"<{name}>")
            self._rows[-1].append("")
        elif name in ("p", "div", "br") and self._rows and self._rows[-1]:
            self._rows[-1][-1] += " "

    def _write_table(self) -> None:
        rows = [[" ".join(cell.split()) for cell in row] for row in self._rows or () if row]
        self._rows = None
        if not rows:
            return
        if len({len(row) for row in rows}) > 1:
            raise _refused("<table>")
        lines = [f"| {' | '.join(row)} |" for row in rows]
        self._gap("\n\n")
        self._parts.append("\n".join([lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]))
        self._gap("\n\n")
