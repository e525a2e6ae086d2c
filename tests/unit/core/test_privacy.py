"""Personal data does not reach logs and transcripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.privacy import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("身份证110101199003074578", "身份证110101********4578"),
        ("身份证11010119900307457X", "身份证110101********457X"),
        ("电话13812345678急", "电话138****5678急"),
        ("电话 138 1234 5678", "电话 138****5678"),
        ("+86-138-1234-5678", "138****5678"),
        ("卡号6222021234567890123", "卡号6222****0123"),
        ("卡号 6222 0212 3456 7890 123", "卡号 6222****0123"),
        ("邮箱zhang.san@example.com", "邮箱z***@example.com"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "单号BX20261103-0042",
        "工单FW20261121-0001",
        "发票号码24312000000012345678",
        "金额13812345.67元",
        "2026年11月21日",
        "合同HT-2026-000123",
        "税号91110000100000589X1",
    ],
)
def test_business_numbers_stay_readable(text: str) -> None:
    assert mask(text) == text


@given(st.text())
def test_masking_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(
    prefix=st.sampled_from(["138", "159", "186"]),
    rest=st.from_regex(r"\A[0-9]{8}\Z"),
    around=st.sampled_from(["电话%s", "%s。", "a %s b"]),
)
def test_no_phone_number_survives(prefix: str, rest: str, around: str) -> None:
    assert prefix + rest not in mask(around % (prefix + rest))
