"""The diagrams say what the held-out questions say."""

from __future__ import annotations

import numpy as np
import pytest

from kb.release.diagrams import curve, reliability
from kb.thresholds import HeldOut


def held_out(probability: list[float], right: list[bool], answerable: list[bool]) -> HeldOut:
    count = len(probability)
    flags = np.array(right, bool)
    asked = np.arange(count, dtype=np.uint64), np.zeros(count, bool)
    return HeldOut(
        np.array(answerable, bool), np.array(probability), flags, flags, np.array(probability), np.ones(count), *asked
    )


def test_a_bar_compares_promise_and_truth() -> None:
    bars = reliability(held_out([0.92, 0.98, 0.95, 0.15], [True, True, False, False], [True, True, True, False]))
    assert [(bar["from"], bar["count"]) for bar in bars] == [(0.1, 1), (0.9, 3)]
    assert bars[1]["mean_probability"] == pytest.approx(0.95) and bars[1]["share_right"] == pytest.approx(
        2 / 3, abs=1e-3
    )


def test_the_curve_rises_with_the_threshold_and_covers_less() -> None:
    found = curve(held_out([0.9, 0.8, 0.8, 0.3], [True, True, False, False], [True, True, False, True]))
    assert found == [
        {"threshold": 0.3, "coverage": pytest.approx(0.6667), "wrong_rate": 0.5},
        {"threshold": 0.8, "coverage": pytest.approx(0.6667), "wrong_rate": pytest.approx(0.3333)},
        {"threshold": 0.9, "coverage": pytest.approx(0.3333), "wrong_rate": 0.0},
    ]


def test_nothing_held_out_draws_nothing() -> None:
    nothing = held_out([], [], [])
    assert curve(nothing) == [] and reliability(nothing) == []
