"""Web pages, Markdown and plain text as a manager's disk has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from kb.files import read_policy
from kb.ingest.policies.about import about_of
from kb.ingest.policies.blocks import Block, Document
from kb.ingest.policies.plain import read_markdown, read_text
from kb.ingest.policies.reader import read_document
from kb.ingest.policies.splitter import split
from kb.ingest.policies.web import read_html

STARTER = Path(__file__).resolve().parents[4] / "kb" / "starter" / "policies"


def put(tmp_path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks if block.kind != "table"]


def tables(document: Document) -> list[Block]:
    return [block for block in document.blocks if block.kind == "table"]


PAGE = """<?xml version="1.0" encoding="gb2312"?><!DOCTYPE html><html><head><meta charset="gb2312"><title>差旅费管理办法</title>
<style>p{color:red}</style><script>var secret = "<p>脚本</p>";</script></head><body>
<nav><a href="/">首页</a></nav><div style="display:none">看不见</div>
<h1>差旅费<span>管理</span>办法</h1>
<div>第一条 为规范差旅费，<b>制定</b>本
办法。<br>第二条 适用范围</div><p>本办法适用于<!-- 注释 -->全体员工。</p>
<ol start="3"><li>发票<li>行程单</ol>
<table><tr><td><table><tr><td>排版用的表格</td></tr></table></td></tr></table>
<table><caption>限额表</caption><tr><th rowspan=2>城市</th><th colspan="2">住宿费</th></tr><tr><th>旺季</th><th>平季</th></tr>
<tr><td>北京</td><td>800</td><td><p>500</p></td></tr></table>
<img src="x.png"><footer>版权所有</footer></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_web_page_is_read_as_it_is_seen(tmp_path: Path, encoding: str):
    document = read_html(put(tmp_path, PAGE, encoding))
    assert texts(document) == [
        "差旅费管理办法", "第一条 为规范差旅费，制定本办法。", "第二条 适用范围", "本办法适用于全体员工。", "3. 发票", "4. 行程单",
        "排版用的表格", "限额表",
    ]  # fmt: skip
    [limits] = tables(document)
    assert limits.rows == (("城市", "住宿费", "住宿费"), ("城市", "旺季", "平季"), ("北京", "800", "500"))
    assert document.about == {"title": "差旅费管理办法"} and "图片" in document.notes[0]


@pytest.mark.parametrize(
    "page",
    [
        "<p>第一条 甲<p>第二条 乙",
        "第一条 甲<br/>第二条 乙",
        "<div><p>第一条 甲</div><p>第二条 乙</span></b>",
        "<pre>第一条 甲\n第二条 乙</pre>",
    ],
)
def test_careless_html(tmp_path: Path, page: str):
    assert texts(read_html(put(tmp_path, page))) == ["第一条 甲", "第二条 乙"]


PORTAL = """<html><head><title>福利费管理办法 - OA门户</title></head><body class="has-nav">
<header><h1>云帆科技集团</h1><a>退出</a></header><div class="topbar">首页 | 通知公告</div>
<ul id="mainMenu"><li>制度中心</li><li>办事指南</li></ul><div class="nav breadcrumb">当前位置：制度中心</div>
<main><article class="menu-page"><h1>福利费管理办法</h1><div class="content-nav"><p>第一条 福利费不超过工资总额的14%。</p></div>
<p>第二条 节日慰问品标准：</p>{list}<p>第三条 本办法自印发之日起施行。</p><div class="foot">2026年3月1日</div></article></main>
<div>上一篇：<a>关于放假的通知</a></div><div>版权所有 云帆科技集团 技术支持：信息中心</div>
<div>京ICP备00000000号</div><div class="page-foot">联系我们</div></body></html>"""


def test_a_saved_portal_page_is_its_article(tmp_path: Path):
    document = read_html(put(tmp_path, PORTAL.format(list="")))
    assert texts(document) == [
        "福利费管理办法", "第一条 福利费不超过工资总额的14%。", "第二条 节日慰问品标准：", "第三条 本办法自印发之日起施行。", "2026年3月1日",
    ]  # fmt: skip
    told = about_of(document, split(document.blocks), "页面.html")
    assert (told["title"], told["effective_from"]) == ("福利费管理办法", "2026-03-01")
    assert ["菜单" in note for note in document.notes] == [True]


