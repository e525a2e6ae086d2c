"""Word files as offices write them: automatic numbers, merged cells, text boxes, revisions."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from core.errors import InvalidInput
from kb.ingest.policies.about import about_of
from kb.ingest.policies.labels import chinese
from kb.ingest.policies.numbering import spelled
from kb.ingest.policies.reader import read_document
from kb.ingest.policies.splitter import split
from kb.ingest.policies.standards import find_standards, standard_of
from kb.ingest.policies.word import read_docx


@pytest.fixture
def document() -> Any:
    return Document()


def read(document: Any, tmp_path: Path):
    path = tmp_path / "policy.docx"
    document.save(str(path))
    return read_docx(path)


def texts(document: Any, tmp_path: Path) -> list[str]:
    return [block.text for block in read(document, tmp_path).blocks if block.kind != "table"]


def numbering(document: Any, abstract: int, *levels: tuple[str, str], more: str = "") -> None:
    """Define a list: `(format, text)` a level, e.g. `("chineseCountingThousand", "第%1条")`."""
    root = document.part.numbering_part.element
    inner = "".join(
        f'<w:lvl w:ilvl="{k}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{more if k else ""}<w:lvlText w:val="{text}"/></w:lvl>'
        for k, (form, text) in enumerate(levels)
    )
    element = parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{abstract}">{inner}</w:abstractNum>')
    root.insert(0, element)
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{abstract}"><w:abstractNumId w:val="{abstract}"/></w:num>'))


def restart(document: Any, number: int, abstract: int, start: int = 1) -> None:
    document.part.numbering_part.element.append(
        parse_xml(
            f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{abstract}"/>'
            f'<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{start}"/></w:lvlOverride></w:num>'
        )
    )


def numbered(holder: Any, text: str, number: int, level: int = 0) -> Any:
    paragraph = holder.add_paragraph(text)
    properties = paragraph._p.get_or_add_pPr()
    properties.append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
    )
    return paragraph


def test_chapters_and_articles_that_word_numbers(document: Any, tmp_path: Path):
    numbering(
        document, 71, ("chineseCountingThousand", "第%1章"), ("chineseCountingThousand", "第%2条"),
        ("japaneseCounting", "（%3）"), ("decimal", "%4."), more='<w:lvlRestart w:val="0"/>',
    )  # fmt: skip
    document.add_paragraph("差旅费管理办法", style="Title")
    for text, level in (
        ("总则", 0), ("为规范差旅费管理，制定本办法。", 1), ("适用范围", 1), ("标准", 0), ("住宿费按下列标准执行：", 1),
        ("集团领导八百元。", 2), ("其他人员三百五十元。", 2),
    ):  # fmt: skip
        numbered(document, text, 71, level)
    assert texts(document, tmp_path) == [
        "差旅费管理办法", "第一章 总则", "第一条 为规范差旅费管理，制定本办法。", "第二条 适用范围", "第二章 标准",
        "第三条 住宿费按下列标准执行：", "（一）集团领导八百元。", "（二）其他人员三百五十元。",
    ]  # fmt: skip
    found = split(read(document, tmp_path).blocks)
    assert [(one.label, one.heading_path) for one in found.articles] == [
        ("第一条", ("第一章 总则",)), ("第二条", ("第一章 总则",)), ("第三条", ("第二章 标准",)),
    ]  # fmt: skip


def test_lists_that_share_a_definition_count_on_until_one_starts_again(document: Any, tmp_path: Path):
    numbering(document, 72, ("chineseCounting", "%1、"))
    restart(document, 73, 72)
    for text, number in (("甲", 72), ("乙", 72), ("丙", 73), ("丁", 73)):
        numbered(document, text, number)
    assert texts(document, tmp_path) == ["一、甲", "二、乙", "一、丙", "二、丁"]


def test_levels_below_begin_again_and_legal_numbers_are_digits(document: Any, tmp_path: Path):
    numbering(document, 74, ("chineseCounting", "%1、"), ("decimal", "%1.%2"), more="<w:isLgl/>")
    for text, level in (("总则", 0), ("目的", 1), ("范围", 1), ("标准", 0), ("住宿", 1)):
        numbered(document, text, 74, level)
    assert texts(document, tmp_path) == ["一、总则", "1.1 目的", "1.2 范围", "二、标准", "2.1 住宿"]


def test_a_style_brings_the_number(document: Any, tmp_path: Path):
    numbering(document, 75, ("chineseCountingThousand", "第%1条"))
    style = document.styles.add_style("条文", 1)
    style.element.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="75"/></w:numPr>'))
    child = document.styles.add_style("条文加粗", 1)
    child.base_style = style
    for text, name in (("甲", "条文"), ("", "条文"), ("乙", "条文加粗")):
        document.add_paragraph(text, style=name)
    off = document.add_paragraph("不编号的一段", style="条文")
    off._p.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="0"/></w:numPr>'))
    assert texts(document, tmp_path) == ["第一条 甲", "第二条 乙", "不编号的一段"]


@pytest.mark.parametrize(
    ("form", "number", "text"),
    [
        ("chineseCountingThousand", 105, "一百零五"), ("japaneseCounting", 21, "二十一"), ("decimalEnclosedCircle", 3, "③"),
        ("upperRoman", 14, "XIV"), ("lowerLetter", 28, "bb"), ("chineseLegalSimplified", 12, "壹拾贰"), ("decimalZero", 7, "07"),
        ("ideographTraditional", 2, "乙"), ("none", 4, ""), ("something new", 9, "9"),
    ],
)  # fmt: skip
def test_number_formats(form: str, number: int, text: str):
    assert spelled(number, form) == text


def test_numerals_as_ministries_write_them():
    assert [chinese(n) for n in (10, 11, 20, 101, 110, 1001)] == [
        "十",
        "十一",
        "二十",
        "一百零一",
        "一百一十",
        "一千零一",
    ]


def test_merged_cells_and_numbers_in_a_table(document: Any, tmp_path: Path):
    table = document.add_table(rows=4, cols=3)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "地区"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "住宿费"
    table.cell(1, 1).text, table.cell(1, 2).text = "旺季", "平季"
    table.cell(2, 0).merge(table.cell(3, 0)).text = "北京"
    for k, (high, low) in enumerate((("800", "500"), ("700", "400")), 2):
        table.cell(k, 1).text, table.cell(k, 2).text = high, low
    [block] = read(document, tmp_path).blocks
    assert block.rows == (
        ("地区", "住宿费", "住宿费"), ("地区", "旺季", "平季"), ("北京", "800", "500"), ("北京", "700", "400"),
    )  # fmt: skip


def test_a_box_around_text_is_no_table(document: Any, tmp_path: Path):
    table = document.add_table(rows=1, cols=1)
    table.cell(0, 0).text = "重要提示"
    table.cell(0, 0).add_paragraph("报销应当在90日内提交。")
    assert texts(document, tmp_path) == ["重要提示", "报销应当在90日内提交。"]


def test_headings_by_style_and_by_outline(document: Any, tmp_path: Path):
    document.add_heading("报销指南", 0)
    document.add_heading("填单", 1)
    outlined = document.add_paragraph("附件要求")
    outlined._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="1"/>'))
    document.add_paragraph("正文。")
    found = [(block.kind, block.level) for block in read(document, tmp_path).blocks]
    assert found == [("heading", 0), ("heading", 1), ("heading", 2), ("paragraph", 1)]


def test_what_is_not_printed_is_not_read_and_what_is_left_out_is_told(document: Any, tmp_path: Path):
    paragraph = document.add_paragraph("住宿费")
    deleted = parse_xml(f'<w:del {nsdecls("w")} w:id="1"><w:r><w:delText>三百</w:delText></w:r></w:del>')
    inserted = parse_xml(f'<w:ins {nsdecls("w")} w:id="2"><w:r><w:t>五百</w:t></w:r></w:ins>')
    paragraph._p.extend([deleted, inserted])
    paragraph.add_run("元").add_break()
    hidden = paragraph.add_run("机密")
    hidden.font.hidden = True
    box = OxmlElement("w:pict")
    box.append(
        parse_xml(f"<w:txbxContent {nsdecls('w')}><w:p><w:r><w:t>文本框里的话</w:t></w:r></w:p></w:txbxContent>")
    )
    paragraph.add_run("以内。")._r.append(box)
    contents = document.add_paragraph("第一章 总则 1")
    contents._p.get_or_add_pPr().append(parse_xml(f'<w:pStyle {nsdecls("w")} w:val="TOC1"/>'))
    document.styles.add_style("toc 1", 1).element.set(qn("w:styleId"), "TOC1")
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks] == ["住宿费五百元", "以内。"]
    assert any("文本框" in note for note in found.notes) and any("修订" in note for note in found.notes)
    assert any("目录" in note for note in found.notes)


def test_struck_out_text_is_left_out_and_told(document: Any, tmp_path: Path):
    numbering(document, 77, ("chineseCountingThousand", "第%1条"))
    style = document.styles.add_style("作废", 2)
    style.font.strike = True
    fee = numbered(document, "停车费每日上限", 77)
    fee.add_run("60").font.strike = True
    fee.add_run("70").font.double_strike = True
    fee.add_run("75", style="作废")
    kept = fee.add_run("80", style="作废")
    kept.font.strike = False
    fee.add_run("元。")
    numbered(document, "", 77).add_run("整条作废。").font.strike = True
    numbered(document, "洗车费不予报销。", 77)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("车型", "元/月", "轿车", "800"), strict=True
    ):
        cell.text = text
    table.cell(1, 1).paragraphs[0].add_run("600").font.strike = True
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks[:2]] == ["第一条 停车费每日上限80元。", "第三条 洗车费不予报销。"]
    assert found.blocks[2].rows[1] == ("轿车", "800")
    assert [note for note in found.notes if "删除线" in note] == found.notes


def math(inner: str) -> Any:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    return parse_xml(f'<m:oMath xmlns:m="{space}" {nsdecls("w")}>{inner}</m:oMath>')


def run(text: str) -> str:
    return f"<m:r><w:rPr><w:i/></w:rPr><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (run("行驶公里×1.2元−油卡"), "行驶公里×1.2元−油卡"),
        (f"<m:f><m:num>{run('年租金+押金')}</m:num><m:den>{run('12')}</m:den></m:f>", "(年租金+押金)/12"),
        (f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>", "x^2"),
        (f"<m:d><m:e>{run('a')}</m:e></m:d><m:rad><m:deg/><m:e>{run('b')}</m:e></m:rad>", "(a)√(b)"),
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i=1")}</m:sub><m:sup>{run("n")}</m:sup>'
            f"<m:e>{run('a')}</m:e></m:nary>",
            "∑_(i=1)^na",
        ),
        ("<m:r><w:rPr><w:strike/></w:rPr><m:t>60</m:t></m:r>" + run("80"), "80"),
    ],
)
def test_an_equation_is_read_as_one_line_and_told(document: Any, tmp_path: Path, inner: str, text: str):
    paragraph = document.add_paragraph("补贴=")
    paragraph._p.append(math(inner))
    paragraph.add_run("，按月结算。")
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks] == [f"补贴={text}，按月结算。"]
    assert any("公式" in note for note in found.notes)


def test_check_boxes_are_told_apart(document: Any, tmp_path: Path):
    word = nsdecls("w") + ' xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
    paragraph = document.add_paragraph("可报销：")
    for item, box in (
        ("过路费", '<w:r {}><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'),
        ("罚款", '<w:r {}><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>'),
        ("油费", '<w:r {}><w:rPr><w:rFonts w:ascii="Wingdings 2" w:hAnsi="Wingdings 2"/></w:rPr><w:t>R</w:t></w:r>'),
        ("酒水", '<w:r {}><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="0"/></w:checkBox>'
         "</w:ffData></w:fldChar></w:r>"),
        ("停车", '<w:sdt {}><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r>'
         "<w:t>☒</w:t></w:r></w:sdtContent></w:sdt>"),
        ("洗车", '<w:sdt {}><w:sdtPr><w14:checkbox><w14:checked w14:val="0"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r>'
         "<w:t>☐</w:t></w:r></w:sdtContent></w:sdt>"),
    ):  # fmt: skip
        paragraph._p.append(parse_xml(box.format(word)))
        paragraph.add_run(item)
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks] == ["可报销：☑过路费☐罚款☑油费☐酒水☑停车☐洗车"]
    assert found.notes == []


def test_a_symbol_that_cannot_be_told_is_marked_and_told(document: Any, tmp_path: Path):
    paragraph = document.add_paragraph("见")
    paragraph._p.append(parse_xml(f'<w:r {nsdecls("w")}><w:sym w:font="Wingdings" w:char="F04A"/></w:r>'))
    paragraph._p.append(parse_xml(f'<w:r {nsdecls("w")}><w:sym w:font="宋体" w:char="2103"/></w:r>'))
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks] == ["见〓℃"]
    assert ["〓" in note for note in found.notes] == [True]


def test_a_text_box_in_a_cell_is_not_read_either(document: Any, tmp_path: Path):
    box = "<w:txbxContent><w:p><w:r><w:t>夏季另加50元</w:t></w:r></w:p></w:txbxContent>"
    both = (
        f'<mc:AlternateContent {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice Requires="wps"><w:drawing>{box}</w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent>"
    )
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("车型", "元/月", "轿车", "800"), strict=True
    ):
        cell.text = text
    table.cell(1, 1).paragraphs[0].add_run()._r.append(parse_xml(both))
    table.cell(1, 0).add_table(1, 1).cell(0, 0).text = "五座"
    found = read(document, tmp_path)
    assert found.blocks[0].rows[1] == ("轿车\n五座", "800")
    assert len(found.notes) == 1 and "文本框里的文字没有读取" in found.notes[0]


def test_pages_are_those_that_word_noted(document: Any, tmp_path: Path):
    document.add_paragraph("第一条 甲。")
    second = document.add_paragraph()
    second.add_run()._r.append(OxmlElement("w:lastRenderedPageBreak"))
    second.add_run("第二条 乙。")
    document.add_paragraph("第三条 丙。")
    assert [block.page for block in read(document, tmp_path).blocks] == [1, 2, 2]


@pytest.mark.parametrize("part", ["word/document.xml", "word/numbering.xml", "word/styles.xml", "[Content_Types].xml"])
def test_a_damaged_file_is_refused_with_what_to_do(document: Any, tmp_path: Path, part: str):
    numbering(document, 76, ("decimal", "%1."))
    numbered(document, "甲", 76)
    path, broken = tmp_path / "whole.docx", tmp_path / "broken.docx"
    document.save(str(path))
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, whole.read(name)[: 200 if name == part else None])
    with pytest.raises(InvalidInput, match="已损坏"):
        read_docx(broken)


def test_a_footnote_mark_is_no_digit_of_the_amount(document: Any, tmp_path: Path):
    def marked(paragraph: Any, text: str, mark: str, more: str = "") -> None:
        paragraph.add_run(text)
        paragraph.add_run(mark).font.superscript = True
        paragraph.add_run(more)

    marked(document.add_paragraph(), "补助每天100", "1", "元")
    marked(document.add_paragraph(), "面积不超过90m", "2", "，10³元")
    marked(document.add_paragraph(), "已有方括号500", "[3]", "元")
    grid = document.add_table(2, 2)
    for k, text in enumerate(("城市", "标准（元/天）", "北京")):
        grid.cell(k // 2, k % 2).text = text
    marked(grid.cell(1, 1).paragraphs[0], "500", "1")
    path = tmp_path / "policy.docx"
    document.save(str(path))
    found = read_document(path, "docx")
    assert [block.text for block in found.blocks[:3]] == [
        "补助每天100[1]元",
        "面积不超过90m²，10[3]元",
        "已有方括号500[3]元",
    ]
    assert "| 北京 | 500[1] |" in found.blocks[3].printed
    assert any("注码" in note for note in found.notes)
    [one] = find_standards(found.blocks, [], "差旅费管理办法")
    assert standard_of({**one.proposal.as_dict(), "id": "t"}, one.header, one.rows)["rows"] == [
        {"城市": "北京", "value": 500}
    ]


def test_a_paragraph_style_strikes_out_and_hides(document: Any, tmp_path: Path):
    document.styles.add_style("废止条款", 1).font.strike = True
    document.styles.add_style("隐藏段", 1).font.hidden = True
    document.add_paragraph("第一条 总则。")
    document.add_paragraph("第二条 住宿每天500元。", style="废止条款")
    document.add_paragraph("第三条 超标可批。", style="隐藏段")
    kept = document.add_paragraph("", style="废止条款").add_run("第四条 附则。")
    kept.font.strike = False
    found = read(document, tmp_path)
    assert [block.text for block in found.blocks] == ["第一条 总则。", "第四条 附则。"]
    assert any("删除线" in note for note in found.notes) and any("隐藏的文字" in note for note in found.notes)


def test_an_embedded_document_and_the_page_head_are_told(document: Any, tmp_path: Path):
    document.add_paragraph("第一条 总则。")
    document.element.body.insert(1, OxmlElement("w:altChunk"))
    document.sections[0].header.paragraphs[0].text = "绝密"
    found = read(document, tmp_path)
    assert found.about["margin"] == "绝密" and any("嵌入的另一份文件" in note for note in found.notes)


def test_a_frame_around_the_whole_text_is_no_table(document: Any, tmp_path: Path):
    frame = document.add_table(rows=3, cols=4)
    for row, words in enumerate(("文件名称 报销管理程序 文件编号 HS-QP-018", "版次 B/2 生效日期 2026-03-01")):
        for column, word in enumerate(words.split()):
            frame.cell(row, column).text = word
    cell = frame.cell(2, 0).merge(frame.cell(2, 3))
    cell.text = "1 目的"
    for line in ("规范报销。", "2 范围", "适用于全体员工。", "3 标准", "3.1 住宿", "限额见下表。"):
        cell.add_paragraph(line)
    inner = cell.add_table(2, 2)
    for place, word in zip(((0, 0), (0, 1), (1, 0), (1, 1)), ("级别", "元/天", "总监", "600"), strict=True):
        inner.cell(*place).text = word
    for line in ("3.2 餐费", "每天100元。", "4 附则", "自发布之日起执行。"):
        cell.add_paragraph(line)
    found = read(document, tmp_path)
    articles = split(found.blocks).articles
    assert [one.label for one in articles] == ["1 目的", "2 范围", "3.1", "3.2", "4 附则"]
    assert articles[2].text == "限额见下表。\n\n| 级别 | 元/天 |\n| --- | --- |\n| 总监 | 600 |"
    about = about_of(found, split(found.blocks), "a.docx")
    told = (about["title"], about["number"], about["version"], about["effective_from"])
    assert told == ("报销管理程序", "HS-QP-018", "B/2", "2026-03-01")
    [one] = find_standards(found.blocks, [article.as_dict() for article in articles], "报销管理程序")
    assert one.article == 3, "the head of the procedure is no table of amounts"


def test_a_paragraph_whose_end_a_revision_takes_away_goes_on(document: Any, tmp_path: Path):
    numbering(document, 78, ("chineseCountingThousand", "第%1条"))
    gone = parse_xml(f'<w:rPr {nsdecls("w")}><w:del w:id="5" w:author="a"/></w:rPr>')
    numbered(document, "申请须附合同、", 78)._p.get_or_add_pPr().append(gone)
    numbered(document, "发票。", 78)
    numbered(document, "按月结算。", 78)
    assert texts(document, tmp_path) == ["第一条 申请须附合同、发票。", "第二条 按月结算。"]


def test_the_watermark_of_word_tells_who_may_read(document: Any, tmp_path: Path):
    document.add_paragraph("第一条 为规范薪酬，制定本办法。")
    header = document.sections[0].header
    shape = (
        '<w:pict xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml">'
        '<v:shape><v:textpath string="内部资料"/></v:shape></w:pict>'
    )
    header.paragraphs[0].add_run()._r.append(parse_xml(shape))
    found = read(document, tmp_path)
    assert about_of(found, split(found.blocks), "a.docx")["secrecy"] == "内部资料"
