"""Passages: the articles of a policy as entries that are found by their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kb.articles import names_of
from kb.closings import Closing, closings_of
from kb.entries import Audience, Entry, Source
from kb.ingest.policies.labels import ARTICLE, label_of
from kb.leads import Lead, leads_of

PIECE = 400
"""Characters of a passage at most: with its title it fits the encoder's 512 tokens."""

AGAIN = "（接上文：{}）\n"
BEFOREHAND = "\n（接下文：{}）"
"""Mark what a piece tells again from above it, and beforehand from below it."""
_CUT = "…"
_BETWEEN = " · "
"""Between the headings of an article's chapter."""
_LONGEST_PATH = 60
_LEAST = 4
"""Letters that a lead is told again with at least; where so many do not fit it is left out."""
_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n+|$)")
_CLAUSE = re.compile(r"[^，、,]*(?:[，、,]|$)")


def passages_of(policy: dict[str, Any]) -> list[Entry]:
    """One passage an article; a long article becomes several, split where sentences end.

    `policy` is the body of a stored policy: `{id, title, effective_from, effective_to?, owner, audience?, scope?, articles}`.
    The id of a passage is `<policy id>#<article number>`, with `.1`, `.2` … for the pieces of a long article; `scope` stands
    between policy and number, so that two versions of one policy can lie in a release. Articles without text have no passage;
    where chapters begin again with 第一条, titles name the chapter, as they do with items: 2.1.1 总监 is read under 2.1 住宿费.
    """
    shared: dict[str, Any] = {
        "question": "",
        "business_type": policy.get("business_type") or "",
        "owner": policy.get("owner") or "",
        **reach_of(policy),
    }
    found: list[Entry] = []
    names = names_of(policy["articles"])
    for article in policy["articles"]:
        name = f"《{policy['title']}》{names[article['number']]}"
        sources = (Source(name, policy=policy["id"], article=article["number"]),)
        title = f"{name}{_above(article)} {article.get('title') or ''}".strip()
        base = f"{policy['id']}{policy.get('scope', '')}#{article['number']}"
        texts = pieces(article["text"])
        if len(texts) == 1:
            found.append(Entry(id=base, answer=texts[0], title=title, sources=sources, **shared))
            continue
        for k, text in enumerate(texts, 1):
            heading = f"{title}（{k}/{len(texts)}）"
            found.append(Entry(id=f"{base}.{k}", answer=text, title=heading, sources=sources, **shared))
    return found


def _above(article: dict[str, Any]) -> str:
    """The headings over an item, the nearest ones as far as they fit; over 第三条, which says itself what it is about, none."""
    label = label_of(article.get("label") or "")
    if label and label.kind == ARTICLE or not article.get("chapter"):
        return ""
    told = article["chapter"].split(_BETWEEN)
    while len(told) > 1 and len(_BETWEEN.join(told)) > _LONGEST_PATH:
        del told[0]
    return f"（{_BETWEEN.join(told)}）"


def reach_of(policy: dict[str, Any]) -> dict[str, Any]:
    """Whom a policy is for and when, as every passage of it has them: `{audience, effective_from, effective_to}`."""
    audience = policy.get("audience") or {}
    return {
        "audience": Audience(frozenset(audience.get("companies") or ()), frozenset(audience.get("groups") or ())),
        "effective_from": _date(policy.get("effective_from")),
        "effective_to": _date(policy.get("effective_to")),
    }


def pieces(text: str, most: int = PIECE) -> list[str]:
    """`text` cut into pieces of at most `most` characters, as `cut` cuts it, each as it is read."""
    return [piece.printed for piece in cut(text, most)]


@dataclass(frozen=True)
class Piece:
    """`own` is this piece's part of the text; `again` and a table's `head` are told again from above it, `below` from below it, for
    it is read alone."""

    own: str
    again: str = ""
    head: str = ""
    below: str = ""

    @property
    def printed(self) -> str:
        return f"{self.again}{self.head}{self.own.rstrip()}{self.below}".strip()


