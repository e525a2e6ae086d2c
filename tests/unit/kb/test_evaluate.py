"""The figures of a release mean what their names say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kb.entries import Entry
from kb.evaluate import (
    RANKS,
    Judged,
    best_threshold,
    calibration_error,
    coverage_in_hindsight,
    cross_validated,
    evaluate,
    evaluation_of,
)
from kb.index import texts
from kb.matcher import typical
from kb.search import Searcher
from kb.thresholds import HeldOut, Thresholds

TODAY = date(2026, 11, 21)
ENTRIES = [
    Entry("lodging", "出差住宿费能报多少？", similar=("酒店一晚上限多少",)),
    Entry("lost", "发票丢了怎么办？", similar=("发票遗失",)),
]


@pytest.fixture(scope="module")
def searcher(encode) -> Searcher:
    return Searcher(ENTRIES, encode(texts(ENTRIES)), typical(), Thresholds(0.97, 0.2), encode, release=1)


def test_right_answers_wrong_answers_and_refusals_are_told_apart(searcher: Searcher) -> None:
    queries = [("发票遗失", "lost"), ("酒店一晚上限多少", "lost")]
    found = evaluate(searcher, queries, ["今天天气怎么样", "发票丢了怎么办"], TODAY)
    assert (found.entries, found.queries, found.out_of_scope) == (2, 2, 2)
    assert found.top1 == 0.5 and found.top5 == 1.0 and found.mrr10 == 0.75
    assert found.coverage == 0.5
    assert found.wrong_rate == pytest.approx(2 / 3)
    assert found.out_of_scope_refused == 0.5
    assert 0 < found.search_ms_p50 <= found.search_ms_p95


def test_every_question_counts_one_and_beside_it_those_out_of_scope_as_one_half(searcher: Searcher) -> None:
    found = evaluate(searcher, [("发票遗失", "lost")] * 3, ["发票丢了怎么办"], TODAY)
    assert found.wrong_rate == pytest.approx(0.25)
    assert found.wrong_rate_half == pytest.approx(0.5)
    assert found.ece_half > found.ece


def test_the_figures_of_questions_that_were_judged() -> None:
    judged = Judged(
        within=np.array([True, True, True, True, False, False]),
        rank=np.array([0, 0, 3, RANKS, RANKS, RANKS]),
        probability=np.array([0.95, 0.55, 0.95, 0.15, 0.95, 0.05]),
        answered=np.array([True, False, True, False, True, False]),
    )
    found = evaluation_of(9, judged, took=[1.0, 2.0, 3.0])
    assert (found.entries, found.queries, found.out_of_scope) == (9, 4, 2)
    assert (found.top1, found.top5) == (0.5, 0.75) and found.mrr10 == pytest.approx((1 + 1 + 1 / 4) / 4)
    assert found.coverage == 0.25 and found.out_of_scope_refused == 0.5
    assert found.wrong_rate == pytest.approx(2 / 3) and found.wrong_rate_half == pytest.approx(3 / 4)
    # |2.85 − 1| of the three at 0.95, |0.55 − 1|, 0.15 and 0.05 of one each.
    assert found.ece == pytest.approx((1.85 + 0.45 + 0.15 + 0.05) / 6)
    assert found.search_ms_p50 == 2.0


def test_nothing_asked_nothing_known(searcher: Searcher) -> None:
    found = evaluate(searcher, [], [], TODAY)
    assert found.top1 is None and found.wrong_rate is None and found.ece is None


def test_a_release_is_judged_by_what_it_held_out() -> None:
    held_out = HeldOut(
        answerable=np.array([True, True, False, False]),
        probability=np.array([0.9, 0.4, 0.8, 0.1]),
        right=np.array([True, False, False, False]),
        offered=np.array([True, True, False, False]),
        in_scope=np.array([0.9, 0.6, 0.8, 0.1]),
        weight=np.ones(4),
        question=np.arange(4, dtype=np.uint64),
        near=np.zeros(4, bool),
    )
    found = cross_validated(3, held_out, Thresholds(0.7, 0.2))
    assert (found.entries, found.top1, found.top5, found.coverage) == (3, 0.5, 1.0, 0.5)
    assert found.wrong_rate == 0.5 and found.out_of_scope_refused == 0.5


def test_calibration_error_is_zero_where_probabilities_come_true() -> None:
    right = np.array([True, False, False, False])
    assert calibration_error(np.full(4, 0.25), right, np.ones(4)) == pytest.approx(0)
    assert calibration_error(np.full(4, 0.75), right, np.ones(4)) == pytest.approx(0.5)


def test_the_threshold_answers_as_much_as_the_accepted_rate_allows() -> None:
    value = np.array([9, 8, 7, 7, 5, 4, 3])
    right = np.array([1, 1, 1, 0, 1, 0, 0], bool)
    # One wrong of the five best is 20 %: the tie at 7 is answered whole or not at all.
    assert best_threshold(value, right, 0.2).tolist() == [True] * 5 + [False] * 2
    assert best_threshold(value, right, 0.19).tolist() == [True] * 2 + [False] * 5
    assert not best_threshold(value, np.zeros(7, bool), 0.2).any()


def test_hindsight_counts_what_is_answered_and_right_among_the_queries() -> None:
    within = np.array([1, 1, 1, 1, 0, 0], bool)
    rank = np.array([0, 0, 3, 0, RANKS, RANKS])
    judged = Judged(within, rank, np.array([0.9, 0.8, 0.7, 0.6, 0.65, 0.1]), np.zeros(6, bool))
    assert coverage_in_hindsight(judged, judged.probability, 0.03) == 0.5
    assert coverage_in_hindsight(judged, judged.probability, 0.4) == 0.75
    nobody = Judged(np.zeros(6, bool), np.full(6, RANKS), judged.probability, judged.answered)
    assert coverage_in_hindsight(nobody, judged.probability, 0.4) is None
