"""PDF files as offices print them: wrapped lines, running heads, tables over two pages, scans."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from core.errors import InvalidInput
from kb.ingest.policies.about import about_of, policy_id
from kb.ingest.policies.blocks import clean
from kb.ingest.policies.pdf import read_pdf
from kb.ingest.policies.reader import read_document
from kb.ingest.policies.splitter import split
from kb.ingest.policies.standards import find_standards
from tests.unit.kb.ingest.pdf_file import HEIGHT, Page, write_pdf

SIZE, LEFT, COLUMNS = 12, 90, 34
THIRD = (
    "第三条 住宿费在限额以内凭票据实报销，超过限额的部分由个人承担，但因会议统一安排住宿地点的情形除外，"
    "这种情形应当在提交差旅报销单时附上会议通知。"
)


def set_lines(page: Page, top: float, text: str, indent: int = 2) -> float:
    """Justified text of 34 characters a line, its first line indented; where the next line would begin."""
    first = COLUMNS - indent
    lines = [text[:first], *(text[k : k + COLUMNS] for k in range(first, len(text), COLUMNS))]
    for k, line in enumerate(lines):
        page.text(LEFT + (indent * SIZE if k == 0 else 0), top, line, SIZE)
        top += 20
    return top


def framed(number: int) -> Page:
    return Page().text(200, 40, "华晟集团制度汇编", 9).text(280, 800, f"— {number} —", 9)


def grid(page: Page, top: float, rows: list[list[str]], wide: float = 100, high: float = 24) -> float:
    right = LEFT + wide * len(rows[0])
    for k in range(len(rows) + 1):
        page.rule(LEFT, top + k * high, right, top + k * high)
    for k in range(len(rows[0]) + 1):
        page.rule(LEFT + k * wide, top, LEFT + k * wide, top + high * len(rows))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            page.text(LEFT + c * wide + 6, top + r * high + 6, cell, 10)
    return top + high * len(rows)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    one, two, three = framed(1), framed(2), framed(3)
    one.text(200, 90, "差旅费管理办法", 22).text(230, 130, "华晟财〔2026〕3号", 12)
    one.text(262, 170, "第一章 总则", 14)
    top = set_lines(
        one,
        210,
        "第一条 为规范差旅费管理，提高财务共享中心的工作效率，制定本办法，适用于集团总部以及所属各公司的全体员工，包括劳务派遣人员。",
    )
    top = set_lines(
        one,
        top,
        "第二条 出差人员应当事前提交申请单，经部门负责人批准以后方可订票，具体时限按照第三条的规定执行，紧急情况下可以补办。",
    )
    set_lines(one, 700, THIRD[: 2 * COLUMNS - 2])
    top = set_lines(two, 80, THIRD[2 * COLUMNS - 2 :], 0)
    two.text(LEFT + 24, top, "住宿费限额表（单位：元/人·天）", 12)
    grid(two, 660, [["城市", "部门负责人", "其他人员"], ["北京", "650", "500"], ["上海", "600", "500"]])
    end = grid(three, 80, [["城市", "部门负责人", "其他人员"], ["天津", "480", "380"]])
    set_lines(three, end + 20, "第四条 本办法自2026年1月1日起施行。")
    return write_pdf(tmp_path / "policy.pdf", [one, two, three], title="差旅费")


def test_paragraphs_pages_tables_and_no_running_heads(policy: Path):
    document = read_pdf(policy)
    texts = [block.text for block in document.blocks if block.kind != "table"]
    assert texts[:3] == ["差旅费管理办法", "华晟财〔2026〕3号", "第一章 总则"]
    assert texts[3].startswith("第一条") and texts[3].endswith("劳务派遣人员。")
    assert texts[5] == THIRD
    assert not any("制度汇编" in text or "—" in text for text in texts)
    [limits] = [block for block in document.blocks if block.kind == "table"]
    assert [row[0] for row in limits.rows] == ["城市", "北京", "上海", "天津"] and limits.rows[3] == (
        "天津",
        "480",
        "380",
    )
    assert document.about["title"] == "差旅费" and "页眉" in document.notes[0]
    articles = split(document.blocks).articles
    assert [(one.label, one.page) for one in articles] == [("第一条", 1), ("第二条", 1), ("第三条", 1), ("第四条", 3)]
    assert "| 天津 | 480 | 380 |" in articles[2].text and articles[0].heading_path == ("第一章 总则",)


def test_merged_cells_are_filled_in(tmp_path: Path):
    page = Page().text(LEFT, 80, "各地区住宿费和伙食补助费的限额标准见下表，超过部分自理。")
    for top in (120, 144, 168, 192):
        page.rule(LEFT if top != 144 else LEFT + 100, top, LEFT + 300, top)
    for k, x in enumerate((LEFT, LEFT + 100, LEFT + 200, LEFT + 300)):
        page.rule(x, 144 if k == 2 else 120, x, 192)
    page.text(LEFT + 6, 138, "地区", 10).text(LEFT + 160, 126, "住宿费", 10)
    page.text(LEFT + 106, 150, "旺季", 10).text(LEFT + 206, 150, "平季", 10)
    page.text(LEFT + 6, 174, "北京", 10).text(LEFT + 106, 174, "800", 10).text(LEFT + 206, 174, "500", 10)
    document = read_pdf(write_pdf(tmp_path / "merged.pdf", [page]))
    [found] = [block for block in document.blocks if block.kind == "table"]
    assert found.rows == (("地区", "住宿费", "住宿费"), ("地区", "旺季", "平季"), ("北京", "800", "500"))


def test_a_scan_is_refused_with_what_to_do(tmp_path: Path):
    path = write_pdf(tmp_path / "scan.pdf", [Page().picture(), Page().picture()])
    with pytest.raises(InvalidInput, match="扫描件.*OCR"):
        read_pdf(path)


def test_a_page_that_is_a_picture_is_named(policy: Path, tmp_path: Path):
    text = Page()
    set_lines(text, 100, "第一条 为规范差旅费管理，制定本办法，适用于集团总部以及所属各公司的全体员工。")
    document = read_pdf(write_pdf(tmp_path / "mixed.pdf", [text, Page().picture()]))
    assert any("第 2 页是图片" in note for note in document.notes)


@pytest.mark.parametrize("cut", [40, 600, -400])
def test_a_damaged_file_is_refused(policy: Path, tmp_path: Path, cut: int):
    broken = tmp_path / "broken.pdf"
    data = policy.read_bytes()
    broken.write_bytes(data[:cut] if cut > 0 else data[:900] + b"\x00" * 3000)
    with pytest.raises(InvalidInput, match="PDF"):
        read_pdf(broken)


def test_progress_is_told_a_page_at_a_time(policy: Path):
    heard: list[tuple[int, int]] = []
    read_pdf(policy, lambda done, total: heard.append((done, total)))
    assert heard == [(0, 3), (1, 3), (2, 3)]


def test_a_stopped_import_stops_the_reading(policy: Path):
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        read_pdf(policy, stop)


def test_radicals_that_a_font_put_in_place_of_characters_are_turned_back(tmp_path: Path):
    text = "云帆科技集团租车费管理办法"
    printed = text.replace("车", "⻋").replace("用", "⽤")
    page = Page().text(150, 80, printed, 22)
    set_lines(page, 130, "第⼀条 租⻋须经部⻔负责⼈批准，⻝堂⻓期⽤⻋⻅附⻚，其余⽤⻋按本办法的规定执⾏。")
    document = read_pdf(write_pdf(tmp_path / "radicals.pdf", [page]))
    plain = "第一条 租车须经部门负责人批准，食堂长期用车见附页，其余用车按本办法的规定执行。"
    assert [block.text for block in document.blocks] == [text, plain]
    told = about_of(document, split(document.blocks), "x.pdf")
    assert told["title"] == text and policy_id(told["title"], ()) == policy_id(text, ())


def test_every_radical_with_an_ideograph_of_its_own_becomes_it():
    radicals = [chr(code) for code in range(0x2E81, 0x2FD6) if unicodedata.category(chr(code)) != "Cn"]
    assert len(radicals) == 328
    assert all(unicodedata.name(clean(one)).startswith("CJK UNIFIED") for one in radicals)
    assert clean("⻋⻔⻝⻚⻓⻅⺟⻳") == "车门食页长见母龟"


def test_a_font_without_figures_is_read_in_silence(policy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    box = b"/FontBBox [-25 -254 1000 880]"
    data = policy.read_bytes()
    assert box in data
    odd = tmp_path / "odd.pdf"
    odd.write_bytes(data.replace(box, b"/FontBBox null".ljust(len(box))))
    assert read_pdf(odd).blocks == read_pdf(policy).blocks
    assert not caplog.records


def cut_table(page: Page, top: float, rows: list[list[str]], city: list[tuple[int, int, str]], closed: bool) -> None:
    """A table whose first column has merged cells `(first row, rows, text)`; the last has a rule below it where `closed`."""
    end = top + 24 * len(rows)
    for k in range(len(rows) + 1):
        page.rule(LEFT + 100, top + 24 * k, LEFT + 300, top + 24 * k)
    for x in (LEFT, LEFT + 100, LEFT + 200, LEFT + 300):
        page.rule(x, top, x, end)
    for first, many, text in city:
        page.rule(LEFT, top + 24 * first, LEFT + 100, top + 24 * first)
        page.text(LEFT + 6, top + 24 * first + 6, text, 10)
        if closed or first + many < len(rows):
            page.rule(LEFT, top + 24 * (first + many), LEFT + 100, top + 24 * (first + many))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row, 1):
            page.text(LEFT + 100 * c + 6, top + 24 * r + 6, cell, 10)


@pytest.mark.parametrize(("closed", "where"), [(False, 0), (False, 1), (True, 0)])
def test_a_merged_cell_that_a_page_break_cuts_keeps_its_text(tmp_path: Path, closed: bool, where: int):
    one, two = framed(1), framed(2)
    one.text(LEFT, 90, "租车标准按下表执行，单位为元/天，超过标准的部分由个人承担。")
    top = [["车型", "标准"], ["轿车", "430"], ["大巴", "1330"], ["轿车", "410"]]
    name = ["南宁", ""]
    cut_table(one, 640, top, [(0, 1, "城市"), (1, 2, "三亚"), (3, 1, name[where])], closed)
    below = [["车型", "标准"], ["商务车", "610"], ["大巴", "1310"], ["轿车", "390"]]
    cut_table(two, 80, below, [(0, 1, "城市"), (1, 2, name[1 - where]), (3, 1, "昆明")], True)
    document = read_pdf(write_pdf(tmp_path / "cut.pdf", [one, two]))
    [found] = [block for block in document.blocks if block.kind == "table"]
    assert [(row[0], row[2]) for row in found.rows] == [
        ("城市", "标准"), ("三亚", "430"), ("三亚", "1330"), ("南宁", "410"), ("南宁", "610"), ("南宁", "1310"), ("昆明", "390"),
    ]  # fmt: skip
    assert any("第 1 页的表格" in note and "核对" in note for note in document.notes)


def test_a_row_that_the_page_break_leaves_without_a_rule_above_stays_in_its_table(tmp_path: Path):
    one, two = framed(1), framed(2)
    one.text(LEFT, 90, "租车标准按下表执行，单位为元/天，超过标准的部分由个人承担。")
    grid(one, 660, [["城市", "车型", "标准"], ["三亚", "轿车", "430"], ["三亚", "大巴", "1330"]])
    two.text(LEFT + 6, 86, "南宁", 10).text(LEFT + 106, 86, "轿车", 10).text(LEFT + 206, 86, "410", 10)
    for x in (LEFT, LEFT + 100, LEFT + 200, LEFT + 300):
        two.rule(x, 80, x, 104)
    grid(two, 104, [["南宁", "大巴", "1310"], ["昆明", "轿车", "390"]])
    blocks = read_pdf(write_pdf(tmp_path / "open.pdf", [one, two])).blocks
    [found] = [block for block in blocks if block.kind == "table"]
    assert [row[0] for row in found.rows] == ["城市", "三亚", "三亚", "南宁", "南宁", "昆明"] and len(blocks) == 2
    assert found.rows[3] == ("南宁", "轿车", "410")


def test_a_table_with_whole_cells_needs_no_note(policy: Path):
    assert not any("核对" in note for note in read_pdf(policy).notes)


def set_column(page: Page, left: float, top: float, *paragraphs: str, columns: int = 16) -> float:
    for text in paragraphs:
        for k in range(0, len(text), columns):
            page.text(left, top, text[k : k + columns], SIZE)
            top += 18
        top += 7
    return top


def test_two_columns_are_read_one_after_the_other(tmp_path: Path):
    one, two = framed(1), framed(2)
    one.text(190, 90, "能耗费管理办法", 22)
    set_lines(
        one,
        130,
        "为加强水电气能耗费用的管理，明确各部门和所属各公司的职责和标准，经集团总经理办公会研究决定，制定以下各条。",
    )
    first = (
        "第一条 本办法适用于集团以及所属各公司的办公场所和全部的生产场所。",
        "第二条 办公区的电费按月据实结算，每平方米每月不超过6元。",
    )
    second = (
        "第三条 水费每人每月不超过20元，由物业公司抄表并开具发票。",
        "第四条 充电桩电费由个人承担，公司车辆每辆每月不超过500元。",
    )
    set_column(one, 90, 200, *first)
    set_column(one, 310, 203, *second)
    one.text(LEFT, 320, "（以上各条的金额都含税，超过标准的由部门书面说明原因后报财务部备案。）")
    last = ("第五条 超过标准的部分由使用部门承担，确因工作需要的，应当报", "分管领导批准。")
    set_column(two, 90, 80, last[0])
    set_column(two, 310, 80, last[1])
    document = read_pdf(write_pdf(tmp_path / "columns.pdf", [one, two]))
    texts = [block.text for block in document.blocks]
    assert texts[0] == "能耗费管理办法" and texts[1].startswith("为加强") and texts[6].startswith("（以上")
    assert texts[2:6] == [*first, *second] and texts[7] == "".join(last) and len(texts) == 8
    assert any("第 1、2 页分两栏" in note for note in document.notes)


def test_a_mark_that_hangs_into_a_narrow_gutter_is_of_its_column(tmp_path: Path):
    page = Page()
    left = ("第一条 水电费按月据实结算，各部", "门在下月十日前核对账单（含公摊）", "，逾期未核对的视为没有异议。")
    right = ("第二条 超过标准的部分由使用部", "门承担，确因工作需要的，报分管", "领导批准后由财务部门据实列支。")
    for k, (one, two) in enumerate(zip(left, right, strict=True)):
        page.text(90, 80 + 20 * k, one, SIZE).text(300, 80 + 20 * k, two, SIZE)
    assert 90 + SIZE * len(left[1]) == 282
    page.text(282, 100, "）", SIZE)
    texts = [block.text for block in read_pdf(write_pdf(tmp_path / "narrow.pdf", [page])).blocks]
    assert texts == [left[0] + left[1] + "）" + left[2], "".join(right)]


def test_a_table_without_rules_is_read_by_lines_and_told(tmp_path: Path):
    page = Page()
    set_lines(page, 80, "第一条 各城市的住宿费标准按下列金额执行，超过标准的部分由个人承担。")
    for k, (city, fee) in enumerate((("城市", "金额"), ("北京", "500元"), ("上海", "450元"), ("天津", "380元"))):
        page.text(120, 160 + 20 * k, city).text(300, 160 + 20 * k, fee)
    document = read_pdf(write_pdf(tmp_path / "bare.pdf", [page]))
    assert [block.text for block in document.blocks][-3:] == ["北京 500元", "上海 450元", "天津 380元"]
    assert ["第 1 页" in note and "Word" in note for note in document.notes] == [True]


def test_one_column_needs_no_note(policy: Path):
    assert not any("栏" in note for note in read_pdf(policy).notes)


def test_a_raised_digit_is_no_digit_of_the_amount(tmp_path: Path):
    page = Page().text(60, 60, "第一条 出差补助标准为每人每天一百元整，由报销组审核。")
    page.text(60, 80, "第二条 补助100").text(144, 80, "1", 7).text(148, 80, "元，面积90m")
    page.text(214, 79, "2", 7).text(218, 80, "以内。")
    document = read_document(write_pdf(tmp_path / "a.pdf", [page]), "pdf")
    assert "补助100[1]元" in document.blocks[-1].text and "1001" not in document.blocks[-1].text
    assert any("注码" in note for note in document.notes)


def aslant(page: Page, x: float, top: float, text: str) -> None:
    code = text.encode("utf-16-be").hex()
    page.parts.append(f"BT /F1 20 Tf 0.866 0.5 -0.5 0.866 {x} {HEIGHT - top} Tm <{code}> Tj ET")


def test_a_watermark_gets_into_no_amount(tmp_path: Path):
    page = Page()
    end = set_lines(page, 80, "第一条 单笔5000元以下的由部门负责人审批，5000元以上至50000元的由分管领导审批。")
    set_lines(page, end, "第二条 住宿费每天不超过500元。")
    for top in (100, 140, 180):
        aslant(page, 110, top, "张三13812345678")
    document = read_pdf(write_pdf(tmp_path / "marked.pdf", [page]))
    assert [block.text for block in document.blocks] == [
        "第一条 单笔5000元以下的由部门负责人审批，5000元以上至50000元的由分管领导审批。",
        "第二条 住宿费每天不超过500元。",
    ]
    assert any("水印" in note for note in document.notes)


@pytest.mark.parametrize(
    ("paint", "size", "read"), [("0.85 g", 40, False), ("0.8 0.8 0.9 rg", 12, False), ("1 0 0 rg", 12, True)]
)
def test_pale_or_large_letters_over_the_text_are_a_watermark(tmp_path: Path, paint: str, size: int, read: bool):
    pages = [Page(), Page()]
    for page in pages:
        page.parts.append(paint)
        page.text(150, 148, "内部资料", size).text(150, 400, "内部资料", size)
        page.parts.append("0 g")
        set_lines(page, 150, "第一条 单笔5000元以下的由部门负责人审批，5000元以上至80000元的由分管领导审批。")
    document = read_pdf(write_pdf(tmp_path / "over.pdf", pages))
    assert ("内部资料" in "".join(block.text for block in document.blocks)) == read
    if not read:
        assert document.blocks[0].text.startswith("第一条 单笔5000元以下的由部门负责人审批，5000元以上")
        about = about_of(document, split(document.blocks), "a.pdf")
        assert about["secrecy"] == "内部资料", "who may read it is told by the watermark"


def test_what_fills_in_a_blank_is_no_watermark(tmp_path: Path):
    page = Page()
    set_lines(page, 80, "第一条 出差人员应当事先申请，批准后方可订票。")
    page.text(LEFT, 120, "姓名：________________").parts.append("0.6 0.6 1 rg")
    page.text(LEFT + 40, 119, "张三", 13)
    document = read_pdf(write_pdf(tmp_path / "filled.pdf", [page]))
    assert "张" in document.blocks[-1].text and not document.notes


def test_the_table_in_the_page_heads_stays_once(tmp_path: Path):
    pages = [Page() for _ in range(3)]
    for number, page in enumerate(pages, 1):
        grid(page, 40, [["制度名称", "报销办法", "文件编号", "HS-001"], ["版本", "A/2", "页次", f"{number}/3"]])
    set_lines(pages[0], 600, THIRD[: 2 * COLUMNS - 2])
    set_lines(pages[1], 110, THIRD[2 * COLUMNS - 2 :], 0)
    set_lines(pages[1], 200, "第四条 按月结算。")
    set_lines(pages[2], 110, "第五条 自印发之日起施行。")
    document = read_pdf(write_pdf(tmp_path / "heads.pdf", pages))
    assert [block.kind for block in document.blocks] == ["table", "paragraph", "paragraph", "paragraph"]
    assert document.blocks[1].text == THIRD and document.notes
    about = about_of(document, split(document.blocks), "a.pdf")
    assert (about["title"], about["number"], about["version"]) == ("报销办法", "HS-001", "A/2")


def test_appendices_at_the_top_of_their_pages_are_no_running_heads(tmp_path: Path):
    pages = [framed(number) for number in (1, 2, 3)]
    set_lines(pages[0], 110, "第一条 见附件。")
    for number, page in enumerate(pages[1:], 1):
        page.text(LEFT, 70, f"附件{number}").text(220, 100, f"申请单{'甲乙'[number - 1]}", 16)
        set_lines(page, 140, "本单一式两份，由经办人填写，并附发票。")
        page.text(LEFT, 20, "第一章 总则", 9)
    document = read_pdf(write_pdf(tmp_path / "appendices.pdf", pages))
    assert [one.label for one in split(document.blocks).articles] == ["第一条", "附件1", "附件2"]


def test_articles_that_come_again_in_the_margin_stay(tmp_path: Path):
    pages = [framed(number) for number in (1, 2)]
    for page in pages:
        set_lines(page, 70, "第一条 按月结算。")
        set_lines(page, 200, "第二条 据实报销，不得虚列。")
    document = read_pdf(write_pdf(tmp_path / "again.pdf", pages))
    assert [one.label for one in split(document.blocks).articles] == ["第一条", "第二条"] * 2


def test_two_values_of_one_cell_stay_two_and_what_is_drawn_twice_is_one(tmp_path: Path):
    page = Page().text(LEFT, 50, "第一条 各地区的住宿费限额按下表执行，据实报销。")
    grid(page, 80, [["城市", "限额（元）"], ["北京", ""]], high=40)
    page.text(LEFT + 106, 124, "800", 10).text(LEFT + 106, 138, "600", 10).text(LEFT + 106.3, 138, "600", 10)
    document = read_pdf(write_pdf(tmp_path / "values.pdf", [page]))
    assert document.blocks[1].rows[1] == ("北京", "800 600")
    [limits] = find_standards(document.blocks, [], "办法")
    assert not limits.proposal.use


def test_a_frame_around_the_text_of_a_page_is_no_table(tmp_path: Path):
    page = Page()
    grid(page, 60, [["制度名称", "报销办法", "编号", "HS-001"], ["版本", "A/2", "日期", "2026"]])
    end = 108
    for number in ("一", "二", "三"):
        end = set_lines(
            page, end + 4, f"第{number}条 出差人员应当事前提交申请单，经部门负责人批准以后方可订票，并据实报销。"
        )
    for x in (LEFT, LEFT + 400):
        page.rule(x, 108, x, end + 10)
    page.rule(LEFT, end + 10, LEFT + 400, end + 10)
    grid(page, end + 10, [["编制", "张三", "批准", "李四"], ["日期", "1月", "日期", "2月"]])
    document = read_pdf(write_pdf(tmp_path / "frame.pdf", [page]))
    assert [block.kind for block in document.blocks] == ["table", "paragraph", "paragraph", "paragraph", "table"]
    assert [len(block.rows) for block in document.blocks if block.kind == "table"] == [2, 2]
