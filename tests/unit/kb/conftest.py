"""The real encoder for the knowledge base's tests; no text is encoded twice in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb.encoder import load_encoder


@pytest.fixture(scope="session")
def encode(encoder_dir: Path) -> Callable[[list[str]], np.ndarray]:
    encoder = load_encoder(str(encoder_dir), encoder_dir.parent)
    known: dict[str, np.ndarray] = {}

    def encode(texts: list[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, encoder.encode_queries(new), strict=True))
        return np.stack([known[text] for text in texts]) if texts else np.empty((0, encoder.dim), np.float32)

    return encode
