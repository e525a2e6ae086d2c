"""What speaks for each candidate entry, in numbers that mean the same in every knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.entries import Entry
from kb.index import Index
from kb.kriging import estimate
from kb.lexicon import Asked
from kb.words import characters, is_chinese, numbers, syllables, words

CANDIDATES = 20
NEIGHBOURS = 64
FEATURES = (
    "kriging",  # the entry's share of the kernel estimate from the nearest curated questions
    "kriging_lead",  # over the best other entry
    "similarity",  # of the nearest own question: 0 where a cosine says unrelated, 1 the same
    "similarity_lead",
    "consensus",  # mean of the three nearest own questions
    "characters",  # Ochiai's coefficient of characters and pairs, rare ones counting more
    "characters_lead",
    "sound",  # Ochiai's coefficient of pairs of syllables: a homophone typed for the right word keeps it
    "sound_lead",
    "asked",  # share of the question's words that one own question has
    "told",  # share of that question's words that the employee's has
    "asked_together",  # share of the question's words that the own questions have together
    "asked_together_lead",
    "characters_together",
    "characters_together_lead",
    "answer",  # share of the question's words that the answer has
    "answer_meaning",  # how near the answer is to the question: 0 where unrelated, and where there is none
    "answer_meaning_lead",
    "numbers",  # 1: all quantities asked are curated, -1: none is; 0: none asked
    "scene",  # 1: asked at this page and node, 0.5: on this page, -1: on other pages, 0: anywhere, or who knows
)
CIRCUMSTANCES = (
    "novelty",  # variance left by the nearest curated questions: 0 for a curated question, 1 for nothing like it
    "best_kriging",
    "best_similarity",
    "best_asked",
    "unknown",  # share of the question's characters that no entry has; 0 where none of them is Chinese
    "brevity",  # 1 for one word, 1/n for n
    "scene_known",
)


@dataclass(frozen=True)
class Probe:
    """A question as the index sees it: normalized text, (dim,) float32 vector, and where it was asked."""

    text: str
    vector: np.ndarray
    page: str | None = None
    node: str | None = None


@dataclass(frozen=True)
class Evidence:
    """`entries` are positions in the index, most promising first; `nearest` the row of each one's nearest question;
    `features` (candidates, FEATURES) and `circumstances` (CIRCUMSTANCES,) float64; `holders` the places among
    the candidates of the entries that hold this very question."""

    entries: np.ndarray
    nearest: np.ndarray
    features: np.ndarray
    circumstances: np.ndarray
    holders: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wording:
    """What a question is made of, as the index knows it: the same whichever texts it is put to."""

    words: list[str]
    by_character: Asked
    by_word: Asked
    by_sound: Asked
    by_answer: Asked
    numbers: frozenset[str]

    @classmethod
    def of(cls, index: Index, probe: Probe, without: Sequence[int] = ()) -> Wording:
        asked = words(probe.text)
        return cls(
            asked,
            index.characters.ask(characters(probe.text), without),
            index.words.ask(asked, without),
            index.syllables.ask(syllables(probe.text), without),
            index.answers.ask(asked),
            numbers(probe.text),
        )


def gather(
    index: Index, probe: Probe, allowed: np.ndarray, without: Sequence[int] = (), wording: Wording | None = None
) -> Evidence:
    """Weigh the best entries among the `allowed` texts ((texts,) bool), which are all questions or all passages.

    `without` are rows among the forbidden ones that shall leave no trace in the statistics either: when a matcher is
    fitted, the curated question that plays the employee's. `wording` is that of the probe, where it is known already.
    """
    passages = bool(index.passage[allowed.argmax()]) if len(allowed) else False
    vector = index.facing(probe.vector) if passages else probe.vector
    rows, _ = index.nearest(vector, allowed, NEIGHBOURS)
    if not len(rows):
        return Evidence(np.empty(0, int), np.empty(0, int), np.empty((0, len(FEATURES))), np.zeros(len(CIRCUMSTANCES)))
    wording = wording or Wording.of(index, probe, without)
    by_character, by_sound = wording.by_character, wording.by_sound
    unrelated = index.unrelated(passages)
    lexical = [
        index.characters.candidates(by_character, allowed, NEIGHBOURS // 8),
        index.syllables.candidates(by_sound, allowed, NEIGHBOURS // 16),
    ]
    rows = np.unique(np.concatenate([rows, *lexical]))
    near = index.vectors[rows]
    reachable, owner = np.unique(index.owner[rows], return_inverse=True)
    held, novelty = estimate(
        (near @ near.T, index.characters.alike(rows)),
        (near @ vector, index.characters.overlap(by_character, rows).cosine),
        owner,
        len(reachable),
        unrelated,
    )
    best = np.argsort(-held, kind="stable")[:CANDIDATES]
    positions, held = reachable[best], held[best]

    own, nth = index.rows_of(positions)
    own, nth = own[allowed[own]], nth[allowed[own]]
    first = np.searchsorted(nth, np.arange(len(positions)))
    nearest, similarity, consensus = _own(index, vector, own, nth, first)
    nearness = _spread(similarity, unrelated)
    spelt = index.characters.overlap(by_character, own)
    alike = np.maximum.reduceat(spelt.cosine, first)
    together = spelt.together(first)
    sound = np.maximum.reduceat(index.syllables.overlap(by_sound, own).cosine, first)
    shared = index.words.overlap(wording.by_word, own)
    words_together = shared.together(first)
    meaning = index.meaning(probe.vector, positions)
    evidence = {
        "kriging": held,
        "kriging_lead": _lead(held),
        "similarity": nearness,
        "similarity_lead": _lead(nearness),
        "consensus": _spread(consensus, unrelated),
        "characters": alike,
        "characters_lead": _lead(alike),
        "sound": sound,
        "sound_lead": _lead(sound),
        "asked": np.maximum.reduceat(shared.asked, first),
        "told": np.maximum.reduceat(shared.told, first),
        "asked_together": words_together,
        "asked_together_lead": _lead(words_together),
        "characters_together": together,
        "characters_together_lead": _lead(together),
        "answer": index.answers.overlap(wording.by_answer, positions).asked,
        "answer_meaning": meaning,
        "answer_meaning_lead": _lead(meaning),
        "numbers": _agreement(wording.numbers, [index.numbers(position) for position in positions.tolist()]),
        "scene": np.array([scene(index.entries[position], probe.page, probe.node) for position in positions]),
    }
    features = np.stack([evidence[name] for name in FEATURES], axis=1).astype(np.float64)
    context = {
        "novelty": novelty,
        "best_kriging": evidence["kriging"].max(),
        "best_similarity": evidence["similarity"].max(),
        "best_asked": evidence["asked"].max(),
        "unknown": by_character.unknown if is_chinese(probe.text) else 0.0,
        "brevity": 1 / max(len(wording.words), 1),
        "scene_known": max(evidence["scene"].max(), 0),
    }
    circumstances = np.array([context[name] for name in CIRCUMSTANCES], np.float64)
    return Evidence(positions, nearest, features, circumstances, _holders(index, probe.text, positions, allowed))


def scene(entry: Entry, page: str | None, node: str | None) -> float:
    """1 where the entry belongs to this page and node (or to the page as a whole), 0.5 where to another node of the page,
    -1 where to other pages only, 0 where nothing is known of either."""
    if not page or not entry.scenes:
        return 0.0
    if page in entry.scenes or f"{page}/{node}" in entry.scenes:
        return 1.0
    return 0.5 if any(place.partition("/")[0] == page for place in entry.scenes) else -1.0


def _holders(index: Index, text: str, positions: np.ndarray, allowed: np.ndarray) -> tuple[int, ...]:
    owners = {int(index.owner[row]) for row in index.equal(text) if allowed[row]}
    return tuple(place for place, position in enumerate(positions.tolist()) if position in owners)


def _agreement(asked: frozenset[str], curated: Sequence[frozenset[str]]) -> np.ndarray:
    return np.array([2 * len(asked & own) / len(asked) - 1 if asked else 0.0 for own in curated])


def _own(
    index: Index, vector: np.ndarray, rows: np.ndarray, nth: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each entry's nearest row, its cosine, and the mean of the three nearest; the rows of entry i begin at `first[i]`."""
    cosines = index.vectors[rows] @ vector
    order = np.lexsort((-cosines, nth))
    rows, cosines = rows[order], cosines[order]
    last = np.minimum(first + 3, np.append(first[1:], len(nth)))
    sums = np.concatenate([[0], np.cumsum(cosines, dtype=np.float64)])
    return rows[first], cosines[first], (sums[last] - sums[first]) / (last - first)


def _spread(cosine: np.ndarray, unrelated: float) -> np.ndarray:
    return (cosine - unrelated) / (1 - unrelated)


def _lead(score: np.ndarray) -> np.ndarray:
    if len(score) == 1:
        return np.maximum(score, 0)
    second, first = np.partition(score, -2)[-2:]
    return score - np.where(score == first, second, first)
