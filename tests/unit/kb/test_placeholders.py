"""Answers that say nothing."""

from __future__ import annotations

import pytest

from kb.placeholders import is_picture, placeholder_in


@pytest.mark.parametrize(
    "answer",
    [
        "同上。",
        "同上题",
        "待定",
        "待补充",
        "/",
        "——",
        "无",
        "N/A",
        "TODO",
        "暂无",
        "见附件",
        "详见附件1",
        "如下图所示",
        "见下图",
    ],
)
def test_answers_that_say_nothing(answer: str) -> None:
    assert placeholder_in(answer)


@pytest.mark.parametrize(
    "answer",
    ["", "能", "无需", "500", "见《差旅费管理办法》第三条", "见附件：https://a.example/b", "同上述标准，每天 100 元"],
)
def test_answers_that_say_something(answer: str) -> None:
    assert not placeholder_in(answer)


def test_a_picture_in_a_cell() -> None:
    assert is_picture('=DISPIMG("ID_0A",1)') and is_picture('_xlfn.DISPIMG("ID_0A",1)')
    assert not is_picture("用 DISPIMG 函数")
