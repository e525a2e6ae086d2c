"""Which texts share a question's terms, each term counting by its rarity.

Only the texts that are asked for are weighed, so that a question costs the same in a large knowledge base as in a
small one; where to look is told by the postings of its rarest terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from kb.terms import Terms

_MOST_POSTINGS = 30_000


@dataclass(frozen=True)
class Asked:
    """A question's terms: those known, ascending, each one's weight, the weight of all, and the share of unknown ones."""

    terms: np.ndarray
    weights: np.ndarray
    total: float
    unknown: float


@dataclass(frozen=True)
class Overlap:
    """Shared weight per text: `asked` is the share of the question's terms that the text has, `told` the share of the
    text's terms that the question has; both (texts,) float32 in [0, 1]. `has` (texts, terms) bool says which."""

    asked: np.ndarray
    told: np.ndarray
    has: np.ndarray
    question: Asked

    @property
    def cosine(self) -> np.ndarray:
        """The geometric mean of both shares (Ochiai's coefficient): a cosine of vectors, so a kernel."""
        return np.sqrt(self.asked * self.told)

    def together(self, first: np.ndarray) -> np.ndarray:
        """The share of the question's terms that the texts of each group have together; group i begins at `first[i]`."""
        if not len(first):
            return np.empty(0, np.float32)
        found = np.logical_or.reduceat(self.has, first, axis=0)
        return np.minimum(found @ self.question.weights / self.question.total, 1)


class Lexicon:
    """An inverted index. Immutable; a term counts once a text."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.size = len(terms)
        lengths = np.diff(terms.starts)
        rows = np.repeat(np.arange(self.size, dtype=np.int32), lengths)
        by_text = csr_array((np.ones(len(rows), bool), terms.held, terms.starts), (self.size, len(terms.vocabulary)))
        by_term = by_text.tocsc()
        self._postings, self._starts = by_term.indices, by_term.indptr
        self._frequency = np.diff(self._starts)
        self._weights = _weight(self._frequency, self.size)
        weight = self._weights[terms.held]
        self._total = np.bincount(rows, weight, minlength=self.size).astype(np.float32)
        self._unit = np.sqrt(weight / self._total[rows])

    def ask(self, terms: Iterable[str], without: Sequence[int] = ()) -> Asked:
        """What the question is made of; texts `without` do not count towards a term's rarity."""
        distinct = set(terms)
        known = np.array(sorted(self.terms.vocabulary[t] for t in distinct if t in self.terms.vocabulary), np.int64)
        frequency, weights = self._frequency[known], self._weights[known]
        size = self.size - len(without)
        if without:
            for row in without:
                frequency = frequency - np.isin(known, self._held(row))
            weights = _weight(frequency, size)
        unseen = (len(distinct) - len(known)) * float(_weight(np.zeros(1), size)[0])
        unseen += float(weights[frequency == 0].sum())
        total = max(float(weights[frequency > 0].sum()) + unseen, 1e-9)
        return Asked(known, weights, total, unseen / total)

    def overlap(self, question: Asked, rows: np.ndarray) -> Overlap:
        """How much each of the texts `rows` shares with the question."""
        places, nth = self.terms.places(rows)
        held = self.terms.held[places]
        column = np.searchsorted(question.terms, held)
        same = np.append(question.terms, -1)[column] == held
        has = np.zeros((len(rows), len(question.terms)), bool)
        has[nth[same], column[same]] = True
        shared = has @ question.weights
        return Overlap(
            np.minimum(shared / question.total, 1),
            np.minimum(shared / np.maximum(self._total[rows], 1e-9), 1),
            has,
            question,
        )

    def candidates(self, question: Asked, allowed: np.ndarray, count: int) -> np.ndarray:
        """Up to `count` of the `allowed` texts ((n,) bool) that are most like the question, in no order.

        In a large base the postings of its commonest terms are not read: they lead everywhere.
        """
        frequency = self._frequency[question.terms]
        rarest = np.argsort(frequency, kind="stable")
        rarest = rarest[: max(int(np.searchsorted(frequency[rarest].cumsum(), _MOST_POSTINGS, "right")), 1)]
        starts = self._starts[question.terms[rarest]].tolist()
        runs = [self._postings[start : start + n] for start, n in zip(starts, frequency[rarest].tolist(), strict=True)]
        posted = np.concatenate([*runs, np.empty(0, self._postings.dtype)])
        weights = question.weights[rarest].repeat(frequency[rarest])
        shared = np.bincount(posted, weights, self.size)
        found = np.flatnonzero((shared > 0) & allowed)
        if len(found) <= count:
            return found
        likeness = shared[found] ** 2 / np.maximum(self._total[found], 1e-9)
        return found[np.argpartition(-likeness, count)[:count]]

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Ochiai's coefficient of each pair among the texts `rows`: (k, k) float32."""
        places, nth = self.terms.places(rows)
        held = self.terms.held[places]
        there = np.zeros(len(self.terms.vocabulary), bool)
        there[held] = True
        distinct = np.flatnonzero(there)
        column = np.empty(len(there), np.int32)
        column[distinct] = np.arange(len(distinct))
        unit = np.zeros((len(rows), max(len(distinct), 1)), np.float32)
        unit[nth, column[held]] = self._unit[places]
        return unit @ unit.T

    def _held(self, row: int) -> np.ndarray:
        return self.terms.held[self.terms.starts[row] : self.terms.starts[row + 1]]


def _weight(frequency: np.ndarray, size: int) -> np.ndarray:
    return np.log1p((size + 1) / (frequency + 0.5)).astype(np.float32)
