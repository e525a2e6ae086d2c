"""How good a release is: on questions with known answers, or on itself when there are none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from kb.search import Band, Query, Searcher
from kb.thresholds import HeldOut, Thresholds

RANKS = 10
_BINS = 15


@dataclass(frozen=True)
class Evaluation:
    """Shares are in [0, 1]; those of an empty set of questions are None.

    `top1`, `top5`, `mrr10` look at the order alone. `coverage` is the share of the questions with a right entry that are
    answered outright and right. `wrong_rate` is the share of wrong answers among all answered outright, `ece` the
    calibration error of the best candidate's probability in 15 equal bins: both with the questions out of scope included.
    Every question counts one; in `wrong_rate_half` and `ece_half` those out of scope weigh as much in sum as those in
    scope, which is what thresholds are chosen for. `out_of_scope_refused` is the share of these that is not answered
    outright.
    """

    entries: int
    queries: int
    out_of_scope: int
    top1: float | None
    top5: float | None
    mrr10: float | None
    coverage: float | None
    wrong_rate: float | None
    out_of_scope_refused: float | None
    ece: float | None
    search_ms_p50: float | None = None
    search_ms_p95: float | None = None
    wrong_rate_half: float | None = None
    ece_half: float | None = None


@dataclass(frozen=True)
class Judged:
    """What a method made of each question, first those with a right entry, then those without; every array (questions,).

    `rank` is the right entry's, from 0, and `RANKS` where it is not among the first ten; `probability` is the best
    candidate's, `answered` whether it was given outright.
    """

    within: np.ndarray
    rank: np.ndarray
    probability: np.ndarray
    answered: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Whether the best candidate is the right entry."""
        return self.rank == 0


def evaluate(
    searcher: Searcher,
    queries: Sequence[tuple[str, str]],
    out_of_scope: Sequence[str],
    today: date,
) -> Evaluation:
    """The figures of what `judge` finds."""
    return evaluation_of(len(searcher.entries), *judge(searcher, queries, out_of_scope, today))


def judge(
    searcher: Searcher,
    queries: Sequence[tuple[str, str]],
    out_of_scope: Sequence[str],
    today: date,
    asked: Callable[[int], None] = lambda _: None,
) -> tuple[Judged, list[float]]:
    """Ask every `(text, entry id)` and every text out of scope, one by one, as the chat does, and how many milliseconds each
    took, encoding included. `asked` hears how many questions are done.
    """
    ranks, probabilities, answered, took = [], [], [], []
    for text, right in [*queries, *((text, None) for text in out_of_scope)]:
        started = time.perf_counter()
        result = searcher.search(Query(text, today, top_k=RANKS))
        took.append((time.perf_counter() - started) * 1000)
        found = [candidate.entry.id for candidate in result.candidates]
        ranks.append(found.index(right) if right in found else RANKS)
        probabilities.append(result.candidates[0].probability if found else 0.0)
        answered.append(result.band is Band.ANSWER)
        asked(len(took))
    within = np.arange(len(took)) < len(queries)
    return Judged(within, np.array(ranks, int), np.array(probabilities, float), np.array(answered, bool)), took


def evaluation_of(entries: int, judged: Judged, took: Sequence[float] = ()) -> Evaluation:
    """The figures of questions that were judged; `took` are milliseconds."""
    plain = _evaluation(entries, judged, np.ones(len(judged.within)), took)
    if plain.queries and plain.out_of_scope:
        half = _evaluation(entries, judged, _balanced(judged.within), [])
        return replace(plain, wrong_rate_half=half.wrong_rate, ece_half=half.ece)
    return plain


def coverage_in_hindsight(judged: Judged, confidence: np.ndarray, accepted: float) -> float | None:
    """The coverage with the threshold on `confidence`, (questions,), that is the best *for the very questions asked*, right answers seen,
    which no method in use can have."""
    chosen = best_threshold(confidence, judged.right & judged.within, accepted)
    return float((chosen & judged.right)[judged.within].mean()) if judged.within.any() else None


def best_threshold(confidence: np.ndarray, right: np.ndarray, accepted: float) -> np.ndarray:
    """Which questions to answer, (questions,) bool: those of the highest `confidence`, as many as keep the share of wrong
    answers within `accepted`."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    kept = np.cumsum(~right[order]) <= accepted * np.arange(1, len(confidence) + 1)
    kept &= np.append(ranked[:-1] != ranked[1:], True) & np.isfinite(ranked)
    last = np.flatnonzero(kept)
    return confidence >= ranked[last[-1]] if len(last) else np.zeros(len(confidence), bool)


def cross_validated(entries: int, held_out: HeldOut, thresholds: Thresholds) -> Evaluation:
    """The evaluation that goes with a release: its own curated questions, each judged by a matcher without its entry.

    Questions count by their weight: half of it lies with those that no entry answers. `mrr10` is not kept for these, and near
    misses are left out. None of the questions was seen, but the thresholds were chosen by them.
    """
    held_out = held_out.without_near_misses()
    rank = np.where(held_out.right, 0, np.where(held_out.offered, 4, RANKS))
    answered = held_out.probability >= thresholds.answer
    judged = Judged(held_out.answerable, rank, held_out.probability, answered)
    return replace(_evaluation(entries, judged, held_out.weight, []), mrr10=None)


def calibration_error(probability: np.ndarray, right: np.ndarray, weight: np.ndarray) -> float:
    """Expected calibration error: the weighted mean, over 15 equal bins, of |mean probability − share right|."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    return float(np.abs(np.bincount(bins, weight * (probability - right))).sum() / weight.sum())


def _evaluation(entries: int, judged: Judged, weight: np.ndarray, took: Sequence[float]) -> Evaluation:
    def share(of: np.ndarray, among: np.ndarray) -> float | None:
        return float(np.average(of[among], weights=weight[among])) if weight[among].sum() > 0 else None

    within, answered, right = judged.within, judged.answered, judged.right
    ranks = judged.rank[within]
    return Evaluation(
        entries=entries,
        queries=int(within.sum()),
        out_of_scope=int((~within).sum()),
        top1=float((ranks == 0).mean()) if len(ranks) else None,
        top5=float((ranks < 5).mean()) if len(ranks) else None,
        mrr10=float(np.where(ranks < RANKS, 1 / (ranks + 1), 0).mean()) if len(ranks) else None,
        coverage=share(answered & right, within),
        wrong_rate=share(~right, answered) if answered.any() else 0.0 if len(within) else None,
        out_of_scope_refused=share(~answered, ~within),
        ece=calibration_error(judged.probability, right, weight) if len(within) else None,
        search_ms_p50=float(np.percentile(took, 50)) if len(took) else None,
        search_ms_p95=float(np.percentile(took, 95)) if len(took) else None,
    )


def _balanced(within: np.ndarray) -> np.ndarray:
    """Weights that give the questions in scope and those out of it the same sum."""
    inside = int(within.sum())
    outside = len(within) - inside
    return np.where(within, 1.0, inside / outside if inside and outside else 1.0)
