"""Markdown for channels that show plain text: everything is said, nothing is cut in the middle of a character."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Link = Callable[[str, str], str]


def in_brackets(label: str, address: str) -> str:
    """A link where there are none."""
    return label if label == address or not address else f"{label}（{address}）"


def plain(markdown: str, link: Link = in_brackets) -> str:
    """`markdown` as text: lists with dashes and numbers, tables row by row with the column's name before each value."""
    return _Writer(link).write(_parser().parse(markdown))


def split(text: str, most: int) -> list[str]:
    """`text` in parts of at most `most` bytes of UTF-8, cut between paragraphs, else lines, else sentences, else characters."""
    parts = _cut(text.strip(), most, ("\n\n", "\n", "。", "；", "，", " ", ""))
    return [part for part in (part.strip() for part in parts) if part]


def numbered(labels: Sequence[str]) -> str:
    """Choices where there are no buttons."""
    return "\n".join(f"{n}. {label}" for n, label in enumerate(labels, 1))


def offered(message: dict[str, Any]) -> str:
    """What can be answered to `Message.to_dict()`, and how, where nothing can be pressed; "" for a message without choices.

    A score is answered with itself, never with its place in the list.
    """
    labels = [str(option.get("label") or "") for option in message.get("options") or []]
    if not labels:
        return ""
    kind = message.get("type")
    if kind == "rating":
        return "回复 1 到 5 的数字打分：\n" + "\n".join(labels)
    if kind == "reasons":
        return f"回复数字选择，可以选几个，如“1 3”；想多说几句，请以“评价：”开头。\n{numbered(labels)}"
    return f"回复数字选择：\n{numbered(labels)}"


def sources(message: dict[str, Any]) -> str:
    """Where an answer comes from and since when it holds, as one line; "" where it has no source."""
    labels = [str(source.get("label") or "") for source in message.get("sources") or []]
    since = str(message.get("effective_from") or "")[:10]
    parts = ["；".join(label for label in labels if label), f"生效日期 {since}" if since else ""]
    found = "，".join(part for part in parts if part)
    return f"依据：{found}" if found else ""


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _cut(text: str, most: int, marks: Sequence[str]) -> Iterable[str]:
    if len(text.encode()) <= most:
        return [text]
    mark, *finer = marks
    if not mark:
        return _by_character(text, most)
    pieces = [piece + mark for piece in text.split(mark)]
    pieces[-1] = pieces[-1].removesuffix(mark)
    parts: list[str] = []
    for piece in pieces:
        if parts and len((parts[-1] + piece).encode()) <= most:
            parts[-1] += piece
        elif len(piece.encode()) <= most:
            parts.append(piece)
        else:
            parts.extend(_cut(piece, most, finer))
    return parts


def _by_character(text: str, most: int) -> list[str]:
    parts, size = [""], 0
    for character in text:
        length = len(character.encode())
        if size + length > most:
            parts.append("")
            size = 0
        parts[-1] += character
        size += length
    return parts


class _Writer:
    def __init__(self, link: Link) -> None:
        self._link = link

    def write(self, tokens: Sequence[Token]) -> str:
        lines: list[str] = []
        counters: list[int | None] = []
        header: list[str] = []
        row: list[str] = []
        mark = ""
        in_head = in_cell = False
        for token in tokens:
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                counters.append(int(token.attrGet("start") or 1) if kind.startswith("ordered") else None)
            elif kind in ("bullet_list_close", "ordered_list_close"):
                counters.pop()
                if not counters:
                    lines.append("")
            elif kind == "list_item_open":
                counter = counters[-1]
                mark = "  " * (len(counters) - 1) + ("· " if counter is None else f"{counter}. ")
                counters[-1] = None if counter is None else counter + 1
            elif kind in ("thead_open", "thead_close"):
                in_head = kind == "thead_open"
            elif kind in ("td_open", "th_open", "td_close", "th_close"):
                in_cell = kind.endswith("open")
            elif kind == "tr_open":
                row = []
            elif kind == "tr_close":
                if in_head:
                    header = row
                else:
                    named = zip(header, row, strict=False)
                    lines.append("；".join(f"{name}：{value}" if name else value for name, value in named))
            elif kind == "table_close":
                lines.append("")
            elif kind == "inline":
                text = self._inline(token.children or [])
                if in_cell:
                    row.append(text)
                else:
                    lines.append(mark + text)
                    mark = ""
            elif kind in ("fence", "code_block"):
                lines.append(token.content.rstrip())
                lines.append("")
            elif kind in ("paragraph_close", "heading_close") and not counters:
                lines.append("")
        text = "\n".join(lines)
        while "\n\n\n" in text:
            text = text.replace("\n\n\n", "\n\n")
        return text.strip()

    def _inline(self, children: Sequence[Token]) -> str:
        out: list[str] = []
        links: list[tuple[int, str]] = []
        for child in children:
            if child.type == "link_open":
                links.append((len(out), str(child.attrGet("href") or "")))
            elif child.type == "link_close" and links:
                start, address = links.pop()
                out[start:] = [self._link("".join(out[start:]), address)]
            elif child.type in ("softbreak", "hardbreak"):
                out.append("\n")
            elif child.type == "image":
                out.append(self._link(child.content or "图片", str(child.attrGet("src") or "")))
            else:
                out.append(child.content)
        return "".join(out)
