"""Times to answer, counted in buckets that add up over days and places.

A bucket is a tenth wider than the one before, so a median read from it is off by 5 % at most; it needs one number a bucket
where the exact one needs every single time of the period.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

RATIO = 1.1
LAST = 180
"""Bucket 180 holds whatever takes longer than seven hours."""


def bucket(milliseconds: float) -> int:
    """Which bucket a time lies in; what is under a millisecond lies in the first."""
    return min(int(math.log(max(milliseconds, 1.0)) / math.log(RATIO)), LAST)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Milliseconds that `share` of the times do not pass, as the middle of their bucket; None without any."""
    total = sum(counts.values())
    wanted, so_far = math.ceil(share * total), 0
    for bucket in sorted(counts):
        so_far += counts[bucket]
        if so_far >= wanted and total:
            return round(RATIO ** (bucket + 0.5), 3)
    return None
