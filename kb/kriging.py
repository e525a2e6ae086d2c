"""Kernel regression on the curated questions around a question: which entry do they speak for, and do they know it?

Regularized least squares on entry membership with the kernel exp((cosine − 1) / width), solved among the nearest
questions only (kriging with a moving neighbourhood: Cressie, Statistics for Spatial Data, 1993, section 3.4). It needs no
training, so an entry that changes costs nothing, and a question left out of the neighbourhood is really left out.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

WIDTH = 0.05
NUGGET = 0.05


def estimate(vectors: np.ndarray, cosines: np.ndarray, owner: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """The estimated membership in each of `count` entries, about [0, 1], and the relative variance left, [0, 1].

    `vectors` (k, dim) are the nearest questions, `cosines` (k,) theirs to the question asked, `owner` (k,) their entries.
    """
    kernel = np.exp((vectors @ vectors.T - 1) / WIDTH)
    kernel[np.diag_indices_from(kernel)] = 1 + NUGGET
    covariance = np.exp((cosines - 1) / WIDTH)
    weights = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False), covariance, check_finite=False)
    held = np.bincount(owner, weights, minlength=count)
    return held, float(np.clip(1 - weights @ covariance, 0, 1))