def cut(text: str, most: int = PIECE) -> list[Piece]:
    """`text` in pieces of at most `most` characters: between paragraphs if that will do, else where a sentence, a clause, or
    at worst a line of `most` characters ends. Every character but the blanks at a cut is `own` to exactly one piece. A piece
    that begins inside a list or a table tells again, marked （接上文：…）, what governs it: the sentence that leads the list in,
    the table's caption and unit, and its head; one that ends inside them, marked （接下文：…）, what is said of them below."""
    text = text.strip()
    if not text:
        return []
    if len(text) <= most:
        return [Piece(text)]
    leads = leads_of(text)
    closings = closings_of(text, leads)
    found: list[Piece] = []
    held: Piece | None = None
    begun = 0
    for start, part in _parts(text, leads, closings, most):
        if held is not None:
            below = _below(closings, begun, start + len(part), most)
            if len(held.again) + len(held.head) + len(held.own) + len(part) + len(below) <= most:
                held = replace(held, own=held.own + part, below=below)
                continue
            found.append(held)
        begun = start
        held = Piece(part, *_context(leads, start, most), _below(closings, start, start + len(part), most))
    found += [held] if held is not None else []
    return [piece for piece in found if piece.own.strip()]


def _parts(text: str, leads: Sequence[Lead], closings: Sequence[Closing], most: int) -> Iterator[tuple[int, str]]:
    """The text's lines with where they begin, a table's head with its first row; a line that is too long with what it is to
    be read with in sentences, such a sentence in clauses, such a clause cut."""
    start = 0
    heads = {lead.start - len(lead.text): lead for lead in leads if lead.head}
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        if start in heads:
            line += next(lines)
            line += next(lines)
        room = _room(leads, closings, start, start + len(line), most)
        if len(line) <= room:
            yield start, line
            start += len(line)
            continue
        for sentence in _SENTENCE.findall(line):
            room = _room(leads, closings, start, start + len(sentence), most)
            for clause in [sentence] if len(sentence) <= room else _CLAUSE.findall(sentence):
                for k in range(0, len(clause), room):
                    yield start, clause[k : k + room]
                    start += len(clause[k : k + room])


def _room(leads: Sequence[Lead], closings: Sequence[Closing], start: int, end: int, most: int) -> int:
    """How many characters of its own a piece may have that holds these."""
    return most - sum(map(len, _context(leads, start, most))) - len(_below(closings, start, end, most))


def _below(closings: Sequence[Closing], start: int, end: int, most: int) -> str:
    """What a piece from `start` to `end` tells beforehand: what closes a list that it holds some of, and stands behind it."""
    told = " ".join(one.text for one in closings if start < one.end and one.start < end <= one.end)
    marked = BEFOREHAND.format(told) if told else ""
    return marked if len(marked) <= most // 5 else ""


def _context(leads: Sequence[Lead], at: int, most: int) -> tuple[str, str]:
    """What a piece that begins at a character tells again: a marked line, and the head of a table."""
    over = [lead for lead in leads if lead.start <= at < lead.end]
    head = "".join(lead.text for lead in over if lead.head)
    head = head if len(head) <= most // 2 else ""
    told = list(dict.fromkeys(lead.text for lead in over if not lead.head))
    room = most * 3 // 4 - len(head) - len(AGAIN.format(""))
    if not told or room < len(told) * _LEAST:
        return "", head
    while sum(map(len, told)) + len(told) - 1 > room:
        longest = max(range(len(told)), key=lambda k: len(told[k]))
        told[longest] = _shorter(told[longest])
    return AGAIN.format(" ".join(told)), head


def _shorter(text: str) -> str:
    """A lead without its first clause, or its first letters: what is said of the list stands at its end."""
    rest = text.removeprefix(_CUT)
    clauses = _CLAUSE.findall(rest)
    later = "".join(clauses[1:])
    return _CUT + (later if later.strip() else rest[3:])


def _date(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None
