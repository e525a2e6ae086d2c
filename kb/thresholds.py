"""Where the bands begin, from questions that the matcher has not seen.

The rate that is kept is the expected share of wrong answers among the questions answered outright, when as many
questions have no right entry as have one. `answer` is the lowest threshold whose held-out share of wrong answers, one
more wrong answer added, stays within the accepted rate: the added one makes the estimate safe on a finite sample (Barber
and Candès, Controlling the false discovery rate via knockoffs, Annals of Statistics 43, 2015; the same correction as in
Angelopoulos et al., Conformal Risk Control, ICLR 2024, and Jin and Candès, Selection by prediction with conformal
p-values, JMLR 24, 2023).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

ACCEPTED_WRONG_RATE = 0.03
WORTH_OFFERING = 0.1
"""An offer is made when at least one such offer in ten holds the right entry."""


@dataclass(frozen=True)
class HeldOut:
    """Questions judged by a matcher that has not seen them; every array (questions,).

    `answerable` says whether some entry is right; `probability` is that of the best candidate, `right` whether it is the
    right entry, `offered` whether the right entry is among the five best, `in_scope` the probability that any entry is
    right, `weight` how much the question counts: those with a right entry and those without weigh the same in sum.
    """

    answerable: np.ndarray
    probability: np.ndarray
    right: np.ndarray
    offered: np.ndarray
    in_scope: np.ndarray
    weight: np.ndarray

    def save(self, directory: Path) -> None:
        """Write `held_out.npz` into an existing directory."""
        np.savez_compressed(directory / "held_out.npz", **vars(self))

    @classmethod
    def load(cls, directory: Path) -> HeldOut:
        with np.load(directory / "held_out.npz", allow_pickle=False) as stored:
            return cls(**{name: stored[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Thresholds:
    """A best candidate whose probability reaches `answer` is the answer. Below it, candidates are offered when the
    probability that any entry is right, which is the sum of theirs, reaches `clarify`. Both in [0, 1]; 0 always reaches,
    1 asks for certainty, which no probability has."""

    answer: float
    clarify: float
    accepted_wrong_rate: float = ACCEPTED_WRONG_RATE

    def save(self, directory: Path) -> None:
        """Write `thresholds.json` into an existing directory."""
        (directory / "thresholds.json").write_text(json.dumps(vars(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Thresholds:
        return cls(**json.loads((directory / "thresholds.json").read_text(encoding="utf-8")))


TYPICAL = Thresholds(answer=0.97, clarify=0.15)
"""Where too few questions could be held out to promise anything: the probability itself is taken at its word."""


def choose(held_out: HeldOut, accepted_wrong_rate: float = ACCEPTED_WRONG_RATE) -> Thresholds:
    """The lowest thresholds that keep `accepted_wrong_rate` ([0, 1]) and make only offers that are worth making."""
    if accepted_wrong_rate > 0 and held_out.answerable.sum() < 2 / accepted_wrong_rate:
        return Thresholds(TYPICAL.answer, TYPICAL.clarify, accepted_wrong_rate)
    answer = _lowest(held_out.probability, ~held_out.right, held_out.weight, accepted_wrong_rate)
    return Thresholds(answer, _worth(held_out, held_out.probability < answer), accepted_wrong_rate)


def _worth(held_out: HeldOut, open_: np.ndarray) -> float:
    """The probability of being in scope at which an offer becomes worth making, by isotonic regression."""
    if not open_.any():
        return TYPICAL.clarify
    order = np.argsort(held_out.in_scope[open_], kind="stable")
    in_scope = held_out.in_scope[open_][order]
    chance = isotonic_regression(held_out.offered[open_][order].astype(float), weights=held_out.weight[open_][order]).x
    worth = np.flatnonzero(chance >= WORTH_OFFERING)
    return float(in_scope[worth[0]]) if len(worth) else 1.0


def _lowest(score: np.ndarray, wrong: np.ndarray, weight: np.ndarray, accepted: float) -> float:
    """The lowest score at and above which the weighted share of `wrong`, one question more, is at most `accepted`."""
    order = np.argsort(-score, kind="stable")
    score, wrong, weight = score[order], wrong[order], weight[order]
    failed = (np.cumsum(weight * wrong) + 1) / (np.cumsum(weight) + 1) <= accepted
    last_of_its_score = np.append(score[:-1] != score[1:], True)
    kept = np.flatnonzero(failed & last_of_its_score)
    return float(score[kept[-1]]) if len(kept) else 1.0
