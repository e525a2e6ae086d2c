"""What may be opened at all: a file is looked at from outside before any reader parses it.

Every refusal is an InvalidInput that says in Chinese what is wrong and what to do about it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from core.errors import InvalidInput
from kb.ingest.decoding import decode

MOST_BYTES = 50 * 2**20
"""The largest file that may be imported."""
MOST_UNPACKED = 500 * 2**20
"""What an office file may hold unpacked: 50,000 long rows take a tenth of it."""
MOST_PARTS = 10_000
_MOST_RATIO = 200
_RATIO_COUNTS_FROM = 20 * 2**20

SHEETS = frozenset({"xlsx", "csv"})
_FORMATS = {
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".docx": "docx",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".md": "md",
    ".markdown": "md",
    ".txt": "txt",
}
_MAIN_PART = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}
_NAMES = {
    "xlsx": "Excel 表格（.xlsx）",
    "docx": "Word 文档（.docx）",
    "pdf": "PDF 文件（.pdf）",
    "zip": "压缩包",
    "ole": "旧版 Office 文件",
    "image": "图片",
    "text": "文本",
}
_OLD = {".xls": (".xlsx", "Excel"), ".doc": (".docx", "Word"), ".xlsb": (".xlsx", "Excel"), ".rtf": (".docx", "Word")}
_OLD |= {".et": (".xlsx", "WPS 表格"), ".ods": (".xlsx", "WPS 表格或 Excel"), ".numbers": (".xlsx", "Numbers")}
_OLD |= {".wps": (".docx", "WPS 文字"), ".odt": (".docx", "WPS 文字或 Word"), ".pages": (".docx", "Pages")}
_MACRO = {".xlsm": ".xlsx", ".xltm": ".xlsx", ".docm": ".docx", ".dotm": ".docx"}
_STRICT = b"http://purl.oclc.org/ooxml/"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


def inspect(path: Path, name: str) -> str:
    """The format of an uploaded file called `name`: xlsx, csv, docx, pdf, html, md or txt. Raises InvalidInput."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InvalidInput(too_large(size))
    if size == 0:
        raise InvalidInput("文件是空的，请检查后重新选择文件。")
    suffix = PurePosixPath(name).suffix.lower()
    with path.open("rb") as file:
        start = file.read(4096)
    content = _content(start)
    if content == "ole":
        _refuse_ole(path)
    if suffix in _MACRO:
        raise InvalidInput(f"文件可能带有宏，不能导入。请用 Office 另存为不含宏的 {_MACRO[suffix]} 后重试。")
    if suffix in _OLD:
        wanted, program = _OLD[suffix]
        raise InvalidInput(f"不支持 {suffix} 格式，请用 {program} 打开后另存为 {wanted} 再导入。")
    if suffix not in _FORMATS:
        raise InvalidInput(
            f"不支持{'扩展名 ' + suffix if suffix else '没有扩展名的文件'}，请使用 .xlsx、.csv（问答）"
            "或 .docx、.pdf、.html、.md、.txt（制度）文件。"
        )
    form = _FORMATS[suffix]
    if form in _MAIN_PART:
        _check_package(path, form, content)
    elif form == "pdf":
        _check_pdf(path, content)
    else:
        _check_text(path, suffix, content)
    return form


def too_large(size: int | None = None) -> str:
    """What a person is told whose file has `size` bytes, if that is known."""
    of_it = f"有 {size / 2**20:.0f} MB，" if size else ""
    return f"文件{of_it}超过了 {MOST_BYTES // 2**20} MB 的上限，请拆分成几个较小的文件，或删去图片后重试。"


def _content(start: bytes) -> str:
    if start.startswith(_OLE):
        return "ole"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    if b"%PDF-" in start[:1024]:
        return "pdf"
    if start.startswith(_IMAGES):
        return "image"
    return "text"


def _refuse_ole(path: Path) -> None:
    """A password turns an office file into the container that Office used before 2007."""
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise InvalidInput("文件设有打开密码，无法读取。请在 Office 中取消密码（文件 → 信息 → 保护）后重新保存并导入。")
    raise InvalidInput(
        "这是旧版 Office 格式（.xls 或 .doc）的文件。请用 Office 打开后另存为 .xlsx 或 .docx 再导入，只改扩展名不行。"
    )


