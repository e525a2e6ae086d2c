"""Headers as finance departments write them."""

from __future__ import annotations

import pytest

from kb.ingest.columns import field_of, header_of, refined
from kb.ingest.rows import Row


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("标准问", "question"),
        ("标准问题（必填）", "question"),
        ("*问题", "question"),
        (" Question ", "question"),
        ("Q", "question"),
        ("standard_question", "question"),
        ("员工咨询的问题（必填）", "question"),
        ("相似问", "similar"),
        ("其他问法1", "similar"),
        ("标准答复 *", "answer"),
        ("相似问1", "similar"),
        ("相似问 12", "similar"),
        ("相似问题三", "similar"),
        ("扩展问法（每行一个）", "similar"),
        ("回答", "answer"),
        ("ＡＮＳＷＥＲ", "answer"),
        ("答案：", "answer"),
        ("業務類型", "business_type"),
        ("所属分类", "business_type"),
        ("适用范围", "audience"),
        ("受众", "audience"),
        ("对谁开放", "audience"),
        ("适用主体", "companies"),
        ("适用公司2", "companies"),
        ("页面场景", "scenes"),
        ("生效日期", "effective_from"),
        ("有效期至", "effective_to"),
        ("制度依据", "sources"),
        ("负责人", "owner"),
        ("编号", "id"),
        ("ID", "id"),
        ("复核日期", "review_on"),
        ("序号", None),
        ("备注", None),
        ("答案2", None),
        ("问题" * 40, None),
        (None, None),
    ],
)
def test_spellings(header: str | None, field: str | None) -> None:
    assert field_of(header) == field


def test_a_title_above_is_no_header() -> None:
    assert header_of(Row(1, ["2026 年财务共享常见问题汇总"])) is None
    assert header_of(Row(2, ["部门", "报销组", "日期", "2026-01-01"])) is None


def test_what_is_unknown_is_kept_under_its_name() -> None:
    header = header_of(Row(3, ["序号", "问题", "备注", "回答", "备注", "答案"]))
    assert header is not None
    assert header.fields == {"question": [1], "answer": [3]}
    assert header.aside == {0: "序号", 2: "备注", 4: "备注 (2)", 5: "答案"}


def test_similar_questions_in_several_columns_one_header_merged_over_them() -> None:
    header = header_of(Row(1, ["问题", "相似问", None, None, "回答"], ((1, 3),)))
    assert header is not None and header.fields["similar"] == [1, 2, 3]


def test_a_title_is_the_question_where_there_is_no_other() -> None:
    header = header_of(Row(1, ["标题", "回答"]))
    assert header is not None and header.fields == {"question": [0], "answer": [1]}


def test_a_header_repeated_on_the_next_page() -> None:
    header = header_of(Row(1, ["问题", "回答"]))
    assert header is not None
    assert header.repeated_by(Row(50, ["问题", "回答"]))
    assert not header.repeated_by(Row(51, ["问题", "怎么问问题"]))


def test_a_header_of_two_rows() -> None:
    first = Row(1, ["问题", "答案", "可见范围", None, "有效期"], ((2, 3), (4, 5)))
    header = refined(first, Row(2, ["问题", "答案", "公司", "人员组", "开始", "结束"]))
    assert header is not None and header.aside == {}
    assert header.fields == {
        "question": [0],
        "answer": [1],
        "companies": [2],
        "groups": [3],
        "effective_from": [4],
        "effective_to": [5],
    }
    assert header.repeated_by(Row(40, ["问题", "答案", "公司", "人员组", "开始", "结束"]))
    assert header.repeated_by(Row(39, list(first.cells)))


def test_what_is_not_known_below_a_header_of_the_audience_is_audience_still() -> None:
    first = Row(1, ["问题", "答案", "适用范围"], ((2, 3),))
    header = refined(first, Row(2, [None, None, "公司", "部门"]))
    assert header is not None and header.fields["companies"] == [2] and header.fields["audience"] == [3]


@pytest.mark.parametrize(
    "cells", [["怎么报销", "答", "公司"], [None, None, "财务部"], ["怎么报销", None, "公司", "人员组"], [None, None]]
)
def test_a_row_below_the_header_that_is_none(cells: list[str | None]) -> None:
    assert refined(Row(1, ["问题", "答案", "适用范围"]), Row(2, cells)) is None
    assert refined(Row(1, ["问题", "答案", "适用范围"]), Row(5, [None, None, "公司"])) is None


def test_a_merged_header_names_its_first_column_unless_it_speaks_of_the_audience() -> None:
    header = header_of(Row(1, ["问题", None, "答案", "密级", None], ((0, 1), (3, 4))))
    assert header is not None and header.fields == {"question": [0], "answer": [2]}
    assert header.aside == {3: "密级", 4: "密级 (2)"}


def test_a_group_of_columns_above_the_header() -> None:
    above = Row(1, ["知识", None, "有效期"], ((0, 1), (2, 3)))
    header = header_of(Row(2, ["问题", "答案", "开始", "结束", "备注"]), above)
    assert header is not None and header.fields["effective_to"] == [3] and header.aside == {4: "备注"}
