"""Cells as values of an entry."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from kb.ingest import audiences, values
from kb.ingest.sources import SourceReader
from kb.ingest.workbooks import guarded, unguarded

POLICY = {
    "id": "travel",
    "title": "差旅费管理办法",
    "articles": [{"number": 12, "label": "第十二条"}, {"number": 13, "label": "第十三条"}],
}
TABLE = {"id": "lodging", "title": "住宿费限额标准表"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026/1/31",
        "2026.1.31",
        "2026年1月31日",
        "２０２６年１月３１日",
        "20260131",
        "46053",
        "2026-01-31 00:00:00",
        "2026年1月31日起",
    ],
)
def test_days_in_many_spellings(text: str) -> None:
    assert values.day_of(text) == date(2026, 1, 31)


def test_a_month_is_its_first_or_its_last_day() -> None:
    assert values.day_of("2026年2月") == date(2026, 2, 1)
    assert values.day_of("2026-02", last=True) == date(2026, 2, 28)
    assert values.day_of("2024年2月", last=True) == date(2024, 2, 29)


@pytest.mark.parametrize("text", [None, "长期", "永久有效", "—", "无"])
def test_no_end(text: str | None) -> None:
    assert values.day_of(text) is None


@pytest.mark.parametrize("text", ["下个月", "2026-13-01", "2026-02-30", "26年1月", "12345678", "即日起"])
def test_what_is_no_day_is_said(text: str) -> None:
    with pytest.raises(InvalidInput, match="2026-01-31"):
        values.day_of(text)


@pytest.mark.parametrize(
    ("text", "companies", "groups"),
    [
        ("", [], []),
        ("全体员工", [], []),
        ("公司:1000、2000；人员组:财务部", ["1000", "2000"], ["财务部"]),
        ("公司：1000\n公司：2000", ["1000", "2000"], []),
        ("groups: finance, hr", [], ["finance", "hr"]),
    ],
)
def test_audiences(text: str, companies: list[str], groups: list[str]) -> None:
    assert audiences.audience_of(text) == (companies, groups)


@pytest.mark.parametrize("text", ["北京分公司", "公司:", "全体；公司:1000", "仅财务可见"])
def test_an_audience_that_is_not_understood_is_never_public(text: str) -> None:
    with pytest.raises(InvalidInput, match="适用范围"):
        audiences.audience_of(text)


@pytest.mark.parametrize(
    ("text", "companies"),
    [
        ("", []),
        ("全部", []),
        ("全集团", []),
        ("所有公司", []),
        ("不限", []),
        ("１０００", ["1000"]),
        ("1000/2000", ["1000", "2000"]),
        ("1000，２０００ 3000", ["1000", "2000", "3000"]),
        ("1000；2000", ["1000", "2000"]),
        ("1000、2000\n3000", ["1000", "2000", "3000"]),
        ("1000公司", ["1000"]),
        ("公司:1000/2000", ["1000", "2000"]),
        ("华晟 (香港) 有限公司", ["华晟 (香港) 有限公司"]),
        ("/", ["/"]),
    ],
)
def test_companies_in_many_spellings(text: str, companies: list[str]) -> None:
    assert audiences.companies_of(text) == (companies, [])
    if companies and ":" not in text:
        assert audiences.audience_of("公司:" + text.replace("；", "、").replace("\n", "、")) == (companies, [])


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("全部", []),
        ("所有人员组", []),
        ("财务部；人事 / 行政部", ["人事 / 行政部", "财务部"]),
        ("人员组:财务部", ["财务部"]),
        ("Shared Service", ["Shared Service"]),
    ],
)
def test_groups_keep_their_blanks_and_slashes(text: str, groups: list[str]) -> None:
    assert audiences.groups_of(text) == ([], groups)


@pytest.mark.parametrize("text", ["全部、1000", "仅1000公司", "除2000外", "公司:仅1000"])
def test_companies_that_are_not_understood_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="既写了|看不懂"):
        audiences.companies_of(text)


@pytest.mark.parametrize(
    "header", ["口径密级", "密级", "保密级别", "谁能看", "公开范围", "适用部门", "Visible to", "是否公开"]
)
def test_headers_that_speak_of_the_audience(header: str) -> None:
    assert audiences.guards(header)
    audiences.must_be_public(header, "公开")
    audiences.must_be_public(header, "")
    with pytest.raises(InvalidInput, match=f"“{header}”列写着“内部”.*可见公司"):
        audiences.must_be_public(header, "内部")


@pytest.mark.parametrize(
    "header", ["备注", "序号", "公开日期", "浏览次数", "发布部门", "审批权限", "适用业务", "找谁审批"]
)
def test_headers_that_do_not(header: str) -> None:
    assert not audiences.guards(header)


def test_a_question_answered_with_yes_or_no() -> None:
    audiences.must_be_public("是否对外公开", "是")
    audiences.must_be_public("是否涉密", "否")
    for header, text in (("是否公开", "否"), ("是否涉密", "是"), ("员工可见", "是")):
        with pytest.raises(InvalidInput):
            audiences.must_be_public(header, text)


def test_sources_are_linked_to_what_we_hold() -> None:
    reader = SourceReader([POLICY], [TABLE])
    first, second, third, fourth = reader.read(
        "《差旅费管理办法》第十二条\n《差旅费管理办法》第13条\n《住宿费限额标准表》\n《别的办法》第三条"
    )
    assert reader.read("住宿费限额标准表")[0]["table"] == "lodging"
    assert (first["policy"], first["article"]) == ("travel", 12)
    assert (second["policy"], second["article"]) == ("travel", 13)
    assert third["table"] == "lodging"
    assert (fourth["label"], fourth["policy"], fourth["table"]) == ("《别的办法》第三条", None, None)


RECEPTION = {
    "id": "reception",
    "title": "招待费管理办法",
    "articles": [
        *({"number": n, "label": label} for n, label in ((7, "第七条"), (8, "第八条"), (9, "第九条"), (10, "第十条"))),
        {"number": 11, "label": "第十条之一"},
        {"number": 12, "label": "第七条", "heading_path": ["附件1 菜单细则"]},
    ],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("《招待费管理办法》第七条、第八条", {"《招待费管理办法》第七条": 7, "《招待费管理办法》第八条": 8}),
        ("《招待费管理办法》第七、八条", {"《招待费管理办法》第七条": 7, "《招待费管理办法》第八条": 8}),
        ("《招待费管理办法》第7条第二款和第8条", {"《招待费管理办法》第7条第二款": 7, "《招待费管理办法》第8条": 8}),
        (
            "《招待费管理办法》第七条至第九条",
            {"《招待费管理办法》第七条": 7, "《招待费管理办法》第八条": 8, "《招待费管理办法》第九条": 9},
        ),
        ("《招待费管理办法》第十条之一", {"《招待费管理办法》第十条之一": 11}),
        ("《招待费管理办法》第十条之二", {"《招待费管理办法》第十条之二": None}),
        ("《招待费管理办法》十条", {"《招待费管理办法》十条": 10}),
        ("详见《招待费管理办法》第十条的规定", {"详见《招待费管理办法》第十条的规定": 10}),
        ("《别的办法》第七条、第八条", {"《别的办法》第七条、第八条": None}),
        ("《招待费管理办法》第七条、《别的办法》第八条", {"《招待费管理办法》第七条、《别的办法》第八条": 7}),
    ],
)
def test_every_article_that_is_named_is_linked(text: str, found: dict[str, int | None]) -> None:
    sources = SourceReader([RECEPTION], []).read(text)
    assert {source["label"]: source["article"] for source in sources} == found
    assert all((source["policy"] == "reception") == (source["article"] is not None) for source in sources)


PAYMENT = {
    "id": "payment",
    "title": "合同付款管理办法",
    "articles": [
        {"number": 1, "label": "第一条", "chapter": "第一章 总则"},
        {"number": 2, "label": "第二条", "chapter": "第一章 总则"},
        {"number": 3, "label": "第一条", "chapter": "第二章 付款"},
        {"number": 4, "label": "第二条", "chapter": "第二章 付款"},
        {"number": 5, "label": "第三条", "chapter": "第二章 付款"},
        {"number": 6, "label": "第二条", "heading_path": ["附件1 保函细则"]},
    ],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("第二章第二条", {"第二章第二条": 4}),
        ("第 2 章 第2条第一款", {"第 2 章 第2条第一款": 4}),
        ("第二章第一、三条", {"第二章第一条": 3, "第二章第三条": 5}),
        ("第二章第一条至第三条", {"第二章第一条": 3, "第二章第二条": 4, "第二章第三条": 5}),
        ("第一章第二条、第二章第二条", {"第一章第二条": 2, "第二章第二条": 4}),
        ("第三条", {"第三条": 5}),
        ("附件1第二条", {"附件1第二条": 6}),
        ("第二条", {"第二条": None}),
        ("第一章第三条", {"第一章第三条": None}),
        ("第三章第二条", {"第三章第二条": None}),
    ],
)
def test_chapters_that_begin_again_are_told_apart(text: str, found: dict[str, int | None]) -> None:
    reader, title = SourceReader([PAYMENT], []), "《合同付款管理办法》"
    sources = reader.read(title + text)
    assert {source["label"].removeprefix(title): source["article"] for source in sources} == found
    assert bool(reader.doubts(title + text)) == (None in found.values())


def test_what_may_be_several_articles_is_told_with_their_chapters() -> None:
    (told,) = SourceReader([PAYMENT], []).doubts("《合同付款管理办法》第二条\n《别的办法》第二条")
    assert "第一章第二条、第二章第二条、附件1第二条，请写明" in told


def test_an_article_with_a_letter_is_never_the_one_before_it() -> None:
    plain = {**RECEPTION, "articles": RECEPTION["articles"][:4]}
    (source,) = SourceReader([plain], []).read("《招待费管理办法》第十条之一")
    assert (source["policy"], source["article"], source["label"]) == (None, None, "《招待费管理办法》第十条之一")


def test_details_count_only_for_the_same_label() -> None:
    reader = SourceReader([POLICY], [])
    details = '[{"label": "税法", "regulation": "税法", "quote": "一"}, {"label": "税法", "regulation": "税法", "quote": "二"}]'
    assert [source["quote"] for source in reader.read("税法\n税法", details)] == ["一", "二"]
    assert reader.read("别的", details)[0]["quote"] is None
    for nonsense in ("{", "[1]", '[{"label": 3}]', '[{"label": "税法", "policy": {}}]', '[{"label": "税法", "x": ""}]'):
        assert reader.read("税法", nonsense)[0]["regulation"] is None


questions = st.lists(st.text(min_size=1).map(values.line_of).filter(bool), max_size=6, unique=True)


@given(questions)
def test_similar_questions_come_back(similar: list[str]) -> None:
    assert values.split_similar(values.join_similar(similar)) == similar


@given(questions)
def test_names_come_back(names: list[str]) -> None:
    assert values.names_of(values.clean(values.join_names(names))) == names


def test_similar_questions_by_line_and_bar() -> None:
    assert values.split_similar("甲| 乙 \n\n丙\\|丁|") == ["甲", "乙", "丙|丁"]


@given(st.text())
def test_no_cell_is_a_formula_and_all_come_back(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert unguarded(cell) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("住宿多少钱；酒店标准;住酒店报多少", ["住宿多少钱", "酒店标准", "住酒店报多少"]),
        ("1.补贴多少\n2、补助多少\n3）出差补助", ["补贴多少", "补助多少", "出差补助"]),
        ("餐费多少 / 餐补多少、吃饭报多少", ["餐费多少", "餐补多少", "吃饭报多少"]),
        ("机票、火车票怎么报", ["机票、火车票怎么报"]),
        ("借款怎么还/怎么冲销", ["借款怎么还/怎么冲销"]),
    ],
)
def test_similar_questions_by_what_stands_between_them(text: str, found: list[str]) -> None:
    assert values.split_similar(text) == found


@pytest.mark.parametrize("question", ["1. 补贴多少", "甲；乙", "餐费多少/餐补多少", "\\甲；乙|丙", "问：甲"])
def test_a_question_comes_back_from_an_export_as_it_is(question: str) -> None:
    assert values.split_similar(values.join_similar([question, "乙"])) == [question, "乙"]
