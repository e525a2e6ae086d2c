"""Which terms each text holds: the arrays that lexical search works on, grown from one release to the next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np


class Terms:
    """Immutable. `held[starts[i]:starts[i + 1]]` are the numbers of the terms of text `i`, ascending, each once."""

    def __init__(self, vocabulary: dict[str, int], starts: np.ndarray, held: np.ndarray) -> None:
        self.vocabulary = vocabulary
        self.starts = starts
        self.held = held

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, texts: Iterable[Iterable[str]]) -> Terms:
        return cls({}, np.zeros(1, np.int64), np.empty(0, np.int32))._with(np.empty(0, np.int64), texts, None)

    def grown(self, kept: np.ndarray, new: Iterable[Iterable[str]]) -> Terms:
        """Text `i` is text `kept[i]` of this one or, where that is -1, the next of `new`."""
        return self._with(kept[kept >= 0], new, kept)

    def _with(self, rows: np.ndarray, new: Iterable[Iterable[str]], kept: np.ndarray | None) -> Terms:
        vocabulary = dict(self.vocabulary)
        fresh = [
            np.array(sorted({vocabulary.setdefault(term, len(vocabulary)) for term in text}), dtype=np.int32)
            for text in new
        ]
        kept = np.full(len(fresh), -1) if kept is None else kept
        lengths = np.empty(len(kept), np.int64)
        lengths[kept >= 0] = np.diff(self.starts)[rows]
        lengths[kept < 0] = [len(terms) for terms in fresh]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        held = np.empty(starts[-1], np.int32)
        old = np.repeat(kept >= 0, lengths)
        held[old] = self.held[self.places(rows)[0]]
        held[~old] = np.concatenate([*fresh, np.empty(0, np.int32)])
        return Terms(vocabulary, starts, held)

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in `held` the terms of these texts stand, text by text, and which of `rows` each belongs to."""
        begin = self.starts[rows]
        lengths = self.starts[rows + 1] - begin
        nth = np.arange(len(rows)).repeat(lengths)
        return np.arange(len(nth)) + (begin - (lengths.cumsum() - lengths))[nth], nth

    def save(self, directory: Path, name: str) -> None:
        """Write `name.npz` and `name.txt` into an existing directory."""
        np.savez(directory / f"{name}.npz", starts=self.starts, held=self.held)
        (directory / f"{name}.txt").write_text("\n".join(self.vocabulary), encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, directory: Path, name: str) -> Terms:
        """Read what `save` wrote. OSError, KeyError or ValueError when it is missing or damaged."""
        with np.load(directory / f"{name}.npz", allow_pickle=False) as stored:
            starts, held = stored["starts"], stored["held"]
        words = (directory / f"{name}.txt").read_text(encoding="utf-8").split("\n")
        vocabulary = {word: number for number, word in enumerate(words) if word}
        if len(held) != starts[-1] or (len(held) and held.max() >= len(vocabulary)):
            raise ValueError(f"{name} is damaged")
        return cls(vocabulary, starts, held)
