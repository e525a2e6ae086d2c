"""The one scorer: chat, console, API and evaluation all ask here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

import numpy as np

from core.text import normalize
from kb.entries import PUBLIC, Audience, Entry, Viewer
from kb.features import FEATURES, Probe, Wording, gather
from kb.index import Index
from kb.matcher import Matcher
from kb.thresholds import Thresholds
from kb.visibility import Limits
from kb.words import bare, is_chinese

Encode = Callable[[list[str]], np.ndarray]
"""Questions to their vectors: (n, dim) float32 of unit length."""

LONGEST = 500
CHOICES = 5
_STRANGE = 0.5
"""A text without Chinese of which more than this share is unknown to the base is in another language, and not the name of a form or a system."""


class Band(StrEnum):
    ANSWER = "answer"
    CLARIFY = "clarify"
    NONE = "none"


@dataclass(frozen=True)
class Query:
    """`today` is the employee's day, Asia/Shanghai. At most `top_k` candidates are returned; the bands do not depend on it."""

    text: str
    today: date
    page: str | None = None
    node: str | None = None
    viewer: Viewer = PUBLIC
    top_k: int = 5


@dataclass(frozen=True)
class Candidate:
    """`probability`, in [0, 1], that this entry is the right answer; `features` is what it was judged by."""

    entry: Entry
    probability: float
    matched_question: str
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchResult:
    """`candidates` best first, also in the band none, for those who curate. `in_scope` is the probability that any
    entry is right."""

    band: Band
    candidates: list[Candidate]
    in_scope: float
    thresholds: Thresholds
    release: int


class Searcher:
    """A release at work: immutable, safe for many threads, swapped by whoever holds it.

    `vectors` are those of `kb.index.texts(entries)`, made by the same `encode`.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        vectors: np.ndarray,
        matcher: Matcher,
        thresholds: Thresholds,
        encode: Encode,
        release: int,
        *,
        index: Index | None = None,
    ) -> None:
        self.release = release
        self.thresholds = thresholds
        self._index = index or Index(entries, vectors)
        self._matcher = matcher
        self._passages = matcher.passages if self._index.passage.any() else None
        self._encode = encode
        self._limits = Limits()

    @classmethod
    def of(cls, index: Index, matcher: Matcher, thresholds: Thresholds, encode: Encode, release: int) -> Searcher:
        """A searcher on an index that is there already."""
        return cls(index.entries, index.vectors, matcher, thresholds, encode, release, index=index)

    def limited(self, limits: Limits) -> Searcher:
        """The same release, with less to be seen of it."""
        other = copy(self)
        other._limits = limits
        return other

    @property
    def index(self) -> Index:
        return self._index

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._index.entries

    def get(self, entry_id: str, viewer: Viewer, today: date) -> Entry | None:
        """This very entry, or None when it does not exist, is not valid today or is not for this viewer."""
        position = self._index.position.get(entry_id)
        if position is None:
            return None
        entry = self._index.entries[position]
        shown = entry.visible_to(viewer, today) and not self._limits.closes(entry_id, viewer, today)
        return entry if shown else None

    def audiences(self, entry_id: str) -> tuple[Audience, ...]:
        """Whom an entry is for, as published and as decided since: only who belongs to each may see it. Nobody's where the
        release does not hold it."""
        position = self._index.position.get(entry_id)
        if position is None:
            return ()
        since = self._limits.audience(entry_id)
        published = self._index.entries[position].audience
        return (published,) if since is None else (published, since)

    def encode(self, text: str) -> np.ndarray:
        """The vector of a question, (dim,) float32, as `search` takes it."""
        return np.asarray(self._encode([text])[0], np.float32)

    def _visible(self, viewer: Viewer, today: date) -> np.ndarray:
        rows = self._index.visible(viewer, today)
        closed = self._limits.closed(viewer, today)
        if closed:
            rows = rows.copy()
            rows[self._index.rows_of(np.array([self._index.position[one] for one in closed]))[0]] = False
        return rows

    def search(self, query: Query, vector: np.ndarray | None = None) -> SearchResult:
        """Find the entries that this viewer may see today, and say how sure that is. Never raises for odd text.

        `vector`, (dim,) float32, is the question's own where it is known already.
        """
        text = normalize(query.text)[:LONGEST]
        allowed = self._visible(query.viewer, query.today)
        asks = any(c.isalpha() for c in bare(text)) or self._index.equal(text)
        if not allowed.any() or not asks:
            return SearchResult(Band.NONE, [], 0.0, self.thresholds, self.release)
        if vector is None:
            vector = self.encode(text)
        return self._judge(Probe(text, vector, query.page, query.node), allowed, query.top_k)

    def _judge(self, probe: Probe, allowed: np.ndarray, top_k: int) -> SearchResult:
        passage = self._index.passage
        wording = Wording.of(self._index, probe)
        foreign = self._matcher.foreign if _is_foreign(wording, probe.text) else None
        thresholds = self.thresholds.abroad if foreign else self.thresholds
        questions = allowed & ~passage if self._passages else allowed
        found = self._weighed(foreign or self._matcher, probe, questions, wording)
        answering = bool(found) and found[0].probability >= thresholds.answer
        if self._passages and not answering and not foreign:  # an entry's answer comes before any passage
            left = 1 - min(sum(candidate.probability for candidate in found), 1.0)
            told = [
                replace(candidate, probability=candidate.probability * left)
                for candidate in self._weighed(self._passages, probe, allowed & passage, wording)
            ]
            answering = bool(told) and self._reaches(told[0], found)
            found = sorted([*found, *told], key=lambda candidate: -candidate.probability)
        in_scope = float(min(sum(candidate.probability for candidate in found), 1.0))
        if answering:
            band = Band.ANSWER
        elif found and in_scope >= thresholds.clarify:
            band = Band.CLARIFY
        else:
            band = Band.NONE
        return SearchResult(band, found[:top_k], in_scope, thresholds, self.release)

    def _reaches(self, passage: Candidate, entries: list[Candidate]) -> bool:
        best = entries[0].probability if entries else 0.0
        return passage.probability >= max(self.thresholds.passage, best)

    def _weighed(self, matcher: Matcher, probe: Probe, allowed: np.ndarray, wording: Wording) -> list[Candidate]:
        """The candidates among these texts, best first."""
        evidence = gather(self._index, probe, allowed, wording=wording)
        probabilities = matcher.probabilities(evidence)
        return [
            Candidate(
                self._index.entries[evidence.entries[i]],
                float(probabilities[i]),
                self._index.texts[evidence.nearest[i]],
                dict(zip(FEATURES, evidence.features[i].tolist(), strict=True)),
            )
            for i in np.argsort(-probabilities, kind="stable")
        ]


def _is_foreign(wording: Wording, text: str) -> bool:
    return not is_chinese(text) and wording.by_character.unknown > _STRANGE
