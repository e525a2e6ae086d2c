"""Word documents: paragraphs with their automatic numbers, headings, tables; what a reader of the printed page sees."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docx import Document as open_docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml import etree

from core.errors import InvalidInput
from kb.ingest.policies.blocks import TITLE, Block, Document, clean, table
from kb.ingest.policies.formula import ROOTS, linear
from kb.ingest.policies.layout import text_cell
from kb.ingest.policies.numbering import Numbering
from kb.ingest.policies.superscripts import raised
from kb.ingest.policies.symbols import UNKNOWN, is_symbol_font, symbol

_LEVEL = re.compile(r"^(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_WATERMARK = "{urn:schemas-microsoft-com:vml}textpath"
_SKIPPED = {
    qn("w:del"),
    qn("w:moveFrom"),
    qn("w:instrText"),
    qn("w:txbxContent"),
    qn("w:rPr"),
    qn("w:pPr"),
    _MC + "Fallback",
}
_GO_INTO = {qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:moveTo"), qn("w:smartTag"), qn("w:customXml")}


def read_docx(path: Path) -> Document:
    """The document's blocks. Raises InvalidInput (Chinese) when Word would not open it either."""
    try:
        document = open_docx(str(path))
        return _Reader(document).read()
    except (OpcError, zipfile.BadZipFile, KeyError, etree.LxmlError, ValueError, AttributeError, OSError) as error:
        raise InvalidInput("Word 文档已损坏或格式不完整，打不开。请用 Word 打开并另存为新的 .docx 后重试。") from error


