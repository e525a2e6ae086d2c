"""How good a release is: on questions with known answers, or on itself when there are none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from kb.search import Band, Query, Searcher
from kb.thresholds import HeldOut, Thresholds

_BINS = 15
_RANKS = 10


@dataclass(frozen=True)
class Evaluation:
    """Shares are in [0, 1]; those of an empty set of questions are None.

    `top1`, `top5`, `mrr10` look at the order alone. `coverage` is the share of the questions with a right entry that are
    answered outright and right. `wrong_rate` is the share of wrong answers among all answered outright, `ece` the
    calibration error of the best candidate's probability in 15 equal bins: both with the questions out of scope included,
    weighing as much in sum as those in scope. `out_of_scope_refused` is the share of these that is not answered outright.
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


def evaluate(
    searcher: Searcher, queries: Sequence[tuple[str, str]], out_of_scope: Sequence[str], today: date
) -> Evaluation:
    """Ask every `(text, entry id)` and every text out of scope, one by one, as the chat does. Encoding is in the times."""
    ranks: list[int] = []
    judged: list[tuple[float, bool, bool]] = []
    took: list[float] = []
    for text, right in [*queries, *((text, None) for text in out_of_scope)]:
        started = time.perf_counter()
        result = searcher.search(Query(text, today, top_k=_RANKS))
        took.append((time.perf_counter() - started) * 1000)
        found = [candidate.entry.id for candidate in result.candidates]
        ranks.append(found.index(right) if right in found else _RANKS)
        probability = result.candidates[0].probability if found else 0.0
        judged.append((probability, ranks[-1] == 0, result.band is Band.ANSWER))
    probability, first, answered = (
        (np.array(column) for column in zip(*judged, strict=True)) if judged else [np.empty(0)] * 3
    )
    within = np.arange(len(judged)) < len(queries)
    return _evaluation(
        len(searcher.entries),
        np.array(ranks)[within],
        within,
        _balanced(within),
        probability,
        first.astype(bool),
        answered.astype(bool),
        took,
    )


def cross_validated(entries: int, held_out: HeldOut, thresholds: Thresholds) -> Evaluation:
    """The evaluation that goes with a release: its own curated questions, each judged by a matcher without its entry.

    `mrr10` is not kept for these. None of the questions was seen, but the thresholds were chosen by them.
    """
    answered = held_out.probability >= thresholds.answer
    within = held_out.answerable
    ranks = np.where(held_out.right, 0, np.where(held_out.offered, 4, _RANKS))[within]
    found = _evaluation(entries, ranks, within, held_out.weight, held_out.probability, held_out.right, answered, [])
    return Evaluation(**{**vars(found), "mrr10": None})


def calibration_error(probability: np.ndarray, right: np.ndarray, weight: np.ndarray) -> float:
    """Expected calibration error: the weighted mean, over 15 equal bins, of |mean probability − share right|."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    return float(np.abs(np.bincount(bins, weight * (probability - right))).sum() / weight.sum())


def _evaluation(
    entries: int,
    ranks: np.ndarray,
    within: np.ndarray,
    weight: np.ndarray,
    probability: np.ndarray,
    right: np.ndarray,
    answered: np.ndarray,
    took: Sequence[float],
) -> Evaluation:
    def share(of: np.ndarray, among: np.ndarray) -> float | None:
        return float(np.average(of[among], weights=weight[among])) if weight[among].sum() > 0 else None

    everything = np.ones(len(within), bool)
    return Evaluation(
        entries=entries,
        queries=int(within.sum()),
        out_of_scope=int((~within).sum()),
        top1=float((ranks == 0).mean()) if len(ranks) else None,
        top5=float((ranks < 5).mean()) if len(ranks) else None,
        mrr10=float(np.where(ranks < _RANKS, 1 / (ranks + 1), 0).mean()) if len(ranks) else None,
        coverage=share(answered & right, within),
        wrong_rate=share(~right, answered) if answered.any() else 0.0 if len(within) else None,
        out_of_scope_refused=share(~answered, ~within),
        ece=calibration_error(probability, right, weight) if everything.any() else None,
        search_ms_p50=float(np.percentile(took, 50)) if len(took) else None,
        search_ms_p95=float(np.percentile(took, 95)) if len(took) else None,
    )


def _balanced(within: np.ndarray) -> np.ndarray:
    """Weights that give the questions in scope and those out of it the same sum."""
    inside = int(within.sum())
    outside = len(within) - inside
    return np.where(within, 1.0, inside / outside if inside and outside else 1.0)
