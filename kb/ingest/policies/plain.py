"""Plain text and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from kb.ingest.decoding import decode
from kb.ingest.policies.blocks import Block, Document, clean, rejoined, table
from kb.ingest.policies.inline import has_picture, is_contents, shown, unmarked
from kb.ingest.policies.labels import ARTICLE, STRUCTURE, label_of
from kb.ingest.policies.listed import Lists
from kb.ingest.policies.splitter import is_contents_head
from kb.ingest.policies.web import tables_in

_HEADING = re.compile(
    r"^ {0,3}(#{1,6})(?:\s+|(?=[*_]{0,3}第\S{1,5}[编篇部章节条])|(?<=##)(?=[\u3400-\u9fff]))(.*?)\s*#*\s*$"
)
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
_LINE_ENDS = str.maketrans("\f\v", "\n\n")
_PAGE_BEHIND = re.compile(r"\S.*\t *[\divxIVX]{1,5}$")
_PAGE_NUMBER = re.compile(r"^\s*(?:[-—–]+\s*\d{1,4}\s*[-—–]+|第\s*\d{1,4}\s*页(?:[\s,，/]*共\s*\d{1,4}\s*页)?)\s*$")
_TABLE = re.compile(r"<table\b.*?</table\s*>", re.IGNORECASE | re.DOTALL)


def read_markdown(path: Path) -> Document:
    """Headings, paragraphs, tables with bars or in HTML; YAML between `---` at the top tells of the policy."""
    text = _lines(decode(path.read_bytes()))
    about: dict[str, str] = {}
    if text.startswith("---\n") and (end := text.find("\n---\n", 3)) > 0:
        front = _mapping(text[4:end])
        if front is not None:
            about, text = front, text[end + 5 :]
    text = _COMMENT.sub("", text)
    seen = _STRUCK.sub("", text)
    notes = [] if seen == text else ["带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入。"]
    if has_picture(seen):
        notes.append("图片没有读取；图片里的表格和文字请改成文字后再导入。")
    blocks: list[Block] = []
    at = 0
    for found in _TABLE.finditer(seen):
        blocks += _markdown(seen[at : found.start()], notes)
        blocks += [_unmarked_table(one) for one in tables_in(found[0])]
        at = found.end()
    return Document(blocks + _markdown(seen[at:], notes), list(dict.fromkeys(notes)), about)


def _markdown(text: str, notes: list[str]) -> list[Block]:
    """The blocks of Markdown without tables in HTML; what is not read joins `notes`."""
    blocks: list[Block] = []
    lines = text.split("\n")
    at, fenced, lists = 0, False, Lists()
    while at < len(lines):
        line = lines[at] if fenced else lists.shown(lines[at])
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            blocks += _paragraphs([line])
        elif is_contents(line):
            notes.append("目录没有读取。")
        elif found := _HEADING.match(line):
            if heading := clean(unmarked(found[2])):
                blocks.append(Block("heading", heading, len(found[1])))
        elif at + 1 < len(lines) and "|" in line and _RULE.match(lines[at + 1]) and "|" in lines[at + 1]:
            end = at + 2
            while end < len(lines) and lines[end].strip() and _ROW.match(lines[end]):
                end += 1
            rows = [_cells(one) for k, one in enumerate(lines[at:end]) if k != 1]
            found_table = table(rows)
            blocks += [found_table] if found_table else _paragraphs(lines[at:end])
            at = end
            continue
        elif clean(line) and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]) and len(line) < 60:
            blocks.append(Block("heading", clean(unmarked(line)), 1 if "=" in lines[at + 1] else 2))
            at += 1
        elif not (set(line.strip()) <= set("-*_ ") and len(line.strip()) > 2):
            blocks += _paragraphs(shown(line))
        at += 1
    return blocks


def _paragraphs(lines: Iterable[str]) -> list[Block]:
    return [Block("paragraph", text) for line in lines if (text := clean(line))]


def _unmarked_table(block: Block) -> Block:
    rows = tuple(tuple(clean(unmarked(cell)) for cell in row) for row in block.rows)
    return replace(block, text=clean(unmarked(block.text)), rows=rows)


def read_text(path: Path) -> Document:
    """A paragraph a line; lines broken at a fixed width are joined again, columns between tabs are a table."""
    lines = [line.rstrip() for line in _lines(decode(path.read_bytes())).translate(_LINE_ENDS).split("\n")]
    whole = _without_page_numbers(lines)
    notes = [] if whole == lines else ["页码已去除。"]
    lines = whole
    full = _full_width(lines)
    blocks: list[Block] = []
    held, last = "", ""
    at, contents = 0, False
    while at < len(lines):
        line, text = lines[at], clean(lines[at])
        contents = is_contents_head(text) or contents and (not text or bool(_PAGE_BEHIND.search(line)))
        end = at
        tabs = 0 if contents else _tabs(line)
        while tabs and end < len(lines) and _tabs(lines[end]) == tabs:
            end += 1
        if end - at >= 2 and (found := table([line.strip("\t").split("\t") for line in lines[at:end]])):
            if held:
                blocks.append(Block("paragraph", held))
            blocks.append(found)
            held, last, at = "", "", end
            continue
        broken = full and last and text and _width(last) >= full and not _FULL.search(last) and not _INDENT.match(line)
        if broken:
            held = rejoined(held, text)
        else:
            if held:
                blocks.append(Block("paragraph", held))
            held = text
        last = line if text else ""
        at += 1
    if held:
        blocks.append(Block("paragraph", held))
    return Document(blocks, notes)


def _without_page_numbers(lines: list[str]) -> list[str]:
    """Without lines such as - 3 - and the empty ones around them: a paragraph may go over the page."""
    if sum(bool(_PAGE_NUMBER.match(line)) for line in lines) < 2:
        return lines
    found: list[str] = []
    turned = False
    for line in lines:
        if _PAGE_NUMBER.match(line):
            turned = True
            while found and not found[-1].strip():
                found.pop()
        elif line.strip() or not turned:
            turned = False
            found.append(line)
    return found


def _tabs(line: str) -> int:
    """The tabs between columns; none where Word, saving as text, put them between an item's number or bullet and its words, and
    none behind the number of a chapter or an article."""
    head, _, rest = line.strip("\t").partition("\t")
    head = clean(head)
    found = label_of(f"{head} {rest}")
    if found and (found.kind in STRUCTURE or found.kind == ARTICLE):
        return 0
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
    return [unmarked(re.sub(r"<br\s*/?>", " ", cell.replace("\\|", "|"))) for cell in _BAR.split(line)]


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
