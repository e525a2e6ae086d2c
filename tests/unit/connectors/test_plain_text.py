"""Markdown as plain text: nothing is lost on the way, no part is too long, no character is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.plain_text import numbered, plain, split

ANSWER = """**可以**报销。

1. 打开[费用系统](https://e.example.com/a?b=1)
2. 选 `差旅报销`
   - 附发票
   - 附行程单

> 依据：第十条

| 城市 | 限额 |
| --- | --- |
| 北京 | 500 |
| 上海 | 450 |
"""


def test_lists_links_quotes_and_tables_stay_readable() -> None:
    assert plain(ANSWER) == (
        "可以报销。\n\n1. 打开费用系统（https://e.example.com/a?b=1）\n2. 选 差旅报销\n  · 附发票\n  · 附行程单\n\n"
        "依据：第十条\n\n城市：北京；限额：500\n城市：上海；限额：450"
    )


def test_numbers_choices() -> None:
    assert numbered(["差旅", "发票"]) == "1. 差旅\n2. 发票"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.integers(4, 60))
def test_parts_are_short_enough_and_say_it_all(text: str, most: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    parts = split(text, most)
    assert all(0 < len(part.encode()) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize("mark", ["\n\n", "\n", "。"])
def test_it_is_cut_where_a_reader_would(mark: str) -> None:
    parts = split(mark.join(["一二三四五六七八九十"] * 10), 100)
    assert len(parts) > 1 and all(part.startswith("一") for part in parts)
