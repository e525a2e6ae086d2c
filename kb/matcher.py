"""The matcher: how likely is each candidate entry the right answer, fitted from the curated entries themselves.

One conditional logit (McFadden, Conditional Logit Analysis of Qualitative Choice Behavior, 1974): the employee's question
chooses among the candidate entries and *none of them*. Each entry's utility is linear in its features, that of none in
the circumstances, so the probabilities of one question add up to at most one, and what is missing to one is none's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.features import CIRCUMSTANCES, FEATURES, Evidence

EXACT = 0.999
"""The probability of an entry that alone holds the very question asked: only a curator's slip makes it wrong."""


@dataclass(frozen=True)
class Matcher:
    """`features` (FEATURES,), `circumstances` (CIRCUMSTANCES,) and `none` weigh the evidence; all finite."""

    features: np.ndarray
    circumstances: np.ndarray
    none: float

    def probabilities(self, evidence: Evidence) -> np.ndarray:
        """(candidates,) float64 in [0, 1], in the evidence's order, together at most 1."""
        if not len(evidence.entries):
            return np.empty(0)
        utility = evidence.features @ self.features
        none = float(evidence.circumstances @ self.circumstances + self.none)
        highest = max(utility.max(), none)
        odds = np.exp(utility - highest)
        found = odds / (odds.sum() + np.exp(none - highest))
        if evidence.exact is not None:
            others = np.arange(len(found)) != evidence.exact
            rest = 1 - found[evidence.exact]
            if rest > 1 - EXACT:
                found[others] *= (1 - EXACT) / rest
                found[evidence.exact] = EXACT
        return found

    def save(self, directory: Path) -> None:
        """Write `matcher.json` into an existing directory."""
        weights = {
            "features": dict(zip(FEATURES, self.features.tolist(), strict=True)),
            "circumstances": dict(zip(CIRCUMSTANCES, self.circumstances.tolist(), strict=True)),
            "none": self.none,
        }
        (directory / "matcher.json").write_text(json.dumps(weights, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Matcher:
        """Read what `save` wrote. KeyError when it was fitted to other features: fit again."""
        weights = json.loads((directory / "matcher.json").read_text(encoding="utf-8"))
        if set(weights["features"]) != set(FEATURES) or set(weights["circumstances"]) != set(CIRCUMSTANCES):
            raise KeyError("the stored matcher weighs other features")
        return cls(
            np.array([weights["features"][name] for name in FEATURES]),
            np.array([weights["circumstances"][name] for name in CIRCUMSTANCES]),
            float(weights["none"]),
        )


TYPICAL = Matcher(
    np.array([8.0, 0.0, 4.0, 1.0, 2.0, 2.0, 1.0, 1.0, 0.5, 1.0, 0.8, 1.0]),
    np.array([-4.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0]),
    9.0,
)
"""Where a knowledge base is too small to teach its own, its matcher stays near these."""
