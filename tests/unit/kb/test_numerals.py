"""Chinese numerals are numbers where they certainly are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.numerals import counting, value

DIGITS, FORMAL = "零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖"


def written(number: int, digits: str = DIGITS, tens: str = "十百千") -> str:
    """As it is read aloud, below ten thousand million."""
    for size, name in ((100_000_000, "亿"), (10_000, "万"), (1000, tens[2]), (100, tens[1]), (10, tens[0])):
        if number >= size:
            rest = number % size
            gap = digits[0] if rest and rest < size // 10 else ""
            return written(number // size, digits, tens) + name + gap + (written(rest, digits, tens) if rest else "")
    return digits[number]


@given(st.integers(0, 10**10 - 1))
def test_what_is_written_is_read(number: int) -> None:
    assert value(written(number)) == number
    assert value(written(number, FORMAL, "拾佰仟")) == number


@pytest.mark.parametrize(
    ("numeral", "number"),
    [
        ("十五", 15),
        ("二十", 20),
        ("两千五", 2500),
        ("三百五", 350),
        ("二〇二六", 2026),
        ("三五", None),
        ("一两", None),
        ("三四千", None),
        ("千", None),
        ("万", None),
    ],
)
def test_as_people_write_them(numeral: str, number: int | None) -> None:
    assert value(numeral) == number


def test_only_what_counts_something_is_put_in_digits() -> None:
    text = "几百元、五百元整、100多元，3万元、单位：千元，第三天、三五天、十五天，一次"
    assert counting("元|天")(text) == "几百元、500元整、100多元，3万元、单位：千元，第三天、三五天、15天，一次"
    assert counting("天", least=2)("三天、十三天") == "三天、13天"
