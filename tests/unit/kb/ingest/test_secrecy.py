"""What keeps a row from everybody, elsewhere than in a column of the audience."""

from __future__ import annotations

import pytest

from kb.ingest.audiences import guards
from kb.ingest.secrecy import mark_in, restricts


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("部门", "仅财务部"),
        ("级别", "秘密"),
        ("标签", "内部"),
        ("备注", "勿外传"),
        ("备注", "本条内部掌握，请勿外传给员工"),
        ("备注", "仅HR可见"),
        ("备注", "仅限财务部内部使用"),
        ("岗位", "仅P8以上"),
        ("对象", "仅适用总部员工"),
        ("备注", "仅适用于华东区"),
        ("总部", "√"),
        ("华东公司", "×"),
        ("华东公司", "是"),
        ("财务部", "Y"),
        ("高管", "1"),
        ("Class", "Confidential"),
    ],
)
def test_values_that_restrict(header: str, text: str) -> None:
    assert restricts(header, text)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("备注", ""),
        ("备注", "内部系统里点“提交”"),
        ("备注", "内部往来科目"),
        ("备注", "仅供参考"),
        ("备注", "仅限增值税专用发票"),
        ("备注", "只能在财务共享中心查看进度"),
        ("备注", "只需部门经理审批"),
        ("备注", "密码不得泄露"),
        ("备注", "不得对外担保"),
        ("备注", "限2000元以内"),
        ("审批人", "仅财务总监"),
        ("是否需要发票", "√"),
        ("需要发票", "是"),
        ("数量", "1"),
        ("审批经理", "是"),
        ("标签", "保密协议"),
    ],
)
def test_values_that_do_not(header: str, text: str) -> None:
    assert not restricts(header, text)


@pytest.mark.parametrize(
    "text",
    [
        "财务共享中心常见问题（仅限财务部内部使用，禁止外传）",
        "仅财务部可见",
        "机密★3年",
        "密级：机密",
        "机密-薪酬",
        "财务 FAQ（内部）",
        "内部口径，勿外传",
    ],
)
def test_titles_and_names_that_restrict(text: str) -> None:
    assert mark_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "内部控制问答",
        "内部往来 FAQ",
        "商业秘密保护",
        "对外口径",
        "必填",
        "填写说明：红色列必填，仅限财务部填写",
        "差旅费限额（单位：元）",
        "公司财务常见问题 2026",
    ],
)
def test_titles_and_names_that_do_not(text: str) -> None:
    assert not mark_in(text)


@pytest.mark.parametrize(
    "header",
    [
        "查阅权限",
        "共享范围",
        "提供对象",
        "使用人",
        "内部/外部",
        "是否对外",
        "可对员工",
        "对客",
        "适用业务单元",
        "适用区域",
        "公司名称",
        "所属公司",
        "是否内部",
    ],
)
def test_more_headers_of_the_audience(header: str) -> None:
    assert guards(header)


@pytest.mark.parametrize(
    "header",
    [
        "单位",
        "部门",
        "级别",
        "内部订单号",
        "内部备注",
        "对外付款",
        "公司抬头",
        "提供人",
        "服务热线",
        "发布人",
        "适用税率",
    ],
)
def test_headers_that_are_none(header: str) -> None:
    assert not guards(header)
