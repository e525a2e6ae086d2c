"""Figures for Prometheus, beside those of HTTP."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_TURNS = Counter("fssc_turns_total", "Turns by band; `other` is a turn without a search.", ["band"])
_ACTIONS = Histogram("fssc_action_seconds", "Time an action took in this process.", ["action"])


def count_turn(band: str | None) -> None:
    _TURNS.labels(band or "other").inc()


def observe_action(name: str, seconds: float) -> None:
    _ACTIONS.labels(name).observe(seconds)
