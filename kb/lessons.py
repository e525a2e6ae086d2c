"""Questions with known right answers, made from the curated entries alone: what a matcher is fitted to and judged by.

A curated question is asked as if an employee had asked it: once while it is hidden from the index (its entry is the right
answer by its other questions), once while its whole entry is hidden (no entry is right, though its neighbours are there:
the near miss). Sentences far from finance have no right entry either. A single word that many entries share is asked of
all of them: whoever types it wants one of these, and nobody can tell which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from kb.entries import Entry
from kb.features import FEATURES, Evidence, Probe, gather
from kb.index import Index
from kb.words import words

OUT_OF_SCOPE = Path(__file__).with_name("out_of_scope.txt")

NEAR_SHARE = 0.25
WORD_SHARE = 0.05
SCENE_KNOWN = 0.5
SCENE_RIGHT = 0.8

_MOST_QUESTIONS = 1500
_MOST_WORDS = 60
_SHARED_BY = 3
_CURATED = 0.6
"""A sentence this much like a curated question is in the scope of this knowledge base after all."""


@dataclass(frozen=True)
class Lesson:
    """`right` (candidates,) adds up to one, or to zero where no candidate is right, be it that none can be (`answerable`
    is False) or that the right one was not found. Lessons of one `group` are alike: learnt or held out together.
    `counted` are those that thresholds are judged by."""

    evidence: Evidence
    right: np.ndarray
    weight: float
    group: int
    answerable: bool
    counted: bool = True


@cache
def out_of_scope() -> tuple[str, ...]:
    """Sentences of our own, one a line, that no finance desk answers."""
    return tuple(line for line in OUT_OF_SCOPE.read_text(encoding="utf-8").splitlines() if line)


def shared_words(entries: Sequence[Entry]) -> list[str]:
    """Words of two and more characters that at least three entries use in their questions; the commonest first."""
    held = Counter(word for entry in entries for word in {w for q in entry.questions for w in words(q)} if len(word) > 1)
    return [word for word, count in held.most_common(_MOST_WORDS) if count >= _SHARED_BY]


def lessons(index: Index, encode: Callable[[list[str]], np.ndarray], seed: int) -> list[Lesson]:
    """All lessons, those with a right entry weighing as much in sum as those without; the same for the same seed."""
    random = np.random.default_rng(seed)
    asked = _sample(index, random)
    everything = np.ones(len(index.texts), bool)
    right: list[Lesson] = []
    near: list[Lesson] = []
    for row in asked:
        owner = int(index.owner[row])
        page, node = _place(index.entries, owner, random)
        probe = Probe(index.texts[row], index.vectors[row], page, node)
        siblings = index.rows(owner)
        if len(siblings) > 1:
            evidence = gather(index, probe, _without(everything, [row]), [row])
            right.append(Lesson(evidence, (evidence.entries == owner).astype(float), 1.0, owner, True))
        if len(index.entries) > 1:
            evidence = gather(index, probe, _without(everything, siblings), siblings)
            near.append(Lesson(evidence, np.zeros(len(evidence.entries)), 1.0, owner, False))
    far = []
    for i, (text, vector) in enumerate(_encoded(out_of_scope(), encode)):
        page, node = _place(index.entries, int(random.integers(len(index.entries))), random)
        evidence = gather(index, Probe(text, vector, page, node), everything)
        if evidence.features[:, FEATURES.index("characters")].max(initial=0) < _CURATED:
            far.append(Lesson(evidence, np.zeros(len(evidence.entries)), 1.0, i, False))
    single = []
    for i, (text, vector) in enumerate(_encoded(shared_words(index.entries), encode)):
        evidence = gather(index, Probe(text, vector), everything)
        holds = np.array([any(text in q for q in index.entries[p].questions) for p in evidence.entries], float)
        if holds.sum() > 1:
            single.append(Lesson(evidence, holds / holds.sum(), 1.0, i, True, counted=False))
    scale = float(max(len(right), 1))
    return [
        *_weighing(right, scale),
        *_weighing(single, scale * WORD_SHARE),
        *_weighing(near, scale * NEAR_SHARE),
        *_weighing(far, scale * (1 - NEAR_SHARE) if near else scale),
    ]


def _sample(index: Index, random: np.random.Generator) -> np.ndarray:
    """Rows to ask: similar questions, as they are people's own words; the standard one of an entry that has no other."""
    rows = np.arange(len(index.texts))
    standard = np.isin(rows, index.starts[:-1])
    lonely = np.isin(index.owner, np.flatnonzero(np.diff(index.starts) == 1))
    rows = rows[~standard | lonely]
    return np.sort(random.permutation(rows)[:_MOST_QUESTIONS])


def _place(entries: Sequence[Entry], owner: int, random: np.random.Generator) -> tuple[str | None, str | None]:
    """Where the question may have been asked: often unknown, mostly a scene of its entry, sometimes another one."""
    known, fitting = random.random(2)
    scenes = entries[owner].scenes if fitting < SCENE_RIGHT else entries[int(random.integers(len(entries)))].scenes
    if known >= SCENE_KNOWN or not scenes:
        return None, None
    page, _, node = scenes[int(random.integers(len(scenes)))].partition("/")
    return page, node or None


def _without(allowed: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    left = allowed.copy()
    left[list(rows)] = False
    return left


def _encoded(texts: Sequence[str], encode: Callable[[list[str]], np.ndarray]) -> list[tuple[str, np.ndarray]]:
    return list(zip(texts, np.asarray(encode(list(texts)), np.float32), strict=True)) if texts else []


def _weighing(group: list[Lesson], total: float) -> list[Lesson]:
    return [replace(one, weight=total / len(group)) for one in group]
