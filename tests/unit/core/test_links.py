"""Signed links: what is changed, late or for something else is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.links import LinkExpired, LinkInvalid, opened, signed

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30) | st.integers(), max_size=4))
def test_what_was_put_in_comes_out(value: dict[str, Any]) -> None:
    token = signed("k", "rating", value, LATER)
    assert (
        opened("k", "rating", token, NOON) == value
        and token.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()
    )


def test_a_link_holds_for_its_time_and_its_purpose_and_cannot_be_changed() -> None:
    token = signed("k", "rating", {"t": "FW20261122-0001"}, LATER)
    with pytest.raises(LinkExpired):
        opened("k", "rating", token, LATER)
    others = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(0, len(token), 3)]
    for key, purpose, wrong in (
        ("other", "rating", token),
        ("k", "ticket", token),
        ("k", "rating", token + "a"),
        ("k", "rating", token.split(".")[0]),
        ("k", "rating", ""),
        ("k", "rating", "评.价"),
        ("k", "rating", "a" * 5000),
        *(("k", "rating", one) for one in others),
    ):
        with pytest.raises(LinkInvalid):
            opened(key, purpose, wrong, NOON)
