"""Answers in the part of Markdown that DingTalk shows: headings, bold, links, lists, quotes; no tables, no HTML."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from markdown_it import MarkdownIt

from connectors.plain_text import offered, plain, split

MOST_BYTES = 9000
"""Of one part. More is allowed, but clients stop showing Markdown somewhat above 3,500 characters."""
_MOST_IN_JSON = 14_000
_MOST_TITLE = 60


def shown(markdown: str) -> str:
    """`markdown` with each table as lines; the rest as it is."""
    lines = markdown.strip().split("\n")
    for token in reversed(_parser().parse("\n".join(lines))):
        if token.type == "table_open" and token.map:
            start, end = token.map
            lines[start:end] = [f"- {line}" for line in plain("\n".join(lines[start:end])).split("\n") if line.strip()]
    return "\n".join(lines).strip()


def choices(message: dict[str, Any]) -> str:
    """What can be answered to `Message.to_dict()`, each on a line of its own; empty where nothing is offered."""
    how, _, lines = offered(message).partition("\n")
    return f"**{how}**\n\n" + lines.replace("\n", "  \n") if how else ""


def parts(text: str) -> list[str]:
    """`text` in parts that fit into one message, also as JSON within JSON."""
    for most in (MOST_BYTES, MOST_BYTES // 2, MOST_BYTES // 6):
        found = split(text, most)
        if all(
            len(json.dumps(json.dumps(part, ensure_ascii=False), ensure_ascii=False).encode()) < _MOST_IN_JSON
            for part in found
        ):
            break
    return found


def title_of(text: str) -> str:
    """What the list of chats shows of a message: its first words, without marks."""
    first = next((line for line in plain(text).split("\n") if line.strip()), "")
    return first[:_MOST_TITLE] or "财务服务台"


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")
