"""What a file is, by its content: only kinds that finance needs, and only under an ending that says the same."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import InvalidInput

_OFFICE = "application/vnd.openxmlformats-officedocument."
_ENDINGS = {
    "pdf": ("application/pdf", ("pdf",)),
    "png": ("image/png", ("png",)),
    "jpeg": ("image/jpeg", ("jpg", "jpeg")),
    "gif": ("image/gif", ("gif",)),
    "webp": ("image/webp", ("webp",)),
    "bmp": ("image/bmp", ("bmp",)),
    "tiff": ("image/tiff", ("tif", "tiff")),
    "word": (_OFFICE + "wordprocessingml.document", ("docx",)),
    "excel": (_OFFICE + "spreadsheetml.sheet", ("xlsx",)),
    "slides": (_OFFICE + "presentationml.presentation", ("pptx",)),
    "ofd": ("application/ofd", ("ofd",)),
    "ole": ("application/x-ole-storage", ("doc", "xls", "ppt", "msg")),
    "text": ("text/plain; charset=utf-8", ("txt", "csv", "log", "md")),
    "xml": ("application/xml", ("xml",)),
}
ACCEPTED = tuple(sorted({ending for _, endings in _ENDINGS.values() for ending in endings}))
"""Endings that may be uploaded."""

_STARTS = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)
_PARTS = (("word/document.xml", "word"), ("xl/workbook.xml", "excel"), ("ppt/presentation.xml", "slides"))
_MOST_PARTS = 5000


def file_type(path: Path, name: str) -> str:
    """The media type of the file at `path`, called `name`. Raises InvalidInput for a kind that is not accepted, or one that
    pretends to be another."""
    kind = _kind(path)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if kind is None:
        raise InvalidInput(
            "不支持这种文件。可以上传图片、PDF、OFD、Word、Excel、PPT、文本和 XML 文件。", code="file_type"
        )
    media, endings = _ENDINGS[kind]
    if ending not in endings:
        raise InvalidInput(
            f"文件内容和后缀不一致（内容像 .{endings[0]}，后缀是 .{ending or '无'}），请用正确的后缀重新上传。",
            code="file_type_mismatch",
        )
    return media


def _kind(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] == b"PK\x03\x04":
        return _package(path)
    for start, kind in _STARTS:
        if head.startswith(start) and not (kind == "bmp" and not _is_bitmap(head, path)):
            return kind
    return _text(path)


def _is_bitmap(head: bytes, path: Path) -> bool:
    return len(head) > 26 and int.from_bytes(head[2:6], "little") == path.stat().st_size


def _package(path: Path) -> str | None:
    """Which kind of document a zip file is; no plain archive, none with macros or programs in it."""
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    if len(names) > _MOST_PARTS or any(name.lower().endswith(("vbaproject.bin", ".exe", ".js")) for name in names):
        return None
    if "OFD.xml" in names:
        return "ofd"
    if "[Content_Types].xml" not in names:
        return None
    return next((kind for part, kind in _PARTS if part in names), None)


def _text(path: Path) -> str | None:
    """`text` or `xml`; a page or picture that a browser would run is neither."""
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return None
    if any(ord(c) < 32 and c not in "\t\n\r\f" for c in text):
        return None
    start = text.lstrip()[:2000].lower()
    if not start.startswith("<"):
        return "text"
    lowered = text.lower()
    if any(mark in lowered for mark in ("<!doctype", "<html", "<script", "<svg", "<!entity", "<?xml-stylesheet")):
        return None
    return "xml" if start.startswith("<?xml") else None
