"""Questions and passages face to face, as `kb.encoder.learning` learnt.

A question and the article that answers it are unlike texts, which the last layer was trained to bring together and the one before
was not. So where passages are searched, both sides are seen through the last layer's part of the fused vector, each
less most of what all of its kind have in common (the questions' mean and the passages', learnt from the starter knowledge).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kb.encoder.fusion import fusion

FACING_FILE = Path(__file__).with_name("facing.npy")
BUILT = "built-"
"""What the fingerprints of the default encoder begin with."""
_COMMON = 0.8
"""How much of the mean is taken away: of .5, .8 and 1, the best for answers and for articles of the starter knowledge."""


@dataclass(frozen=True)
class Facing:
    """`last` (dim, dim) shows the last layer's part of a fused vector; `question` and `passage` (dim,) are taken away."""

    last: np.ndarray
    question: np.ndarray
    passage: np.ndarray

    def questions(self, vectors: np.ndarray) -> np.ndarray:
        """Fused vectors of questions, (…, dim) float32, to what passages are compared with: of unit length."""
        return _unit(vectors @ self.last - self.question)

    def passages(self, vectors: np.ndarray) -> np.ndarray:
        """Fused vectors of passages, (…, dim) float32, to those that are kept and compared: of unit length."""
        return _unit(vectors @ self.last - self.passage)


def facing(fingerprint: str) -> Facing | None:
    """How the encoder with this fingerprint brings questions and passages together; None where its vectors do so as they are."""
    return _learnt() if fingerprint.startswith(BUILT) else None


def digest() -> str:
    """Changes whenever vectors of passages may change."""
    return hashlib.sha256(FACING_FILE.read_bytes()).hexdigest()[:8]


@cache
def _learnt() -> Facing:
    question, passage = np.load(FACING_FILE).astype(np.float32)
    return Facing(last(fusion()), _COMMON * question, _COMMON * passage)


def last(fused_by: np.ndarray) -> np.ndarray:
    """(dim, dim) float32: vectors that were fused by this (see `kb.encoder.fusion`), times what is returned, are the last layer's part of them."""
    return np.ascontiguousarray(fused_by[: fused_by.shape[1]].T, np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
