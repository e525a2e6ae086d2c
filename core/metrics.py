"""Figures for Prometheus, beside those of HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

_TURNS = Counter("fssc_turns_total", "Turns by band; `other` is a turn without a search.", ["band"])
_STEPS = Histogram(
    "fssc_step_seconds",
    "Time of one step of a turn. `engine` holds `action`, which holds `search`, which holds `encode`.",
    ["step"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


def count_turn(band: str | None) -> None:
    _TURNS.labels(band or "other").inc()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time what the block does as one step: accept, engine, action, search, encode or complete."""
    with _STEPS.labels(name).time():
        yield
