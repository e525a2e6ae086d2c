"""Where the bands begin, from questions that the matcher has not seen.

The rate that is kept is the expected share of wrong answers among the questions answered outright, when as many
questions have no right entry as have one. `answer` is the lowest threshold whose held-out share of wrong answers, one
more wrong answer added, stays within the accepted rate: the added one makes the estimate safe on a finite sample (Barber
and Candès, Controlling the false discovery rate via knockoffs, Annals of Statistics 43, 2015; the same correction as in
Angelopoulos et al., Conformal Risk Control, ICLR 2024, and Jin and Candès, Selection by prediction with conformal
p-values, JMLR 24, 2023). It holds for questions that are asked as the held-out ones were: exchangeable with them.

Questions about an entry that was never written, near misses, are rare where a base is in use and many where it is young, and nobody
knows how many. They do not count in that rate; of them at most `NEAR` times the accepted rate are answered outright, by the same correction.

A base that cannot ask enough questions of its own is judged by those of the starter knowledge as well, reduced to about
as many similar questions an entry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

ACCEPTED_WRONG_RATE = 0.03
WORTH_OFFERING = 0.1
"""An offer is made when at least one such offer in ten holds the right entry."""
ENOUGH = 300
"""Questions with a right entry, those of a poor base counting less, from which on it needs no others to be judged by."""
CAREFUL = 0.5
"""The part of the accepted rate that is spent where a base cannot examine itself: on passages which no curated question cites, as texts
differ more than questions, and on questions in another language."""
NEAR = 5.0
"""How many times more often than accepted a near miss may be answered outright, by a neighbour of what it asks for."""
SILENT = "silent_"
"""What the names of kinds of bases begin with whose entries have no answers."""
RICHNESS = (0, 1, 2, 5)
"""Similar questions an entry, for which `kb.typical` keeps held-out questions of the starter knowledge."""

_TYPICAL = Path(__file__).with_name("typical")
_PASSAGES = "passages_"
_OF_BASE = ("similar", "silent", "passages")


@dataclass(frozen=True)
class HeldOut:
    """Questions judged by a matcher that has not seen them; every array (questions,).

    `answerable` says whether some entry is right; `probability` is that of the best candidate, `right` whether it is the
    right entry, `offered` whether the right entry is among the five best, `in_scope` the probability that any entry is
    right, `weight` how much the question counts: those with a right entry and those without weigh the same in sum,
    `question` (uint64) which question it is, from release to release, `near` whether it is a near miss: its entry was hidden.
    `similar` is how many similar questions an entry of this base has, `silent` whether its entries have no answers; `passages` are the
    questions put to its passages.
    """

    answerable: np.ndarray
    probability: np.ndarray
    right: np.ndarray
    offered: np.ndarray
    in_scope: np.ndarray
    weight: np.ndarray
    question: np.ndarray
    near: np.ndarray
    similar: float = 0.0
    silent: bool = False
    passages: HeldOut | None = None

    def of(self, chosen: np.ndarray) -> HeldOut:
        """Those of the questions that are `chosen` ((questions,) bool), without any about passages."""
        kept = {name: value[chosen] for name, value in vars(self).items() if name not in _OF_BASE}
        return HeldOut(**kept, similar=self.similar, silent=self.silent)

    def without_near_misses(self) -> HeldOut:
        """What the accepted rate is about; the other questions without a right entry weigh for the near misses too."""
        rest = self.of(~self.near)
        far = ~rest.answerable
        weight = rest.weight.copy()
        if far.any():
            weight[far] *= self.weight[~self.answerable].sum() / weight[far].sum()
        return replace(rest, weight=weight)

    def save(self, directory: Path) -> None:
        """Write `held_out.npz` into an existing directory."""
        own = {name: value for name, value in vars(self).items() if name != "passages"}
        theirs = {_PASSAGES + name: getattr(self.passages, name) for name in own} if self.passages else {}
        np.savez_compressed(directory / "held_out.npz", **own, **theirs)

    @classmethod
    def load(cls, directory: Path) -> HeldOut:
        """Read what `save` wrote."""
        with np.load(directory / "held_out.npz", allow_pickle=False) as stored:
            passages = cls._from(stored, _PASSAGES) if _PASSAGES + "weight" in stored else None
            return cls(**{**vars(cls._from(stored, "")), "passages": passages})

    @classmethod
    def _from(cls, stored: np.lib.npyio.NpzFile, prefix: str) -> HeldOut:
        found = {field.name: stored[prefix + field.name] for field in fields(cls) if field.name != "passages"}
        return cls(**{**found, "similar": float(found["similar"]), "silent": bool(found["silent"])})


@dataclass(frozen=True)
class Thresholds:
    """A best candidate whose probability reaches `answer` is the answer, a passage from `passage` on. Below that,
    candidates are offered when the probability that any entry is right, which is the sum of theirs, reaches `clarify`.
    `foreign` and `foreign_clarify` are both for questions in another language.
    All in [0, 1]; 0 always reaches, 1 asks for certainty, which no probability has."""

    answer: float
    clarify: float
    accepted_wrong_rate: float = ACCEPTED_WRONG_RATE
    passage: float = 0.97
    foreign: float = 0.97
    foreign_clarify: float = 0.3

    @property
    def abroad(self) -> Thresholds:
        """Those that a question in another language is held to."""
        return replace(self, answer=self.foreign, clarify=self.foreign_clarify)

    def save(self, directory: Path) -> None:
        """Write `thresholds.json` into an existing directory."""
        (directory / "thresholds.json").write_text(json.dumps(vars(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Thresholds:
        return cls(**json.loads((directory / "thresholds.json").read_text(encoding="utf-8")))


TYPICAL = Thresholds(answer=0.97, clarify=0.15)
"""The probability taken at its word: nothing is promised."""


def choose(held_out: HeldOut, accepted_wrong_rate: float = ACCEPTED_WRONG_RATE) -> Thresholds:
    """The lowest thresholds that keep `accepted_wrong_rate` ([0, 1]) and make only offers that are worth making."""
    judged = _completed(held_out, _kinds(held_out))
    answer = _keeping(judged, accepted_wrong_rate)
    found = _completed(held_out.passages, {"passages": 1.0})
    careful = 1 if held_out.passages is not None else CAREFUL
    passage = _keeping(found, accepted_wrong_rate * careful)
    asked = typical_held_out("foreign")
    foreign = _keeping(asked, accepted_wrong_rate * CAREFUL)
    return Thresholds(
        answer,
        _worth(judged, judged.probability < answer),
        accepted_wrong_rate,
        passage,
        foreign,
        _worth(asked, asked.probability < foreign),
    )


@cache
def typical_held_out(kind: str) -> HeldOut:
    """Held-out questions of the starter knowledge: with so many similar questions an entry, the same without answers (`SILENT`), put to
    `passages`, or in a `foreign` language."""
    return HeldOut.load(_TYPICAL / kind)


def _kinds(held_out: HeldOut) -> dict[str, float]:
    """The two kinds of bases between which one with so many similar questions an entry lies, and the share of each."""
    at = float(np.interp(np.log1p(held_out.similar), np.log1p(RICHNESS), range(len(RICHNESS))))
    lower = min(int(at), len(RICHNESS) - 2)
    begin = SILENT if held_out.silent else ""
    return {f"{begin}{RICHNESS[lower]}": lower + 1 - at, f"{begin}{RICHNESS[lower + 1]}": at - lower}


def _completed(own: HeldOut | None, kinds: Mapping[str, float]) -> HeldOut:
    """With the typical questions of these kinds beside it, weighing the less the more its own with a right entry weigh, and
    nothing from `ENOUGH` on."""
    missing = 1 - (float(own.weight[own.answerable].sum()) if own else 0) / ENOUGH
    if missing <= 0 and own:
        return own
    parts = [(typical_held_out(kind), missing * share) for kind, share in kinds.items() if share > 0]
    if own is not None:
        parts.insert(0, (own, 1.0))
    kept = [field.name for field in fields(HeldOut) if field.name not in ("weight", *_OF_BASE)]
    columns = {name: np.concatenate([getattr(part, name) for part, _ in parts]) for name in kept}
    return HeldOut(**columns, weight=np.concatenate([part.weight * by for part, by in parts]))


def _keeping(judged: HeldOut, accepted: float) -> float:
    """The lowest threshold at which both rates are kept."""
    plain, near = judged.without_near_misses(), judged.of(judged.near)
    answer = _lowest(plain.probability, ~plain.right, plain.weight, accepted)
    order = np.argsort(-near.probability, kind="stable")
    share = near.weight[order] / max(near.weight.sum(), 1e-12) * len(order)
    first_too_many = np.searchsorted((np.cumsum(share) + 1) / (len(order) + 1), NEAR * accepted, side="right")
    if first_too_many == len(order):
        return answer
    return max(answer, float(np.nextafter(near.probability[order[first_too_many]], 2)))


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
