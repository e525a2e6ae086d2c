"""Leads: what stands above a part of a text and governs it, such as 下列费用不予报销： over items and 单位：万元 over a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.ingest.policies.labels import APPENDIX, ARTICLE, STRUCTURE, Label, label_of

TABLE_LINE = re.compile(r"^\|.*\|\s*$")
_TABLE_RULE = re.compile(r"^\|[\s:|-]+\|\s*$")
_BEFORE_ITEM = re.compile(
    r"(?<=[：:；;。，,])(?=[ \u3000]*(?:[（(]\s*(?:[一二三四五六七八九十]{1,3}|\d{1,2})\s*[)）]|[①-⑳]|\d{1,2}[.．、](?!\d)))"
)
_SENTENCE_END = re.compile(r"[。！？；!?;](?!$)")
_COLON = re.compile(r"：|(?<!\d):(?!//|\d)")
_POINTS_ON = re.compile("下列|以下|如下|下表|之一的")
BULLET = re.compile(r"^\s*[-*•·●■◆➢√]\s*")
_LONGEST_CAPTION = 40


@dataclass(frozen=True)
class Lead:
    """`text` governs what stands from `start` to `end`, in characters of the whole text. `head` is a table's, in Markdown."""

    text: str
    start: int
    end: int
    head: bool = False


@dataclass(frozen=True)
class Line:
    """A line, or an item in one."""

    text: str
    start: int
    end: int
    label: Label | None

    @property
    def is_table(self) -> bool:
        return bool(TABLE_LINE.match(self.text))

    @property
    def last(self) -> str:
        """Its last sentence, with the number that the line begins with if that is all of it."""
        return _SENTENCE_END.split(self.text.strip())[-1].strip()


def leads_of(text: str) -> list[Lead]:
    """The leads of a text, the outer before the inner."""
    lines = list(lines_of(text))
    ends: dict[int, int] = {}
    found: list[Lead] = []
    for at in range(len(lines) - 1, -1, -1):
        last = _governed(lines, at, ends)
        if last > at:
            ends[at] = last
            found.append(Lead(lines[at].last, lines[at].end, lines[last].end))
        else:
            found += _within(lines[at])
    found += _tables(lines)
    return sorted(found, key=lambda one: (one.start, -one.end))


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text, those that hold several items in these."""
    start = 0
    for line in text.splitlines(keepends=True):
        parts = [line] if TABLE_LINE.match(line) else _BEFORE_ITEM.split(line)
        for part in parts:
            yield Line(part, start, start + len(part), label_of(part.strip()))
            start += len(part)


def _governed(lines: Sequence[Line], at: int, ends: dict[int, int]) -> int:
    """The last line that the line `at` leads in; `at` itself where it leads in none."""
    line = lines[at]
    first = next((k for k in range(at + 1, len(lines)) if lines[k].text.strip()), None)
    if first is None or line.is_table or not line.text.strip():
        return at
    below = lines[first]
    opened = bool(re.search(r"[：:]\s*$", line.text))
    if not opened and not (_POINTS_ON.search(line.last) and _begins_list(below, line)):
        return at
    if below.label and below.label.kind not in STRUCTURE and below.label.kind != ARTICLE:
        return _items_end(lines, first, ends)
    end = first
    if below.is_table or BULLET.match(below.text):
        alike = TABLE_LINE if below.is_table else BULLET
        while end + 1 < len(lines) and alike.match(lines[end + 1].text):
            end += 1
        return end
    caption_end = first
    while caption_end < len(lines) and _is_caption(lines[caption_end]):
        caption_end += 1
    if caption_end < len(lines) and lines[caption_end].is_table:
        end = caption_end
        while end + 1 < len(lines) and lines[end + 1].is_table:
            end += 1
        return end
    while re.search(r"[；;，,]\s*$", lines[end].text) and end + 1 < len(lines) and not lines[end + 1].is_table:
        end += 1
    return max(end, ends.get(end, end)) if opened else at


def _begins_list(below: Line, line: Line) -> bool:
    """Whether a list that a sentence without a colon speaks of begins below it: its first item, or a table."""
    if below.label and below.label.value == 1 and below.label.kind not in (*STRUCTURE, ARTICLE):
        return line.label is None or line.label.kind != below.label.kind
    return below.is_table or _is_caption(below)


def _items_end(lines: Sequence[Line], first: int, ends: dict[int, int]) -> int:
    """The last line of the items that begin with `first`: as far as they count on, and what is led in by the last."""
    label = lines[first].label
    assert label is not None
    last, value = first, label.value
    at = first + 1
    while at < len(lines):
        here = lines[at].label
        if here and (here.kind in STRUCTURE or here.kind in (ARTICLE, APPENDIX)):
            break
        if here and here.kind == label.kind:
            if value is None or here.value != value + 1:
                if here.value == 1:
                    break
                at += 1
                continue
            last, value = at, here.value
        at += 1
    while last in ends and ends[last] > last:
        last = ends[last]
    return last


def _within(line: Line) -> Iterator[Lead]:
    """Leads inside one line: 标准如下：一类500元；二类400元。 governs to the end of its sentence."""
    if line.is_table:
        return
    for found in _COLON.finditer(line.text):
        before = re.split("[。！？!?；;]", line.text[: found.end()])[-1].strip()
        rest = line.text[found.end() :]
        ends = re.search("[。！？!?]", rest)
        if rest.strip() and len(before) > 1:
            stop = found.end() + (ends.end() if ends else len(rest))
            yield Lead(before, line.start + found.end(), line.start + stop)


def _tables(lines: Sequence[Line]) -> Iterator[Lead]:
    """What every part of a table has to be read with: caption and unit above it, and its head."""
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].is_table:
            end += 1
        if end == at:
            at += 1
            continue
        above = at
        while above > 0 and at - above < 4 and _is_caption(lines[above - 1]):
            above -= 1
        for line in lines[above:at]:
            if line.text.strip():
                yield Lead(line.text.strip(), line.end, lines[end - 1].end)
        if end - at > 2 and _TABLE_RULE.match(lines[at + 1].text):
            head = f"{lines[at].text}{lines[at + 1].text}"
            yield Lead(head, lines[at + 1].end, lines[end - 1].end, head=True)
        at = end


def _is_caption(line: Line) -> bool:
    text = line.text.strip()
    return not line.is_table and len(text) <= _LONGEST_CAPTION and not re.search("[。；;：:]$", text)