@pytest.mark.parametrize(
    "page",
    [
        "<h1>福利费管理办法</h1><div class='menu'><p>第一条 餐费据实报销。</p></div>",
        "<h1>域名管理办法</h1><p>第一条 域名由信息部管理。</p><p>网站的ICP备案费用由信息部承担。</p>",
        "<h1>作品管理办法</h1><p>第一条 职务作品归公司。</p><p>版权所有人是公司。</p>",
        "<div id='nav'><h1>餐费管理办法</h1></div><p>第一条 餐费据实报销。</p>",
    ],
)
def test_what_is_of_the_text_stays(tmp_path: Path, page: str):
    document = read_html(put(tmp_path, page))
    assert "".join(texts(document)) == re.sub("<[^>]*>", "", page) and document.notes == []


@pytest.mark.parametrize(
    ("items", "lines"),
    [
        ('<ol type="a"><li>春节<li value="5">中秋<li>端午</ol>', ["a. 春节", "e. 中秋", "f. 端午"]),
        ('<ol type="I" start="3"><li>春节<li>中秋</ol>', ["III. 春节", "IV. 中秋"]),
        ('<ol style="list-style-type: cjk-ideographic"><li>春节<li>中秋</ol>', ["一、春节", "二、中秋"]),
        ("<ol><li>春节<ol type=A><li>礼品</ol><li>中秋</ol>", ["1. 春节", "A. 礼品", "2. 中秋"]),
        (
            "<ol><li>春节<li><del>端午</del><li style='text-decoration:line-through'>元旦<li>中秋</ol>",
            ["1. 春节", "4. 中秋"],
        ),
        ("<ul><li>春节</ul>", ["春节"]),
    ],
)
def test_items_have_the_numbers_that_the_page_shows(tmp_path: Path, items: str, lines: list[str]):
    assert texts(read_html(put(tmp_path, PORTAL.format(list=items))))[3:-2] == lines


def test_struck_out_text_of_a_page_is_left_out_and_told(tmp_path: Path):
    page = (
        "<p>春节每人<ins>800</ins><del>6<b>00</b></del>元，<s>含</s><strike>税</strike>"
        "<span style='color:red;text-decoration-line: underline line-through'>端午400元</span>中秋400元。</p>"
        "<table><caption>限<s>量</s>额表</caption><tr><td>城市<td>金额<tr><td>北京<td>500<del>4<b>50</b></del>元</table>"
    )
    document = read_html(put(tmp_path, page))
    assert texts(document) == ["春节每人800元，中秋400元。", "限额表"]
    assert tables(document)[0].rows[1] == ("北京", "500元")
    assert ["删除线" in note for note in document.notes] == [True]
    assert read_html(put(tmp_path, "<p style='text-decoration: underline'>甲<s></s></p>")).notes == []


def test_a_page_nested_a_thousand_deep(tmp_path: Path):
    page = "<div>" * 3000 + "第一条 甲" + "</div>" * 3000
    assert "".join(texts(read_html(put(tmp_path, page)))) in ("第一条 甲", "")


def test_markdown_with_front_matter_is_what_our_own_files_say(tmp_path: Path):
    for path in sorted(STARTER.glob("*.md")):
        document = read_markdown(path)
        found = split(document.blocks)
        written = read_policy(path)
        told = about_of(document, found, path.name)
        assert {key: told[key] for key in ("title", "number", "version", "owner", "effective_from")} == {
            key: written[key] for key in ("title", "number", "version", "owner", "effective_from")
        }
        assert [one.as_dict()["text"].split() for one in found.articles] == [
            one["text"].split() for one in written["articles"]
        ]


