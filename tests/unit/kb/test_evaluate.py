"""The figures of a release mean what their names say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kb.entries import Entry
from kb.evaluate import calibration_error, cross_validated, evaluate
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


def test_few_questions_out_of_scope_weigh_as_much_as_many_in_scope(searcher: Searcher) -> None:
    found = evaluate(searcher, [("发票遗失", "lost")] * 3, ["发票丢了怎么办"], TODAY)
    assert found.wrong_rate == pytest.approx(0.5)


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
    )
    found = cross_validated(3, held_out, Thresholds(0.7, 0.2))
    assert (found.entries, found.top1, found.top5, found.coverage) == (3, 0.5, 1.0, 0.5)
    assert found.wrong_rate == 0.5 and found.out_of_scope_refused == 0.5


def test_calibration_error_is_zero_where_probabilities_come_true() -> None:
    right = np.array([True, False, False, False])
    assert calibration_error(np.full(4, 0.25), right, np.ones(4)) == pytest.approx(0)
    assert calibration_error(np.full(4, 0.75), right, np.ones(4)) == pytest.approx(0.5)
