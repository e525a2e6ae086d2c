"""Which texts share a question's terms, each term counting by its rarity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Overlap:
    """Shared weight per text: `asked` is the share of the question's terms that the text has, `told` the share of the
    text's terms that the question has, both in [0, 1]; (n,) float32. `unknown` is the share of terms no text has."""

    asked: np.ndarray
    told: np.ndarray
    unknown: float

    @property
    def cosine(self) -> np.ndarray:
        """The geometric mean of both shares (Ochiai's coefficient)."""
        return np.sqrt(self.asked * self.told)


class Lexicon:
    """An inverted index over term lists. Immutable; a term counts once a text."""

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        self._terms: dict[str, int] = {}
        held = [
            np.array(sorted({self._terms.setdefault(term, len(self._terms)) for term in text}), dtype=np.int32)
            for text in texts
        ]
        self.size = len(held)
        self._held = held
        columns = np.concatenate([*held, np.empty(0, np.int32)])
        rows = np.repeat(np.arange(self.size, dtype=np.int32), [len(terms) for terms in held])
        self._frequency = np.bincount(columns, minlength=len(self._terms))
        self._postings = rows[np.argsort(columns, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(self._frequency)])
        weight = self._weight(self._frequency, self.size)
        self._total = np.array([weight[terms].sum() for terms in held], dtype=np.float32)

    def overlap(self, terms: Iterable[str], without: Sequence[int] = ()) -> Overlap:
        """How much each text shares with `terms`; texts `without` do not count towards a term's rarity."""
        shared = np.zeros(self.size, np.float32)
        distinct = set(terms)
        known = [self._terms[term] for term in distinct if term in self._terms]
        frequency = self._frequency[known]
        for row in without:
            frequency = frequency - np.isin(known, self._held[row])
        size = self.size - len(without)
        weights = self._weight(frequency, size)
        for term, weight in zip(known, weights, strict=True):
            shared[self._postings[self._starts[term] : self._starts[term + 1]]] += weight
        unseen = (len(distinct) - len(known)) * float(self._weight(np.zeros(1), size)[0])
        unseen += float(weights[frequency == 0].sum())
        asked = float(weights[frequency > 0].sum()) + unseen
        return Overlap(
            np.minimum(shared / max(asked, 1e-9), 1),
            np.minimum(shared / np.maximum(self._total, 1e-9), 1),
            unseen / max(asked, 1e-9),
        )

    @staticmethod
    def _weight(frequency: np.ndarray, size: int) -> np.ndarray:
        return np.log1p((size + 1) / (frequency + 0.5)).astype(np.float32)
