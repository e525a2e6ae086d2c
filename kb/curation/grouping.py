"""Grouping questions by meaning: vectors in, groups out. Nothing here knows of a database.

What makes two wordings one question is learnt from the entries: `Space` moves vectors around the middle of the curated
questions and whitens them by how far the wordings of one entry lie apart (linear discriminant analysis' first step). Groups
are those of average linkage: the mean cosine between their questions decides. A group that was there before stays as it is and
takes new ones in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.covariance import shrunk_covariance

TOGETHER = 0.3
"""Two groups are one while the mean cosine between their questions is at least this, in a `Space` that entries taught."""

TOGETHER_UNTAUGHT = 0.4
"""The same where there are too few entries to learn from."""

MOST_AT_ONCE = 3000
"""New questions that are grouped with each other at once: the distances of all pairs are held in memory (3,000: 70 MB)."""

_SHRINKAGE = 0.3
_FEWEST = 500
_MOST = 20_000


class Space:
    """Where questions are compared. `vectors` are (n, dim) curated questions, `owner` (n,) which entry each belongs to."""

    def __init__(self, vectors: np.ndarray, owner: np.ndarray) -> None:
        step = max(len(vectors) // _MOST, 1)
        keep = (owner // 1) % step == 0 if step > 1 else np.ones(len(owner), bool)
        vectors, owner = vectors[keep], owner[keep]
        self._middle = vectors.mean(0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
        self._turn: np.ndarray | None = None
        moved = vectors - self._middle
        order = np.argsort(owner, kind="stable")
        starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
        counts = np.diff(np.append(starts, len(order)))
        if len(vectors) - len(starts) >= _FEWEST:
            means = np.add.reduceat(moved[order], starts) / counts[:, None]
            within = moved[order] - np.repeat(means, counts, axis=0)
            scatter = shrunk_covariance(within.T @ within / len(within), shrinkage=_SHRINKAGE)
            spread, axes = np.linalg.eigh(scatter)
            self._turn = (axes * np.maximum(spread, 1e-9) ** -0.5).astype(np.float32)
        self.together = TOGETHER if self._turn is not None else TOGETHER_UNTAUGHT

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """(n, dim) float32 of unit length; a vector that lies in the middle becomes zero."""
        moved = np.asarray(vectors, np.float32) - self._middle
        if self._turn is not None:
            moved = moved @ self._turn
        length = np.linalg.norm(moved, axis=-1, keepdims=True)
        return np.divide(moved, length, out=np.zeros_like(moved), where=length > 1e-6)


def groups(placed: np.ndarray, together: float) -> list[np.ndarray]:
    """The rows of (n, dim) placed vectors that belong together, group by group."""
    found: list[np.ndarray] = []
    for start in range(0, len(placed), MOST_AT_ONCE):
        some = placed[start : start + MOST_AT_ONCE]
        if len(some) == 1:
            labels = np.zeros(1, int)
        else:
            labels = AgglomerativeClustering(
                n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1 - together
            ).fit_predict(np.clip(1 - some @ some.T, 0, 2))
        found += [np.flatnonzero(labels == label) + start for label in range(int(labels.max()) + 1)]
    return found


def home_of(placed: np.ndarray, middles: np.ndarray, together: float) -> tuple[int, float]:
    """Which of the groups with these `middles` ((m, dim), means of placed vectors) takes in (n, dim) placed vectors, -1 for
    none, and the mean cosine with it."""
    if not len(middles):
        return -1, 0.0
    cosines = middles @ placed.mean(0)
    best = int(cosines.argmax())
    return (best if cosines[best] >= together else -1), float(cosines[best])


def central(placed: np.ndarray) -> np.ndarray:
    """The places of (n, dim) placed vectors, the one nearest to all others first."""
    return np.argsort(-(placed @ placed.mean(0)), kind="stable")


def spread_of(placed: Sequence[np.ndarray]) -> np.ndarray:
    """(m, dim): the means of m groups of placed vectors."""
    return np.stack([some.mean(0) for some in placed])
