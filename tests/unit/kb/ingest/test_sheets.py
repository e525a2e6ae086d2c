"""Cells out of files: whatever Excel and its relatives write, in every encoding that offices save."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from core.errors import InvalidInput
from kb.ingest.rows import Display, Unusable
from kb.ingest.sheets import read_sheets
from tests.workbooks import workbook


def rows(tmp_path: Path, data: bytes, form: str = "xlsx") -> list[list[object]]:
    path = tmp_path / f"file.{form}"
    path.write_bytes(data)
    return [row.cells for sheet in read_sheets(path, form) for row in sheet.rows]


def test_values_are_texts_and_days(tmp_path: Path) -> None:
    cells = ["文字", 12.0, 0.5, True, datetime(2026, 1, 31, 8, 30), date(2026, 2, 1), None, " "]
    (found,) = rows(tmp_path, workbook([cells]))
    assert found == ["文字", "12", "0.5", "TRUE", date(2026, 1, 31), date(2026, 2, 1), None, None]


def test_numbers_as_the_sheet_shows_them(tmp_path: Path) -> None:
    shown = {
        "0%": "3%",
        "0.00%": "2.50%",
        "#,##0": "12,346",
        "_ ¥* #,##0.00_ ": "¥12,345.50",
        "0.00": "0.5",
        "General": "0.5",
    }
    numbers = [0.03, 0.025, 12345.5, 12345.5, 0.5, 0.5]

    def change(sheet: Worksheet) -> None:
        for cell, code in zip(sheet[1], shown, strict=True):
            cell.number_format = code

    (found,) = rows(tmp_path, workbook([numbers], change=change))
    assert [cell.shown if isinstance(cell, Display) else cell for cell in found] == list(shown.values())
    assert found[:3] == ["0.03", "0.025", "12345.5"], "the plain value is there too"


def test_where_a_cell_leads_to(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["A1"].hyperlink = "https://intra.example.com/a?b=1&c=2"
        sheet["B1"].hyperlink = "#表2!A1"
        sheet.merge_cells("C1:C2")
        sheet["C1"].hyperlink = "mailto:fssc@example.com"

    first, second = rows(tmp_path, workbook([["见制度", "内部", "写信"], ["下"]], [["没有"]], change=change))[:2]
    assert isinstance(first[0], Display) and first[0].link == "https://intra.example.com/a?b=1&c=2"
    assert first[1] == "内部" and not isinstance(first[1], Display), "a place in the same workbook is no address"
    assert isinstance(second[2], Display) and second[2].link == "mailto:fssc@example.com"


def test_formulas_give_what_excel_showed(tmp_path: Path) -> None:
    plain = workbook([["标准问", "答案"], ["甲", "=1+1"], ["乙", '="a"']])
    calculated = _rewritten(plain, lambda xml: re.sub(rb"<f>1\+1</f><v(?: ?/>|></v>)", rb"<f>1+1</f><v>2</v>", xml))
    assert b"<v>2</v>" in zipfile.ZipFile(io.BytesIO(calculated)).read("xl/worksheets/sheet1.xml")
    _, first, second = rows(tmp_path, calculated)
    assert first == ["甲", "2"]
    assert isinstance(second[1], Unusable) and "公式" in second[1].reason


def test_errors_are_told(tmp_path: Path) -> None:
    def broken(sheet: Worksheet) -> None:
        sheet["B2"] = "#N/A"
        sheet["B2"].data_type = "e"

    _, row = rows(tmp_path, workbook([["标准问", "答案"], ["甲", "x"]], change=broken))
    assert isinstance(row[1], Unusable) and "#N/A" in row[1].reason


def _rewritten(data: bytes, change) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name.endswith("sheet1.xml") else old.read(name))
    return made.getvalue()


def test_merged_cells_are_filled_down_and_told_across(tmp_path: Path) -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A2:A4")
        sheet.merge_cells("B2:B4")
        sheet.merge_cells("A6:C6")

    data = workbook(
        [
            ["标准问", "答案", "相似问"],
            ["甲", "答", "一"],
            [None, None, "二"],
            [None, None, "三"],
            ["乙", "答2"],
            ["小标题"],
        ],
        change=merge,
    )
    path = tmp_path / "file.xlsx"
    path.write_bytes(data)
    found = [row for sheet in read_sheets(path, "xlsx") for row in sheet.rows]
    assert [row.cells for row in found[1:4]] == [["甲", "答", "一"], ["甲", "答", "二"], ["甲", "答", "三"]]
    assert found[4].merged == () and found[5].merged == ((0, 2),)


def test_a_merge_over_a_million_rows_costs_nothing(tmp_path: Path) -> None:
    merges = b'</sheetData><mergeCells count="1"><mergeCell ref="A2:XFD1048576"/></mergeCells>'
    data = workbook([["标准问", "答案"], ["甲", "乙"], [None, "丙"]])
    data = _rewritten(data, lambda xml: xml.replace(b"</sheetData>", merges))
    assert rows(tmp_path, data)[1:] == [["甲", "乙"], ["甲", "丙"]]


def test_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden"

    assert rows(tmp_path, workbook([["藏"]], [["看"]], change=hide)) == [["看"]]


def test_rich_text_is_text(tmp_path: Path) -> None:
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    book = Workbook()
    book.active["A1"] = CellRichText("先", TextBlock(InlineFont(b=True), "提交"), "后审批")
    book.active["A1"].font = Font(bold=True)
    made = io.BytesIO()
    book.save(made)
    assert rows(tmp_path, made.getvalue()) == [["先提交后审批"]]


def test_a_damaged_sheet_says_so(tmp_path: Path) -> None:
    cut = _rewritten(workbook([["a"] * 50] * 50), lambda xml: xml[: len(xml) // 2])
    with pytest.raises(InvalidInput, match="损坏"):
        rows(tmp_path, cut)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_and_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = f'标准问{delimiter}答案\r\n"怎么,报;销\t呢"{delimiter}"第一行\n第二行, ""引号"""\r\n'
    assert rows(tmp_path, text.encode(encoding), "csv") == [
        ["标准问", "答案"],
        ["怎么,报;销\t呢", '第一行\n第二行, "引号"'],
    ]


