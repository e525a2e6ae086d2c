"""One vector from the means of the last two layers: as `kb.encoder.learning` learnt it.

The last layer of a contrastive encoder serves its own training task; the one before knows things that it drops. Of both
side by side (768 numbers) the first 384 principal directions keep 99.9 % of the squares, so a vector is as long as
before. The directions are learnt from the starter knowledge, without a look at which questions belong together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FUSION_FILE = Path(__file__).with_name("fusion.npy")


def fusion() -> np.ndarray:
    """(2 × hidden, hidden) float16, orthonormal columns: what the two means, each of unit length, are multiplied by."""
    return np.load(FUSION_FILE)
