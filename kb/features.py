"""What speaks for each candidate entry, in numbers that mean the same in every knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.entries import Entry
from kb.index import Index
from kb.kriging import estimate
from kb.words import characters, numbers, words

CANDIDATES = 20
FEATURES = (
    "kriging",  # the entry's share of the kernel estimate from the nearest curated questions
    "kriging_lead",  # over the best other entry
    "similarity",  # cosine of the nearest own question, spread over [0, 1] where the encoder's cosines lie
    "similarity_lead",
    "consensus",  # mean of the three nearest own questions
    "characters",  # Ochiai's coefficient of characters and pairs, rare ones counting more
    "characters_lead",
    "asked",  # share of the question's words that one own question has
    "told",  # share of that question's words that the employee's has
    "answer",  # share of the question's words that the answer has
    "numbers",  # 1: all quantities asked are curated, -1: none is; 0: none asked
    "scene",  # 1: asked at this page and node, 0.5: on this page
)
CIRCUMSTANCES = (
    "novelty",  # variance left by the nearest curated questions: 0 for a curated question, 1 for nothing like it
    "best_kriging",
    "best_similarity",
    "best_asked",
    "unknown",  # share of the question's characters that no entry has
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
    `features` (candidates, FEATURES) and `circumstances` (CIRCUMSTANCES,) float64; `exact` the place among the
    candidates of the one entry that holds this very question."""

    entries: np.ndarray
    nearest: np.ndarray
    features: np.ndarray
    circumstances: np.ndarray
    exact: int | None = None


def gather(index: Index, probe: Probe, allowed: np.ndarray, without: Sequence[int] = ()) -> Evidence:
    """Weigh the best entries among the `allowed` questions ((questions,) bool).

    `without` are rows among the forbidden ones that shall leave no trace in the statistics either: when a matcher is
    fitted, the curated question that plays the employee's.
    """
    rows, cosines = index.nearest(probe.vector, allowed, 128)
    if not len(rows):
        return Evidence(np.empty(0, int), np.empty(0, int), np.empty((0, len(FEATURES))), np.zeros(len(CIRCUMSTANCES)))
    count = len(index.entries)
    held, novelty = estimate(index.vectors[rows], cosines, index.owner[rows], count)
    by_character = index.characters.overlap(characters(probe.text), without)
    asked_words = words(probe.text)
    by_word = index.words.overlap(asked_words, without)
    open_ = allowed.astype(np.float32)
    alike = index.best(by_character.cosine * open_)

    reachable = np.unique(index.owner[rows])
    first = reachable[np.argsort(-held[reachable], kind="stable")[:CANDIDATES]]
    visible = index.best(open_) > 0
    lexical = np.argsort(-alike, kind="stable")[: CANDIDATES // 4]
    positions = np.concatenate([first, [p for p in lexical if p not in set(first) and visible[p] and alike[p] > 0]])
    positions = positions.astype(int)

    nearest, similarity, consensus = _own(index, probe.vector, positions, allowed)
    best_similarity = similarity.max()
    features = np.zeros((len(positions), len(FEATURES)))
    features[:, 0] = held[positions]
    features[:, 1] = _lead(held[positions])
    features[:, 2] = _spread(similarity)
    features[:, 3] = _lead(_spread(similarity))
    features[:, 4] = _spread(consensus)
    features[:, 5] = alike[positions]
    features[:, 6] = _lead(alike[positions])
    features[:, 7] = index.best(by_word.asked * open_)[positions]
    features[:, 8] = index.best(by_word.told * open_)[positions]
    features[:, 9] = index.answers.overlap(asked_words).asked[positions]
    quantities = numbers(probe.text)
    for i, position in enumerate(positions):
        if quantities:
            features[i, 10] = 2 * len(quantities & index.numbers[position]) / len(quantities) - 1
        features[i, 11] = scene(index.entries[position], probe.page, probe.node)
    circumstances = np.array(
        [
            novelty,
            features[:, 0].max(),
            _spread(best_similarity),
            features[:, 7].max(),
            by_character.unknown,
            1 / max(len(asked_words), 1),
            features[:, 11].max(),
        ]
    )
    return Evidence(positions, nearest, features, circumstances, _exact(index, probe.text, positions, allowed))


def scene(entry: Entry, page: str | None, node: str | None) -> float:
    """1 where the entry belongs to this page and node (or to the page as a whole), 0.5 for another node of the page."""
    if not page:
        return 0.0
    if page in entry.scenes or f"{page}/{node}" in entry.scenes:
        return 1.0
    return 0.5 if any(place.partition("/")[0] == page for place in entry.scenes) else 0.0


def _exact(index: Index, text: str, positions: np.ndarray, allowed: np.ndarray) -> int | None:
    """The place in `positions` of the only entry among the allowed that holds this very question."""
    holders = {int(index.owner[row]) for row in index.equal(text) if allowed[row]}
    found = np.flatnonzero(positions == holders.pop()) if len(holders) == 1 else ()
    return int(found[0]) if len(found) else None


def _own(
    index: Index, vector: np.ndarray, positions: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each entry's nearest allowed row, its cosine, and the mean of the three nearest."""
    nearest = np.empty(len(positions), int)
    similarity = np.empty(len(positions))
    consensus = np.empty(len(positions))
    for i, position in enumerate(positions):
        own = np.array(index.rows(position))
        own = own[allowed[own]]
        cosines = index.vectors[own] @ vector
        nearest[i] = own[cosines.argmax()]
        similarity[i] = cosines.max()
        consensus[i] = np.sort(cosines)[-3:].mean()
    return nearest, similarity, consensus


def _spread(cosine: np.ndarray) -> np.ndarray:
    return (cosine - 0.75) / 0.25


def _lead(score: np.ndarray) -> np.ndarray:
    if len(score) == 1:
        return np.maximum(score, 0)
    second, first = np.partition(score, -2)[-2:]
    return score - np.where(score == first, second, first)