def test_the_delimiter_may_be_named(tmp_path: Path) -> None:
    assert rows(tmp_path, "sep=|\n问题|回答\n甲,乙|丙\n".encode(), "csv")[1:] == [["问题", "回答"], ["甲,乙", "丙"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('问题;回答;类型\n甲;"一\n二";付款\n"乙;丙;付款\n丁;戊;付款\n"己吗";庚;付款\n', 4),
        ('问题;回答;类型\n甲;"乙;付款\n丙;丁;付款\n', 2),
        ('问题;回答;类型\n"甲;乙;付款\n丙;丁;付款\n戊;己;5"\n', 2),
    ],
)
def test_a_quote_that_is_not_closed_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InvalidInput, match=f"第 {line} 行开始的引号没有成对"):
        rows(tmp_path, text.encode("gb18030"), "csv")


def test_quotes_inside_a_cell_and_cells_of_many_lines_are_fine(tmp_path: Path) -> None:
    text = '问题,回答,类型\n甲,"请核对""户名"",\n再提交,\n谢谢",付款\n5"屏幕,乙\n'
    assert rows(tmp_path, text.encode(), "csv")[1:] == [
        ["甲", '请核对"户名",\n再提交,\n谢谢', "付款"],
        ['5"屏幕', "乙"],
    ]


def test_a_large_sheet_needs_little_memory(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for n in range(8000):
        sheet.append([f"第{n}个问题", "同样长的答案" * 20])
    path = tmp_path / "file.xlsx"
    book.save(path)
    unpacked = sum(part.file_size for part in zipfile.ZipFile(path).infolist())
    tracemalloc.start()
    try:
        assert sum(1 for sheet in read_sheets(path, "xlsx") for _ in sheet.rows) == 8000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < unpacked * 1.5, f"{peak / unpacked:.1f} times the sheet"
