"""Markdown as Feishu, Yuque and Notion export it: what a reader of the page sees, and nothing of its marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.ingest.policies.blocks import Document
from kb.ingest.policies.inline import shown
from kb.ingest.policies.reader import read_document
from kb.ingest.policies.splitter import split


def read(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "policy.md"
    path.write_text(text, "utf-8")
    return read_document(path, "md")


def test_bold_articles_and_tables_in_html(tmp_path: Path):
    document = read(
        tmp_path,
        """# <font style="color:rgb(38, 38, 38);">备用金管理办法</font>

> 💡 **提示**：本办法自 **2026 年 4 月 1 日** 起施行。

- [第一章 总则](#a1)
- [第二章 限额](#a2)

<a name="a1"></a>
## **第一章 总则**

**第一条** 为规范备用金，制定本办法，见[《制度》](https://example.com/x)。

## **第二章 限额** {#a2}

**第二条 限额** 按部门核定备用金，标准如下：

<table><tr><td>**部门**<br></td><td>**限额（元）**</td></tr>
<tr><td>行政部<br></td><td>20,000<br></td></tr></table>

:::info
- （一）<u>逾期</u>的，按 1\\. 处理&nbsp;；<br>（二）~~不用~~还清。
- [x] 提交申请单
:::

![流程图](https://example.com/y.png)

**第三条 **自印发之日起施行。
""",
    )
    found = split(document.blocks)
    assert found.front == ("备用金管理办法",)
    assert [(one.label, one.title, one.heading_path) for one in found.articles] == [
        ("前言", "", ()),
        ("第一条", "", ("第一章 总则",)),
        ("第二条", "限额", ("第二章 限额",)),
        ("第三条", "", ("第二章 限额",)),
    ]
    preamble, first, second, third = (one.text for one in found.articles)
    assert preamble == "💡 提示：本办法自 2026 年 4 月 1 日 起施行。"
    assert first == "为规范备用金，制定本办法，见[《制度》](https://example.com/x)。"
    assert second.endswith(
        "| 部门 | 限额（元） |\n| --- | --- |\n| 行政部 | 20,000 |\n\n"
        "（一）逾期的，按 1. 处理 ；\n（二）还清。\n☑ 提交申请单"
    )
    assert third == "自印发之日起施行。"
    assert {note[:2] for note in document.notes} == {"带删", "图片", "目录"}


@pytest.mark.parametrize(
    "line",
    [
        "补助=天数*标准*人数，如 3*100*2。",
        "> 5000 元的，由总经理审批",
        "姓名：____ 日期：____",
        "见 <https://example.com/a_b_c> 或 a==b，1<2 且 3>2",
        "密码以 **** 显示",
        "- 发票已验真",
    ],
)
def test_what_is_no_mark_stays(line: str):
    assert shown(line) == [line]


def test_lists_have_the_numbers_that_the_page_shows(tmp_path: Path):
    text = """# 操作手册

1. 登录
1. 填单
   1. 选类型
   1. 传发票
- 注意
  1. 含税
1. 提交

说明。

1. 重来
2. 再提交
4. 完成
"""
    assert [block.text for block in read(tmp_path, text).blocks][1:] == [
        "1. 登录", "2. 填单", "a. 选类型", "b. 传发票", "- 注意", "1. 含税", "1. 提交", "说明。", "1. 重来", "2. 再提交", "4. 完成",
    ]  # fmt: skip


def test_lists_that_begin_again_belong_to_their_short_sections(tmp_path: Path):
    text = "# 手册\n\n## 提单\n\n1. 登录\n2. 填单\n\n## 审批\n\n1. 初审\n2. 复审\n"
    found = split(read(tmp_path, text).blocks).articles
    assert [(one.label, one.text) for one in found] == [("提单", "1. 登录\n2. 填单"), ("审批", "1. 初审\n2. 复审")]


def test_headings_without_a_blank_callouts_and_lines_ended_by_hand(tmp_path: Path):
    text = "#第一章 总则\n第一条 为规范报销，\\\n制定本办法。\n> [!warning] 注意\n> 逾期不办。\n##标准\n#标签 甲\n第二条 按实。\n"
    assert [(block.kind, block.text) for block in read(tmp_path, text).blocks] == [
        ("heading", "第一章 总则"), ("paragraph", "第一条 为规范报销，"), ("paragraph", "制定本办法。"), ("paragraph", "注意"),
        ("paragraph", "逾期不办。"), ("heading", "标准"), ("paragraph", "#标签 甲"), ("paragraph", "第二条 按实。"),
    ]  # fmt: skip


@pytest.mark.parametrize("above", ["第二条 招待费", "**第二条** 招待费", "（二）招待费", "## 招待费"])
def test_a_list_ends_where_something_else_begins_without_an_empty_line(tmp_path: Path, above: str):
    document = read(tmp_path, f"（一）差旅费\n1. 填单\n2. 送审\n{above}\n1. 申请\n2. 报销\n")
    told = [block.text for block in document.blocks]
    assert told[1:3] + told[4:] == ["1. 填单", "2. 送审", "1. 申请", "2. 报销"]
