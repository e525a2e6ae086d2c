"""A stream of blocks becomes articles: nothing lost, nothing twice, in the order of the document.

Where 第…条 number the text, they are the articles and 编, 章, 节 and styled headings the path above them. Elsewhere the outermost
items (一、 or 1. …) are, or the sections between headings. Appendices are headings of their own; what stands before the first
article is the preamble, and the title, number and contents before that are the front.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kb.ingest.policies.blocks import TITLE, Block
from kb.ingest.policies.labels import (
    APPENDIX,
    ARTICLE,
    BRACKET,
    CHINESE,
    CLAUSE,
    DECIMAL,
    ITEMS,
    POINTED,
    STRUCTURE,
    Label,
    chinese,
    clause_of,
    label_of,
)

_LONGEST_HEADING = 60
_LOOKED_AROUND = 2000
_LONGEST_TITLE = 30
_NEAR = 12
_DEPTHS = 70
"""Ranks of headings that 4.1 and the like are, from here on."""
_LONG_SECTION = 800
"""Where sections between the outermost items are longer than this on average, their own items become the articles."""
_SENTENCE = re.compile("[。；！？;!?]")
_PHRASE = re.compile("[，。；：！？,;:!?]")
_ENDED = re.compile(r"[。；！？：;!?:.)）」”】\]|]\s*$")
_LEADER = re.compile(r"(?:[.·…‥。．]\s?){3,}\s*\d+$|[.·…‥]{2,}\s*\d*$")
_PAGE_AT_END = re.compile(r"[\s.·…‥．-]*\d+$")
_OF_TITLE_PAGE = re.compile(
    r"^[\u3400-\u9fffA-Za-z/ ]{2,8}\s*[：:]\s*\S|^[\d〇○零一二三四五六七八九]{4}\s*年(?:\s*[\d十一二三四五六七八九]{1,3}\s*月)?[\s\d十一二三四五六七八九日]*(?:发布|印发|实施)?$"
)
"""文件编号：HS-003 and 二〇二六年二月, large and in the middle as titles are."""
_FIELD = re.compile(
    "^(?:(?:文件|制度|程序)(?:编号|名称|标题)|版本/?版?[次号]?|版次|修订(?:日期|内容|人|说明|记录)|(?:生效|实施|发布|编制|发文)日期|页[次数码]|密级|发文字号|主办部门|拟稿人)\\s*[：:]?$"
)
_BRACKETED = re.compile(r"^\s*[【\[［(（]\s*([\u3400-\u9fffA-Za-z、和与及]{2,20})\s*[】\]］)）]\s*(?=\S)")
_TITLE_THEN_TEXT = re.compile(r"^([\u3400-\u9fff、（）()A-Za-z]{2,14})[ \u3000]+([\u3400-\u9fff《“].{9,})$", re.S)


@dataclass(frozen=True)
class Article:
    """`number` is unique in its document, and what 第…条 counts to where that is free; the preamble's is 0.

    `opens` are the headings of the path that begin with this article, `heading` its own, all as printed.
    """

    number: int
    label: str
    title: str
    text: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    opens: tuple[str, ...] = ()
    heading: str = ""

    @property
    def printed(self) -> str:
        """What of the document stands in this article."""
        return "\n".join(part for part in (*self.opens, self.heading, self.text) if part)

    def as_dict(self) -> dict[str, Any]:
        """As a policy's body holds it: `{number, label, title, chapter, heading_path, page, text}`."""
        above = self.heading_path if self.heading or not self.opens else self.heading_path[:-1]
        return {
            "number": self.number,
            "label": self.label,
            "title": self.title,
            "chapter": " · ".join(above),
            "heading_path": list(self.heading_path),
            "page": self.page,
            "text": self.text,
        }


@dataclass(frozen=True)
class Split:
    """`front` is the title page: title, number, contents."""

    front: tuple[str, ...]
    articles: tuple[Article, ...]

    @property
    def gaps(self) -> tuple[str, ...]:
        """The numbers of articles that the document passes over, as it would print them: 第四条, 第六条至第八条."""
        found: list[str] = []
        last = 0
        for article in self.articles:
            label = label_of(article.label)
            if label is None or label.kind != ARTICLE or not label.value or "之" in label.text:
                continue
            first, until = last + 1, label.value - 1
            if first <= until:
                found.append(f"第{chinese(first)}条" + (f"至第{chinese(until)}条" if first < until else ""))
            last = label.value
        return tuple(found)


