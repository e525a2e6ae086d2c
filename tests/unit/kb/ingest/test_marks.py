"""What people write before questions and answers."""

from __future__ import annotations

import pytest

from kb.ingest.marks import answer_of, question_of


@pytest.mark.parametrize(
    "before", ["1. ", "1、", "3）", "（2）", "Q3：", "Q: ", "问：", "问题2：", "①", "• ", "1. 问："]
)
def test_marks_before_a_question_go(before: str) -> None:
    assert question_of(f"{before}出差补贴是多少") == "出差补贴是多少"


@pytest.mark.parametrize(
    "text", ["1.5倍工资怎么算", "3、5月的补贴", "Q1、Q2 预算怎么报", "2026年补贴", "12306订单", "问：", "1."]
)
def test_questions_that_begin_so_are_whole(text: str) -> None:
    assert question_of(text) == text


@pytest.mark.parametrize("before", ["答：", "答案:", "A：", "A3：\n", "答复：答："])
def test_marks_before_an_answer_go(before: str) -> None:
    assert answer_of(f"{before}能报") == "能报"


@pytest.mark.parametrize("text", ["A：甲类\nB：乙类", "答复客户即可", "1. 填单\n2. 交票", "答："])
def test_answers_that_begin_so_are_whole(text: str) -> None:
    assert answer_of(text) == text
