"""One door to every format that a policy comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Document
from kb.ingest.policies.continued import with_whole_tables
from kb.ingest.policies.layout import without_grids
from kb.ingest.policies.pdf import read_pdf
from kb.ingest.policies.plain import read_markdown, read_text
from kb.ingest.policies.superscripts import with_marks
from kb.ingest.policies.web import read_html
from kb.ingest.policies.word import read_docx

FORMATS = ("docx", "pdf", "html", "md", "txt")


def read_document(path: Path, form: str, progress: Callable[[int, int], None] = lambda done, total: None) -> Document:
    """The blocks of a file that `kb.ingest.guard` has let in. Raises InvalidInput (Chinese) when there is nothing to read."""
    if form == "pdf":
        found = read_pdf(path, progress)
    elif form in FORMATS:
        found = {"docx": read_docx, "html": read_html, "md": read_markdown, "txt": read_text}[form](path)
    else:
        raise InvalidInput("制度请使用 Word（.docx）、PDF、网页（.html）、.md 或 .txt 文件。")
    if not any(block.kind == "table" or block.text for block in found.blocks):
        raise InvalidInput("文件里没有可以读取的文字。如果内容是图片或文本框，请改成文字后再导入。")
    return with_marks(replace(found, blocks=without_grids(with_whole_tables(found.blocks))))