@dataclass(frozen=True)
class _Item:
    block: Block
    label: Label | None


@dataclass
class _Open:
    """An article while its text gathers."""

    label: str
    title: str
    heading: str
    value: int | None
    path: tuple[str, ...]
    opens: tuple[str, ...]
    page: int | None
    parts: list[str] = field(default_factory=list)


def split(blocks: Sequence[Block]) -> Split:
    """The articles of a document; a document of nothing but headings keeps these as articles without text."""
    items = _labelled([block for block in blocks if block.kind == "table" or block.text.strip()])
    upper, unit = _levels(items)
    clauses = any(item.label and item.label.kind == CLAUSE for item in items)
    front, start = _front(items, structured=unit is not None or clauses)
    writer = _Writer()
    for index in range(start, len(items)):
        item = items[index]
        follows = index + 1 < len(items) and not _begins(items[index + 1], upper, unit)
        label = item.label
        if label and label.kind == POINTED:
            writer.end(_DEPTHS + _depth(label))
        if label and label.kind in STRUCTURE:
            writer.heading(STRUCTURE[label.kind], item.block)
        elif label and label.kind == unit == POINTED and _is_above(items, index):
            writer.heading(_DEPTHS + _depth(label), item.block)
        elif label and label.kind == unit and (unit == ARTICLE or item.block.kind != "heading"):
            writer.article(item.block, label, follows)
        elif label and label.kind in upper and item.block.kind != "heading":
            title, _ = _title_and_text(label.rest, True)
            if title or not label.rest.strip():
                writer.heading(60 + ITEMS.index(label.kind), item.block, label.text)
            else:
                writer.article(item.block, label, follows)
        elif item.block.kind == "heading":
            writer.heading(0 if item.block.level == TITLE else 10 + item.block.level, item.block)
        else:
            writer.text(item.block)
    return Split(tuple(item.block.printed for item in items[:start]) if front else (), writer.finish())


class _Writer:
    def __init__(self) -> None:
        self._done: list[_Open] = []
        self._now: _Open | None = None
        self._stack: list[tuple[int, str, str]] = []
        self._opens: list[tuple[str, int | None]] = []

    def heading(self, rank: int, block: Block, item: str = "") -> None:
        """Open a heading; those of the same rank or below end. `item` is its number where its own items are articles."""
        self._close()
        while self._stack and self._stack[-1][0] >= rank:
            self._stack.pop()
        self._stack.append((rank, block.text, item))
        self._opens.append((block.text, block.page))

    def end(self, rank: int) -> None:
        """End the headings of this rank and below."""
        if self._stack and self._stack[-1][0] >= rank:
            self._close()
        while self._stack and self._stack[-1][0] >= rank:
            self._stack.pop()

    def article(self, block: Block, label: Label, follows: bool) -> None:
        self._close()
        rest = label.rest.lstrip("、：:.．") if label.kind == ARTICLE else label.rest
        title, text = _title_and_text(rest, follows or block.kind == "heading")
        above = "" if label.kind in (ARTICLE, CHINESE) else "".join(item for _, _, item in self._stack)
        heading = block.text[: len(block.text) - len(label.rest)] + title
        value = label.value if label.kind == ARTICLE and "之" not in label.text else None
        self._open(above + label.text, title, heading, value, block.page)
        if text:
            self.text(Block("paragraph", text, page=block.page))

    def text(self, block: Block) -> None:
        if self._now is None:
            label, title = _of_heading(self._stack[-1][1]) if self._opens else ("", "")
            page = self._opens[0][1] if self._opens else block.page
            self._open(label, title, "", None, page)
        assert self._now is not None
        around = "\n" if block.kind == "table" else ""
        self._now.parts.append(f"{around}{block.printed}{around}")

    def finish(self) -> tuple[Article, ...]:
        self._close()
        if self._opens:
            label, title = _of_heading(self._stack[-1][1])
            self._open(label, title, "", None, self._opens[0][1])
            self._close()
        return _numbered(self._done)

    def _open(self, label: str, title: str, heading: str, value: int | None, page: int | None) -> None:
        path = tuple(text for _, text, _ in self._stack)
        opens = tuple(text for text, _ in self._opens)
        self._now = _Open(label, title, heading, value, path, opens, page)
        self._opens = []

    def _close(self) -> None:
        if self._now is not None:
            self._done.append(self._now)
            self._now = None


