"""The rubric: weights, vetoes, and what points need a word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from handoff.quality.defaults import RUBRIC
from handoff.quality.rubric import checked_points, checked_rubric, total_of


@st.composite
def rubrics(draw: st.DrawFn) -> dict[str, Any]:
    """Any rubric that may be stored: one to eight items whose weights sum to 100."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=7)))
    weights = [after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)]
    items = [{"id": f"i{n}", "name": f"第{n}项", "weight": weight, "guide": ""} for n, weight in enumerate(weights)]
    vetoes = [{"id": f"v{n}", "name": f"否决{n}", "guide": ""} for n in range(draw(st.integers(0, 3)))]
    return {"pass": draw(st.integers(1, 100)), "appeal_days": 5, "items": items, "vetoes": vetoes}


def points(rubric: dict[str, Any], values: list[int]) -> dict[str, Any]:
    return {
        item["id"]: {"points": value, "comment": "理由"} for item, value in zip(rubric["items"], values, strict=True)
    }


@given(rubrics(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_total_lies_between_the_worst_and_the_best_item_and_grows_with_each(rubric: Any, data: st.DataObject) -> None:
    assert checked_rubric(rubric) == rubric
    values = data.draw(st.lists(st.integers(0, 100), min_size=len(rubric["items"]), max_size=len(rubric["items"])))
    given_points, _ = checked_points(rubric, points(rubric, values), [], "")
    total = total_of(rubric, given_points, [])
    assert min(values) - 0.05 <= total <= max(values) + 0.05
    at = data.draw(st.integers(0, len(values) - 1))
    better = values[:at] + [min(100, values[at] + 10)] + values[at + 1 :]
    assert total_of(rubric, points(rubric, better), []) >= total
    for veto in rubric["vetoes"]:
        assert total_of(rubric, given_points, [veto["id"]]) == 0


@given(rubrics(), st.integers(-100, 100).filter(bool))
@settings(max_examples=30, deadline=None)
def test_weights_that_do_not_sum_to_100_are_refused(rubric: Any, off: int) -> None:
    rubric["items"][0]["weight"] += off
    with pytest.raises(InvalidInput):
        checked_rubric(rubric)


def test_half_points_round_up() -> None:
    rubric = {
        **RUBRIC,
        "items": [
            {"id": "a", "name": "甲", "weight": 45, "guide": ""},
            {"id": "b", "name": "乙", "weight": 55, "guide": ""},
        ],
    }
    assert total_of(rubric, {"a": {"points": 81}, "b": {"points": 80}}, []) == 80.5
    assert total_of(rubric, {"a": {"points": 83}, "b": {"points": 84}}, []) == 83.6


@pytest.mark.parametrize(
    ("change", "vetoes", "comment", "told"),
    [
        ({"answer": None}, [], "", "还没有给"),
        ({"answer": {"points": 79, "comment": " "}}, [], "", "扣分理由"),
        ({"answer": {"points": 101, "comment": "好"}}, [], "", "0 到 100"),
        ({"made_up": {"points": 100, "comment": ""}}, [], "", "没有这一项"),
        ({}, ["made_up"], "理由", "没有这一项"),
        ({}, ["rudeness"], "", "一票否决"),
    ],
)
def test_what_is_not_a_score_is_told(change: dict[str, Any], vetoes: list[str], comment: str, told: str) -> None:
    given_points = {item["id"]: {"points": 100, "comment": ""} for item in RUBRIC["items"]} | change
    given_points = {name: one for name, one in given_points.items() if one is not None}
    with pytest.raises(InvalidInput, match=told):
        checked_points(RUBRIC, given_points, vetoes, comment)


@pytest.mark.parametrize(
    "broken",
    [
        {"items": []},
        {"items": [{"id": "A", "name": "大写", "weight": 100}]},
        {"items": [{"id": "a", "name": "", "weight": 100}]},
        {"items": [{"id": "a", "name": "甲", "weight": 50}, {"id": "a", "name": "乙", "weight": 50}]},
        {"items": [{"id": "rudeness", "name": "与否决项同号", "weight": 100}]},
        {"items": [{"id": "a", "name": "甲", "weight": 99.5}, {"id": "b", "name": "乙", "weight": 0.5}]},
        {"pass": 0},
        {"appeal_days": True},
    ],
)
def test_a_broken_rubric_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checked_rubric({**RUBRIC, **broken})
