"""The matcher: how likely is each candidate entry the right answer, fitted from the curated entries themselves.

One conditional logit (McFadden, Conditional Logit Analysis of Qualitative Choice Behavior, 1974): the employee's question
chooses among the candidate entries and *none of them*. Each entry's utility is a sum of one rising curve a feature, that
of none a sum of one curve a circumstance (Hastie and Tibshirani, Generalized Additive Models, 1986), so the probabilities
of one question add up to at most one, what is missing to one is none's, and more evidence never makes an entry less
likely.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kb.features import CIRCUMSTANCES, FEATURES, Evidence

TYPICAL = Path(__file__).with_name("typical")

_OTHERS = ("passages", "foreign", "silent")

EXACT = 0.999
"""The probability that an entry is right which holds the very question asked: only a curator's slip makes it wrong.
Entries that hold the same question share it."""

_SHARE = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)
_LEAD = (-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5)
_ESTIMATE = (0.0, 0.05, 0.15, 0.3, 0.5, 0.75, 1.0)
KNOTS: Mapping[str, Sequence[float]] = {
    "kriging": _ESTIMATE,
    "kriging_lead": (-0.6, -0.3, -0.1, 0.0, 0.15, 0.35, 0.6, 0.9),
    "similarity": (-0.2, 0.1, 0.3, 0.5, 0.7, 0.85, 1.0),
    "similarity_lead": _LEAD,
    "consensus": (-0.2, 0.1, 0.3, 0.5, 0.7, 0.9),
    "characters": _SHARE,
    "characters_lead": _LEAD,
    "sound": _SHARE,
    "sound_lead": _LEAD,
    "asked": _SHARE,
    "told": _SHARE,
    "asked_together": _SHARE,
    "asked_together_lead": _LEAD,
    "characters_together": _SHARE,
    "characters_together_lead": _LEAD,
    "answer": _SHARE,
    "answer_meaning": (-0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.8),
    "answer_meaning_lead": (-0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.4),
    "numbers": (-1.0, 0.0, 1.0),
    "scene": (-1.0, 0.0, 0.5, 1.0),
    "novelty": (0.2, 0.5, 0.7, 0.85, 0.95, 1.0),
    "best_kriging": _ESTIMATE,
    "best_similarity": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "best_asked": _SHARE,
    "unknown": (0.0, 0.2, 0.4, 0.6, 0.8),
    "brevity": (0.05, 0.12, 0.25, 0.5, 1.0),
    "scene_known": (0.0, 0.5, 1.0),
}
"""Where the curves bend; between two knots they are straight, beyond the last ones flat."""


@dataclass(frozen=True)
class Matcher:
    """The rise of every curve from knot to knot: `features`, none of them negative, `circumstances`, and the utility
    `none` has where all its curves begin. `passages` is a matcher of their own for the passages of the same base, `foreign` one for questions in
    another language, which share no characters with it; the typical one's `silent` is typical of bases whose entries have no answers."""

    features: np.ndarray
    circumstances: np.ndarray
    none: float
    passages: Matcher | None = None
    foreign: Matcher | None = None
    silent: Matcher | None = None

    def probabilities(self, evidence: Evidence) -> np.ndarray:
        """(candidates,) float64 in [0, 1], in the evidence's order, together at most 1."""
        if not len(evidence.entries):
            return np.empty(0)
        utility = ramps(evidence.features, FEATURES) @ self.features
        none = float(ramps(evidence.circumstances, CIRCUMSTANCES) @ self.circumstances + self.none)
        highest = max(utility.max(), none)
        odds = np.exp(utility - highest)
        found = odds / (odds.sum() + np.exp(none - highest))
        if evidence.holders:
            holders = list(evidence.holders)
            theirs = found[holders].sum()
            certain = max(theirs, EXACT)
            found *= (1 - certain) / max(1 - theirs, 1e-12)
            found[holders] = certain / len(holders)
        return found

    def save(self, directory: Path) -> None:
        """Write `matcher.json` into an existing directory."""
        weights = self._weights()
        for name in _OTHERS:
            other = getattr(self, name)
            weights[name] = other._weights() if other else None
        (directory / "matcher.json").write_text(json.dumps(weights, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Matcher:
        """Read what `save` wrote. KeyError or ValueError when it weighs other features or has other knots: fit again."""
        weights = json.loads((directory / "matcher.json").read_text(encoding="utf-8"))
        others = {name: cls._of(weights[name]) if weights[name] else None for name in _OTHERS}
        return replace(cls._of(weights), **others)

    def _weights(self) -> dict[str, Any]:
        return {
            "features": _by_name(FEATURES, self.features),
            "circumstances": _by_name(CIRCUMSTANCES, self.circumstances),
            "none": self.none,
        }

    @classmethod
    def _of(cls, weights: Mapping[str, Any]) -> Matcher:
        return cls(
            _in_order(FEATURES, weights["features"]),
            _in_order(CIRCUMSTANCES, weights["circumstances"]),
            float(weights["none"]),
        )


@cache
def typical() -> Matcher:
    """What `kb.typical` fitted to the starter knowledge; a base too small to teach its own matcher stays near it."""
    return Matcher.load(TYPICAL)


def ramps(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """How far each value has come from each knot to the next, in [0, 1]: (…, names) becomes (…, steps)."""
    column, begin, end = _steps(tuple(names))
    return np.clip((values[..., column] - begin) / (end - begin), 0, 1)


@cache
def _steps(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    column = np.repeat(np.arange(len(names)), [len(KNOTS[name]) - 1 for name in names])
    begin = np.concatenate([KNOTS[name][:-1] for name in names])
    return column, begin, np.concatenate([KNOTS[name][1:] for name in names])


def _by_name(names: Sequence[str], rises: np.ndarray) -> dict[str, list[float]]:
    column, _, _ = _steps(tuple(names))
    return {name: np.round(rises[column == i], 6).tolist() for i, name in enumerate(names)}


def _in_order(names: Sequence[str], rises: Mapping[str, Sequence[float]]) -> np.ndarray:
    if set(rises) != set(names) or any(len(rises[name]) != len(KNOTS[name]) - 1 for name in names):
        raise ValueError("the stored matcher weighs other features")
    return np.concatenate([np.asarray(rises[name], np.float64) for name in names])