def _numbered(gathered: list[_Open]) -> tuple[Article, ...]:
    """Every article with a number of its own: the printed one while it is free, others after the last of those."""
    printed: set[int] = set()
    numbers: list[int | None] = []
    for one in gathered:
        free = one.value if one.value and one.value not in printed else None
        if free:
            printed.add(free)
        numbers.append(free)
    after = max(printed, default=0)
    found: list[Article] = []
    for one, number in zip(gathered, numbers, strict=True):
        label, title = one.label, one.title
        if not label and not one.opens:
            label, number = ("全文", None) if len(gathered) == 1 else ("前言", 0)
        if number is None:
            number = after = after + 1
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(one.parts)).strip("\n")
        found.append(Article(number, label, title, text, one.path, one.page, one.opens, one.heading))
    return tuple(found)


def _labelled(blocks: list[Block]) -> list[_Item]:
    """Blocks with their number, where they begin with one rather than speak of it."""
    items: list[_Item] = []
    last: int | None = None
    labels = _with_clauses(blocks, [label_of(block.text) if block.kind != "table" else None for block in blocks])
    for index, (block, label) in enumerate(zip(blocks, labels, strict=True)):
        if label and (label.kind == ARTICLE or label.kind in STRUCTURE) and not block.text.startswith(label.text):
            block = replace(block, text=label.text + label.rest)
        if label and label.kind == ARTICLE:
            apart = _apart(label) or block.kind == "heading" or "之" in label.text
            expected = label.value == 1 or (label.value is not None and last is not None and label.value == last + 1)
            ended = index == 0 or bool(_ENDED.search(blocks[index - 1].printed))
            if not (apart or expected or (ended and _goes_on(labels, index, last))):
                label = None
            else:
                last = label.value
        elif label and label.kind in STRUCTURE:
            long = len(block.text) > _LONGEST_HEADING or _SENTENCE.search(block.text)
            if long and block.kind != "heading":
                label = None
            if label and label.kind == APPENDIX:
                mention = last is None and not _is_title(block.text, items)
                named = label.rest.lstrip()[:1] in ("：", ":") and label.value is None
                before_table = index + 1 < len(blocks) and blocks[index + 1].kind == "table"
                if mention or (named and not before_table):
                    label = None
        items.append(_Item(block, label))
    return _titled(items)


def _titled(items: list[_Item]) -> list[_Item]:
    """第一章 and 附件2 on lines of their own together with their title on the next line."""
    found: list[_Item] = []
    for index, item in enumerate(items):
        above = found[-1] if found else None
        bare = above and above.label and above.label.kind in STRUCTURE and not above.label.rest.strip(" \u3000：:.．、")
        if above and above.label and bare and _is_its_title(items, index, above.label.kind):
            text = f"{above.block.text} {item.block.text}"
            rest = f"{above.label.rest} {item.block.text}"
            found[-1] = _Item(replace(above.block, text=text), replace(above.label, rest=rest))
        else:
            found.append(item)
    return found


def _is_its_title(items: list[_Item], index: int, kind: str) -> bool:
    """Whether a line is the title of the chapter, or of the appendix, whose number stands above it."""
    item, below = items[index], items[index + 1] if index + 1 < len(items) else None
    if item.label or item.block.kind == "table" or below is None or len(item.block.text) > _LONGEST_TITLE:
        return False
    if (
        is_contents_head(item.block.text)
        or _PHRASE.search(item.block.text)
        or re.search(r"^[\d(（]|\d$", item.block.text)
    ):
        return False
    return kind == APPENDIX or below.label is not None or below.block.kind == "heading"


