"""Who was there: sets of persons packed into a few bytes, so that people of any period can be counted exactly."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

_SMALL = 256
"""Bytes that are not worth compressing."""


def packed(persons: np.ndarray) -> bytes:
    """Distinct positive numbers, as steps from one to the next; many of them compressed, which the first byte tells."""
    steps = np.diff(np.unique(persons), prepend=0).astype("<u4").tobytes()
    return b"\1" + zlib.compress(steps, 1) if len(steps) > _SMALL else b"\0" + steps


def _numbers(pack: bytes) -> np.ndarray:
    steps = zlib.decompress(pack[1:]) if pack[0] else pack[1:]
    return np.cumsum(np.frombuffer(steps, "<u4"))


def together(packs: Iterable[bytes]) -> int:
    """How many different persons are in any of `packs`."""
    seen = np.zeros(1024, bool)
    for pack in packs:
        persons = _numbers(pack)
        if persons.size == 0:
            continue
        if persons[-1] >= seen.size:
            seen = np.concatenate([seen, np.zeros(int(persons[-1]) + 1, bool)])
        seen[persons] = True
    return int(seen.sum())
