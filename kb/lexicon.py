"""Which texts share a question's terms, each term counting by its rarity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Overlap:
    """Shared weight per text: `asked` is the share of the question's terms that the text has, `told` the share of the
    text's terms that the question has, both in [0, 1]; (n,) float32. `together` is the share of the question's terms that
    the texts of one owner have together; (owners,) float32. `unknown` is the share of terms no text has."""

    asked: np.ndarray
    told: np.ndarray
    together: np.ndarray
    unknown: float

    @property
    def cosine(self) -> np.ndarray:
        """The geometric mean of both shares (Ochiai's coefficient): a cosine of vectors, so a kernel."""
        return np.sqrt(self.asked * self.told)


class Lexicon:
    """An inverted index over term lists, each with an owner. Immutable; a term counts once a text."""

    def __init__(self, texts: Sequence[Iterable[str]], owner: np.ndarray) -> None:
        self._terms: dict[str, int] = {}
        held = [
            np.array(sorted({self._terms.setdefault(term, len(self._terms)) for term in text}), dtype=np.int32)
            for text in texts
        ]
        self.size = len(held)
        self._owner = owner
        self._owners = int(owner.max()) + 1 if len(owner) else 0
        self._held = held
        columns = np.concatenate([*held, np.empty(0, np.int32)])
        rows = np.repeat(np.arange(self.size, dtype=np.int32), [len(terms) for terms in held])
        self._frequency = np.bincount(columns, minlength=len(self._terms))
        self._postings = rows[np.argsort(columns, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(self._frequency)])
        weight = _weight(self._frequency, self.size)
        self._total = np.array([weight[terms].sum() for terms in held], dtype=np.float32)
        self._unit = csr_array(
            (
                np.sqrt(weight[columns] / self._total[rows]),
                columns,
                np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=self.size))]),
            ),
            shape=(self.size, len(self._terms)),
        )

    def overlap(self, terms: Iterable[str], allowed: np.ndarray, without: Sequence[int] = ()) -> Overlap:
        """How much each of the `allowed` texts ((n,) bool) shares with `terms`; zero for the others.

        Texts `without`, which are none of the allowed, do not count towards a term's rarity either.
        """
        distinct = set(terms)
        known = sorted(self._terms[term] for term in distinct if term in self._terms)
        frequency = self._frequency[known]
        for row in without:
            frequency = frequency - np.isin(known, self._held[row])
        size = self.size - len(without)
        weights = _weight(frequency, size)
        rows = [self._postings[self._starts[term] : self._starts[term + 1]] for term in known]
        nth = np.repeat(np.arange(len(known)), [len(held) for held in rows])
        rows = np.concatenate([*rows, np.empty(0, np.int32)])
        kept = allowed[rows]
        rows, nth = rows[kept], nth[kept]
        shared = np.bincount(rows, weights[nth], minlength=self.size).astype(np.float32)
        has = np.zeros((self._owners, len(known)), bool)
        has[self._owner[rows], nth] = True
        together = has @ weights
        unseen = (len(distinct) - len(known)) * float(_weight(np.zeros(1), size)[0])
        unseen += float(weights[frequency == 0].sum())
        asked = max(float(weights[frequency > 0].sum()) + unseen, 1e-9)
        return Overlap(
            np.minimum(shared / asked, 1),
            np.minimum(shared / np.maximum(self._total, 1e-9), 1),
            np.minimum(together / asked, 1),
            unseen / asked,
        )

    def alike(self, rows: np.ndarray) -> np.ndarray:
        """Ochiai's coefficient of each pair among the texts `rows`: (k, k) float64."""
        chosen = self._unit[rows]
        return (chosen @ chosen.T).toarray()


def _weight(frequency: np.ndarray, size: int) -> np.ndarray:
    return np.log1p((size + 1) / (frequency + 0.5)).astype(np.float32)