def test_markdown_tables_headings_and_code(tmp_path: Path):
    text = "报销指南\n====\n\n| 城市 | 金额 |\n|:--|--:|\n| 北京 | 500<br>元 |\n| a\\|b | 3 |\n\n---\n```\n# 不是标题\n```\n## 附件 ##\n末段|不是表"
    document = read_markdown(put(tmp_path, text))
    assert [(block.kind, block.text, block.level) for block in document.blocks if block.kind != "table"] == [
        ("heading", "报销指南", 1), ("paragraph", "# 不是标题", 1), ("heading", "附件", 2), ("paragraph", "末段|不是表", 1),
    ]  # fmt: skip
    assert tables(document)[0].rows == (("城市", "金额"), ("北京", "500 元"), ("a|b", "3"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_in_the_encodings_of_an_office(tmp_path: Path, encoding: str):
    path = put(
        tmp_path,
        "差旅费管理办法\r\n\r\n　　第一条　为规范差旅费，制定本办法。\r\n城市\t金额\r\n北京\t500\r\n",
        encoding,
    )
    document = read_text(path)
    assert texts(document) == ["差旅费管理办法", "第一条　为规范差旅费，制定本办法。"]
    assert tables(document)[0].rows == (("城市", "金额"), ("北京", "500"))


def test_lines_broken_at_a_fixed_width_are_joined(tmp_path: Path):
    sentence = "第一条 出差人员应当在规定的限额标准内选择安全经济便捷的宾馆住宿并取得合规发票，" * 6
    second = "第二条 住宿费凭发票据实报销，超过限额的部分由个人承担，确因工作需要的除外，但应当事前批准。" * 4
    lines = [text[k : k + 36] for text in (sentence, second) for k in range(0, len(text), 36)]
    assert len(texts(read_text(put(tmp_path, "\n".join(lines))))) == 2
    short = "\n".join(f"第{k}行短句" for k in range(20))
    assert len(texts(read_text(put(tmp_path, short)))) == 20


def test_a_number_that_the_width_cuts_is_one(tmp_path: Path):
    line = "费" * 29 + "限额为5"
    document = read_text(put(tmp_path, "\n".join([line, "0000元。"] * 8)))
    assert texts(document) == [f"{line}0000元。"] * 8


def test_nothing_to_read_is_said(tmp_path: Path):
    for form, text in (("txt", "\n \n"), ("md", "---\n"), ("html", "<html><body><img src=x></body></html>")):
        with pytest.raises(InvalidInput, match="没有"):
            read_document(put(tmp_path, text), form)
    with pytest.raises(InvalidInput, match="Word"):
        read_document(put(tmp_path, "a,b"), "csv")


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=300))
def test_any_text_is_read_without_loss(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = put(tmp_path_factory.getbasetemp(), text)
    try:
        document = read_text(path)
    except InvalidInput:
        return
    told = "".join(block.printed for block in document.blocks)
    assert [c for c in told if c.isalpha()] == [c for c in "".join(map(_folded, text)) if c.isalpha()]


def _folded(c: str) -> str:
    from kb.ingest.policies.blocks import clean

    return clean(c)


@pytest.mark.parametrize(
    "cell, read",
    [
        ("500<sup>1</sup>", "500[1]"), ("500<sup><a href='#n'>[1]</a></sup>元", "500[1]元"), ("90m<sup>2</sup>", "90m²"),
        ("<span style='vertical-align: super'>2</span>上浮", "[2]上浮"), ("500<sup>注</sup>", "500注"), ("10<sup>-3</sup>", "10^-3"),
    ],
)  # fmt: skip
def test_superscripts_of_a_page_are_no_digits(tmp_path: Path, cell: str, read: str):
    path = put(
        tmp_path,
        f"<html><body><p>标准{cell}</p><table><tr><td>城市</td><td>标准</td></tr><tr><td>北京</td><td>{cell}</td></tr>",
    )
    found = read_document(path, "html")
    assert found.blocks[0].text == f"标准{read}" and found.blocks[1].rows[1][1] == read
    assert any("注码" in note for note in found.notes) == ("[" in read)


def test_a_page_whose_text_a_script_shows_is_read(tmp_path: Path):
    page = (
        "<html><body><h1>费用报销管理办法</h1><em>2026-01-05</em>"
        '<div class="rich_media_content" id="js_content" style="visibility: hidden; opacity: 0; ">'
        "<section><p>第一条 报销单据应在30日内提交。</p><p>第二条 发票须查验。</p></section></div>"
        '<div style="display:none"><p>第三条 收起的条款。</p></div><div style="display:none">分享</div></body></html>'
    )
    found = read_html(put(tmp_path, page))
    assert texts(found)[-2:] == ["第一条 报销单据应在30日内提交。", "第二条 发票须查验。"]
    assert any("隐藏的条款" in note for note in found.notes)
    quiet = read_html(put(tmp_path, page.replace("第三条 收起的条款。", "更多")))
    assert not quiet.notes


def test_markdown_is_read_as_it_is_shown(tmp_path: Path):
    text = (
        "---\ntitle: 备用金管理办法\neffective_from: 2026/01/01\neffective_to: 2026年12月31日\n---\n"
        "第一条 限额为 ~~5000~~ 8000<sup>1</sup> 元。\n<!-- 第二条 注释\n第三条 注释 -->\n第二条 附则。\n"
    )
    found = read_document(put(tmp_path, text), "md")
    assert texts(found) == ["第一条 限额为 8000[1] 元。", "第二条 附则。"]
    assert any("删除线" in note for note in found.notes)
    about = about_of(found, split(found.blocks), "a.md")
    assert (about["effective_from"], about["effective_to"], about["notes"]) == ("2026-01-01", "2026-12-31", [])
    vague = read_document(put(tmp_path, text.replace("2026/01/01", "2026年1月")), "md")
    about = about_of(vague, split(vague.blocks), "a.md")
    assert about["effective_from"] is None and "“2026年1月”认不出" in about["notes"][0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("费用报销问答\n问：出差补助多少？\n答：100元。\n问：发票丢了怎么办？\n答：凭存根联复印件。", True),
        ("常见问题解答\n1. 出差补助多少？\n100元。\n2. 发票丢了怎么办？\n凭存根联。\n3. 住宿标准？\n见表。", True),
        ("差旅费管理办法\n第一条 总则。\n第二条 出差补助100元。\n问：略。", False),
    ],
)
def test_questions_and_answers_are_told_to_be_no_policy(tmp_path: Path, text: str, told: bool):
    found = read_text(put(tmp_path, text))
    notes = about_of(found, split(found.blocks), "a.txt")["notes"]
    assert any("问答模板" in note for note in notes) == told


