"""The measures of a release whose matcher is carried over move by what the change does, and by nothing else."""

from __future__ import annotations

from kb.release.rejudging import Tally, _moved

EVALUATION = {"top1": 0.9, "coverage": 0.6, "wrong_rate": 0.02, "out_of_scope_refused": 0.99}


def test_nothing_moves_where_nothing_differs() -> None:
    assert _moved(EVALUATION, Tally(), 0, 1000, 300) == EVALUATION


def test_questions_that_are_lost_lower_the_shares_by_as_many() -> None:
    found = _moved(EVALUATION, Tally(right=-100, answered=-100, wrong=50), 3, 1000, 300)
    assert found["top1"] == 0.8 and found["coverage"] == 0.5 and found["out_of_scope_refused"] == 0.98
    wrong = 0.3 / 0.98 * 0.02 + 0.05 / 2 + 0.01 / 2
    assert found["wrong_rate"] == round(wrong / (wrong + 0.25), 4)


def test_what_was_not_measured_stays_so() -> None:
    assert _moved({**EVALUATION, "out_of_scope_refused": None}, Tally(), 0, 10, 1).keys() == EVALUATION.keys() - {
        "out_of_scope_refused"
    }
