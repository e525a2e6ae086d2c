"""Plain text and Markdown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from kb.ingest.decoding import decode
from kb.ingest.policies.blocks import Block, Document, clean, joined, table
from kb.ingest.policies.labels import label_of
from kb.ingest.policies.superscripts import raised

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_ROW = re.compile(r"^\s*\|?.*\|.*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_FULL = re.compile("[。；：！？;:!?.）)」”]$")
_INDENT = re.compile(r"^(?:\u3000| {2}|\t)")
_BULLET = re.compile("^([ \t]*)[\ue000-\uf8ff](?=[ \t])", re.MULTILINE)
"""A bullet of Word's symbol fonts, saved as text."""
_COMMENT = re.compile("<!--.*?(?:-->|\\Z)", re.DOTALL)
_STRUCK = re.compile(r"(?<![~\\])~~(?=[^\s~])([^\n]*?[^\s~])~~(?!~)|<(del|s|strike)>.*?</\2>", re.IGNORECASE)
_SUP = re.compile("<sup>(.*?)</sup>", re.IGNORECASE)


def read_markdown(path: Path) -> Document:
    """Headings, tables with bars, and paragraphs as they are written; YAML between `---` at the top tells of the policy."""
    text = _lines(decode(path.read_bytes()))
    about: dict[str, str] = {}
    if text.startswith("---\n") and (end := text.find("\n---\n", 3)) > 0:
        front = _mapping(text[4:end])
        if front is not None:
            about, text = front, text[end + 5 :]
    text = _SUP.sub(lambda found: raised(found[1]), _COMMENT.sub("", text))
    seen = _STRUCK.sub("", text)
    notes = [] if seen == text else ["带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入。"]
    text = seen
    blocks: list[Block] = []
    lines = text.split("\n")
    at, fenced = 0, False
    while at < len(lines):
        line = lines[at]
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (found := _HEADING.match(line)):
            if clean(found[2]):
                blocks.append(Block("heading", clean(found[2]), len(found[1])))
        elif not fenced and at + 1 < len(lines) and "|" in line and _RULE.match(lines[at + 1]) and "|" in lines[at + 1]:
            end = at + 2
            while end < len(lines) and lines[end].strip() and _ROW.match(lines[end]):
                end += 1
            rows = [_cells(one) for k, one in enumerate(lines[at:end]) if k != 1]
            found_table = table(rows)
            blocks += [found_table] if found_table else [Block("paragraph", clean(one)) for one in lines[at:end]]
            at = end
            continue
        elif clean(line) and not fenced and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]) and len(line) < 60:
            blocks.append(Block("heading", clean(line), 1 if "=" in lines[at + 1] else 2))
            at += 1
        elif clean(line) and not (set(line.strip()) <= set("-*_ ") and len(line.strip()) > 2):
            blocks.append(Block("paragraph", clean(line)))
        at += 1
    return Document(blocks, notes, about)


def read_text(path: Path) -> Document:
    """A paragraph a line; lines broken at a fixed width are joined again, columns between tabs are a table."""
    lines = [line.rstrip() for line in _lines(decode(path.read_bytes())).replace("\f", "\n").split("\n")]
    full = _full_width(lines)
    blocks: list[Block] = []
    held, last = "", ""
    at = 0
    while at < len(lines):
        end = at
        tabs = _tabs(lines[at])
        while tabs and end < len(lines) and _tabs(lines[end]) == tabs:
            end += 1
        if end - at >= 2 and (found := table([line.strip("\t").split("\t") for line in lines[at:end]])):
            if held:
                blocks.append(Block("paragraph", held))
            blocks.append(found)
            held, last, at = "", "", end
            continue
        line, text = lines[at], clean(lines[at])
        broken = full and last and text and _width(last) >= full and not _FULL.search(last) and not _INDENT.match(line)
        if broken:
            held = joined(held, text)
        else:
            if held:
                blocks.append(Block("paragraph", held))
            held = text
        last = line if text else ""
        at += 1
    if held:
        blocks.append(Block("paragraph", held))
    return Document(blocks)


def _tabs(line: str) -> int:
    """The tabs between columns; none where Word, saving as text, put one between an item's number or bullet and its words."""
    head, _, rest = line.strip("\t").partition("\t")
    head = clean(head)
    found = label_of(f"{head} {rest}")
    numbered = len(head) == 1 and not head.isalnum() or found and clean(found.rest) == clean(rest)
    if numbered and "\t" not in rest and any(c.isalpha() for c in rest):
        return 0
    return line.strip("\t").count("\t")


def _lines(text: str) -> str:
    return _BULLET.sub(r"\1•", text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def _full_width(lines: list[str]) -> int:
    """The width from which a line counts as broken, in columns; 0 when the lines are not of one width."""
    widths = sorted(_width(line) for line in lines if line.strip())
    if len(widths) < 8 or not 30 <= widths[-1] <= 160:
        return 0
    longest = widths[-1]
    near = sum(width >= longest - 4 for width in widths)
    return longest - 4 if near >= max(4, len(widths) // 4) else 0


def _width(text: str) -> int:
    """Columns of a fixed-width screen: two for an ideograph."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|").removesuffix("|")
    return [re.sub(r"<br\s*/?>", " ", cell.replace("\\|", "|")) for cell in _BAR.split(line)]


def _mapping(text: str) -> dict[str, str] | None:
    try:
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(found, dict):
        return None
    return {
        str(key): str(value)
        for key, value in found.items()
        if isinstance(value, (str, int, float)) or hasattr(value, "isoformat")
    }
