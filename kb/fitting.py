"""Fit a matcher to a knowledge base, and judge it by questions it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from kb.entries import Entry
from kb.features import CIRCUMSTANCES, FEATURES
from kb.index import Index
from kb.lessons import Lesson, about_passages, identity, lessons, reviewed_lessons
from kb.matcher import Matcher, ramps, typical
from kb.reviewed import Reviewed
from kb.thresholds import HeldOut

FOLDS = 5
LOYALTY = 5.0
FAIR = 3.0
"""Similar questions an entry from which on a base's own lessons count fully. While one of these questions is asked there is one less
of them: the fewer there are, the poorer is the base that the lessons are about than the one they are meant for."""
STRANGERS = 0.25
"""What a question without a right entry weighs in the fit. People's questions lie further from the curated ones than curated
questions do from each other, and most of what is out of scope lies further off than our sentences: with equal weights, the
matcher takes the unusual question of an employee for a stranger's. Thresholds are chosen by equal weights all the same."""
_RIVALS = 8
_CHOICES = 5
_FEWEST_CITED = 100


@dataclass(frozen=True)
class Fitted:
    matcher: Matcher
    held_out: HeldOut


def fit(
    entries: Sequence[Entry],
    vectors: np.ndarray,
    encode: Callable[[list[str]], np.ndarray],
    seed: int = 0,
    drawn_to: Matcher | None = None,
    loyalty: float = LOYALTY,
    reviewed: Sequence[Reviewed] = (),
    index: Index | None = None,
) -> Fitted:
    """Fit on every entry; `held_out` is judged by matchers fitted without the entry (or sentence) in question.

    `vectors` (texts, dim) float32 are those of `kb.index.texts(entries)`, `index` is made of both unless given; `encode` is
    asked for the sentences out of scope and for single words. The same input and seed give the same result. The curves are drawn to those of
    `drawn_to`, the typical matcher by default (that of bases without answers where most entries have none), as strongly as `loyalty`
    says: a handful of entries cannot bend them far.
    `reviewed` are questions of employees with their verdict on the answer: they join the lessons and what is held out.
    Passages are matched as is typical unless a hundred curated questions and more cite them.
    """
    questioned = [entry for entry in entries if not entry.is_passage]
    silent = is_silent(entries)
    drawn_to = drawn_to or typical_for(silent)
    if not entries:
        return Fitted(drawn_to, held_out([], []))
    index = index or Index(entries, vectors)
    questions = [len(entry.questions) for entry in questioned]
    similar = float(np.mean(questions)) - 1 if questions else 0.0
    with threadpool_limits(1):  # on such small matrices a second thread costs more than it gives
        matcher, judged = drawn_to, held_out([], [])
        if questions:
            own = _counting(lessons(index, encode, seed), similar)
            taught = [*own, *reviewed_lessons(index, reviewed, encode)]
            matcher, judged = cross_fitted(taught, drawn_to, loyalty, seed)
        passages, found = drawn_to.passages, None
        taught = about_passages(index, encode, seed) if questions and index.passage.any() else []
        if passages and sum(lesson.answerable for lesson in taught) >= _FEWEST_CITED:
            passages, found = cross_fitted(taught, passages, loyalty, seed)
    return Fitted(
        replace(matcher, passages=passages, foreign=drawn_to.foreign, silent=None),
        replace(judged, similar=similar, silent=silent, passages=found),
    )


def is_silent(entries: Sequence[Entry]) -> bool:
    """Whether most of the entries that have questions have no answer."""
    told = [bool(entry.answer) for entry in entries if not entry.is_passage]
    return 2 * sum(told) < len(told)


def typical_for(silent: bool) -> Matcher:
    """The typical matcher of bases with answers, or of `silent` ones."""
    usual = typical()
    if not silent or usual.silent is None:
        return usual
    return replace(usual.silent, passages=usual.passages, foreign=usual.foreign)


def _counting(taught: Sequence[Lesson], similar: float) -> list[Lesson]:
    share = min(max(similar, 0.5) / FAIR, 1) ** 2
    return [replace(lesson, weight=lesson.weight * share) for lesson in taught]


