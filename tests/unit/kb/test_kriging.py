"""Neighbours speak for their entries, each other's echoes count once, and far from all of them little is known."""

from __future__ import annotations

import numpy as np
import pytest

from kb.kriging import estimate

UNRELATED = 0.85


def _at(among: np.ndarray, asked: np.ndarray, owner: list[int]) -> tuple[np.ndarray, float]:
    nothing = np.zeros_like
    return estimate((among, nothing(among)), (asked, nothing(asked)), np.array(owner), 2, UNRELATED)


def test_the_nearer_question_wins_and_a_known_one_leaves_little_doubt() -> None:
    among = np.full((2, 2), UNRELATED)
    np.fill_diagonal(among, 1)
    held, novelty = _at(among, np.array([0.99, 0.9]), [0, 1])
    assert held[0] > held[1] > 0
    far, far_novelty = _at(among, np.array([UNRELATED, UNRELATED]), [0, 1])
    assert far.max() < held[0] and novelty < far_novelty


def test_saying_the_same_twice_counts_once() -> None:
    among = np.array([[1, 1, UNRELATED], [1, 1, UNRELATED], [UNRELATED, UNRELATED, 1]])
    held, _ = _at(among, np.array([0.95, 0.95, 0.95]), [0, 0, 1])
    assert held[0] == pytest.approx(held[1], rel=0.25)
