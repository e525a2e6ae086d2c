"""What says in a sheet that knowledge is out of use."""

from __future__ import annotations

import pytest

from kb.ingest.retirement import marked_out_of_use, out_of_use, sheet_out_of_use


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("状态", "停用"),
        ("状态", "已作废"),
        ("状态", "停用（2025）"),
        ("是否启用", "否"),
        ("是否有效", "N"),
        ("是否上线", "×"),
        ("生效", "未生效"),
        ("审核状态", "未审核"),
        ("审核状态", "审核不通过"),
        ("废止", "是"),
        ("备注", "已停用，勿发布"),
        ("备注", "本条已废止"),
        ("备注", "2025 年版，已废止。"),
        ("E 列", "停用"),
        ("版本", "已废止"),
    ],
)
def test_cells_that_take_a_row_out_of_use(header: str, text: str) -> None:
    assert out_of_use(header, text)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("状态", ""),
        ("状态", "启用"),
        ("状态", "未停用"),
        ("状态", "未过期"),
        ("是否启用", "是"),
        ("有效性", "有效"),
        ("审核状态", "已审核"),
        ("审核", "通过"),
        ("废止", "否"),
        ("发票状态", "作废"),
        ("备注", "旧发票已作废，请重开"),
        ("备注", "发票过期不予报销"),
        ("备注", "请勿使用红笔填写"),
        ("说明", "作废凭证需重新提交"),
    ],
)
def test_cells_that_do_not(header: str, text: str) -> None:
    assert not out_of_use(header, text)


@pytest.mark.parametrize(
    "name", ["已废止", "作废", "2024版（已作废）", "差旅（停用）", "FAQ-停用", "已停用问答", "旧版"]
)
def test_sheets_that_are_out_of_use(name: str) -> None:
    assert sheet_out_of_use(name)


@pytest.mark.parametrize(
    "name", ["", "Sheet1", "2026版", "发票作废", "发票作废问答", "停用供应商", "历史问题", "过期发票"]
)
def test_sheets_that_are_in_use(name: str) -> None:
    assert not sheet_out_of_use(name)


def test_a_question_marked_as_out_of_use() -> None:
    assert marked_out_of_use("【作废】住宿标准") and marked_out_of_use("住宿标准（已停用）")
    assert not marked_out_of_use("发票（作废）怎么办") and not marked_out_of_use("发票作废")
