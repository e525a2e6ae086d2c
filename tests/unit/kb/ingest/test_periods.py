"""Both days of one cell."""

from __future__ import annotations

from datetime import date

import pytest

from core.errors import InvalidInput
from kb.ingest.periods import period_of

WHOLE = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026年1月1日至2026年12月31日",
        "自2026年1月1日起至2026年12月31日止",
        "2026-01-01-2026-12-31",
        "2026.1.1-2026.12.31",
        "2026/1/1 ～ 2026/12/31",
        "20260101—20261231",
        "2026年1月1日到12月31日",
        "2026.1.1-12.31",
        "2026年1月-12月",
        "2026年",
        "2026年度",
    ],
)
def test_periods_in_many_spellings(text: str) -> None:
    assert period_of(text) == WHOLE


@pytest.mark.parametrize("text", ["2026年1月1日起", "自2026-01-01起长期有效", "2026年1月1日至长期", "2026/1/1 至 今"])
def test_without_an_end(text: str) -> None:
    assert period_of(text) == (WHOLE[0], None)


@pytest.mark.parametrize("text", ["至2026年12月31日", "截至2026-12-31", "2026年12月31日止", "2026-12-31到期"])
def test_without_a_beginning(text: str) -> None:
    assert period_of(text) == (None, WHOLE[1])


@pytest.mark.parametrize("text", [None, "", "/", "长期", "永久有效"])
def test_no_period(text: str | None) -> None:
    assert period_of(text) == (None, None)


@pytest.mark.parametrize(
    "cell",
    [
        "三个月",
        "即日起",
        "2026-12-31",
        date(2026, 12, 31),
        "2026-2027",
        "2026-1-1-12",
        "1月1日至3月1日",
        "2026年2月30日至2026年3月1日",
        "2026-05-01至2026-04-01",
        "2026年13月至2027年1月",
    ],
)
def test_what_is_no_period_is_refused(cell: str | date) -> None:
    with pytest.raises(InvalidInput):
        period_of(cell)