def cross_fitted(taught: Sequence[Lesson], drawn_to: Matcher, loyalty: float, seed: int = 0) -> tuple[Matcher, HeldOut]:
    """A matcher fitted to all lessons, and what those fitted to the other folds make of each."""
    if not taught:
        return drawn_to, held_out([], [])
    of_lesson = folds(taught, seed)
    whole = fitted(taught, drawn_to, loyalty)
    judged: list[Lesson] = []
    probabilities: list[np.ndarray] = []
    for held in range(FOLDS):
        rest = [lesson for lesson, own in zip(taught, of_lesson, strict=True) if own != held]
        matcher = fitted(rest, drawn_to, loyalty, whole)
        for lesson, own in zip(taught, of_lesson, strict=True):
            if own == held and lesson.counted:
                judged.append(lesson)
                probabilities.append(matcher.probabilities(lesson.evidence))
    return whole, held_out(judged, probabilities)


def folds(taught: Sequence[Lesson], seed: int = 0) -> np.ndarray:
    """The fold of each lesson, (lessons,) int: that of its group, whichever other groups there are."""
    return np.array([identity(str(lesson.group), str(seed)) % FOLDS for lesson in taught], int)


def held_out(judged: Sequence[Lesson], probabilities: Sequence[np.ndarray]) -> HeldOut:
    """What matchers that had not seen them made of these lessons."""
    best = np.array([p.max() if len(p) else 0.0 for p in probabilities])
    right = np.array(
        [bool(len(p)) and lesson.right[p.argmax()] > 0 for lesson, p in zip(judged, probabilities, strict=True)], bool
    )
    offered = np.array(
        [lesson.right[np.argsort(-p)[:_CHOICES]].sum() > 0 for lesson, p in zip(judged, probabilities, strict=True)],
        bool,
    )
    in_scope = np.array([min(p.sum(), 1.0) for p in probabilities])
    answerable = np.array([lesson.answerable for lesson in judged], bool)
    weight = np.array([lesson.weight for lesson in judged])
    question = np.array([lesson.question for lesson in judged], np.uint64)
    near = np.array([lesson.near for lesson in judged], bool)
    return HeldOut(answerable, best, right, offered, in_scope, weight, question, near)


def fitted(taught: Sequence[Lesson], drawn_to: Matcher, loyalty: float, begin: Matcher | None = None) -> Matcher:
    """The curves that make the right choices likeliest, drawn to those of another matcher: a convex problem, whose
    solution is the sooner found the nearer to it the search begins."""
    taught = [lesson for lesson in taught if len(lesson.evidence.entries)]
    if not taught:
        return drawn_to
    features = np.zeros((len(taught), _RIVALS, len(FEATURES)))
    right = np.zeros((len(taught), _RIVALS))
    missing = np.ones((len(taught), _RIVALS), bool)
    for i, lesson in enumerate(taught):
        count = min(len(lesson.right), _RIVALS)
        features[i, :count] = lesson.evidence.features[:count]
        right[i, :count] = lesson.right[:count]
        missing[i, :count] = False
    curves = ramps(features, FEATURES)
    size = curves.shape[2]
    circumstances = ramps(np.stack([lesson.evidence.circumstances for lesson in taught]), CIRCUMSTANCES)
    weight = np.array([lesson.weight * (1 if lesson.answerable else STRANGERS) for lesson in taught])
    none = 1 - right.sum(1)
    origin, start = (
        np.concatenate([one.features, one.circumstances, [one.none]]) for one in (drawn_to, begin or drawn_to)
    )
    pull = np.concatenate([np.full(len(origin) - 1, loyalty), [loyalty / 100]])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        utility = curves @ weights[:size]
        utility[missing] = -np.inf
        staying = circumstances @ weights[size:-1] + weights[-1]
        highest = np.maximum(utility.max(1), staying)
        odds = np.exp(utility - highest[:, None])
        stay = np.exp(staying - highest)
        total = odds.sum(1) + stay
        chosen = np.where(right > 0, utility - highest[:, None], 0)
        likelihood = (right * chosen).sum(1) + none * (staying - highest) - np.log(total)
        surplus = weight[:, None] * (odds / total[:, None] - right)
        surplus_none = weight * (stay / total - none)
        drawn = weights - origin
        gradient = np.concatenate(
            [np.tensordot(surplus, curves, 2), surplus_none @ circumstances, [surplus_none.sum()]]
        )
        return float(-(weight * likelihood).sum() + drawn @ (pull * drawn) / 2), gradient + pull * drawn

    rising = [(0, None)] * size + [(None, None)] * (len(origin) - size)
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=rising, options={"maxiter": 200}).x
    return Matcher(weights[:size], weights[size:-1], float(weights[-1]))
