"""An encoder that remembers, so that several methods are measured on vectors that were made once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from kb.encoder import Encoder


class Remembering:
    """Stands in for an `Encoder`: what was asked before is not encoded again. 1.5 KB a text at 384 numbers a vector.

    `seconds` were spent on encoding `encoded` texts.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[bool, str], np.ndarray] = {}
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dim = encoder.dim
        self.seconds = 0.0
        self.encoded = 0

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._of(False, texts, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._of(True, texts, self._encoder.encode_passages)

    def forget(self, texts: Sequence[str]) -> None:
        """Encode these questions anew when they are asked next, so that the time it takes can be measured."""
        for text in texts:
            self._known.pop((False, text), None)

    def _of(self, passages: bool, texts: Sequence[str], encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if (passages, text) not in self._known]
        if new:
            started = time.perf_counter()
            vectors = encode(new)
            self.seconds += time.perf_counter() - started
            self.encoded += len(new)
            self._known.update(((passages, text), vector) for text, vector in zip(new, vectors, strict=True))
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return np.stack([self._known[passages, text] for text in texts])
