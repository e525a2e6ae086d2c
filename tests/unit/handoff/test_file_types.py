"""Attachments: what a file is, whatever it is called; and what it may be called."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from core.errors import InvalidInput
from handoff.attachments import safe_name
from handoff.file_types import ACCEPTED, file_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
BITMAP = b"BM" + (40).to_bytes(4, "little") + bytes(34)


def package(*parts: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for part in parts:
            archive.writestr(part, "x")
    return made.getvalue()


GOOD = [
    ("发票.pdf", b"%PDF-1.7\n", "application/pdf"),
    ("a.png", PNG, "image/png"),
    ("a.JPG", b"\xff\xd8\xff\xe0xx", "image/jpeg"),
    ("a.jpeg", b"\xff\xd8\xff\xe0xx", "image/jpeg"),
    ("a.gif", b"GIF89a..", "image/gif"),
    ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ("a.bmp", BITMAP, "image/bmp"),
    ("a.tif", b"II*\x00rest", "image/tiff"),
    ("电子发票.ofd", package("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
    ("a.docx", package("[Content_Types].xml", "word/document.xml"), "wordprocessingml.document"),
    ("a.xlsx", package("[Content_Types].xml", "xl/workbook.xml"), "spreadsheetml.sheet"),
    ("a.pptx", package("[Content_Types].xml", "ppt/presentation.xml"), "presentationml.presentation"),
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "ole"),
    ("说明.txt", "请见附件\n第二行".encode(), "text/plain"),
    ("说明.csv", "单号,金额\nBX1,3.5".encode("gb18030"), "text/plain"),
    ("数电票.xml", b'<?xml version="1.0"?><EInvoice>1</EInvoice>', "application/xml"),
]
BAD = [
    ("a.pdf", PNG, "file_type_mismatch"),
    ("a.png", b"%PDF-1.7\n", "file_type_mismatch"),
    ("a", PNG, "file_type_mismatch"),
    ("a.png.exe", PNG, "file_type_mismatch"),
    ("a.exe", b"MZ\x90\x00\x03", "file_type"),
    ("a.pdf", b"MZ\x90\x00\x03", "file_type"),
    ("a.html", b"<html><script>alert(1)</script>", "file_type"),
    ("a.txt", b"<html><script>alert(1)</script>", "file_type"),
    ("a.txt", b"  <!DOCTYPE html>", "file_type"),
    ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "file_type"),
    ("a.xml", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "file_type"),
    ("a.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a/>', "file_type"),
    ("a.xml", b'<?xml version="1.0"?><?xml-stylesheet href="x"?><a/>', "file_type"),
    ("a.zip", package("report.txt"), "file_type"),
    ("a.docx", package("report.txt"), "file_type"),
    ("a.docx", package("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "file_type"),
    ("a.xlsx", package("[Content_Types].xml", "word/document.xml"), "file_type_mismatch"),
    ("a.ofd", package("OFD.xml", "run.exe"), "file_type"),
    ("a.docx", b"PK\x03\x04broken", "file_type"),
    ("a.bmp", b"BM not a picture", "file_type_mismatch"),
    ("a.txt", b"a\x00b", "file_type"),
    ("a.txt", b"\xff\xfe\x81\xff", "file_type"),
    ("a.sh", b"#!/bin/sh\nrm -rf /", "file_type_mismatch"),
]


@pytest.mark.parametrize(("name", "content", "media"), GOOD, ids=lambda value: value if isinstance(value, str) else "")
def test_what_finance_sends_is_taken(tmp_path: Path, name: str, content: bytes, media: str) -> None:
    path = tmp_path / "made-up"
    path.write_bytes(content)
    assert media in file_type(path, name)


@pytest.mark.parametrize(("name", "content", "code"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_what_pretends_or_could_run_is_not(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / "made-up"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        file_type(path, name)
    assert refused.value.code == code


def test_every_accepted_ending_has_a_good_example() -> None:
    endings = {name.rpartition(".")[2].lower() for name, _, _ in GOOD}
    assert endings | {"tiff", "doc", "ppt", "msg", "log", "md"} == set(ACCEPTED)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("发票 2026.pdf", "发票 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\li\\发票.pdf", "发票.pdf"),
        ("a\x00b\r\nSet-Cookie: x.pdf", "abSet-Cookie_ x.pdf"),
        ("发票\u202efdp.exe", "发票fdp.exe"),
        ('a"b;c.pdf', "a_b;c.pdf"),
        ("ｆｕｌｌ．ｐｄｆ", "full.pdf"),
        ("..", "附件"),
        ("", "附件"),
        ("/", "附件"),
        ("<script>.png", "_script_.png"),
        ("长" * 300 + ".pdf", "长" * 91 + ".pdf"),
        ("长" * 300, "长" * 100),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