def test_private_characters_are_text_unless_any_bytes_would_be(tmp_path: Path):
    bullets = "\uf0b7\t填报销单\n" * 9
    assert texts(read_text(put(tmp_path, bullets))) == ["• 填报销单"] * 9
    with pytest.raises(InvalidInput, match="不是可读的文本"):
        read_text(put(tmp_path, bullets, "gb18030"))


def test_a_tab_after_a_number_is_no_column_of_a_table(tmp_path: Path):
    """So Word saves automatic numbers and bullets as plain text."""
    lines = "第一条\t本办法适用于员工。\n第二条\t报销程序\n1.\t填报销单\n（2）\t送审批\n•\t附发票\n-\t附行程单\n"
    document = read_text(put(tmp_path, lines + "城市\t限额\n1.5\t500\n1.\t北京\t500\n2.\t上海\t400\n"))
    assert texts(document) == [line.replace("\t", " ") for line in lines.splitlines()]
    assert [len(table.rows) for table in tables(document)] == [2, 2]


def test_contents_and_articles_between_tabs_are_no_tables(tmp_path: Path):
    text = (
        "费用报销管理办法\n目  录\n第一章 总则\t1\n一、目的\t1\n第二章 标准\t2\n\n第一章\t总则\n第一条\t目的\t为规范报销，制定本办法。\n"
        "第二条\t范围\t本办法适用于集团的全体员工。\n第二章\t标准\n第三条\t话费\t每月的限额按照下表执行，据实报销。\n岗位\t限额（元）\n总监\t300\n员工\t150\n"
    )
    document = read_text(put(tmp_path, text))
    found = split(document.blocks)
    assert [(one.label, one.title, one.heading_path) for one in found.articles] == [
        ("第一条", "目的", ("第一章 总则",)),
        ("第二条", "范围", ("第一章 总则",)),
        ("第三条", "话费", ("第二章 标准",)),
    ]
    assert [len(table.rows) for table in tables(document)] == [3]