class _Reader:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._numbering = Numbering(document)
        self._styles = {style.style_id: style.element for style in document.styles}
        body = document.element.body
        self._paged = next(body.iter(qn("w:lastRenderedPageBreak")), None) is not None
        self._letters = sum(len(one.text or "") for one in body.iter(qn("w:t")))
        self._page = 1
        self._began: int | None = None
        self._contents = False
        self._held = ""
        self._struck = 0
        self._formulas = self._unknown = self._hidden = False

    def read(self) -> Document:
        body = self._document.element.body
        blocks = list(self._blocks(body))
        about = {}
        if title := clean(self._document.core_properties.title or ""):
            about["title"] = title
        if margin := "\n".join(filter(None, map(clean, self._margins()))):
            about["margin"] = margin
        return Document(blocks, self._notes(body), about)

    def _margins(self) -> Iterator[str]:
        """The paragraphs of page heads and feet, and the watermark that Word keeps there; they are no part of the text."""
        for section in self._document.sections:
            for part in (section.header, section.first_page_header, section.footer, section.first_page_footer):
                if not part.is_linked_to_previous:
                    yield from ("".join(one.itertext(qn("w:t"))) for one in part._element.iter(qn("w:p")))
                    yield from (one.get("string", "") for one in part._element.iter(_WATERMARK))

    def _notes(self, body: Any) -> list[str]:
        def some(name: str) -> bool:
            return next(body.iter(qn(name)), None) is not None

        notes = []
        if any(clean("".join(box.itertext())) for box in body.iter(qn("w:txbxContent"))):
            notes.append("文本框里的文字没有读取；如属于正文，请移到正文中再导入。")
        if some("w:footnoteReference") or some("w:endnoteReference"):
            notes.append("脚注和尾注没有读取。")
        if self._struck:
            notes.append("带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入。")
        if self._hidden:
            notes.append("隐藏的文字没有读取；如属于正文，请取消隐藏后再导入。")
        if some("w:altChunk"):
            notes.append("文档里嵌入的另一份文件没有读取；请用 Word 打开，另存为新的 .docx 后再导入。")
        if some("w:del"):
            notes.append("文档带有修订记录，按“接受全部修订”读取。")
        if self._formulas:
            notes.append("公式按一行文字读取，请与原文核对。")
        if self._unknown:
            notes.append(f"有符号认不出来，文字里以 {UNKNOWN} 代替；请在原文件里改成普通字符后再导入。")
        if any(map(_is_picture, body.iter(qn("w:drawing"), qn("w:pict"), qn("w:object")))):
            notes.append("图片没有读取；图片里的表格和文字请改成文字后再导入。")
        if self._contents:
            notes.append("目录没有读取。")
        return notes

    def _blocks(self, parent: Any) -> Iterator[Block]:
        for element in parent:
            if element.tag == qn("w:p"):
                yield from self._paragraph(element)
            elif element.tag == qn("w:tbl"):
                yield from self._let_go()
                yield from self._table(element)
            elif element.tag == qn("w:sdt") and _is_contents(element):
                self._contents = True
            elif element.tag in _GO_INTO:
                yield from self._blocks(element)
        if parent.tag in (qn("w:body"), qn("w:tc")):
            yield from self._let_go()

    def _let_go(self) -> Iterator[Block]:
        """The paragraph that waits for the next one, where there is none."""
        text, self._held = self._held, ""
        yield from (
            Block("paragraph", clean(line), page=self._known(self._page)) for line in text.split("\n") if clean(line)
        )

    def _paragraph(self, element: Any) -> Iterator[Block]:
        self._began = None
        styles = self._style_names(element)
        if any(name.lower().startswith(("toc ", "目录")) for name in styles):
            self._contents = True
            self._text(element)
            return
        held, self._held = self._held, ""
        text = held + self._text(element) if held else self._numbered(element)
        if _is_joined(element):
            self._held = text if clean(text) else ""
            return
        page = self._began or self._page
        for k, line in enumerate(part for part in text.split("\n") if clean(part)):
            level = self._level(element, styles) if k == 0 else None
            if level is None:
                yield Block("paragraph", clean(line), page=self._known(page))
            else:
                yield Block("heading", clean(line), level, self._known(page))

    def _numbered(self, element: Any) -> str:
        """A paragraph's text behind its automatic number. An empty paragraph does not count, one that is struck out does."""
        struck = self._struck
        text = self._text(element)
        if clean(text):
            return self._numbering.label(element) + text
        if self._struck > struck:
            self._numbering.label(element)
        return ""

    def _text(self, element: Any) -> str:
        parts: list[str] = []
        for child in element:
            if self._left_out(child):
                continue
            if child.tag == qn("w:t"):
                parts.append(self._typed(child))
                self._began = self._began or (self._page if parts[-1].strip() else None)
            elif child.tag in (qn("w:tab"), qn("w:ptab")):
                parts.append(" ")
            elif child.tag == qn("w:noBreakHyphen"):
                parts.append("-")
            elif child.tag == qn("w:br"):
                parts.append("\n" if child.get(qn("w:type")) in (None, "textWrapping") else "")
            elif child.tag == qn("w:sym"):
                parts.append(self._symbol(child.get(qn("w:font"), ""), _code(child.get(qn("w:char"), ""))))
            elif (ticked := _tick(child)) is not None:
                parts.append("☑" if ticked else "☐")
            elif child.tag in ROOTS:
                parts.append(linear(child, self._left_out))
                self._formulas = True
            elif child.tag == qn("w:cr"):
                parts.append("\n")
            elif child.tag == qn("w:lastRenderedPageBreak"):
                self._page += 1
            else:
                parts.append(self._text(child))
        return "".join(parts)

    def _typed(self, element: Any) -> str:
        """A `w:t`; letters in a symbol font are the signs that they show, digits set as superscripts are such."""
        text = element.text or ""
        if self._is_raised(element.getparent()):
            text = raised(text)
        fonts = element.getparent().find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        font = fonts.get(qn("w:ascii"), "") if fonts is not None else ""
        if is_symbol_font(font):
            return "".join(self._symbol(font, ord(c)) if ord(c) < 0x100 or _private(c) else c for c in text)
        return "".join(self._symbol(font, ord(c)) if _private(c) else c for c in text)

    def _symbol(self, font: str, code: int) -> str:
        found = symbol(font, code)
        self._unknown = self._unknown or found == UNKNOWN
        return found

    def _left_out(self, element: Any) -> bool:
        """Whether nothing of an element is read: a run that is hidden or struck out, too. What is struck out is counted."""
        if element.tag in _SKIPPED:
            return True
        if self._is_on(element, "w:vanish"):
            self._hidden = self._hidden or bool("".join(element.itertext(qn("w:t"))).strip())
            return True
        if not (self._is_on(element, "w:strike") or self._is_on(element, "w:dstrike")):
            return False
        self._struck += bool("".join(element.itertext()).strip())
        return True

    def _is_on(self, run: Any, name: str) -> bool:
        found = self._setting(run, name)
        return found is not None and _true(found)

    def _is_raised(self, run: Any) -> bool:
        found = self._setting(run, "w:vertAlign")
        return found is not None and found.get(qn("w:val")) == "superscript"

    def _setting(self, run: Any, name: str) -> Any | None:
        """A run's own setting, else that of its character style, of its paragraph's style, or of one that these are based on."""
        if not isinstance(run.tag, str) or not run.tag.endswith("}r"):
            return None
        pointers = []
        if (properties := run.find(qn("w:rPr"))) is not None:
            if (own := properties.find(qn(name))) is not None:
                return own
            pointers.append(properties.find(qn("w:rStyle")))
        if (paragraph := next(run.iterancestors(qn("w:p")), None)) is not None:
            pointers.append(paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}"))
        styles = (style for pointer in pointers for style in self._based_on(pointer))
        return next((one for style in styles if (one := style.find(f"{qn('w:rPr')}/{qn(name)}")) is not None), None)

    def _table(self, element: Any) -> Iterator[Block]:
        page = self._page
        rows: list[list[str]] = []
        above: dict[int, str] = {}
        for row in element.iter(qn("w:tr")):
            if next(row.iterancestors(qn("w:tbl"))) is not element:
                continue
            own = [cell for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(qn("w:tr"))) is row]
            if text_cell([_lines(cell) for cell in own], self._letters) is not None:
                yield from self._filled(rows, page)
                for cell in own:
                    yield from self._blocks(cell)
                rows, page = [], self._page
                continue
            cells = [""] * _span(row.find(qn("w:trPr")), "w:gridBefore", 0)
            for cell in own:
                properties = cell.find(qn("w:tcPr"))
                width = _span(properties, "w:gridSpan", 1)
                merged = properties.find(qn("w:vMerge")) if properties is not None else None
                goes_on = merged is not None and merged.get(qn("w:val"), "continue") == "continue"
                text = self._cell(cell)
                if goes_on:
                    text = above.get(len(cells), "")
                for column in range(len(cells), len(cells) + width):
                    above[column] = text
                cells += [text] * width
            rows.append(cells)
        yield from self._filled(rows, page)

    def _filled(self, rows: list[list[str]], page: int) -> Iterator[Block]:
        """A table, or the paragraphs of what only looks like one."""
        if found := table(rows, self._known(page)):
            yield found
            return
        for cells in rows:
            for text in dict.fromkeys(cells):
                for line in text.split("\n"):
                    if clean(line):
                        yield Block("paragraph", clean(line), page=self._known(page))

    def _cell(self, cell: Any) -> str:
        """All text of a cell, that of tables in it too, a line a paragraph."""
        return "\n".join(text for one in _paragraphs(cell) if (text := self._numbered(one)).strip())

    def _known(self, page: int) -> int | None:
        """Pages are known only where Word has noted them when it last laid the document out."""
        return page if self._paged else None

    def _style_names(self, element: Any) -> list[str]:
        """The paragraph's style and those it is based on."""
        properties = element.find(qn("w:pPr"))
        styles = self._based_on(properties.find(qn("w:pStyle")) if properties is not None else None)
        names = (style.find(qn("w:name")) for style in styles)
        return [name.get(qn("w:val"), "") if name is not None else "" for name in names]

    def _based_on(self, pointer: Any) -> Iterator[Any]:
        """The style that `pointer` (w:pStyle, w:rStyle, None) names, and those it is based on."""
        seen: set[str] = set()
        while pointer is not None and (identity := pointer.get(qn("w:val"))) in self._styles and identity not in seen:
            seen.add(identity)
            yield self._styles[identity]
            pointer = self._styles[identity].find(qn("w:basedOn"))

    def _level(self, element: Any, styles: list[str]) -> int | None:
        properties = element.find(qn("w:pPr"))
        outline = properties.find(qn("w:outlineLvl")) if properties is not None else None
        if outline is not None and outline.get(qn("w:val"), "9").isdigit():
            level = int(outline.get(qn("w:val"), "9"))
            return level + 1 if level < 9 else None
        for name in styles:
            if name.lower() in ("title", "标题"):
                return TITLE
            if found := _LEVEL.match(name):
                return int(found[1])
        return None