def _with_clauses(blocks: list[Block], labels: list[Label | None]) -> list[Label | None]:
    """With 1 目的, 2 范围, 3 职责 as headings: they count on from 1, text stands between them, and no 第…条 or 一、 is above."""
    if any(label and label.kind == ARTICLE for label in labels):
        return labels
    run: list[tuple[int, Label]] = []
    for index, block in enumerate(blocks):
        label = clause_of(block.text) if block.kind == "paragraph" and labels[index] is None else None
        if label and label.value == 1:
            run = [(index, label)]
        elif label and run and label.value == len(run) + 1 and index > run[-1][0] + 1:
            run.append((index, label))
    if len(run) < 3 or any(label and label.kind in (CHINESE, BRACKET, DECIMAL) for label in labels[: run[0][0]]):
        return labels
    found = dict(run)
    return [found.get(index, label) for index, label in enumerate(labels)]


def _apart(label: Label) -> bool:
    """Whether something stands between an article's number and its text."""
    return not label.rest or not (label.rest[0].isalnum() or label.rest[0] == "、")


def _goes_on(labels: Sequence[Label | None], index: int, last: int | None) -> bool:
    """Whether the number at `index` leaves some out, rather than that its sentence speaks of an article.

    The ones that it leaves out come nowhere behind it, and the next does; the last of all is written as most of them are.
    """
    here = labels[index]
    if here is None or here.value is None or here.value <= (last or 0):
        return False
    later: list[int] = []
    for label in labels[index + 1 : index + _LOOKED_AROUND]:
        if label and label.kind == APPENDIX:
            break
        if label and label.kind == ARTICLE and label.value and "之" not in label.text:
            if label.value == 1:
                break
            later.append(label.value)
    if any((last or 0) < value < here.value for value in later):
        return False
    if here.value + 1 in later or last is None:
        return here.value + 1 in later
    around = labels[max(index - _LOOKED_AROUND, 0) : index + _LOOKED_AROUND]
    articles = [label for label in around if label and label.kind == ARTICLE]
    return 2 * sum(not _apart(label) for label in articles) > len(articles)


def _is_title(text: str, before: list[_Item]) -> bool:
    """An appendix can follow a text without articles; 附件 among the first lines is a mention."""
    return len(before) > 3 and len(re.sub("[ -~]{2}", "x", text)) <= _LONGEST_TITLE


def _levels(items: list[_Item]) -> tuple[frozenset[str], str | None]:
    """Which items are headings, and which begin articles: `(frozenset(), "article")` where 第…条 number the text, no kind where
    lists that begin again stand in the short sections of headings."""
    counts = Counter(item.label.kind for item in items if item.label)
    if counts[ARTICLE] >= 2 or (counts[ARTICLE] and len(counts) > 1) or (counts[ARTICLE] and len(items) <= 4):
        return frozenset(), ARTICLE
    seen = dict.fromkeys(item.label.kind for item in items if item.label and item.label.kind in ITEMS)
    outer = next((kind for kind in seen if counts[kind] >= 2), None)
    if outer is None:
        return frozenset(), None
    whole = sum(len(item.block.printed) for item in items)
    headings = sum(item.block.kind == "heading" and item.label is None for item in items[1:])
    again = sum(item.label is not None and item.label.kind == outer and item.label.value == 1 for item in items)
    if again > 1 and headings > 1 and whole / headings <= _LONG_SECTION:
        return frozenset(), None
    lengths = whole / counts[outer]
    inner = next(
        (kind for kind in list(seen)[list(seen).index(outer) + 1 :] if counts[kind] >= 2 * counts[outer]), None
    )
    if inner and lengths > _LONG_SECTION:
        return frozenset({outer}), inner
    return frozenset(), outer


def _depth(label: Label) -> int:
    """3 for 4.1.2, 1 for 4.0."""
    return len(_numbers(label))


def _numbers(label: Label) -> list[str]:
    numbers = re.findall(r"\d+", label.text)
    return numbers[:-1] if numbers[-1] == "0" else numbers


def _is_above(items: list[_Item], index: int) -> bool:
    """Whether 4.1 差旅费 is no more than the title of the 4.1.1 that follows it."""
    label, below = items[index].label, items[index + 1].label if index + 1 < len(items) else None
    if label is None or below is None or below.kind != POINTED or not _title_and_text(label.rest, True)[0]:
        return False
    own, inner = _numbers(label), _numbers(below)
    return len(inner) > len(own) and inner[: len(own)] == own


