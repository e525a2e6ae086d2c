"""Tables that a document continues by hand below 续表, as one table again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kb.ingest.policies.blocks import Block

_CONTINUED = re.compile(
    r"^[（(【]?(?:续[上前]?[表页]|接上[页]?表?|(?:续|接)?[上前]?表\s*[\d一二三四五六七八九十.-]*\s*[（(]续表?[)）]|续表\s*[\d一二三四五六七八九十.-]+)"
    r"[)）】]?\s*[：:]?$|^[^。；]{2,30}[（(]续表?[)）]$"
)
_UNIT = re.compile(r"^[（(]?(?:金额|计量)?单位\s*[:：]\s*\S{1,12}$")
_MOST_HEADS = 3


def with_whole_tables(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with every table that goes on below 续表 joined to its first part. A head that is printed again goes."""
    found: list[Block] = []
    at = 0
    while at < len(blocks):
        behind = at
        if found and found[-1].kind == "table" and blocks[at].kind != "table" and _CONTINUED.match(blocks[at].text):
            behind = at + 1
            while behind < len(blocks) and behind - at < 3 and _UNIT.match(blocks[behind].text):
                behind += 1
        more = blocks[behind] if at < behind < len(blocks) else None
        if more and more.kind == "table" and len(more.rows[0]) == len(found[-1].rows[0]):
            found[-1] = replace(found[-1], rows=(*found[-1].rows, *_body(found[-1], more)))
            at = behind + 1
        else:
            found.append(blocks[at])
            at += 1
    return found


def _body(first: Block, more: Block) -> tuple[tuple[str, ...], ...]:
    again = 0
    while again < min(len(more.rows), len(first.rows), _MOST_HEADS) and more.rows[again] == first.rows[again]:
        again += 1
    return more.rows[again:]
