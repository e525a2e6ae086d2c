"""How sure a share from a sample is."""

from __future__ import annotations

import math

Z95 = 1.959964


def interval(hits: int, size: int, z: float = Z95) -> tuple[float, float] | None:
    """Wilson's score interval (1927) of the share `hits / size`: with `z` = 1.96 it holds the true one in 95 of 100 samples.
    It stays within [0, 1] and serves small samples too; None without a sample."""
    if size == 0:
        return None
    share, square = hits / size, z * z
    middle = (share + square / (2 * size)) / (1 + square / size)
    reach = z / (1 + square / size) * math.sqrt(share * (1 - share) / size + square / (4 * size * size))
    return (0.0 if hits == 0 else max(0.0, middle - reach), 1.0 if hits == size else min(1.0, middle + reach))
