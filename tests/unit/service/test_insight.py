"""Counting that adds up: people, times, shares with their interval, prices."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from service.insight.figures import share, written
from service.insight.people import packed, together
from service.insight.prices import DEFAULT, checked
from service.insight.waits import bucket, quantile
from service.insight.wilson import interval


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 200_000), max_size=30), max_size=6))
def test_people_of_several_days_are_counted_once(days: list[list[int]]) -> None:
    assert together(packed(np.array(day, int)) for day in days) == len({one for day in days for one in day})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_a_quantile_from_buckets_is_off_by_five_per_cent_at_most(times: list[float], share_of: float) -> None:
    exact = sorted(times)[math.ceil(share_of * len(times)) - 1]
    found = quantile(Counter(bucket(one) for one in times), share_of)
    assert found is not None and abs(found / exact - 1) <= 0.051


def test_no_times_have_no_median() -> None:
    assert quantile({}, 0.5) is None and bucket(0) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))))
def test_an_interval_holds_its_share_and_narrows_with_more(sample: tuple[int, int]) -> None:
    hits, size = sample
    low, high = interval(hits, size) or (1, 0)
    assert 0 <= low <= hits / size <= high <= 1
    more = interval(hits * 4, size * 4)
    assert more is not None and more[1] - more[0] < high - low


def test_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert interval(0, 0) is None


def test_figures_are_written_as_people_read_them() -> None:
    assert share(1, 0) is None and share(1, 3) == 0.3333
    values = [(0.6214, "share"), (None, "share"), (1234, "count"), (89, "minutes"), (120, "minutes"), (1500, "ms")]
    assert [written(*one) for one in values] == ["62.1%", "—", "1,234", "89 分钟", "2.0 小时", "1.5 秒"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"price": 1.5}, "单价"),
        ({"price": -1}, "单价"),
        ({"name": " "}, "名称"),
        ({"kind": "gift"}, "计量口径"),
        ({"business_type": "园艺"}, "计量口径"),
    ],
)
def test_a_price_list_that_cannot_be_charged_is_refused(change: dict, words: str) -> None:
    item = {**DEFAULT["items"][0], **change}
    with pytest.raises(InvalidInput, match=words):
        checked({"items": [item], "levels": {}})


def test_two_items_that_count_the_same_are_refused() -> None:
    assert checked(DEFAULT)["levels"]["automation"] == 0.5
    twice = [DEFAULT["items"][0], {**DEFAULT["items"][0], "id": "other"}]
    with pytest.raises(InvalidInput, match="重复计费"):
        checked({"items": twice})
    with pytest.raises(InvalidInput, match="承诺"):
        checked({**DEFAULT, "levels": {"automation": 1.2}})
