"""What is refused before anything parses it, and what the person is told."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.errors import InvalidInput
from kb.ingest import guard
from tests.ingesters import ole, package
from tests.workbooks import workbook

BOOK = workbook([["标准问", "答案"], ["甲", "乙"]])
WORD = package({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
ZIP = package({"a.txt": b"x"})
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def inspected(tmp_path: Path, name: str, data: bytes) -> str:
    path = tmp_path / "upload"
    path.write_bytes(data)
    return guard.inspect(path, name)


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("问答.xlsx", BOOK, "xlsx"),
        ("问答.XLSX", BOOK, "xlsx"),
        ("制度.docx", WORD, "docx"),
        ("制度.pdf", PDF, "pdf"),
        ("问答.csv", "标准问,答案\n甲,乙".encode("gb18030"), "csv"),
        ("制度.htm", b"<html><body>x</body></html>", "html"),
        ("制度.md", "# 制度".encode("utf-16"), "md"),
        ("BMI.txt", b"BM is how this text begins", "txt"),
    ],
)
def test_good_files_are_known_by_content_and_name(tmp_path: Path, name: str, data: bytes, form: str) -> None:
    assert inspected(tmp_path, name, data) == form


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("问答.xlsx", b"", "空的"),
        ("问答.csv", "\ufeff \r\n,,;\n".encode(), "没有内容"),
        ("问答.xlsx", ole("EncryptedPackage"), "取消密码"),
        ("制度.docx", ole("EncryptedPackage"), "取消密码"),
        ("问答.xlsx", ole("Workbook"), "旧版 Office"),
        ("问答.xls", ole("Workbook"), "另存为 .xlsx"),
        ("问答.xls", BOOK, "另存为 .xlsx"),
        ("制度.doc", ole("WordDocument"), "旧版 Office"),
        ("问答.xlsb", ZIP, "另存为 .xlsx"),
        ("问答.xlsm", BOOK, "宏"),
        ("制度.docm", WORD, "宏"),
        ("问答.xlsx", WORD, "实际是Word"),
        ("制度.docx", BOOK, "实际是Excel"),
        ("问答.xlsx", ZIP, "压缩包"),
        ("问答.xlsx", PDF, "实际是PDF"),
        ("问答.xlsx", "标准问,答案".encode(), "实际是文本"),
        ("问答.csv", BOOK, "实际是Excel"),
        ("制度.pdf", WORD, "不符"),
        ("制度.txt", PDF, "实际是PDF"),
        ("制度.txt", bytes(range(256)) * 20, "不是可读的文本"),
        ("问答.xlsx", BOOK[: len(BOOK) // 2], "损坏"),
        ("制度.pdf", b"%PDF-1.4\nnothing else", "损坏"),
        ("照片.png", b"\x89PNG\r\n", "不支持扩展名 .png"),
        ("无扩展名", b"x", "没有扩展名"),
        (".csv", b"x", "没有扩展名"),
    ],
)
def test_refusals_say_what_to_do(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        inspected(tmp_path, name, data)


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "customUI/vbaProject.bin"])
def test_macros_are_found_inside_an_innocent_name(tmp_path: Path, part: str) -> None:
    with pytest.raises(InvalidInput, match="宏"):
        inspected(tmp_path, "问答.xlsx", package({"xl/workbook.xml": b"<workbook/>", part: b"x"}))


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'
    for data in (laughs, laughs.decode().encode("utf-16"), b" " * 5000 + laughs):
        with pytest.raises(InvalidInput, match="XML"):
            inspected(tmp_path, "问答.xlsx", package({"xl/workbook.xml": data}))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(64):
                part.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(InvalidInput, match="异常庞大"):
        guard.inspect(path, "bomb.xlsx")


def test_very_many_parts_are_a_bomb(tmp_path: Path) -> None:
    parts = {f"xl/media/{n}": b"" for n in range(guard.MOST_PARTS)}
    with pytest.raises(InvalidInput, match="异常庞大"):
        inspected(tmp_path, "问答.xlsx", package({"xl/workbook.xml": b"<workbook/>", **parts}))


def test_a_repetitive_sheet_is_no_bomb(tmp_path: Path) -> None:
    rows = [["标准问", "答案"], *([f"问题{n}", "同样的答案，" * 30] for n in range(3000))]
    assert inspected(tmp_path, "问答.xlsx", workbook(rows)) == "xlsx"


def test_sixty_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with path.open("wb") as file:
        file.truncate(60 * 2**20)
    with pytest.raises(InvalidInput, match="60 MB.*50 MB"):
        guard.inspect(path, "制度.pdf")


def test_a_pdf_with_a_password(tmp_path: Path) -> None:
    from fpdf import FPDF

    document = FPDF()
    document.set_encryption(owner_password="o", user_password="u")
    document.add_page()
    document.set_font("helvetica")
    document.cell(text="secret")
    with pytest.raises(InvalidInput, match="密码"):
        inspected(tmp_path, "制度.pdf", bytes(document.output()))
