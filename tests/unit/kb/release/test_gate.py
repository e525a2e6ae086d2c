"""The gate: a loss beyond noise is refused, noise and gains are not."""

from __future__ import annotations

import json

import numpy as np

from kb.matcher import typical
from kb.release.gate import Asked, judge, on_common, told
from kb.release.judgement import Judgement
from kb.thresholds import HeldOut, Thresholds

GOOD = {
    "top1": 0.90,
    "coverage": 0.70,
    "out_of_scope_refused": 0.99,
    "wrong_rate": 0.02,
    "accepted_wrong_rate": 0.03,
    "queries": 600,
    "out_of_scope": 300,
}


def test_the_first_release_has_nothing_to_lose() -> None:
    assert judge(None, GOOD, Asked()).passed


def test_a_gain_and_a_little_noise_pass() -> None:
    assert judge(GOOD, {**GOOD, "top1": 0.95, "coverage": 0.69, "wrong_rate": 0.03}, Asked(100, 0)).passed


def test_every_measure_that_falls_far_is_a_reason_in_chinese() -> None:
    worse = {**GOOD, "top1": 0.80, "coverage": 0.50, "out_of_scope_refused": 0.90, "wrong_rate": 0.09}
    gate = judge(GOOD, worse, Asked())
    assert not gate.passed and len(gate.reasons) == 4
    assert "首位命中从 90.0% 下降到 80.0%" in gate.reasons[0]


def test_few_questions_cannot_tell_a_fall_from_chance() -> None:
    few = {"queries": 20, "out_of_scope": 10}
    assert judge({**GOOD, **few}, {**GOOD, **few, "top1": 0.80}, Asked()).passed
    assert not judge({**GOOD, **few}, {**GOOD, **few, "top1": 0.40}, Asked()).passed


def judgement(right: list[bool], asked: range, threshold: float = 0.5) -> Judgement:
    flags, count = np.array(right), len(right)
    probability = np.where(flags, 0.9, 0.6)
    held_out = HeldOut(
        np.ones(count, bool),
        probability,
        flags,
        flags,
        probability,
        np.ones(count),
        np.array(asked),
        ~np.ones(count, bool),
    )
    return Judgement(typical(), Thresholds(threshold, 0.1), held_out)


def test_new_questions_that_are_harder_are_no_loss_and_old_ones_that_fail_are() -> None:
    before = judgement([True] * 180 + [False] * 20, range(200))
    harder = judgement([True] * 180 + [False] * 120, range(300))
    common = on_common(before, harder)
    assert common and common[0] == common[1] and common[0]["top1"] == 0.9
    assert judge(*common, Asked()).passed
    kept = json.loads(json.dumps(told(common[1])))
    assert (kept["top1"], kept["queries"]) == (0.9, 200)
    worse = on_common(before, judgement([True] * 150 + [False] * 50 + [True] * 400, range(600)))
    assert worse and not (gate := judge(*worse, Asked())).passed
    assert all(reason.startswith("在前后两版都考过的问题上，") for reason in gate.reasons)
    assert on_common(before, judgement([True] * 40, range(180, 220))) is None


def test_another_accepted_rate_is_the_managers_wish_and_no_loss_of_coverage() -> None:
    strict = {**GOOD, "accepted_wrong_rate": 0.005, "coverage": 0.3}
    assert judge(GOOD, strict, Asked()).passed
    assert not judge(GOOD, {**strict, "top1": 0.6}, Asked()).passed


def test_a_release_that_hardly_answers_passes_with_a_word() -> None:
    silent = judge(None, {**GOOD, "coverage": 0.0}, Asked())
    assert silent.passed and "相似问法" in silent.reasons[0]
    assert judge(None, GOOD, Asked()).reasons == ()


def test_entries_that_stay_must_stay_findable() -> None:
    assert judge(GOOD, GOOD, Asked(50, 2)).passed
    assert not judge(GOOD, GOOD, Asked(50, 3)).passed
    assert judge(GOOD, GOOD, Asked(1000, 9)).passed
