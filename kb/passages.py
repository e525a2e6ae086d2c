"""Passages: the articles of a policy as entries that are found by their text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from kb.entries import Audience, Entry, Source

PIECE = 400
"""Characters of a passage at most: with its title it fits the encoder's 512 tokens."""

_TABLE_LINE = re.compile(r"^\|.*\|\s*$")
_TABLE_RULE = re.compile(r"^\|[\s:|-]+\|\s*$")
_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n+|$)")
_CLAUSE = re.compile(r"[^，、,]*(?:[，、,]|$)")


def passages_of(policy: dict[str, Any]) -> list[Entry]:
    """One passage an article; a long article becomes several, split where sentences end.

    `policy` is the body of a stored policy: `{id, title, effective_from, effective_to?, owner, audience?, scope?, articles}`.
    The id of a passage is `<policy id>#<article number>`, with `.1`, `.2` … for the pieces of a long article; `scope` stands
    between policy and number, so that two versions of one policy can lie in a release. Articles without text have no passage.
    """
    shared: dict[str, Any] = {
        "question": "",
        "business_type": policy.get("business_type") or "",
        "owner": policy.get("owner") or "",
        **reach_of(policy),
    }
    found: list[Entry] = []
    for article in policy["articles"]:
        name = f"《{policy['title']}》{article.get('label') or ''}"
        sources = (Source(name, policy=policy["id"], article=article["number"]),)
        title = f"{name} {article['title']}" if article.get("title") else name
        base = f"{policy['id']}{policy.get('scope', '')}#{article['number']}"
        texts = pieces(article["text"])
        if len(texts) == 1:
            found.append(Entry(id=base, answer=texts[0], title=title, sources=sources, **shared))
            continue
        for k, text in enumerate(texts, 1):
            heading = f"{title}（{k}/{len(texts)}）"
            found.append(Entry(id=f"{base}.{k}", answer=text, title=heading, sources=sources, **shared))
    return found


def reach_of(policy: dict[str, Any]) -> dict[str, Any]:
    """Whom a policy is for and when, as every passage of it has them: `{audience, effective_from, effective_to}`."""
    audience = policy.get("audience") or {}
    return {
        "audience": Audience(frozenset(audience.get("companies") or ()), frozenset(audience.get("groups") or ())),
        "effective_from": _date(policy.get("effective_from")),
        "effective_to": _date(policy.get("effective_to")),
    }


def pieces(text: str, most: int = PIECE) -> list[str]:
    """`text` cut into pieces of at most `most` characters, none overlapping: between paragraphs if that will do, else where
    a sentence, a clause, or at worst a line of `most` characters ends. Every character but the blanks at a cut is in exactly
    one piece; only the head of a Markdown table is told again where the table goes on in the next piece."""
    text = text.strip()
    if not text:
        return []
    if len(text) <= most:
        return [text]
    cut: list[str] = []
    held, told = "", ""
    for head, rows in _blocks(text):
        told = ""
        for part in _parts(rows, most - len(head)):
            if held and len(held) + len(part) + (len(head) if head != told else 0) > most:
                cut.append(held)
                held, told = "", ""
            held += part if head == told else head + part
            told = head
    return [one.strip() for one in (*cut, held) if one.strip()]


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Runs of lines as `(head, lines)`: a Markdown table with its head, which is empty for all else."""
    lines = text.splitlines(keepends=True)
    start = 0
    while start < len(lines):
        table = bool(_TABLE_LINE.match(lines[start]))
        end = start
        while end < len(lines) and bool(_TABLE_LINE.match(lines[end])) == table:
            end += 1
        head = "".join(lines[start : start + 2]) if table and end - start > 2 else ""
        if not head or not _TABLE_RULE.match(lines[start + 1]) or len(head) > PIECE // 2:
            yield "", "".join(lines[start:end])
        else:
            yield head, "".join(lines[start + 2 : end])
        start = end


def _parts(text: str, most: int) -> Iterator[str]:
    """The text's lines; a line that is too long in sentences, such a sentence in clauses, such a clause cut."""
    for line in text.splitlines(keepends=True):
        if len(line) <= most:
            yield line
            continue
        for sentence in _SENTENCE.findall(line):
            if len(sentence) <= most:
                yield sentence
                continue
            for clause in _CLAUSE.findall(sentence):
                yield from (clause[k : k + most] for k in range(0, len(clause), most))


def _date(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None
