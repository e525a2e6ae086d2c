"""A table says of the cases that a question names what it says of them, and nothing where it names none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kb.tables import MOST_ROWS, as_of, edition, rows_named, told, with_edition

TODAY = date(2026, 11, 23)
CITIES = ("成都", "张家口", "吉林", "其他城市")
LODGING: dict[str, Any] = {
    "id": "lodging",
    "title": "住宿费限额标准表",
    "unit": "元/人·天",
    "effective_from": "2026-01-01",
    "dimensions": [{"name": "city"}, {"name": "level"}],
    "rows": [
        {"city": city, "level": level, "value": value}
        for city in CITIES
        for level, value in (("部门负责人", 470), ("其他人员", 370))
    ]
    + [{"city": "张家口", "level": "其他人员", "value": 525, "months": [7, 8], "checked": False}],
}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("成都住宿限额多少", ["- 成都 · 部门负责人：470", "- 成都 · 其他人员：370"]),
        ("其他人员去 成都 ，住哪", ["- 成都 · 其他人员：370"]),
        ("張家口 其他人员", ["- 张家口 · 其他人员：370", "- 张家口 · 其他人员（7、8月）：525"]),
        ("其他城市的部门负责人", ["- 其他城市 · 部门负责人：470"]),
        ("住宿标准", []),
        ("拉萨住宿标准", []),
        ("办成都可以报销", []),
        ("吉林省延边住哪", []),
        ("吉林市其他人员", ["- 吉林 · 其他人员：370"]),
        ("8月去张家口，其他人员", ["- 张家口 · 其他人员（7、8月）：525"]),
        ("张家口 其他人员 七月到九月", ["- 张家口 · 其他人员：370", "- 张家口 · 其他人员（7、8月）：525"]),
        ("张家口 其他人员 12月", ["- 张家口 · 其他人员：370"]),
    ],
)
def test_the_rows_that_a_question_names(text: str, lines: list[str]) -> None:
    found = told([LODGING], text, TODAY)
    assert [line for line in found.splitlines() if line.startswith("- ")] == lines
    assert found.startswith("《住宿费限额标准表》（元/人·天）：") if lines else found == ""


SEASONS: dict[str, Any] = {
    **LODGING,
    "dimensions": [{"name": "city"}, {"name": "season"}],
    "rows": [
        {"city": "南宁", "season": "平季", "value": 350},
        {"city": "西安", "season": "平季", "value": 350},
        {"city": "海口", "season": "平季", "value": 350},
        {"city": "海口", "season": "旺季", "value": 450, "months": [11, 12, 1, 2]},
        {"city": "三亚", "season": "平季", "value": 400},
        {"city": "三亚", "season": "旺季", "value": 480, "months": [10, 11, 12, 1, 2, 3, 4]},
    ],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("湖南宁乡住宿", []),
        ("陕西安康住宿", []),
        ("广西南宁住宿", [350]),
        ("海口住宿", [350, 450]),
        ("海口12月25日住宿", [450]),
        ("海口和三亚3月住宿", [350, 480]),
        ("2-3月去海口", [350, 450]),
        ("12-1月去海口", [450]),
        ("西安12月", [350]),
        ("在三亚住3个月", [400, 480]),
    ],
)
def test_the_month_that_a_question_names_decides_the_season(text: str, found: list[int]) -> None:
    assert [row["value"] for row in rows_named(SEASONS, text)] == found


def test_of_cities_without_seasons_none_gives_way_to_one_that_has() -> None:
    rows = [{"city": "北京", "value": 1}, {"city": "上海", "value": 2}, {"city": "三亚", "value": 3, "months": [12]}]
    alone = {**LODGING, "dimensions": [{"name": "city"}], "rows": rows}
    assert [row["value"] for row in rows_named(alone, "12月北京和三亚")] == [1, 3]


def test_levels_in_letters_are_read_whole_and_in_any_case() -> None:
    rows = [{"level": level, "value": n} for n, level in enumerate(("P1", "P7", "10人以下"))]
    levels = {**LODGING, "dimensions": [{"name": "level"}], "rows": rows}
    assert [row["value"] for row in rows_named(levels, "p7能住多少")] == [1]
    assert rows_named(levels, "P10能住多少") == rows_named(levels, "110人以下") == []


def test_more_than_a_few_rows_are_no_answer() -> None:
    many = {
        **LODGING,
        "rows": [{"city": f"城市{n:02d}", "level": "其他人员", "value": n} for n in range(MOST_ROWS + 1)],
    }
    assert len(rows_named(many, "其他人员")) == MOST_ROWS + 1
    assert told([many], "其他人员", TODAY) == ""


def test_a_table_that_is_not_in_force_says_nothing() -> None:
    for dates in ({"effective_from": "2027-01-01"}, {"effective_to": "2026-11-22"}):
        assert told([{**LODGING, **dates}], "成都", TODAY) == ""
    assert told([{**LODGING, "effective_to": "2026-11-23"}], "成都", TODAY)


def test_a_row_of_several_values_names_them_and_words_have_no_unit() -> None:
    allowance = {
        "id": "a",
        "title": "补助表",
        "unit": "元/天",
        "dimensions": [{"name": "地区"}],
        "rows": [{"地区": "西藏", "伙食": 120, "交通": 80}],
    }
    vehicles = {
        "id": "v",
        "title": "等级表",
        "unit": "等级",
        "dimensions": [{"name": "工具"}],
        "rows": [{"工具": "飞机", "value": "经济舱"}],
    }
    found = told([allowance, vehicles], "坐飞机去西藏", TODAY)
    assert found == "《补助表》（元/天）：\n\n- 西藏：伙食 120，交通 80\n\n《等级表》：\n\n- 飞机：经济舱"


def of(since: str | None, value: int, version: str = "", **more: Any) -> dict[str, Any]:
    rows = [{"city": "成都", "value": value}]
    source = {"name": "《差旅费管理办法》", "policy": "travel", "article": 2}
    table = {"id": "lodging", "title": "住宿费限额标准表", "unit": "元", "effective_from": since, "version": version}
    return {**table, "source": source, "dimensions": [{"name": "city"}], "rows": rows, **more}


def values(table: dict[str, Any], *days: date) -> list[int | None]:
    found = [edition(table, day) for day in days]
    return [one["rows"][0]["value"] if one else None for one in found]


NEW_YEAR, SPRING = date(2027, 1, 1), date(2027, 3, 1)
DAYS = (TODAY, date(2026, 12, 31), NEW_YEAR, date(2027, 2, 28), SPRING)


def test_an_edition_to_come_leaves_the_one_in_force_until_its_day() -> None:
    table = with_edition(of("2026-01-01", 370, "1"), of("2027-01-01", 400, "2"), TODAY)
    assert (table["version"], values(table, *DAYS)) == ("2", [370, 370, 400, 400, 400])
    assert told([table], "成都", TODAY).endswith("- 成都：370") and told([table], "成都", NEW_YEAR).endswith(
        "- 成都：400"
    )
    table = with_edition(table, of("2027-03-01", 450, "3"), TODAY)
    assert (table["version"], values(table, *DAYS)) == ("3", [370, 370, 400, 400, 450])
    assert all("earlier" not in one for one in table["earlier"])


@pytest.mark.parametrize(
    ("renewed", "expected"),
    [
        (of("2027-03-01", 410, "2"), [370, 370, 370, 370, 410]),  # Its version was put off.
        (of("2027-01-01", 410, "2a"), [370, 370, 410, 410, 410]),
        (of("2026-06-01", 380, "1a"), [380, 380, 400, 400, 400]),  # One that has begun leaves what is to come.
        (of(None, 390), [390, 390, 400, 400, 400]),
        (of("2026-11-23", 410, "2"), [410, 410, 410, 410, 410]),
    ],
)
def test_an_edition_is_renewed_in_its_place(renewed: dict[str, Any], expected: list[int]) -> None:
    stored = with_edition(of("2026-01-01", 370, "1"), of("2027-01-01", 400, "2"), TODAY)
    assert values(with_edition(stored, renewed, TODAY), *DAYS) == expected


def test_what_is_over_is_not_kept() -> None:
    stored = with_edition(of("2026-01-01", 370, "1"), of("2027-01-01", 400, "2"), TODAY)
    assert with_edition(stored, of("2027-03-01", 450, "3"), SPRING) == of("2027-03-01", 450, "3")
    assert with_edition(of("2026-01-01", 370, "1"), of(None, 390), TODAY) == of(None, 390)
    ended = with_edition(of("2026-01-01", 370, effective_to="2026-11-30"), of("2027-01-01", 400, "2"), TODAY)
    assert values(ended, *DAYS) == [370, None, 400, 400, 400]


def test_what_is_shown_is_what_holds_today_and_what_comes_after_it() -> None:
    old, new = of("2026-01-01", 370, "1"), of("2027-01-01", 400, "2")
    table = with_edition(old, new, TODAY)
    assert as_of(table, TODAY) == {**old, "coming": [new]}
    assert as_of(table, NEW_YEAR) == new
    assert as_of(new, TODAY) == new, "of nothing else there is anything to show"
