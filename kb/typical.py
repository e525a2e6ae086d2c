"""Fit the matcher that a small knowledge base starts from: `python -m kb.typical`, after the features have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.settings import Settings
from kb.encoder import load_encoder
from kb.entries import Entry
from kb.features import CIRCUMSTANCES, FEATURES
from kb.files import read_knowledge
from kb.fitting import fit
from kb.index import texts
from kb.matcher import KNOTS, TYPICAL, Matcher

_LOYALTY = 0.3
_STARTER = Path(__file__).with_name("starter")


def typical_of(entries: Sequence[Entry], encode: Callable[[list[str]], np.ndarray]) -> Matcher:
    """The matcher of these entries, drawn to flat curves."""
    flat = Matcher(
        np.zeros(sum(len(KNOTS[name]) - 1 for name in FEATURES)),
        np.zeros(sum(len(KNOTS[name]) - 1 for name in CIRCUMSTANCES)),
        0.0,
    )
    return fit(entries, encode(texts(entries)), encode, drawn_to=flat, loyalty=_LOYALTY).matcher


if __name__ == "__main__":
    settings = Settings()
    encoder = load_encoder(settings.encoder, settings.home)
    TYPICAL.mkdir(exist_ok=True)
    typical_of(read_knowledge(_STARTER).entries, encoder.encode_queries).save(TYPICAL)
