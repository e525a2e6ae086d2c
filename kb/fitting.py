"""Fit a matcher to a knowledge base, and judge it by questions it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from kb.entries import Entry
from kb.features import CIRCUMSTANCES, FEATURES
from kb.index import Index
from kb.lessons import Lesson, lessons
from kb.matcher import TYPICAL, Matcher
from kb.thresholds import HeldOut

FOLDS = 5
LOYALTY = 2.0
"""How many lessons' worth the typical weights count for: a handful of entries cannot move them far."""
_CHOICES = 5


@dataclass(frozen=True)
class Fitted:
    matcher: Matcher
    held_out: HeldOut


def fit(
    entries: Sequence[Entry], vectors: np.ndarray, encode: Callable[[list[str]], np.ndarray], seed: int = 0
) -> Fitted:
    """Fit on every entry; `held_out` is judged by matchers fitted without the entry (or sentence) in question.

    `vectors` (questions, dim) float32 are those of `kb.index.texts(entries)`; `encode` is asked for the sentences out of
    scope and for single words. The same input and seed give the same result.
    """
    if not entries:
        return Fitted(TYPICAL, _held_out([], []))
    taught = lessons(Index(entries, vectors), encode, seed)
    fold = np.random.default_rng(seed).permutation(max(lesson.group for lesson in taught) + 1) % FOLDS
    of_lesson = np.array([fold[lesson.group] for lesson in taught])
    judged: list[Lesson] = []
    probabilities: list[np.ndarray] = []
    for held in range(FOLDS):
        matcher = _fitted([lesson for lesson, own in zip(taught, of_lesson, strict=True) if own != held])
        for lesson, own in zip(taught, of_lesson, strict=True):
            if own == held and lesson.counted:
                judged.append(lesson)
                probabilities.append(matcher.probabilities(lesson.evidence))
    return Fitted(_fitted(taught), _held_out(judged, probabilities))


def _held_out(judged: Sequence[Lesson], probabilities: Sequence[np.ndarray]) -> HeldOut:
    best = np.array([p.max() if len(p) else 0.0 for p in probabilities])
    right = np.array(
        [bool(len(p)) and lesson.right[p.argmax()] > 0 for lesson, p in zip(judged, probabilities, strict=True)], bool
    )
    offered = np.array(
        [lesson.right[np.argsort(-p)[:_CHOICES]].sum() > 0 for lesson, p in zip(judged, probabilities, strict=True)], bool
    )
    in_scope = np.array([min(p.sum(), 1.0) for p in probabilities])
    answerable = np.array([lesson.answerable for lesson in judged], bool)
    weight = np.array([lesson.weight for lesson in judged])
    return HeldOut(answerable, best, right, offered, in_scope, weight)


def _fitted(taught: Sequence[Lesson]) -> Matcher:
    """The weights that make the right choices likeliest, drawn to the typical ones (a convex problem)."""
    taught = [lesson for lesson in taught if len(lesson.evidence.entries)]
    if not taught:
        return TYPICAL
    widest = max(len(lesson.right) for lesson in taught)
    features = np.zeros((len(taught), widest, len(FEATURES)))
    right = np.zeros((len(taught), widest))
    missing = np.ones((len(taught), widest), bool)
    for i, lesson in enumerate(taught):
        features[i, : len(lesson.right)] = lesson.evidence.features
        right[i, : len(lesson.right)] = lesson.right
        missing[i, : len(lesson.right)] = False
    circumstances = np.stack([lesson.evidence.circumstances for lesson in taught])
    weight = np.array([lesson.weight for lesson in taught])
    none = 1 - right.sum(1)
    typical = np.concatenate([TYPICAL.features, TYPICAL.circumstances, [TYPICAL.none]])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        utility = features @ weights[: len(FEATURES)]
        utility[missing] = -np.inf
        staying = circumstances @ weights[len(FEATURES) : -1] + weights[-1]
        highest = np.maximum(utility.max(1), staying)
        odds = np.exp(utility - highest[:, None])
        stay = np.exp(staying - highest)
        total = odds.sum(1) + stay
        chosen = np.where(right > 0, utility - highest[:, None], 0)
        likelihood = (right * chosen).sum(1) + none * (staying - highest) - np.log(total)
        surplus = weight[:, None] * (odds / total[:, None] - right)
        surplus_none = weight * (stay / total - none)
        drawn = weights - typical
        gradient = np.concatenate(
            [np.tensordot(surplus, features, 2), surplus_none @ circumstances, [surplus_none.sum()]]
        )
        return float(-(weight * likelihood).sum() + LOYALTY / 2 * drawn @ drawn / 10), gradient + LOYALTY * drawn / 10

    weights = minimize(loss, typical, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return Matcher(weights[: len(FEATURES)], weights[len(FEATURES) : -1], float(weights[-1]))
