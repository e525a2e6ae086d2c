"""How many threads work on one encoding call."""

from __future__ import annotations

import os


def configured_threads() -> int:
    """`FSSC_ENCODER_THREADS`; without it two, or one where there is only one processor."""
    configured = os.environ.get("FSSC_ENCODER_THREADS", "")
    return max(1, int(configured)) if configured.isdecimal() else min(2, os.cpu_count() or 1)
