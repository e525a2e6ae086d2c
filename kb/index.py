"""The texts of a release, in memory: by meaning, by words and by characters. A cache of the entries, never a truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from core.text import normalize
from kb.codes import Codes
from kb.encoder import Encoder, Facing, facing
from kb.entries import Entry, Viewer
from kb.lexicon import Lexicon
from kb.tokens import Tokens, asked
from kb.visibility import Key, Visibility
from kb.words import bare, numbers, stripped

_USUAL = 0.79
_USUAL_FACING = 0.28
_MOST_VIEWS = 64


def texts(entries: Sequence[Entry]) -> list[str]:
    """Every text that is searched, in the order of the index's vectors: entry by entry, the standard question first; for a
    passage its title and text."""
    return [normalize(text) for entry in entries for text in asked(entry)]


def answers(entries: Sequence[Entry]) -> list[str]:
    """The answer of each entry that has questions; empty for a passage, which is found by its text."""
    return ["" if entry.is_passage else normalize(entry.answer) for entry in entries]


def passage_rows(entries: Sequence[Entry]) -> np.ndarray:
    """Which of these texts are passages, encoded as such, and which are questions: (texts,) bool."""
    return np.repeat([entry.is_passage for entry in entries], [len(asked(entry)) for entry in entries]).astype(bool)


class Index:
    """Immutable, and safe to read from many threads.

    `vectors` is (texts, dim) float32 of unit length, in the order of `texts(entries)`; ValueError otherwise. `tokens` are
    those of the entries, made here unless given; `answer_vectors` (entries, dim) those of `answers(entries)`, encoded as passages, zeros for
    none, or None where they are not known. `owner[row]` is the position in `entries` whose text `row` is,
    `starts[position]` its first row, `passage` (texts,) bool whether it is a passage. `facing` is the encoder's.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        vectors: np.ndarray,
        tokens: Tokens | None = None,
        facing: Facing | None = None,
        answer_vectors: np.ndarray | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self.tokens = tokens or Tokens.of(self.entries)
        self.texts = self.tokens.texts
        if len(self.texts) != len(vectors):
            raise ValueError(f"{len(self.texts)} questions, but {len(vectors)} vectors")
        counts = [len(asked(entry)) for entry in self.entries]
        self.owner = np.repeat(np.arange(len(self.entries)), counts)
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.position = {entry.id: i for i, entry in enumerate(self.entries)}
        self.words = Lexicon(self.tokens.words)
        self.characters = Lexicon(self.tokens.characters)
        self.syllables = Lexicon(self.tokens.syllables)
        self.answers = Lexicon(self.tokens.answers)
        self._numbers: dict[int, frozenset[str]] = {}
        self._equal: dict[str, list[int]] = {}
        for row, text in enumerate(self.texts):
            self._equal.setdefault(stripped(text), []).append(row)
        self._codes = Codes(vectors)
        self.vectors = self._codes.vectors
        self.passage = passage_rows(self.entries)
        self.answer_vectors = answer_vectors
        self._facing = facing
        usual = (_USUAL, _USUAL_FACING if facing else _USUAL)
        self._unrelated = [
            _unrelated(self.vectors, self.owner, self.passage == kind, usual[kind]) for kind in (False, True)
        ]
        self._unrelated_answers = self._usual_answers(usual[True])
        self._visibility = Visibility(self.entries)
        self._views: dict[Key, np.ndarray] = {}

    @classmethod
    def encoded(cls, entries: Sequence[Entry], encoder: Encoder) -> Index:
        """An index of entries whose texts and answers are encoded for it."""
        held, passage, told = texts(entries), passage_rows(entries), answers(entries)
        vectors = np.empty((len(held), encoder.dim), np.float32)
        for kind, encode in ((False, encoder.encode_queries), (True, encoder.encode_passages)):
            rows = np.flatnonzero(passage == kind)
            vectors[rows] = encode([held[row] for row in rows])
        spoken = [place for place, text in enumerate(told) if text]
        answer_vectors = np.zeros((len(entries), encoder.dim), np.float32)
        answer_vectors[spoken] = encoder.encode_passages([told[place] for place in spoken])
        return cls(entries, vectors, facing=facing(encoder.fingerprint), answer_vectors=answer_vectors)

    def unrelated(self, passages: bool) -> float:
        """The cosine of questions, or of passages, that have nothing to do with each other: it differs by encoder."""
        return self._unrelated[passages]

    def meaning(self, vector: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """How near the answers of the entries at `positions` are to the vector of a question, (positions,) float64: 0 for
        unrelated ones, and where there is none, 1 for the same."""
        if self.answer_vectors is None or not len(positions):
            return np.zeros(len(positions))
        told = self.answer_vectors[positions]
        cosine = (told @ self.facing(vector)).astype(np.float64)
        return np.where(told.any(1), (cosine - self._unrelated_answers) / (1 - self._unrelated_answers), 0.0)

    def _usual_answers(self, usual: float) -> float:
        if self.answer_vectors is None:
            return usual
        return _unrelated(self.answer_vectors, np.arange(len(self.entries)), self.answer_vectors.any(1), usual)

    def facing(self, vector: np.ndarray) -> np.ndarray:
        """The vector of a question as passages are compared with it."""
        return self._facing.questions(vector) if self._facing else vector

    def visible(self, viewer: Viewer, today: date) -> np.ndarray:
        """The rows that this viewer may see today: (texts,) bool, read-only."""
        key = self._visibility.key(viewer, today)
        rows = self._views.get(key)
        if rows is None:
            rows = self._visibility.of(key)[self.owner] if len(self.entries) else np.empty(0, bool)
            rows.flags.writeable = False
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            self._views[key] = rows
        return rows

    def rows(self, position: int) -> range:
        """The rows of the texts of the entry at `position`."""
        return range(self.starts[position], self.starts[position + 1])

    def rows_of(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of several entries, one after the other, and which of `positions` each belongs to."""
        begin = self.starts[positions]
        lengths = self.starts[positions + 1] - begin
        nth = np.repeat(np.arange(len(positions)), lengths)
        return np.arange(len(nth)) + np.repeat(begin - (np.cumsum(lengths) - lengths), lengths), nth

    def numbers(self, position: int) -> frozenset[str]:
        """The quantities that the texts of the entry at `position` name."""
        found = self._numbers.get(position)
        if found is None:
            found = frozenset().union(*map(numbers, asked(self.entries[position])))
            self._numbers[position] = found
        return found

    def nearest(self, vector: np.ndarray, allowed: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Up to `count` rows nearest in meaning among the `allowed` ((texts,) bool), and their cosines, best first."""
        if not allowed.any():
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return self._codes.nearest(vector, allowed, count)

    def equal(self, text: str) -> list[int]:
        """The rows of this very question; punctuation, blanks and case do not count."""
        key = bare(text)
        return self._equal.get(key, []) if key else []


def _unrelated(vectors: np.ndarray, owner: np.ndarray, among: np.ndarray, usual: float) -> float:
    """The mean cosine between the texts `among` ((texts,) bool) of different entries, drawn to the `usual` one of the default encoder where
    there are few."""
    places = np.flatnonzero(among)
    rows = places[np.linspace(0, len(places) - 1, min(len(places), 500)).astype(int)] if len(places) else places
    cosines = vectors[rows] @ vectors[rows].T
    different = owner[rows][:, None] != owner[rows]
    entries = len(np.unique(owner[rows]))
    mean = float(cosines[different].mean()) if entries > 1 else usual
    return (entries * mean + 10 * usual) / (entries + 10)
