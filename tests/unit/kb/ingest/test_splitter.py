"""The splitter: articles as people cite them, and no letter lost, doubled or moved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.files import read_policy
from kb.ingest.policies.blocks import Block
from kb.ingest.policies.labels import chinese, label_of, value_of
from kb.ingest.policies.splitter import Split, split

STARTER = Path(__file__).resolve().parents[4] / "kb" / "starter" / "policies"


def paragraphs(text: str) -> list[Block]:
    return [Block("paragraph", line.strip()) for line in text.splitlines() if line.strip()]


def letters(text: str) -> str:
    return re.sub(r"\W", "", text)


def told(found: Split) -> str:
    return letters("\n".join((*found.front, *(article.printed for article in found.articles))))


POLICY = """
华晟集团有限公司
差旅费管理办法
华晟财〔2026〕3号
各部门、各单位：
为规范差旅费管理，制定本办法。
第一章 总则
第一条 适用范围
本办法适用于全体员工。
按照
第三条的规定执行。
第二条 出差人员应当事前申请，未经批准的不予报销。
第二章 标准
第一节 住宿
第三条【住宿费标准】在限额内据实报销：
（一）集团领导800元；
1. 含早餐；
（二）其他人员350元。
第四条　市内交通　市内交通费每人每天80元，包干使用。
第四条之一 网约车按出租车执行。
第三章 附则
第五条 本办法自2026年1月1日起施行。
附件1：住宿费限额表
北京 500
附件2 申请表
"""


def test_articles_chapters_preamble_and_appendices():
    found = split(paragraphs(POLICY))
    assert found.front == ("华晟集团有限公司", "差旅费管理办法", "华晟财〔2026〕3号")
    told_of = [(one.number, one.label, one.title) for one in found.articles]
    assert told_of == [
        (0, "前言", ""),
        (1, "第一条", "适用范围"),
        (2, "第二条", ""),
        (3, "第三条", "住宿费标准"),
        (4, "第四条", "市内交通"),
        (6, "第四条之一", ""),
        (5, "第五条", ""),
        (7, "附件1", "住宿费限额表"),
        (8, "附件2", "申请表"),
    ]
    bodies = {one.label: one.as_dict() for one in found.articles}
    assert bodies["第一条"]["text"] == "本办法适用于全体员工。\n按照\n第三条的规定执行。"
    assert bodies["第三条"]["heading_path"] == ["第二章 标准", "第一节 住宿"]
    assert bodies["第三条"]["chapter"] == "第二章 标准 · 第一节 住宿"
    assert bodies["第三条"]["text"].splitlines()[1:3] == ["（一）集团领导800元；", "1. 含早餐；"]
    assert bodies["第五条"]["chapter"] == "第三章 附则"
    assert bodies["附件1"]["chapter"] == "" and bodies["附件1"]["text"] == "北京 500"
    assert told(found) == letters(POLICY)


def test_a_notice_without_articles_is_split_by_its_items():
    text = """
    关于规范发票管理的通知
    各单位：
    现将有关事项通知如下：
    一、发票抬头
    抬头应为公司全称。
    二、报销时限
    （一）当年费用当年报销。
    （二）跨年须说明原因。
    三、其他事项由财务部解释，如有疑问请联系税务组。
    """
    found = split(paragraphs(text))
    assert [(one.number, one.label, one.title) for one in found.articles] == [
        (0, "前言", ""),
        (1, "一、", "发票抬头"),
        (2, "二、", "报销时限"),
        (3, "三、", ""),
    ]
    assert told(found) == letters(text)


def test_long_sections_are_split_by_their_own_items():
    section = "\n".join(f"（{chinese(k)}）{'报销人应当据实填写单据并上传附件。' * 12}" for k in range(1, 8))
    found = split(paragraphs(f"操作手册\n一、填单\n{section}\n二、审核\n{section}"))
    assert [one.label for one in found.articles][:2] == ["一、（一）", "一、（二）"]
    assert found.articles[-1].label == "二、（七）" and found.articles[-1].as_dict()["chapter"] == "二、审核"


def test_headings_alone_divide_a_page():
    blocks = [
        Block("heading", "报销指南", 1),
        Block("heading", "怎么填单", 2),
        Block("paragraph", "进入系统填写。"),
        Block("heading", "附件要求", 2),
        Block("paragraph", "上传发票。"),
        Block("table", rows=(("类型", "附件"), ("差旅", "行程单"))),
    ]
    found = split(blocks)
    assert found.front == ("报销指南",)
    assert [(one.number, one.label) for one in found.articles] == [(1, "怎么填单"), (2, "附件要求")]
    assert found.articles[1].text.endswith("| 类型 | 附件 |\n| --- | --- |\n| 差旅 | 行程单 |")
    assert found.articles[1].as_dict()["chapter"] == ""


def test_a_list_of_appendices_is_no_appendix():
    found = split(
        paragraphs("第一条 甲。\n第二条 乙。\n附件：1. 水单样式\n2. 计算表\n财务共享中心\n附件1 水单样式\n样式如下。")
    )
    assert [one.label for one in found.articles] == ["第一条", "第二条", "附件1"]
    assert found.articles[1].text.startswith("乙。\n附件：1. 水单样式")


def test_a_manual_with_numbered_headings():
    texts = (
        ("操作手册", 1),
        ("文件编号：CW-012", 0),
        ("1 目的", 2),
        ("规范流程。", 0),
        ("2 流程", 2),
        ("2.1 提单", 3),
        ("登录系统。", 0),
    )
    found = split([Block("heading" if level else "paragraph", text, level or 1) for text, level in texts])
    assert found.front == ("操作手册", "文件编号：CW-012")
    assert [(one.label, one.title, one.as_dict()["chapter"]) for one in found.articles] == [
        ("1 目的", "", ""), ("2.1", "提单", "2 流程"),
    ]  # fmt: skip


def test_headings_with_a_bare_number_divide_a_manual():
    text = """
    差旅系统操作规程
    文件编号：YF-CW-017
    1 目的
    规范差旅系统操作。
    2 适用范围
    适用于集团总部。
    3 职责
    3.1 财务部
    3.1.1 负责审核，单笔5000元以上复核。
    3.2 行政部
    负责订票。
    4 程序
    4.1 员工提交申请后 24 小时内审批。
    5 附则
    本规程自2026年2月1日起实施。
    """
    found = split(paragraphs(text))
    assert found.front == ("差旅系统操作规程", "文件编号：YF-CW-017") and told(found) == letters(text)
    assert [(one.label, one.title, one.text, one.as_dict()["chapter"]) for one in found.articles] == [
        ("1 目的", "", "规范差旅系统操作。", ""),
        ("2 适用范围", "", "适用于集团总部。", ""),
        ("3.1.1", "", "负责审核，单笔5000元以上复核。", "3 职责 · 3.1 财务部"),
        ("3.2", "行政部", "负责订票。", "3 职责"),
        ("4.1", "", "员工提交申请后 24 小时内审批。", "4 程序"),
        ("5 附则", "", "本规程自2026年2月1日起实施。", ""),
    ]


def test_items_of_a_manual_stand_under_the_items_above_them():
    text = """
    报销程序
    1.0 目的
    规范报销。
    2.0 标准
    2.1 差旅费
    2.1.1 住宿：600元/天。
    2.1.2 餐费：100元/天。
    2.2 招待费
    2.2.1 每人300元。
    3.0 表单
    3.1 《费用报销单》
    4.0 本程序自发布之日起执行。
    """
    found = split(paragraphs(text))
    assert told(found) == letters(text)
    assert [(one.label, one.text, one.as_dict()["chapter"]) for one in found.articles] == [
        ("1.0", "规范报销。", ""),
        ("2.1.1", "住宿：600元/天。", "2.0 标准 · 2.1 差旅费"),
        ("2.1.2", "餐费：100元/天。", "2.0 标准 · 2.1 差旅费"),
        ("2.2.1", "每人300元。", "2.0 标准 · 2.2 招待费"),
        ("3.1", "《费用报销单》", "3.0 表单"),
        ("4.0", "本程序自发布之日起执行。", ""),
    ]


def test_numbers_drawn_apart_and_numbers_before_a_comma_begin_articles():
    text = "第 一 章、总 则\n" + "".join(f"第 {' '.join(chinese(n))} 条、甲{n}。\n" for n in range(1, 23))
    found = split(paragraphs(text + "第五条、费用不受第二十三条限制。\n"))
    assert [one.label for one in found.articles] == [f"第{chinese(n)}条" for n in range(1, 23)]
    assert found.articles[0].heading_path == ("第一章、总 则",) and found.articles[0].text == "甲1。"
    assert found.articles[-1].text.endswith("第五条、费用不受第二十三条限制。")


def test_a_title_page_of_large_lines_is_the_front():
    lines = ("华晟集团有限公司", "报销办法", "文件编号：HS-003", "版本：V3.0", "二〇二六年二月")
    blocks = [Block("heading", line, 2) for line in lines]
    chapters = [
        Block("heading", "第一章 总则", 2),
        Block("paragraph", "第一条 甲。"),
        Block("heading", "第二章 附则", 2),
    ]
    assert split([*blocks, *chapters, Block("paragraph", "第二条 乙。")]).front == lines


@pytest.mark.parametrize(
    "text",
    [
        "操作手册\n一、材料\n1 发票\n2 行程单\n3 申请单\n二、时限\n按月。",
        "操作手册\n一、材料\n1 份原件\n交财务。\n3 份复印件\n交部门。\n二、时限\n按月。",
        "操作手册\n一、材料\n1 发票\n交财务。\n2 行程单\n交财务。\n3 申请单\n交部门。\n二、时限\n按月。",
        "管理办法\n第一条 材料如下：\n1 发票\n原件。\n2 行程单\n原件。\n3 申请单\n原件。\n第二条 按月。",
    ],
)
def test_numbers_in_a_text_are_no_headings(text: str):
    found = split(paragraphs(text))
    assert len(found.articles) == 2 and told(found) == letters(text)


def test_the_table_of_contents_is_not_read_as_chapters():
    text = """
    费用报销管理办法
    目  录
    第一章 总则 ............ 1
    第二章 标准 ............ 3
    第一章 总则
    第一条 为规范报销，制定本办法。
    第二章 标准
    第二条 按实报销。
    """
    found = split(paragraphs(text))
    assert [one.label for one in found.articles] == ["第一条", "第二条"]
    assert found.front[1] == "目  录" and told(found) == letters(text)


def test_a_title_below_its_number_belongs_to_it():
    text = """
    固定资产管理办法
    第一章
    总则
    第一条 为加强管理，制定本办法。
    第二章
    购置，验收
    第二条 5万元以上由总经理审批。
    附件1
    申请表
    部门：
    附录B
    单位：元
    Appendix C
    Approval matrix
    按下表。
    """
    found = split(paragraphs(text))
    assert told(found) == letters(text)
    assert [(one.label, one.title, one.heading_path) for one in found.articles] == [
        ("第一条", "", ("第一章 总则",)),
        ("第二章", "", ("第二章",)),
        ("第二条", "", ("第二章",)),
        ("附件1", "申请表", ("附件1 申请表",)),
        ("附录B", "", ("附录B",)),
        ("Appendix C", "Approval matrix", ("Appendix C Approval matrix",)),
    ]


def test_contents_behind_a_table_of_versions_and_the_head_of_a_procedure_are_the_front():
    form = Block("table", rows=(("文件编号", "HS-1", "版本", "A/2"), ("审核", "张三", "日期", "2026年")))
    versions = Block("table", rows=(("版本", "修订内容"), ("V2.0", "修改第三条")))
    lines = paragraphs("目 录\n一、目的 1\n二、标准 2\n一、目的\n规范报销。\n二、标准\n据实报销。")
    found = split([Block("paragraph", "报销制度"), versions, Block("paragraph", "2026年2月"), *lines])
    assert len(found.front) == 6
    assert [(one.label, one.text) for one in found.articles] == [("一、", "规范报销。"), ("二、", "据实报销。")]
    limits = Block("table", rows=(("事项", "审核"), ("采购", "总经理")))
    labels = [
        [one.label for one in split([table, *paragraphs("第一条 甲。\n第二条 乙。")]).articles]
        for table in (form, limits)
    ]
    assert labels == [["第一条", "第二条"], ["前言", "第一条", "第二条"]]


def test_numbering_that_starts_again_keeps_every_number_unique():
    text = "第一条 甲的规定。\n第二条 乙的规定。\n附件 实施细则\n第一条 丙的规定。\n第二条 丁的规定。"
    found = split(paragraphs(text))
    assert [(one.number, one.label) for one in found.articles] == [
        (1, "第一条"), (2, "第二条"), (3, "第一条"), (4, "第二条"),
    ]  # fmt: skip
    assert found.articles[2].heading_path == ("附件 实施细则",)


@pytest.mark.parametrize(
    ("text", "labels", "gaps"),
    [
        (
            "第一条按月结算。\n第二条每月不超过35元。\n第三条（已废止）\n第五条恒温仓90元。\n第六条危化仓150元。\n第八条自印发之日起施行。",
            ["第一条", "第二条", "第三条", "第五条", "第六条", "第八条"],
            ("第四条", "第七条"),
        ),
        (
            "第一条 甲的规定。\n第三条一类会议760元。\n第五条二类会议650元。\n第五条之一线上会议2000元。\n第六条三类会议550元。",
            ["第一条", "第三条", "第五条", "第五条之一", "第六条"],
            ("第二条", "第四条"),
        ),
        ("第二条甲的标准。\n第三条乙的标准。\n第十条 丙的标准。", ["第二条", "第三条", "第十条"], ("第一条", "第四条至第九条")),
        ("第一条 甲。\n第二条 按标准执行。\n第五条费用按其标准。\n第三条 丙。\n第六条 丁。", ["第一条", "第二条", "第三条", "第六条"], ("第四条至第五条",)),
        ("第一条 甲。\n第二条 乙，依照\n第五条标准执行。\n第六条 丙。", ["第一条", "第二条", "第六条"], ("第三条至第五条",)),
        ("第一条甲。\n第二条乙。\n第五条规定的费用除外。\n第五条所称费用不含税。\n第六条丙。", ["第一条", "第二条", "第六条"], ("第三条至第五条",)),
        ("第一条 甲。\n第二条 乙。\n第九条费用由个人承担。", ["第一条", "第二条"], ()),
        ("第一条 甲。\n第二条 乙。\n附件 细则\n第一条 丙。\n第三条 丁。", ["第一条", "第二条", "第一条", "第三条"], ("第二条",)),
    ],
)  # fmt: skip
def test_numbers_that_are_passed_over_stay_as_printed_and_are_told(text: str, labels: list[str], gaps: tuple[str, ...]):
    found = split(paragraphs(text))
    assert [one.label for one in found.articles] == labels and found.gaps == gaps
    if "附件" not in text:
        printed = [one for one in found.articles if "之" not in one.label]
        assert [one.number for one in printed] == [value_of(one.label[1:-1]) for one in printed]
    assert told(found) == letters(text)


@pytest.mark.parametrize("line", ["第三条规定的情形除外。", "第三条、第四条不适用。", "第3条第2款所列费用"])
def test_a_sentence_about_an_article_begins_none(line: str):
    found = split(paragraphs(f"第一条 甲。\n第二条 按\n{line}\n第三条 丙。"))
    assert [one.label for one in found.articles] == ["第一条", "第二条", "第三条"]


@pytest.mark.parametrize("path", sorted(STARTER.glob("*.md")), ids=lambda path: path.stem)
def test_the_starter_policies_are_split_as_they_are_written(path: Path):
    _, _, text = path.read_text("utf-8").split("---\n", 2)
    blocks = [
        Block("heading" if line.startswith("#") else "paragraph", line.lstrip("# "), line.count("#", 0, 3) or 1)
        for line in text.splitlines()
        if line.strip()
    ]
    found = split(blocks)
    written = read_policy(path)["articles"]
    keys = ("number", "label", "title", "chapter")
    assert [[one.as_dict()[k] for k in keys] for one in found.articles] == [[one[k] for k in keys] for one in written]
    assert [letters(one.text) for one in found.articles] == [letters(one["text"]) for one in written]


@pytest.mark.parametrize("number", [*range(1, 130), 200, 210, 305, 999, 1000, 1008, 1010, 2345, 9999])
def test_chinese_numerals_are_read_as_they_are_written(number: int):
    assert value_of(chinese(number)) == number == value_of(str(number))


def test_what_begins_with_a_number_and_what_does_not():
    kinds = {
        "第十二条 住宿": ("article", 12),
        "第 12 条 住宿": ("article", 12),
        "第一百零五条": ("article", 105),
        "第三编 税务": ("part", 3),
        "第二部分 流程": ("part", 2),
        "一、目的": ("chinese", 1),
        "（三）范围": ("bracket", 3),
        "1.1 适用范围": ("pointed", None),
        "2、材料": ("decimal", 2),
        "(4)发票": ("bracket_digit", 4),
        "⑤影像": ("circle", 5),
        "附件2：明细表": ("appendix", 2),
        "附录 B（规范性附录）": ("appendix", 2),
        "Annex 3": ("appendix", 3),
    }
    assert {text: (found.kind, found.value) for text in kinds if (found := label_of(text))} == kinds
    for text in (
        "附则",
        "第一节约用电",
        "3.5万元以上的",
        "12.5%的税率",
        "一些费用",
        "第三方平台",
        "1.5元/公里",
        "附件A4纸打印",
        "Attachment is needed",
    ):
        assert label_of(text) is None, text


MARKS = ("第一章 总则", "第二节 住宿", "第一条", "第二条 标准", "第三条　范围　本办法，适用于全体员工和劳务人员。", "第十条之一 甲",
         "一、", "二、目的", "（一）", "（二）乙方，丙方。", "1.", "2、票据", "1.1 流程", "(1)", "①", "附件1：明细表", "附件",
         "目录", "第一章 总则……1", "各单位：", "华晟财〔2026〕3号", "第五条【标准】甲", "第六条（定义）乙丙",
         "总则", "第一章", "附件2", "1.0 目的", "2.1.1 甲", "第 十 二 条 甲", "第三条、乙", "附录A", "1 目的", "2 适用范围", "3 职责", "第三条甲。", "第五条规定的费用", "第七条乙。", "第八条丙")  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(MARKS),
    st.builds("{}{}".format, st.sampled_from(MARKS), st.text(max_size=30)),
    st.text(max_size=90),
    st.text(alphabet="第一二三条章节、（）().12 　，。附件甲乙", max_size=40),
)
BLOCK = st.one_of(
    st.builds(Block, st.just("paragraph"), TEXT),
    st.builds(Block, st.just("heading"), TEXT, st.integers(0, 9)),
    st.builds(
        Block,
        st.just("table"),
        rows=st.integers(2, 4).flatmap(
            lambda width: st.lists(st.tuples(*[st.text(max_size=6)] * width), min_size=1, max_size=4).map(tuple)
        ),
    ),
)


@given(st.lists(BLOCK, max_size=25))
def test_no_letter_is_lost_doubled_or_moved(blocks: list[Block]):
    found = split(blocks)
    assert told(found) == letters("\n".join(block.printed for block in blocks))
    numbers = [one.number for one in found.articles]
    assert len(set(numbers)) == len(numbers) and all(number >= 0 for number in numbers)
    assert all(one.label for one in found.articles)
