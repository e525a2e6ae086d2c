"""Who was there: sets of persons packed into a few bytes, so that people of any period can be counted exactly."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np


def packed(persons: np.ndarray) -> bytes:
    """Distinct positive numbers, as steps from one to the next, compressed."""
    steps = np.diff(np.unique(persons.astype("<u4")), prepend=np.uint32(0))
    return zlib.compress(steps.astype("<u4").tobytes(), 1)


def together(packs: Iterable[bytes]) -> int:
    """How many different persons are in any of `packs`."""
    seen = np.zeros(1024, bool)
    for pack in packs:
        persons = np.cumsum(np.frombuffer(zlib.decompress(pack), "<u4"))
        if persons.size == 0:
            continue
        if persons[-1] >= seen.size:
            seen = np.concatenate([seen, np.zeros(int(persons[-1]) + 1, bool)])
        seen[persons] = True
    return int(seen.sum())
