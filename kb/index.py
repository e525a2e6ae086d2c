"""The questions of a release, in memory: by meaning, by words and by characters. A cache of the entries, never a truth."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np

from core.text import normalize
from kb.entries import Entry
from kb.lexicon import Lexicon
from kb.words import bare, characters, numbers, words

_E5_UNRELATED = 0.85


def texts(entries: Sequence[Entry]) -> list[str]:
    """Every question in the order of the index's vectors: entry by entry, the standard question first."""
    return [normalize(question) for entry in entries for question in entry.questions]


class Index:
    """Immutable, and safe to read from many threads.

    `vectors` is (questions, dim) float32 of unit length, in the order of `texts(entries)`; ValueError otherwise.
    `owner[row]` is the position in `entries` whose question `row` is, `starts[position]` its first row. `unrelated` is the
    cosine of questions that have nothing to do with each other, which differs from encoder to encoder.
    """

    def __init__(self, entries: Sequence[Entry], vectors: np.ndarray) -> None:
        self.entries = tuple(entries)
        self.texts = texts(entries)
        if len(self.texts) != len(vectors):
            raise ValueError(f"{len(self.texts)} questions, but {len(vectors)} vectors")
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        counts = [len(entry.questions) for entry in self.entries]
        self.owner = np.repeat(np.arange(len(self.entries)), counts)
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.position = {entry.id: i for i, entry in enumerate(self.entries)}
        self.words = Lexicon([words(text) for text in self.texts], self.owner)
        self.characters = Lexicon([characters(text) for text in self.texts], self.owner)
        self.answers = Lexicon([words(entry.answer) for entry in self.entries], np.arange(len(self.entries)))
        self.numbers = [frozenset().union(*map(numbers, entry.questions)) for entry in self.entries]
        self._equal: dict[str, list[int]] = {}
        for row, text in enumerate(self.texts):
            self._equal.setdefault(bare(text), []).append(row)
        self.unrelated = _unrelated(self.vectors, self.owner)
        self._flat = faiss.IndexFlatIP(self.vectors.shape[1])
        self._flat.add(self.vectors)

    def rows(self, position: int) -> range:
        """The rows of the questions of the entry at `position`."""
        return range(self.starts[position], self.starts[position + 1])

    def nearest(self, vector: np.ndarray, allowed: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Up to `count` rows nearest in meaning among the `allowed` ((questions,) bool), and their cosines, best first."""
        if not allowed.any():
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if allowed.all():
            parameters = None
        else:
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        scores, rows = self._flat.search(vector[None], min(count, len(self.vectors)), params=parameters)
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]

    def equal(self, text: str) -> list[int]:
        """The rows of this very question; punctuation, blanks and case do not count."""
        key = bare(text)
        return self._equal.get(key, []) if key else []

    def best(self, scores: np.ndarray) -> np.ndarray:
        """The best score of each entry's questions: (questions,) becomes (entries,)."""
        return np.maximum.reduceat(scores, self.starts[:-1]) if len(self.entries) else scores


def _unrelated(vectors: np.ndarray, owner: np.ndarray) -> float:
    """The mean cosine between questions of different entries, drawn to that of e5 where there are few."""
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), 500)).astype(int)
    cosines = vectors[rows] @ vectors[rows].T
    different = owner[rows][:, None] != owner[rows]
    entries = len(np.unique(owner[rows]))
    mean = float(cosines[different].mean()) if entries > 1 else _E5_UNRELATED
    return (entries * mean + 10 * _E5_UNRELATED) / (entries + 10)
