"""What a FAQ sheet may not bring: what is not for everybody, out of use, or no answer. It stays out and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.database import Database
from kb.ingest.imports import FAILED
from kb.ingest.report import write_report
from tests.ingesters import read
from tests.integration.test_import_faq import STAY, applied, by_question, csv, keep, shown, stored
from tests.workbooks import workbook


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("查阅权限", "仅财务总监"),
        ("是否对外", "否"),
        ("可对员工", "否"),
        ("公司名称", "华晟重工"),
        ("部门", "仅财务部"),
        ("级别", "秘密"),
        ("备注", "内部掌握，勿外传"),
        ("类型", "机密"),
        ("华东公司", "√"),
    ],
)
def test_a_row_that_is_not_for_everybody_says_for_whom_or_stays_out(database: Database, header: str, cell: str) -> None:
    row = read(database, "问答.csv", csv(f"问题,答案,{header}", f"甲,答,“{cell}”".replace("“", '"').replace("”", '"')))
    (line,) = shown(database, row.id)
    assert line["action"] == "invalid" and "可见公司" in line["message"] and cell in line["message"]


def test_a_row_that_says_for_whom_may_be_marked_as_internal(database: Database) -> None:
    row = read(database, "问答.csv", csv("问题,答案,备注,可见公司", "甲,答,内部资料,1000", "乙,答,内部资料,全部"))
    assert row.counts["create"] == 2


@pytest.mark.parametrize("where", ["file", "sheet", "title", "section", "header"])
def test_secrecy_that_is_told_outside_of_the_columns_counts(database: Database, where: str) -> None:
    rows: list[list[Any]] = [["问题", "答案", "可见公司"], ["甲", "答", None], ["乙", "答", "1000"]]

    def change(sheet: Any) -> None:
        if where == "sheet":
            sheet.title = "仅财务部可见"
        if where == "section":
            sheet.merge_cells("A2:C2")

    if where == "title":
        rows.insert(0, ["财务常见问题（仅限财务部内部使用，禁止外传）"])
    if where == "section":
        rows.insert(1, ["一、仅财务部可见"])
    if where == "header":
        rows[0][1] = "答案（内部口径，勿外传）"
    name = "财务问答（内部资料）.xlsx" if where == "file" else "财务问答.xlsx"
    row = read(database, name, workbook(rows, change=change))
    first, second = shown(database, row.id)
    assert first["action"] == "invalid" and "不能当作全员可见" in first["message"]
    assert second["action"] == "create"


def test_a_section_for_some_ends_with_the_next_one(database: Database) -> None:
    rows = [["问题", "答案"], ["一、仅财务部可见"], ["甲", "答"], ["二、报销"], ["乙", "答"]]

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A2:B2")
        sheet.merge_cells("A4:B4")

    row = read(database, "问答.xlsx", workbook(rows, change=merge))
    assert [line["action"] for line in shown(database, row.id)] == ["invalid", "create"]


@pytest.mark.parametrize(
    "header",
    [["问题", "答案（内部口径，勿外传）", "答案（对外口径）"], ["问题", "答案", "标准答复"], ["问题", "答案", None]],
)
def test_of_two_answers_none_is_taken(database: Database, header: list[str | None]) -> None:
    def merge(sheet: Any) -> None:
        if header[2] is None:
            sheet.merge_cells("B1:C1")

    rows = [header, ["甲", "一个", "另一个"], ["乙", "一个", None]]
    row = read(database, "问答.xlsx", workbook(rows, change=merge))
    first, second = shown(database, row.id)
    assert first["action"] == "invalid" and "B 列" in first["message"] and "C 列" in first["message"]
    assert second["action"] == ("invalid" if "内部" in header[1] else "create")


def test_blocks_of_questions_side_by_side_are_refused(database: Database) -> None:
    row = read(database, "问答.csv", csv("问题,答案,,问题,答案", "甲,答甲,,乙,答乙"))
    (line,) = shown(database, row.id)
    assert line["action"] == "invalid" and "E 列“答案”都可能是“答案”" in line["message"]


@pytest.mark.parametrize(
    ("header", "cell"),
    [("状态", "停用"), ("是否有效", "N"), ("审核状态", "未审核"), ("废止", "是"), ("备注", "已停用，勿发布")],
)
def test_a_row_that_is_out_of_use_stays_out_and_says_so(database: Database, header: str, cell: str) -> None:
    keep(database, STAY)
    lines = (f"编号,问题,答案,{header}", f'{STAY.id},甲,新答案,"{cell}"', "t-9,乙,答,")
    row = read(database, "问答.csv", csv(*lines))
    first, second = shown(database, row.id)
    assert first["action"] == "invalid" and f"“{header}”列写着“{cell}”，没有导入" in first["message"]
    assert f"编号 {STAY.id} 的条目没有改动" in first["message"]
    assert second["action"] == "create"
    applied(database, row.id)
    assert stored(database)[STAY.id].answer == STAY.answer


def test_a_sheet_that_is_out_of_use_is_passed_over_and_told(database: Database, tmp_path: Path) -> None:
    def rename(sheet: Any) -> None:
        sheet.title = "2024版（已废止）"

    old, new = [["问题", "答案"], ["甲", "300元"]], [["问题", "答案"], ["甲", "500元"]]
    row = read(database, "问答.xlsx", workbook(old, new, change=rename))
    assert (row.counts["create"], row.counts["open"]) == (1, 0)
    assert "“2024版（已废止）”从名称看已经停用" in row.summary["notes"][0]
    path = tmp_path / "report.xlsx"
    with database.read() as session:
        write_report(session, row, path)
    assert "已经停用" in str(list(load_workbook(path).active.iter_rows())[-1][9].value)
    alone = read(database, "问答.xlsx", workbook(old, change=rename))
    assert alone.state == FAILED and "已经停用" in (alone.error or "")


def test_what_the_sheet_hides_is_told(database: Database) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True

    rows = [["问题", "答案", "相似问"], ["甲", "答", "甲一"], ["乙", "答", None]]
    row = read(database, "问答.xlsx", workbook(rows, change=hide))
    first, second = shown(database, row.id)
    assert "隐藏" in second["message"] and first["message"] == ""
    assert "第 3 行共 1 行被隐藏" in row.summary["notes"][0] and "C 列被隐藏" in row.summary["notes"][1]


def test_a_period_in_one_cell(database: Database) -> None:
    lines = (
        "问题,答案,有效期,失效日期",
        "甲,答,2022年1月1日至2022年12月31日,",
        "乙,答,长期,",
        "丙,答,2026-01-01起,2026-06-30",
        "丁,答,三个月,",
        "戊,答,2026年,2026-06-30",
    )
    row = read(database, "问答.csv", csv(*lines))
    assert row.summary["ignored"] == []
    refused = {line["question"]: line["message"] for line in shown(database, row.id, "invalid")}
    assert set(refused) == {"丁", "戊"} and "三个月" in refused["丁"] and "2026-06-30" in refused["戊"]
    applied(database, row.id)
    found = {name: (str(one.effective_from), str(one.effective_to)) for name, one in by_question(database).items()}
    assert found == {
        "甲": ("2022-01-01", "2022-12-31"),
        "乙": ("None", "None"),
        "丙": ("2026-01-01", "2026-06-30"),
    }


def test_an_answer_that_says_nothing_is_refused(database: Database) -> None:
    answers = ["同上", "待定", "/", "-", "无", "见附件", "TODO", '=DISPIMG("ID_0A",1)', '\'=DISPIMG("ID_0A",1)']
    rows = [["问题", "答案", "附图"], *([f"问{n}", answer] for n, answer in enumerate(answers))]
    row = read(database, "问答.xlsx", workbook([*rows, ["甲", "可以", '=DISPIMG("ID_0A",1)']]))
    *refused, good = shown(database, row.id)
    assert {line["action"] for line in refused} == {"invalid"}
    assert "答案只写了“同上”" in refused[0]["message"] and "B 列是单元格里的图片" in refused[7]["message"]
    assert good["action"] == "create" and "C 列是单元格里的图片" in good["message"]


def test_answers_below_a_merged_question_are_one_answer_or_none(database: Database) -> None:
    def merge(sheet: Any) -> None:
        for cells in ("A2:A4", "A5:A6", "A7:A8", "A9:A10"):
            sheet.merge_cells(cells)

    rows = [
        ["问题", "答案", "城市", "可见公司", "序号"],
        ["住宿标准", "一线城市500", None, None, 1],
        [None, "二线城市400", None, None, 2],
        [None, "其他300", None, None, 3],
        ["餐补", "100", "北京", None, 4],
        [None, "80", "成都", None, 5],
        ["车补", "300", None, "1000", 6],
        [None, "200", None, "2000", 7],
        ["话补", "50", None, None, 8],
        [None, "待定", None, None, 9],
    ]
    row = read(database, "问答.xlsx", workbook(rows, change=merge))
    lines = {line["line"]: line for line in shown(database, row.id)}
    assert "第 2–4 行合为一条，答案接在一起" in lines[2]["message"] and 3 not in lines
    for line, why in ((5, "“城市”各行不同"), (6, "“城市”各行不同"), (9, "第 10 行不能导入"), (10, "第 10 行不能导入")):
        assert lines[line]["action"] == "invalid" and why in lines[line]["message"]
    assert {lines[7]["action"], lines[8]["action"]} == {"create"}
    applied(database, row.id)
    assert by_question(database)["住宿标准"].answer == "一线城市500\n二线城市400\n其他300"


def test_a_sentence_between_the_rows_is_told(database: Database) -> None:
    def merge(sheet: Any) -> None:
        sheet.merge_cells("A2:B2")
        sheet.merge_cells("A4:B4")

    rows = [["问题", "答案"], ["一、差旅"], ["甲", "答"], ["说明：以上标准仅适用于华东区。"]]
    row = read(database, "问答.xlsx", workbook(rows, change=merge))
    (note,) = row.summary["notes"]
    assert "第 4 行" in note and "仅适用于华东区" in note


def test_an_answer_without_a_question_is_told_with_the_row_above(database: Database) -> None:
    row = read(database, "问答.csv", csv("问题,答案", "住宿标准,一线城市500", ",二线城市400", "餐补,100"))
    first, second, third = shown(database, row.id)
    assert "第 3 行没有标准问" in first["message"] and first["action"] == "create"
    assert second["action"] == "invalid" and third["message"] == ""
