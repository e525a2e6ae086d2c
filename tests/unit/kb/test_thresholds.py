"""The accepted wrong rate is kept on questions nobody has seen, and no number has a second meaning."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from kb.thresholds import HeldOut, Thresholds, choose


def sample(random: np.random.Generator, size: int) -> HeldOut:
    """Calibrated questions: each probability is the chance that its best candidate is right."""
    probability = random.beta(0.6, 0.6, size)
    right = random.random(size) < probability
    answerable = right | (random.random(size) < 0.2)
    return held_out_of(answerable, probability, right)


def held_out_of(answerable: np.ndarray, probability: np.ndarray, right: np.ndarray, similar: float = 0.0) -> HeldOut:
    size = len(right)
    asked = np.arange(size, dtype=np.uint64), np.zeros(size, bool)
    return HeldOut(answerable, probability, right, right, probability, np.ones(size), *asked, similar=similar)


@pytest.mark.parametrize("accepted", [0.01, 0.03, 0.1])
def test_the_promise_is_kept_on_average_over_releases(accepted: float) -> None:
    random = np.random.default_rng(1)
    fresh = sample(random, 200_000)
    rates, coverage = [], []
    for _ in range(200):
        answered = fresh.probability >= choose(sample(random, 1000), accepted).answer
        rates.append((~fresh.right[answered]).mean() if answered.any() else 0.0)
        coverage.append(answered.mean())
    assert np.mean(rates) <= accepted
    assert np.mean(coverage) > 0.02


def test_accepting_more_answers_more() -> None:
    held_out = sample(np.random.default_rng(2), 2000)
    found = [choose(held_out, accepted).answer for accepted in (0.0, 0.01, 0.03, 0.1, 0.5, 1.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1.0
    assert found[-1] == held_out.probability.min()


def test_an_offer_is_made_where_one_in_ten_is_right() -> None:
    held_out = sample(np.random.default_rng(3), 5000)
    assert choose(held_out, 0.03).clarify == pytest.approx(0.1, abs=0.05)


def none_asked(similar: float = 0.0) -> HeldOut:
    return held_out_of(np.empty(0, bool), np.empty(0), np.empty(0, bool), similar)


def test_a_base_without_questions_of_its_own_is_judged_by_the_starter_knowledge() -> None:
    bare = choose(none_asked())
    assert bare.answer < 1
    assert choose(none_asked(), 0.2).answer < bare.answer
    assert choose(none_asked(5.0)).answer < bare.answer


def test_a_few_questions_count_beside_the_typical_ones_and_enough_count_alone() -> None:
    few, many = (sample(np.random.default_rng(4), size) for size in (20, 5000))
    assert choose(few).answer == pytest.approx(choose(none_asked()).answer, abs=0.05)
    other = replace(many, similar=5.0)
    assert choose(many) == choose(other)


def test_questions_that_count_little_leave_room_for_the_typical_ones() -> None:
    """A base with one similar question an entry is judged by lessons about a base with none."""
    many = sample(np.random.default_rng(4), 5000)
    light = replace(many, weight=many.weight * 1e-4)
    assert choose(light).answer == pytest.approx(choose(none_asked()).answer, abs=0.01)
    assert choose(light).answer != choose(many).answer


def test_between_two_kinds_of_bases_thresholds_lie_between_theirs() -> None:
    ends = sorted(choose(none_asked(similar)).answer for similar in (2.0, 5.0))
    for similar in (2.5, 3.3, 4.2):
        assert ends[0] - 0.02 <= choose(none_asked(similar)).answer <= ends[1] + 0.02
    assert choose(none_asked(14.0)) == choose(none_asked(5.0))


def test_passages_have_a_threshold_of_their_own(tmp_path: Path) -> None:
    held_out = replace(none_asked(), passages=sample(np.random.default_rng(6), 5000))
    held_out.save(tmp_path)
    found = choose(HeldOut.load(tmp_path))
    assert found == choose(held_out)
    assert found.passage == choose(held_out.passages).answer


def test_questions_of_equal_probability_share_their_fate() -> None:
    right = np.array([True] * 199 + [False] * 201)
    probability = np.full(400, 0.9)
    held_out = held_out_of(np.ones(400, bool), probability, right)
    assert choose(held_out, 0.03).answer == 1.0


def test_of_near_misses_no_more_than_five_times_the_accepted_rate_are_answered() -> None:
    random = np.random.default_rng(6)
    asked = sample(random, 1000)
    nothing = np.zeros(500, bool)
    foreign = replace(sample(random, 500), answerable=nothing, right=nothing, probability=random.beta(3, 0.4, 500))
    kept = [field.name for field in fields(HeldOut) if field.name not in ("similar", "silent", "passages")]
    both = HeldOut(**{name: np.concatenate([getattr(asked, name), getattr(foreign, name)]) for name in kept})
    as_near = replace(both, near=np.arange(1500) >= 1000, weight=np.where(np.arange(1500) < 1000, 1.0, 1e-9))
    found = choose(as_near, 0.03)
    assert found.answer >= choose(asked, 0.03).answer
    assert 0.12 < (foreign.probability >= found.answer).mean() <= 0.15
    assert choose(as_near, 0.3).answer == pytest.approx(choose(asked, 0.3).answer, abs=0.005)


def test_thresholds_and_what_they_came_from_are_kept(tmp_path: Path) -> None:
    held_out = sample(np.random.default_rng(5), 500)
    held_out.save(tmp_path)
    assert choose(HeldOut.load(tmp_path)) == choose(held_out)
    for thresholds in (Thresholds(0.0, 0.0, 1.0), Thresholds(1.0, 1.0, 0.0)):
        thresholds.save(tmp_path)
        assert Thresholds.load(tmp_path) == thresholds
