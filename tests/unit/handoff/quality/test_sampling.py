"""Sampling: by rule, without repetition, the same again from the same seed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from handoff.quality.defaults import SAMPLING
from handoff.quality.sampling import Candidate, checked_rules, pick

candidates = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 10_000).map(lambda n: f"FW20261120-{n:04d}"),
        st.sampled_from(["zhang", "zhao", "he"]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda one: one.number,
)
rules = st.fixed_dictionaries(
    {
        "weekly": st.just(True),
        "low_rating": st.booleans(),
        "reopened": st.booleans(),
        "breached": st.booleans(),
        "per_agent": st.integers(0, 4),
        "random": st.integers(0, 10),
        "most": st.integers(1, 60),
    }
)


@given(candidates, rules, st.integers(0, 2**31 - 1), st.randoms())
@settings(max_examples=150, deadline=None)
def test_a_sample_keeps_its_rules(found: list[Candidate], given_rules: dict[str, Any], seed: int, random: Any) -> None:
    assert checked_rules(given_rules) == given_rules
    chosen = pick(found, given_rules, seed)
    by_number = {one.number: one for one in found}
    assert set(chosen) <= set(by_number) and len(chosen) <= given_rules["most"]
    shuffled = list(found)
    random.shuffle(shuffled)
    assert pick(shuffled, given_rules, seed) == chosen
    wrong = {
        one.number
        for one in found
        if any(given_rules[name] and getattr(one, name) for name in ("low_rating", "reopened", "breached"))
    }
    if len(chosen) < given_rules["most"]:
        assert wrong <= set(chosen)
        left = Counter(one.agent for one in found if one.number not in wrong)
        drawn = Counter(by_number[number].agent for number, why in chosen.items() if why == ["per_agent"])
        assert drawn == Counter({agent: min(count, given_rules["per_agent"]) for agent, count in left.items()})
        rest = sum(left.values()) - sum(drawn.values())
        assert sum(why == ["random"] for why in chosen.values()) == min(rest, given_rules["random"])
    elif any(why in (["per_agent"], ["random"]) for why in chosen.values()):
        assert wrong <= set(chosen)
    for number, why in chosen.items():
        assert (number in wrong) == (why not in (["per_agent"], ["random"]))


def test_another_seed_draws_others() -> None:
    found = [Candidate(f"FW20261120-{n:04d}", "zhang") for n in range(50)]
    samples = {tuple(sorted(pick(found, SAMPLING, seed))) for seed in range(10)}
    assert len(samples) > 5


@pytest.mark.parametrize(
    "broken", [{"most": 0}, {"random": -1}, {"per_agent": 1.5}, {"per_agent": True}, {"most": None}]
)
def test_broken_rules_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checked_rules({**SAMPLING, **broken})
