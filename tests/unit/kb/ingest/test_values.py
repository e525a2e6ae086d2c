"""Cells as values of an entry."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from kb.ingest import values
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
    assert values.audience_of(text) == (companies, groups)


@pytest.mark.parametrize("text", ["北京分公司", "公司:", "全体；公司:1000", "仅财务可见"])
def test_an_audience_that_is_not_understood_is_never_public(text: str) -> None:
    with pytest.raises(InvalidInput, match="适用范围"):
        values.audience_of(text)


def test_sources_are_linked_to_what_we_hold() -> None:
    reader = values.SourceReader([POLICY], [TABLE])
    first, second, third, fourth = reader.read(
        "《差旅费管理办法》第十二条\n《差旅费管理办法》第13条\n《住宿费限额标准表》\n《别的办法》第三条"
    )
    assert reader.read("住宿费限额标准表")[0]["table"] == "lodging"
    assert (first["policy"], first["article"]) == ("travel", 12)
    assert (second["policy"], second["article"]) == ("travel", 13)
    assert third["table"] == "lodging"
    assert (fourth["label"], fourth["policy"], fourth["table"]) == ("《别的办法》第三条", None, None)


def test_details_count_only_for_the_same_label() -> None:
    reader = values.SourceReader([POLICY], [])
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