def _differs(form: str, content: str) -> InvalidInput:
    wanted = _NAMES.get(form, "文本文件")
    return InvalidInput(
        f"文件的扩展名与内容不符：按扩展名应是{wanted}，实际是{_NAMES[content]}。请用对应的程序打开，另存为正确的格式后重试。"
    )


def _check_package(path: Path, form: str, content: str) -> None:
    if content != "zip":
        raise _differs(form, content)
    damaged = InvalidInput(
        "文件已损坏，打不开。请用 Office 打开并另存为新文件后重试；打不开时请找文件的提供人重新发送。"
    )
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            _check_sizes(parts, path.stat().st_size)
            names = {part.filename for part in parts}
            if any(part.flag_bits & 1 for part in parts):
                raise InvalidInput("压缩内容设有密码，无法读取。请取消密码后重新保存并导入。")
            if any("vbaproject" in name.lower() or "/macrosheets/" in name.lower() for name in names):
                raise InvalidInput(f"文件里带有宏，不能导入。请用 Office 另存为不含宏的 .{form} 后重试。")
            if _MAIN_PART[form] not in names:
                other = next((one for one, main in _MAIN_PART.items() if main in names), "zip")
                if other == "zip" and "[Content_Types].xml" in names:
                    raise damaged
                raise _differs(form, other)
            with package.open(_MAIN_PART[form]) as main:
                if _STRICT in main.read(65_536):
                    raise InvalidInput(_save_as_usual(form))
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with package.open(part) as inside:
                        if b"<!DOCTYPE" in inside.read(65_536).replace(b"\x00", b"").upper():
                            raise InvalidInput("文件内含不安全的 XML 定义，不能导入。请用 Office 另存为新文件后重试。")
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise damaged from error
    except Exception as error:
        if isinstance(error, InvalidInput):
            raise
        raise damaged from error


def _save_as_usual(form: str) -> str:
    usual = {"xlsx": "Excel 工作簿（*.xlsx）", "docx": "Word 文档（*.docx）"}[form]
    return f"文件是“Strict Open XML”格式，读不出内容。请用 Office 打开，另存为普通的“{usual}”后再导入。"


def _check_sizes(parts: list[zipfile.ZipInfo], packed: int) -> None:
    unpacked = sum(part.file_size for part in parts)
    if (
        len(parts) > MOST_PARTS
        or unpacked > MOST_UNPACKED
        or (unpacked > _RATIO_COUNTS_FROM and unpacked > packed * _MOST_RATIO)
    ):
        raise InvalidInput(
            "文件解压后异常庞大，出于安全考虑不能导入。请把内容复制到新建的文件里（删去多余的空行空列和图片）后重试。"
        )


def _check_pdf(path: Path, content: str) -> None:
    if content != "pdf":
        raise _differs("pdf", content)
    # Imported here: the front door should not wait for a PDF library at every start.
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed
    from pdfminer.pdfparser import PDFParser

    try:
        with path.open("rb") as file:
            document = PDFDocument(PDFParser(file))
            if not document.catalog:
                raise ValueError("no catalog")
    except (PDFPasswordIncorrect, PDFEncryptionError, PDFTextExtractionNotAllowed) as error:
        raise InvalidInput("PDF 设有打开密码，无法读取。请取消密码（另存为或打印为新的 PDF）后重试。") from error
    except Exception as error:
        raise InvalidInput("PDF 已损坏，打不开。请重新导出 PDF，或找文件的提供人重新发送。") from error


def _check_text(path: Path, suffix: str, content: str) -> None:
    if content in ("zip", "pdf") or (content == "image" and b"\x00" in path.read_bytes()[:4096]):
        kind = _package_kind(path) if content == "zip" else content
        raise _differs(suffix.lstrip("."), kind)
    if not decode(path.read_bytes()).strip("\ufeff \t\r\n\x00\u3000,;"):
        raise InvalidInput("文件里没有内容，请检查后重新选择文件。")


def _package_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
    except zipfile.BadZipFile:
        return "zip"
    return next((form for form, main in _MAIN_PART.items() if main in names), "zip")
