"""The nearest vectors, found by 8-bit codes and ordered by exact cosines.

Codes are a quarter of what a processor has to read, and reading is what a search in a large base waits for. Their error
is far below what tells two texts apart: `_SPARE` candidates more than asked for, and the exact order of those, is the order
of all vectors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import faiss
import numpy as np

_SPARE = 32
_FEWEST_A_THREAD = 10_000
_MOST_THREADS = 4


class Codes:
    """Immutable, and safe to search from many threads. `vectors` (n, dim) float32 of unit length are kept as they are, be
    it in memory or in a file."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        count, dim = vectors.shape
        threads = max(1, min(os.cpu_count() or 1, _MOST_THREADS, count // _FEWEST_A_THREAD))
        self._bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
        self._parts = []
        extent = np.array([self.vectors.min(initial=0.0), self.vectors.max(initial=0.0)], np.float32)
        for start, stop in pairwise(self._bounds):
            part = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT)
            part.train(np.repeat(extent[:, None], dim, axis=1))
            part.add(self.vectors[start:stop])
            self._parts.append(part)

    def nearest(self, vector: np.ndarray, allowed: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Up to `count` rows with the highest cosines among the `allowed` ((n,) bool), and these, best first."""
        wanted = count + _SPARE
        asked = vector[None]
        # Each thread goes straight into FAISS: whoever has something to do for the interpreter before that keeps the others waiting.
        searches = [one for nth in range(len(self._parts)) if (one := self._search(nth, asked, allowed, wanted))]
        waiting = [_helpers().submit(search) for search in searches[1:]]
        found = [search() for search in searches[:1]]
        rows = np.concatenate([np.empty(0, np.int64), *found, *(one.result() for one in waiting)])
        cosines = self.vectors[rows] @ vector
        order = np.lexsort((rows, -cosines))[:count]
        return rows[order], cosines[order]

    def _search(self, nth: int, asked: np.ndarray, allowed: np.ndarray, count: int) -> Callable[[], np.ndarray] | None:
        """The search of one part, ready to be made; None where nothing in it is allowed."""
        start, stop = self._bounds[nth : nth + 2]
        allowed = allowed[start:stop]
        if not allowed.any():
            return None
        parameters = None
        if not allowed.all():
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        part, wanted = self._parts[nth], min(count, stop - start)

        def search() -> np.ndarray:
            rows = part.search(asked, wanted, params=parameters)[1][0]
            return rows[rows >= 0] + start

        return search


@cache
def _helpers() -> ThreadPoolExecutor:
    """FAISS lets go of the interpreter while it searches, and searches for one question in one thread."""
    return ThreadPoolExecutor(_MOST_THREADS - 1, thread_name_prefix="fssc-search")
