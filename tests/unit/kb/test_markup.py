"""HTML that came along with a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from kb.markup import tags, without_markup


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("金额<1000元的，且 a > b；<姓名> R&D https://x.cn/?a=1&copy=2", None),
        ("**粗** | 表 |\n- 项", None),
        ("<p>标准<br/>500元&nbsp;/天，<b>须审批</b></p><p>二</p>", "标准\n500元 /天，须审批\n\n二"),
        ("A&amp;B 公司 &lt;1000 元", "A&B 公司 <1000 元"),
        ("<ul><li>甲</li><li>乙</li></ul>", "- 甲\n- 乙"),
        ("步骤：<ol><li>申请<li>审批</ol>完", "步骤：\n\n1. 申请\n2. 审批\n\n完"),
        ('见<a href="https://x.cn/?a=1&amp;b=2">制度</a>', "见[制度](https://x.cn/?a=1&b=2)"),
        ("<a name=top>标题</a>", "标题"),
        (
            "<table><tr><th>级别</th><th>标准</th></tr><tr><td>经理</td><td>800|天</td></tr></table>",
            "| 级别 | 标准 |\n| --- | --- |\n| 经理 | 800\\|天 |",
        ),
        ("甲<!-- 隐藏 -->乙", "甲乙"),
    ],
)
def test_what_html_says(text: str, said: str | None) -> None:
    assert without_markup(text) == (text if said is None else said)
    assert bool(tags(text)) == ("<p>" in text or "<a" in text or "<ul" in text or "<ol" in text or "<table" in text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>可以",
        "<p onclick=x()>可以</p>",
        "<img src=x>",
        '<a href="javascript:alert(1)">点</a>',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<del>500</del>600",
        "10<sup>2</sup>",
        "<table><tr><td rowspan=2>甲</td><td>1</td></tr><tr><td>2</td></tr></table>",
        "<table><tr><td>甲</td></tr>",
        "<td>甲</td>",
    ],
)
def test_what_cannot_be_said_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="网页代码"):
        without_markup(text)


@given(st.text(st.sampled_from("<>/&;apbrtdl 甲=\"'\n|#1script"), max_size=40))
def test_what_comes_out_has_no_tag(text: str) -> None:
    try:
        said = without_markup(text)
    except InvalidInput:
        return
    assert not tags(said)
