"""Sentences that are nobody's business, as a question sees them: the nearer it lies to one, the less it asks this desk.

The same sentences teach the matcher; no sentence is its own neighbour then. This is the nearest neighbour's rule with a class of its own
for what is out of scope (Larson et al., An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction, EMNLP
2019, find such data worth more than any threshold on the classes that are known).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kb.features import CIRCUMSTANCES, Evidence

_FILE = "strangers.npz"
_ITSELF = 0.998
_AT = CIRCUMSTANCES.index("stranger")
_LEAD_AT = CIRCUMSTANCES.index("stranger_lead")
_SIMILARITY_AT = CIRCUMSTANCES.index("best_similarity")


class Strangers:
    """Immutable. `codes` are the vectors in 8 bits, (sentences, dim) int8: they are kept with a release."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes
        vectors = codes.astype(np.float32)
        self._vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    @classmethod
    def of(cls, vectors: np.ndarray) -> Strangers:
        """Of (sentences, dim) float32."""
        most = np.maximum(np.abs(vectors).max(1, keepdims=True, initial=0), 1e-9)
        return cls(np.round(vectors / most * 127).astype(np.int8))

    def met(self, evidence: Evidence, but_itself: bool = False) -> np.ndarray:
        """The evidence's circumstances with the nearness of the nearest sentence, and its lead over the nearest curated
        question, filled in; `but_itself` leaves out this very sentence."""
        found = evidence.circumstances
        if evidence.vector is None or not len(self._vectors):
            return found
        cosines = self._vectors @ evidence.vector
        if but_itself:
            cosines = cosines[cosines < _ITSELF]
        nearest = float(cosines.max(initial=0))
        found = found.copy()
        found[_AT] = (nearest - evidence.unrelated) / (1 - evidence.unrelated)
        found[_LEAD_AT] = found[_AT] - found[_SIMILARITY_AT]
        return found

    def save(self, directory: Path) -> None:
        """Write `strangers.npz` into an existing directory."""
        np.savez_compressed(directory / _FILE, codes=self.codes)

    @classmethod
    def load(cls, directory: Path) -> Strangers | None:
        """Read what `save` wrote; None where there is nothing. OSError, KeyError or ValueError when it is damaged."""
        if not (directory / _FILE).exists():
            return None
        with np.load(directory / _FILE, allow_pickle=False) as stored:
            return cls(stored["codes"])