def _begins(item: _Item, upper: frozenset[str], unit: str | None) -> bool:
    """Whether a heading or an article begins with this block."""
    if item.label and (item.label.kind in STRUCTURE or item.label.kind in upper or item.label.kind == unit):
        return True
    return item.block.kind == "heading"


def _front(items: list[_Item], structured: bool) -> tuple[bool, int]:
    """How many blocks are the title page: short lines that are no sentence, then the table of contents."""
    end, titles = 0, 0
    top = min((item.block.level for item in items if item.block.kind == "heading"), default=0)
    sections = Counter(item.block.level for item in items if item.block.kind == "heading" and item.block.level > top)
    while end < len(items):
        block = items[end].block
        if is_contents_head(block.text):
            end = _contents_end(items, end)
            continue
        if _LEADER.search(block.text) and block.kind != "table":
            end += 1
            continue
        if behind := _contents_behind(items, end):
            end = behind
            continue
        if block.kind == "table" and _is_form(block):
            end += 1
            continue
        if block.kind == "table" or items[end].label or end >= 40:
            break
        if block.kind == "heading":
            if titles and not _is_front_line(block.text, True) and (not structured or sections[block.level] > 1):
                break
            titles += 1
        elif not _is_front_line(block.text):
            break
        end += 1
    if end == len(items) or not titles and not structured and end > 2:
        end = min(end, 1) if len(items) > 1 else 0
    return end > 0, end


def _contents_behind(items: list[_Item], start: int) -> int | None:
    """Where the table of contents begins, with nothing before it but lines of a title page and tables of versions or signatures."""
    for index in range(start, min(start + _NEAR, len(items))):
        if is_contents_head(items[index].block.text):
            return index
        if items[index].block.kind != "table" and (items[index].label or not _is_front_line(items[index].block.text)):
            return None
    return None


def _is_form(block: Block) -> bool:
    """Whether a table is the head of a procedure, the form of an office system, or the list of its versions."""
    return sum(bool(_FIELD.match(cell)) for cell in {cell for row in block.rows for cell in row}) > 1


def is_contents_head(text: str) -> bool:
    return re.sub(r"\s", "", text).lower() in ("目录", "目次", "contents", "tableofcontents")


def _is_front_line(text: str, heading: bool = False) -> bool:
    """Short and no sentence; of headings, the edition in brackets and the document's number."""
    if text[0] in "（(〔[" and text[-1] in "）)〕]" and len(text) <= 200:
        return True
    if heading:
        return len(text) <= _LONGEST_HEADING and (text[-1] == "号" or bool(_OF_TITLE_PAGE.match(text)))
    return len(text) <= _LONGEST_HEADING and not _SENTENCE.search(text) and text[-1] not in "：:，,"


def _contents_end(items: list[_Item], start: int) -> int:
    """Past a table of contents: to where its first line comes again, with no page behind it."""

    def plain(item: _Item) -> str:
        return re.sub(r"[\s\u3000]", "", _PAGE_AT_END.sub("", item.block.text))

    if start + 1 >= len(items):
        return start + 1
    first = plain(items[start + 1])
    for index in range(start + 2, len(items)):
        if len(items[index].block.text) > 80 or items[index].block.kind == "table":
            break
        if first and plain(items[index]) == first:
            return index
    end = start + 1
    while end < len(items) and _LEADER.search(items[end].block.text):
        end += 1
    return end


def _title_and_text(rest: str, follows: bool) -> tuple[str, str]:
    """What of the line after a number is the article's title, and what its text. Every letter is in one of them."""
    rest = rest.strip(" \u3000")
    if found := _BRACKETED.match(rest):
        return found[1], rest[found.end() :]
    if follows and len(rest) <= _LONGEST_TITLE and not _PHRASE.search(rest):
        return rest, ""
    if (found := _TITLE_THEN_TEXT.match(rest)) and _PHRASE.search(found[2]):
        return found[1], found[2]
    return "", rest


def _of_heading(text: str) -> tuple[str, str]:
    """A heading as label and title: 附件1 and 差旅费标准, or the whole heading as label."""
    label = label_of(text)
    if label and label.rest.strip(" \u3000：:.．、"):
        return label.text, label.rest.strip(" \u3000：:.．、")
    return text.rstrip(" \u3000：:") or text, ""
