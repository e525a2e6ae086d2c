"""Kernel regression on the curated questions around a question: which entry do they speak for, and do they know it?

Regularized least squares on entry membership with the kernel exp((cosine − 1) / (width × (1 − unrelated))) over vectors plus a share of the
cosine over characters, solved among the nearest questions only (kriging with a moving neighbourhood: Cressie, Statistics
for Spatial Data, 1993, section 3.4). It needs no training, so an entry that changes costs nothing, and a question left
out of the neighbourhood is really left out.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

WIDTH = 0.3
CHARACTERS = 0.3
NUGGET = 0.05


def estimate(
    among: tuple[np.ndarray, np.ndarray],
    asked: tuple[np.ndarray, np.ndarray],
    owner: np.ndarray,
    count: int,
    unrelated: float,
) -> tuple[np.ndarray, float]:
    """The estimated membership in each of `count` entries, about [0, 1], and the relative variance left, [0, 1].

    `among` holds the cosines of the k nearest questions with each other, (k, k), by vector and by character; `asked` those
    with the question asked, (k,); `owner` (k,) their entries,
    `unrelated` the cosine by vector of questions that have nothing in common.
    """
    kernel = _kernel(*among, unrelated)
    kernel[np.diag_indices_from(kernel)] = 1 + CHARACTERS + NUGGET
    covariance = _kernel(*asked, unrelated)
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    weights = cho_solve(factor, covariance, check_finite=False)
    held = np.bincount(owner, weights, minlength=count)
    return held, float(np.clip(1 - weights @ covariance / (1 + CHARACTERS), 0, 1))


def _kernel(by_vector: np.ndarray, by_character: np.ndarray, unrelated: float) -> np.ndarray:
    return np.exp((by_vector.astype(np.float64) - 1) / (WIDTH * (1 - unrelated))) + CHARACTERS * by_character
