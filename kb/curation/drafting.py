"""A first draft of a new entry, from what agents answered and what the policies say; a curator writes the real one.

The draft's answer is the reply of an agent that agrees most with the other replies, without its courtesies. It quotes nothing
that was not said: whoever edits it sees every reply and the nearest passages beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from core.privacy import mask_people
from core.text import normalize
from kb.curation.grouping import Space, central
from kb.curation.store import OpenQuestionRow
from kb.curation.tickets import Answer, TicketFacts
from kb.curation.wording import plain
from kb.encoder import Encoder
from kb.entries import STAFF, Entry, Source
from kb.search import LONGEST, Candidate, Query, Searcher
from kb.words import bare

MOST_REPLIES = 30
MOST_PASSAGES = 5
MOST_SIMILAR = 30
_SHORTEST = 8
_GREETING = re.compile(
    r"^\s*(?:(?:您好|你好|亲|在的|收到|好的|嗯|抱歉|请稍等|稍等|让?您?久等了?|某某)[,，。!！~、:：\s]*)+"
)
_COURTESY = re.compile(
    r"\s*(?:感谢|谢谢|不客气|不用谢|辛苦|祝您|请稍等|稍等|有(?:其他|任何|别的)?(?:问题|疑问)|还有(?:其他|别的|什么)|如有(?:其他|任何)?(?:问题|疑问)|如还有|麻烦您了)"
    r"[^。！？!?;；\n]{0,40}[。！？!?;；~\s]*"
)
_SENTENCE = re.compile(r"[^。！？!?;；\n]*(?:[。！？!?;；\n]+|$)")


@dataclass(frozen=True)
class Reply:
    """What an agent answered, masked, and on which ticket; `weight` in [0, 1] is how far the other replies agree with it."""

    ticket: str
    agent: str
    name: str
    text: str
    resolution: bool
    rating: int | None
    weight: float


@dataclass(frozen=True)
class Passage:
    """A passage of a policy near the question; `probability` that it answers it, as the search has it."""

    id: str
    title: str
    text: str
    policy: str | None
    article: int | None
    label: str
    owner: str
    probability: float


@dataclass(frozen=True)
class Proposal:
    """A draft: `entry` to be edited, `replies` and `passages` that it may rest on, `from_ticket` whose reply the answer is."""

    entry: Entry
    replies: tuple[Reply, ...]
    passages: tuple[Passage, ...]
    from_ticket: str | None


def propose(
    searcher: Searcher,
    encoder: Encoder,
    space: Space,
    questions: Sequence[OpenQuestionRow],
    name: str,
    facts: Sequence[TicketFacts],
    day: date,
) -> Proposal:
    """A first draft for a cluster called `name`; its answer is empty where no agent answered."""
    replies = _replies(encoder, space, facts)
    passages = passages_near(searcher, [name, *(row.text for row in questions[:3])], day)
    near = [one for one in nearest(searcher, [name], day) if not one.entry.is_passage]
    types = Counter(one.business_type for one in facts if one.business_type)
    business = types.most_common(1)[0][0] if types else (near[0].entry.business_type if near else "")
    owner = next((one.entry.owner for one in near if one.entry.business_type == business), "")
    best = replies[0] if replies else None
    entry = Entry(
        id="",
        question=name,
        similar=tuple(wordings([row.text for row in questions], name)),
        answer=best.text if best else "",
        business_type=business,
        scenes=tuple(_scenes(questions)),
        owner=owner or (near[0].entry.owner if near else ""),
        sources=tuple(_source(one) for one in passages[:1] if one.probability >= _SURE),
    )
    return Proposal(entry, tuple(replies), tuple(passages), best.ticket if best else None)


_SURE = 0.2


def wordings(texts: Sequence[str], name: str) -> list[str]:
    """Different wordings, those asked most often first, without the name itself and what is masked."""
    texts = [said for text in texts if "某某" not in (said := plain(text)) and "**" not in said]
    counted = Counter(bare(text) for text in texts)
    first = {bare(text): text for text in reversed(texts)}
    keys = sorted((key for key in counted if key and key != bare(name)), key=lambda key: -counted[key])
    return [first[key] for key in keys][:MOST_SIMILAR]


def nearest(searcher: Searcher, texts: Sequence[str], day: date, top_k: int = 5) -> list[Candidate]:
    """The entries and passages that the search finds for these questions, whatever their audience; each with the mean of its
    probabilities, best first."""
    found: dict[str, list[Candidate]] = {}
    for text in texts:
        for one in searcher.search(Query(normalize(text)[:LONGEST], day, viewer=STAFF, top_k=top_k * 2)).candidates:
            found.setdefault(one.entry.id, []).append(one)
    meant = [
        Candidate(
            some[0].entry, sum(one.probability for one in some) / len(texts), some[0].matched_question, some[0].features
        )
        for some in found.values()
    ]
    return sorted(meant, key=lambda one: -one.probability)[:top_k]


def passages_near(searcher: Searcher, texts: Sequence[str], day: date) -> list[Passage]:
    """The passages nearest to the questions, also where the search would rather show an entry."""
    index = searcher.index
    allowed = index.passage & index.visible(STAFF, day)
    if not allowed.any():
        return []
    scores: dict[int, float] = {}
    for text in texts:
        vector = np.asarray(searcher.encode(normalize(text)[:LONGEST]), np.float32)
        rows, cosines = index.nearest(index.facing(vector), allowed, MOST_PASSAGES * 2)
        for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True):
            scores[row] = scores.get(row, 0.0) + cosine / len(texts)
    probable = {one.entry.id: one.probability for one in nearest(searcher, texts, day, 20)}
    best = sorted(scores, key=lambda row: -scores[row])[:MOST_PASSAGES]
    return [_passage(index.entries[index.owner[row]], probable) for row in best]


def _passage(entry: Entry, probable: dict[str, float]) -> Passage:
    source = entry.sources[0] if entry.sources else Source(entry.title)
    return Passage(
        entry.id,
        entry.title,
        entry.answer,
        source.policy,
        source.article,
        source.label,
        entry.owner,
        round(probable.get(entry.id, 0.0), 4),
    )


def _source(passage: Passage) -> Source:
    return Source(passage.label, policy=passage.policy, article=passage.article)


def _replies(encoder: Encoder, space: Space, facts: Sequence[TicketFacts]) -> list[Reply]:
    """Every answer that says something, those that the others agree with first; a ticket's resolution before its other
    replies, well rated ones before badly rated ones."""
    told = [
        (one, answer, text)
        for one in facts
        for answer in _once(one.answers)
        if len(text := without_courtesy(mask_people(answer.text, [answer.name]))) >= _SHORTEST
    ][: MOST_REPLIES * 2]
    if not told:
        return []
    placed = space.place(encoder.encode_queries([text for _, _, text in told]))
    agree = np.clip(placed @ placed.mean(0), 0, 1)
    replies = [
        Reply(one.number, answer.agent, answer.name, text, answer.resolution, one.rating, round(float(weight), 4))
        for (one, answer, text), weight in zip(told, agree, strict=True)
    ]
    order = central(placed).tolist()
    rank = {place: n for n, place in enumerate(order)}
    places = sorted(
        range(len(replies)), key=lambda k: ((replies[k].rating or 4) < 3, not replies[k].resolution, rank[k])
    )
    return [replies[k] for k in places][:MOST_REPLIES]


def _once(answers: Sequence[Answer]) -> list[Answer]:
    """A reply that also settled its ticket is there twice: as the resolution it counts."""
    settled = {answer.text for answer in answers if answer.resolution}
    return [answer for answer in answers if answer.resolution or answer.text not in settled]


def without_courtesy(text: str) -> str:
    """Without the greeting before what is said and the thanks after it."""
    sentences = [one for one in _SENTENCE.findall(_GREETING.sub("", text)) if one.strip()]
    while sentences and _COURTESY.fullmatch(sentences[0]):
        sentences.pop(0)
    while sentences and _COURTESY.fullmatch(sentences[-1]):
        sentences.pop()
    return "".join(sentences).strip()


def _scenes(questions: Sequence[OpenQuestionRow]) -> list[str]:
    """The places where at least a third of the questions were asked."""
    places = Counter(f"{row.page}/{row.node}" if row.node else row.page for row in questions if row.page)
    return [place for place, count in places.most_common(3) if count * 3 >= len(questions)]


def body_of(proposal: Proposal) -> dict[str, Any]:
    """As the console tells it."""
    return {
        "replies": [vars(one) for one in proposal.replies],
        "passages": [vars(one) for one in proposal.passages],
        "from_ticket": proposal.from_ticket,
    }
