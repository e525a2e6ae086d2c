"""The real encoder for the knowledge base's tests; no text is encoded twice in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb.encoder import load_encoder
from kb.evaluation.remembering import Remembering


@pytest.fixture(scope="session")
def encoder(encoder_dir: Path) -> Remembering:
    return Remembering(load_encoder(str(encoder_dir), encoder_dir.parent))


@pytest.fixture(scope="session")
def encode(encoder: Remembering) -> Callable[[list[str]], np.ndarray]:
    return encoder.encode_queries
