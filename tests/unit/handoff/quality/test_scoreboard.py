"""The scoreboard: every figure by its definition, weights, and the two lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from handoff.quality.defaults import SCOREBOARD
from handoff.quality.scoreboard import FIGURES, Solved, board, checked_scoreboard, weighed

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)


def solved(agent: str, n: int, **values: Any) -> list[Solved]:
    facts = {"kept": True, "once": True, "rating": None, "inspected": None, **values}
    return [
        Solved(f"{agent}-{i}-{values}", agent, facts.pop("group", "expense"), "发票", AT, **facts) for i in range(n)
    ]


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=4, max_size=4)))
    return dict(
        zip(FIGURES, (after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)), strict=True)
    )


scores = st.dictionaries(st.sampled_from(sorted(FIGURES)), st.floats(0, 100), min_size=1)


@given(weights(), scores)
@settings(max_examples=100, deadline=None)
def test_a_total_is_a_mean_of_the_figures_that_count(given_weights: dict[str, int], given_scores: Any) -> None:
    assert checked_scoreboard({**SCOREBOARD, "weights": given_weights})["weights"] == given_weights
    total = weighed(given_scores, given_weights)
    counted = [score for name, score in given_scores.items() if given_weights[name]]
    if not counted:
        assert total is None
    else:
        assert min(counted) - 0.05 <= total <= max(counted) + 0.05
    if len(counted) == 1:
        assert total == round(counted[0], 1)


@given(weights(), st.sampled_from(sorted(FIGURES)), st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_weights_must_sum_to_100(given_weights: dict[str, int], name: str, off: int) -> None:
    given_weights[name] += off
    with pytest.raises(InvalidInput):
        checked_scoreboard({**SCOREBOARD, "weights": given_weights})


def test_figures_by_hand() -> None:
    tickets = [
        *solved("zhang", 6),
        *solved("zhang", 1, kept=False, rating=2, inspected=70.0),
        *solved("zhang", 1, kept=None, once=False, rating=5, inspected=95.5),
        *solved("zhao", 4, rating=4),
        *solved("he", 2, group="payable"),
    ]
    lines = {line.agent: line for line in board(tickets, {}, SCOREBOARD)}
    zhang = lines["zhang"]
    assert (zhang.solved, zhang.promised, zhang.kept, zhang.once) == (8, 7, 6, 7)
    assert zhang.scores == {
        "volume": 100.0,
        "timeliness": 85.7,
        "first_contact": 87.5,
        "satisfaction": 70.0,
        "quality": 82.8,
    }
    assert zhang.total == round((20 * 100 + 25 * 85.7 + 15 * 87.5 + 20 * 70 + 20 * 82.8) / 100, 1)
    assert lines["zhao"].scores["volume"] == round(100 * 4 / 6, 1)
    assert lines["he"].scores == {"volume": 100.0, "timeliness": 100.0, "first_contact": 100.0}
    assert lines["he"].total == 100.0


def test_the_lists_and_why_somebody_is_on_them() -> None:
    tickets = [
        *solved("best", 10, rating=5, inspected=98.0),
        *solved("vetoed", 10, rating=5, inspected=95.0),
        *solved("few", 4, rating=1),
        *solved("late", 10, kept=False, rating=5),
        *solved("good", 10, rating=5, inspected=97.0),
    ]
    rules = {**SCOREBOARD, "reward": {"total": 90, "most": 1}}
    lines = {line.agent: line for line in board(tickets, {"vetoed": 1}, rules)}
    assert list(lines["best"].lists) == ["reward"] and "总分" in lines["best"].lists["reward"][0]
    assert lines["good"].lists == {}, "only the best one is rewarded"
    assert lines["vetoed"].lists == {"warning": ["质检一票否决 1 次"]}
    assert lines["few"].lists == {}, "too few tickets for any list"
    assert lines["late"].lists == {"warning": ["时效 0，低于 80"]}


def test_nobody_is_on_both_lists_and_the_order_is_by_total() -> None:
    tickets = [*solved("a", 20, rating=5, kept=False, inspected=100.0), *solved("b", 5, rating=5, inspected=100.0)]
    rules = {**SCOREBOARD, "reward": {"total": 0, "most": 9}}
    lines = board(tickets, {}, rules)
    assert [len(line.lists) for line in lines] == [1, 1]
    assert [line.total for line in lines] == sorted((line.total for line in lines), reverse=True)
