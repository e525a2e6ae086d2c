"""Superscripts: marks of footnotes, which must not become digits of the amount that they stand behind, and m²."""

from __future__ import annotations

import re
from dataclasses import replace

from kb.ingest.policies.blocks import Block, Document

NOTE = "上标的数字写成了 [1] 这样的注码，标准表的数值里不含注码；请核对注的内容，看它有没有改变前面的金额或条件。"
_TO_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_TO_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_MARK = re.compile(r"([\[［【（(〔]?)([⁰¹²³⁴-⁹]+)([\]］】）)〕]?)")
_POWER = re.compile(r"(?<=[\dA-Za-z)）])⁻[⁰¹²³⁴-⁹]+")
_MEASURE = re.compile(r"(?:(?<![A-Za-z])(?:[kcdm]?m|[KC]?M)|[㎞㎝㎜米])$")
_MARK_READ = re.compile(r"\[\d+\]")
_MARKS_BEHIND = re.compile(r"(?:[,，、]?\[\^?\d{1,3}\])+$")


def raised(text: str) -> str:
    """Text that a document sets as a superscript, its digits as ¹²³."""
    return re.sub(r"[-+−–]?\d+", lambda found: found[0].translate(_TO_RAISED), text, flags=re.ASCII)


def without_marks(text: str) -> str:
    """A table's cell without the footnote marks behind it: 500 for 500[1]."""
    return _MARKS_BEHIND.sub("", text.strip()).rstrip()


def with_marks(document: Document) -> Document:
    """The document with its superscript digits as [1], with a note; m² and 10⁻³ as they mean it."""
    blocks = [_marked(block) for block in document.blocks]
    if blocks == document.blocks:
        return document
    told = any(_MARK_READ.search(_all(new)) and new != old for new, old in zip(blocks, document.blocks, strict=True))
    return replace(document, blocks=blocks, notes=[*document.notes, *([NOTE] if told else [])])


def _all(block: Block) -> str:
    return block.text + "".join(cell for row in block.rows for cell in row)


def _marked(block: Block) -> Block:
    rows = tuple(tuple(_text(cell) for cell in row) for row in block.rows)
    return replace(block, text=_text(block.text), rows=rows)


def _text(text: str) -> str:
    powers = _POWER.sub(lambda found: "^" + found[0].translate(_TO_PLAIN), text)

    def mark(found: re.Match[str]) -> str:
        if found[2] in "²³" and not found[1] and _MEASURE.search(powers[: found.start()]):
            return found[0]
        digits = found[2].translate(_TO_PLAIN)
        whole = found[1] and found[3]
        return f"[{digits}]" if whole else f"{found[1]}[{digits}]{found[3]}"

    return _MARK.sub(mark, powers)