def test_page_numbers_of_a_text_file_cut_no_paragraph(tmp_path: Path):
    lines = [
        "    第一条  " + "出差人员应当据实报销，" * 2 + "附合法有效的发",
        "",
        "            - 1 -",
        "",
        "票及行程单。",
    ]
    full = ["    " + "差旅费" * 11 for _ in range(8)]
    document = read_text(put(tmp_path, "\n".join([*full, *lines, "第 2 页 共 2 页"])))
    assert texts(document)[-1].endswith("附合法有效的发票及行程单。")
    assert document.notes == ["页码已去除。"]


FORM = """<html><body><table border=1><tr><td>文件标题</td><td colspan=3>关于印发《通讯费管理办法》的通知</td></tr>
<tr><td>发文字号</td><td>华晟财〔2026〕18号</td><td>密级</td><td>内部</td></tr>
<tr><td>正文</td><td colspan=3><div><b>通讯费管理办法</b></div><p>第一条&nbsp;&nbsp;为规范通讯费，制定本办法。</p>
<p><span>第二条&nbsp;标准见下表。</span></p><table><tr><td>级别</td><td>每月（元）</td></tr><tr><td>总监</td><td>300</td></tr></table>
<p>第三条 自2026年4月1日起施行。</p></td></tr><tr><td>拟稿人</td><td>张三</td><td>电话</td><td>1234</td></tr></table></body></html>"""


def test_the_form_of_an_office_system_is_read_as_its_text(tmp_path: Path):
    document = read_document(put(tmp_path, FORM), "html")
    found = split(document.blocks)
    assert [one.label for one in found.articles] == ["第一条", "第二条", "第三条"]
    assert "| 总监 | 300 |" in found.articles[1].text and [len(one.rows) for one in tables(document)] == [2, 2]
    about = about_of(document, found, "a.html")
    assert (about["title"], about["number"]) == ("通讯费管理办法", "华晟财〔2026〕18号") and "内部" in about["secrecy"]


def test_two_versions_side_by_side_stay_a_table(tmp_path: Path):
    side = "<td><p>第一条 甲。</p><p>第二条 {}元。</p><p>第三条 丙。</p></td>"
    page = f"<table><tr><td>原条文</td><td>新条文</td></tr><tr>{side.format(500)}{side.format(800)}</tr></table>"
    assert [len(one.rows) for one in tables(read_html(put(tmp_path, page)))] == [2]


def test_a_row_merged_over_a_table_is_told_once(tmp_path: Path):
    page = (
        "<table><tr><td colspan=3>住宿费限额</td></tr><tr><td>城市</td><td>总监</td><td>员工</td></tr>"
        "<tr><td colspan=3>一、国内</td></tr><tr><td>北京</td><td>800</td><td>500</td></tr>"
        "<tr><td colspan=3>注：旺季上浮20%。</td></tr></table>"
    )
    [block] = read_html(put(tmp_path, page)).blocks
    assert block.printed == (
        "住宿费限额\n\n| 城市 | 总监 | 员工 |\n| --- | --- | --- |\n| 一、国内 |  |  |\n| 北京 | 800 | 500 |\n\n注：旺季上浮20%。"
    )


def test_soft_line_ends_of_word_are_line_ends(tmp_path: Path):
    assert texts(read_text(put(tmp_path, "第一条 标准：\v（一）总监600元；\v（二）员工400元。\r\n"))) == [
        "第一条 标准：", "（一）总监600元；", "（二）员工400元。",
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["white-space: pre-wrap;", "WHITE-SPACE:pre-line", "white-space-collapse: preserve"])
def test_lines_that_a_style_keeps_are_lines(tmp_path: Path, style: str):
    lines = "第一条 为规范餐费，制定本规定。\n第二条 每次<b>30元</b>。\n  （一）凭票报销；"
    assert texts(read_html(put(tmp_path, f'<div style="{style}">{lines}</div>'))) == [
        "第一条 为规范餐费，制定本规定。", "第二条 每次30元。", "（一）凭票报销；",
    ]  # fmt: skip
    assert len(texts(read_html(put(tmp_path, f"<div>{lines}</div>")))) == 1