def _is_contents(element: Any) -> bool:
    gallery = next(element.iter(qn("w:docPartGallery")), None)
    return gallery is not None and gallery.get(qn("w:val")) == "Table of Contents"


def _is_joined(paragraph: Any) -> bool:
    """Whether a revision has taken away the end of a paragraph, so that the next one goes on with it."""
    mark = paragraph.find(f"{qn('w:pPr')}/{qn('w:rPr')}")
    return mark is not None and any(mark.find(qn(name)) is not None for name in ("w:del", "w:moveFrom"))


def _paragraphs(element: Any) -> Iterator[Any]:
    """The paragraphs in an element, but for those in text boxes and the like."""
    for child in element:
        if child.tag == qn("w:p"):
            yield child
        elif child.tag not in _SKIPPED:
            yield from _paragraphs(child)


def _lines(cell: Any) -> list[str]:
    """The paragraphs of a cell and of the tables in it, without their automatic numbers."""
    texts = ("".join(one.itertext(qn("w:t"))) for one in cell.iter(qn("w:p")))
    return [line for text in texts if (line := clean(text))]


def _is_picture(element: Any) -> bool:
    """A drawing that shows more than a text box, which has a note of its own."""
    inside = {one.tag.rpartition("}")[2] for one in element.iter() if isinstance(one.tag, str)}
    return "txbxContent" not in inside or bool(inside & {"pic", "imagedata"})


def _tick(element: Any) -> bool | None:
    """Whether a check box, of a content control or a form field, is ticked; None for all else."""
    box = element.find(f"{qn('w:sdtPr')}/{_W14}checkbox") if element.tag == qn("w:sdt") else None
    if box is not None:
        checked = box.find(f"{_W14}checked")
        return checked is not None and checked.get(f"{_W14}val", "1") not in ("0", "false")
    if element.tag != qn("w:checkBox"):
        return None
    checked = element.find(qn("w:checked"))
    checked = element.find(qn("w:default")) if checked is None else checked
    return checked is not None and _true(checked)


def _code(text: str) -> int:
    """The number of a symbol; 0, which no font has, for what is none."""
    return int(text, 16) if re.fullmatch("[0-9A-Fa-f]{1,6}", text) else 0


def _private(c: str) -> bool:
    return "\ue000" <= c <= "\uf8ff"


def _true(switch: Any) -> bool:
    return switch.get(qn("w:val"), "1") not in ("0", "false", "off")


def _span(properties: Any, name: str, otherwise: int) -> int:
    found = properties.find(qn(name)) if properties is not None else None
    value = found.get(qn("w:val"), "") if found is not None else ""
    return min(int(value), 200) if value.isdigit() else otherwise
