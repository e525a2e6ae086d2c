"""Cells out of files: whatever Excel and its relatives write, in every encoding that offices save."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import PIL.Image
import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from core.errors import InvalidInput
from kb.ingest.figures import number_format
from kb.ingest.guard import inspect
from kb.ingest.moments import moment_shown
from kb.ingest.rows import Display, Struck, Unusable
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


def test_strict_packages_are_refused_with_what_to_do(tmp_path: Path) -> None:
    usual, strict = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/main"
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([["标准问", "答案"]]))) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(usual.encode(), strict.encode()))
    data = made.getvalue()
    (tmp_path / "x.xlsx").write_bytes(data)
    with pytest.raises(InvalidInput, match="另存为普通的“Excel 工作簿"):
        inspect(tmp_path / "x.xlsx", "x.xlsx")


def noted(tmp_path: Path, data: bytes) -> list[tuple[list[object], tuple[str, ...]]]:
    (tmp_path / "n.xlsx").write_bytes(data)
    return [(row.cells, row.notes) for sheet in read_sheets(tmp_path / "n.xlsx", "xlsx") for row in sheet.rows]


def test_what_is_struck_out_is_not_read(tmp_path: Path) -> None:
    plain, struck = InlineFont(), InlineFont(strike=True)

    def change(sheet: Worksheet) -> None:
        sheet["A2"].font = Font(strike=True)
        sheet["B2"] = CellRichText(TextBlock(struck, "500元"), TextBlock(plain, "600元"))
        sheet["C2"] = CellRichText("按", TextBlock(struck, " "), "新标准")
        sheet["A3"] = CellRichText(TextBlock(struck, "旧问法"))
        sheet["B3"].font = Font(strike=True)
        sheet["B3"] = CellRichText("旧", TextBlock(plain, "新"))
        sheet["C3"].font = Font(strike=True)

    rows = [["甲", "乙", "丙"], ["旧", "x", "y"], ["x", "y", 500]]
    _, (first, told), (second, also) = noted(tmp_path, workbook(rows, change=change))
    assert isinstance(first[0], Struck) and first[1:] == ["600元", "按新标准"]
    assert told == ("B 列带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入",)
    assert isinstance(second[0], Struck) and second[1] == "新" and isinstance(second[2], Struck)
    assert len(also) == 1


def test_raised_figures_stay_apart(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        raised, lowered = InlineFont(vertAlign="superscript"), InlineFont(vertAlign="subscript")
        sheet["A1"] = CellRichText("限额800元", TextBlock(raised, "1"), "每天")
        sheet["B1"] = CellRichText("CO", TextBlock(lowered, "2"), TextBlock(raised, "注"))

    ((cells, told),) = noted(tmp_path, workbook([["x", "y"]], change=change))
    assert cells == ["限额800元¹每天", "CO₂注"]
    assert "A 列有上标或下标“1”" in told[0] and "B 列有上标或下标“2、注”" in told[1]


def test_pictures_and_comments_are_told_with_their_row(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        for place in ("B2", "B4"):
            picture = io.BytesIO()
            PIL.Image.new("RGB", (9, 9)).save(picture, "png")
            sheet.add_image(Image(picture), place)
        sheet["A3"].comment = Comment("2026年起\n改为60天", "张三")

    rows = [["问题", "答案"], ["甲", "见下图"], ["乙", "30天"], [], ["丙", "丁"]]
    _, (_, first), (_, second), (_, third) = noted(tmp_path, workbook(rows, change=change))
    assert first == ("B 列处的图片没有读取；图里的内容请写成文字",)
    assert second == ("A 列的批注没有读取：2026年起 改为60天", "第 4 行 B 列处的图片没有读取；图里的内容请写成文字")
    assert third == ()


def test_an_embedded_picture_is_no_text(tmp_path: Path) -> None:
    (cells,) = rows(tmp_path, workbook([["甲", '_xlfn.DISPIMG("ID_0A1B",1)']]))
    assert isinstance(cells[1], Unusable) and "图片" in cells[1].reason


def test_the_address_of_a_link_by_formula(tmp_path: Path) -> None:
    plain = workbook([["甲", '=HYPERLINK("https://oa.example.com/a.docx","下载")', "=HYPERLINK(A1)"]])
    data = _rewritten(
        plain,
        lambda xml: re.sub(rb"(</f>)<v(?: ?/>|></v>)", "\\1<v>下载</v>".encode(), xml).replace(
            b"><f>", b' t="str"><f>'
        ),
    )
    ((cells, told),) = noted(tmp_path, data)
    assert isinstance(cells[1], Display) and (cells[1], cells[1].link) == ("下载", "https://oa.example.com/a.docx")
    assert told == ("C 列的链接由公式得出，没有导入",)


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ('0"元/天"', 500, "500元/天"),
        ('0.0"万元"', 1.5, "1.5万元"),
        ("0元", 500, "500元"),
        ('General"人"', 2.5, "2.5人"),
        ("G/通用格式\\天", 3, "3天"),
        ('"约"#,##0.0#', 1234.5, "约1,234.5"),
        ("0\\%", 5, "5%"),
        ("0.0%", 0.125, "12.5%"),
        ("00000", 123, "00123"),
        ("#,##0.00;[Red]-#,##0.00", -1234.5, "-1,234.50"),
        ("#,##0", -1234.0, "-1,234"),
        ("_ ¥* #,##0.00_ ;_ ¥* \\-#,##0.00_ ", -5, "¥-5.00"),
        ('_-* #,##0_-;-* #,##0_-;_-* "-"??_-;_-@_-', 1200, "1,200"),
        ('"可以";;"不可以"', 0, "不可以"),
        ('[=1]"可以";[=0]"不可以";General', 1, None),
        ("# ?/?", 0.5, None),
        ("0.0,", 1500, None),
        ("[DBNum1]0", 5, None),
    ],
)
def test_words_of_a_number_format(code: str, number: float, shown: str | None) -> None:
    form = number_format(code)
    assert form is not None and form.show(number) == shown


@pytest.mark.parametrize("code", ["General", "0", "0.00", "@", "#", "0_ ", "[Red]0.0"])
def test_a_format_that_shows_the_number_alone(code: str) -> None:
    assert number_format(code) is None


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('d"日"', "25日"),
        ("m月d日", "1月25日"),
        ('[$-804]m"月"d"日" h:mm', "1月25日 17:00"),
        ("yyyy/m/d h:mm", "2026-01-25 17:00"),
        ("yyyy-mm-dd", "2026-01-25"),
        ('yyyy"年"m"月"', "2026年1月"),
        ("aaaa", "星期日"),
        ("上午/下午h时mm分", "下午5时00分"),
        ("mmm-yy", None),
    ],
)
def test_parts_of_a_day(code: str, shown: str | None) -> None:
    assert moment_shown(code, datetime(2026, 1, 25, 17)) == shown
