"""Stories of bringing knowledge in through the console's pages."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from docx import Document
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Visit

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
LODGING = "出差住宿费能报多少？"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
READ_MS = 60_000


def sheet(*rows: tuple[str, ...]) -> bytes:
    """An .xlsx with these rows; the first are the headers."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def policy(title: str, limit: str, *more: str) -> bytes:
    """A .docx with a chapter, articles and a table of limits."""
    document = Document()
    document.add_heading(title, 0)
    document.add_paragraph("第一章 总则")
    document.add_paragraph("第一条 为规范团建活动经费的使用，制定本办法。")
    document.add_paragraph("第二章 标准")
    document.add_paragraph(f"第二条 团建活动经费每人每年不超过 {limit} 元，凭发票报销。")
    document.add_paragraph("团建活动经费标准表（单位：元/人·年）")
    table = document.add_table(rows=0, cols=3)
    for row in (("地区", "总部", "分公司"), ("北京", limit, "500"), ("其他地区", "600", "400")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    for text in more:
        document.add_paragraph(text)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def upload(page: Page, *files: tuple[str, str, bytes]) -> None:
    page.get_by_label("选择要导入的文件").set_input_files(
        [{"name": name, "mimeType": kind, "buffer": body} for name, kind, body in files]
    )


def row_of(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def downloaded(page: Page, press: Callable[[], None]) -> Any:
    with page.expect_download() as waiting:
        press()
    return load_workbook(io.BytesIO(waiting.value.path().read_bytes()), read_only=True)


def test_a_sheet_with_a_collision_becomes_entries(visit: Visits) -> None:
    word = uuid.uuid4().hex[:6]
    fresh = f"团建{word}经费怎么申请？"
    here = visit()
    page = here.console("/knowledge/imports")
    body = sheet(
        ("标准问题", "相似问", "答案", "业务类型", "备注"),
        (
            fresh,
            f"团建{word}的钱怎么要\n{word}团建费",
            "在费用申请单里选择团建，部门负责人审批后使用。",
            "费用报销",
            "人力提供",
        ),
        ("出差住宿费能报多少", f"住{word}酒店最多报几块", "以标准表为准。", "差旅报销", ""),
        ("没有答案的问题", "", "", "", ""),
    )
    upload(page, (f"问答{word}.xlsx", XLSX, body))
    expect(page).to_have_url(re.compile(r"/knowledge/imports/[\w-]+$"))
    expect(page.get_by_role("heading", name=f"问答{word}.xlsx")).to_be_visible()
    columns = page.get_by_role("region", name="识别的列")
    expect(columns).to_contain_text("标准问题 → 标准问", timeout=READ_MS)
    expect(columns).to_contain_text("没有识别的列：备注")
    expect(row_of(page, fresh)).to_contain_text("新建")
    expect(row_of(page, "没有答案的问题")).to_contain_text("不能导入")
    here.shot("preview")

    collision = row_of(page, "以标准表为准。")
    expect(collision).to_contain_text(LODGING)
    approve = page.get_by_role("button", name="直接通过")
    expect(approve).to_be_disabled()
    collision.get_by_label("跳过").check()
    expect(approve).to_be_enabled()
    page.get_by_role("note").get_by_role("button", name="合并为相似问").click()
    expect(collision.get_by_label("跳过")).to_be_checked()  # Decided rows stay as decided.
    collision.get_by_label("合并为相似问").check()
    approve.click()
    expect(page.get_by_text("已新建 1，已合并 1")).to_be_visible(timeout=READ_MS)
    expect(row_of(page, "没有答案的问题")).to_contain_text("未导入")
    here.shot("done")

    report = downloaded(page, lambda: page.get_by_role("link", name="下载结果报告").click())
    said = [" ".join(str(cell) for cell in row if cell) for row in report.active.iter_rows(values_only=True)]
    assert any(fresh in line and "新建" in line for line in said), said
    assert any("没有答案的问题" in line for line in said), said

    page.goto(f"{here.url}/console/knowledge/entries?q={word}")
    page.get_by_role("link", name=fresh).click()
    expect(page.locator("#content")).to_contain_text("部门负责人审批后使用")
    page.goto(f"{here.url}/console/knowledge/entries?q=住{word}酒店")
    expect(page.get_by_role("link", name=LODGING)).to_be_visible()


def test_what_cannot_be_read_is_told_and_leaves_nothing(visit: Visits) -> None:
    here = visit(PHONE)
    page = here.console("/knowledge/imports")
    upload(page, ("空表.xlsx", XLSX, b""), ("坏的.xlsx", XLSX, b"PK\x03\x04 not a workbook"))
    expect(page.get_by_role("alert").filter(has_text="文件是空的")).to_be_visible()
    here.fits()
    refused = page.get_by_role("alert").or_(page.locator(".failed")).filter(has_text=re.compile("坏|损|打不开|不能"))
    expect(refused.first).to_be_visible(timeout=READ_MS)
    here.shot("refused")


def test_an_import_is_cancelled_before_anything_is_written(visit: Visits) -> None:
    word = uuid.uuid4().hex[:6]
    here = visit()
    page = here.console("/knowledge/imports")
    upload(page, (f"取消{word}.csv", "text/csv", f"标准问,答案\n取消{word}吗,不\n".encode()))
    expect(row_of(page, f"取消{word}吗")).to_be_visible(timeout=READ_MS)
    page.get_by_role("button", name="取消导入").click()
    page.get_by_role("dialog").get_by_role("button", name="取消导入").click()
    expect(page.get_by_text("已取消").first).to_be_visible()
    page.goto(f"{here.url}/console/knowledge/entries?q={word}")
    expect(page.get_by_text("没有符合条件的知识条目")).to_be_visible()


def test_a_policy_its_table_and_its_next_version(visit: Visits) -> None:
    word = uuid.uuid4().hex[:6]
    title = f"团建{word}经费管理办法"
    here = visit()
    page = here.console("/knowledge/imports")
    upload(page, (f"{title}.docx", DOCX, policy(title, "800")))
    facts = page.get_by_role("region", name="制度信息")
    expect(facts.get_by_label("制度名称")).to_have_value(title, timeout=READ_MS)
    here.shot("preview")
    facts.get_by_label("制度编号").fill(f"tuanjian-{word}")
    facts.get_by_label("版本").fill("2026.1")
    expect(page.get_by_role("button", name="确认入库")).to_be_disabled()
    facts.get_by_role("button", name="保存信息").click()

    table = page.get_by_role("region", name="表格").get_by_role("article").first
    expect(table).to_contain_text("其他地区")
    table.get_by_label("标准表名称").fill(f"团建{word}标准表")
    table.get_by_label("标准表编号").fill(f"tuanjian-{word}")
    preview = table.get_by_role("region", name=f"团建{word}标准表", exact=True)
    expect(preview.get_by_role("row", name="北京")).to_contain_text("800")
    table.get_by_role("button", name="确认为标准表").click()
    expect(table.get_by_text("已确认")).to_be_visible()
    here.shot("table")
    page.get_by_role("button", name="确认入库").click()
    expect(page.get_by_text("2026.1 版已入库")).to_be_visible(timeout=READ_MS)

    page.get_by_role("link", name="阅读制度").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#content")).to_contain_text("不超过 800 元")
    page.goto(f"{here.url}/console/knowledge/tables/tuanjian-{word}")
    expect(page.get_by_role("row", name="北京")).to_contain_text("800")

    page.goto(f"{here.url}/console/knowledge/policies/tuanjian-{word}/versions")
    page.get_by_role("button", name="上传新版本").click()
    upload(page, ("新版.docx", DOCX, policy(title, "1000", "第三条 跨年度的团建经费不得结转。")))
    articles = page.get_by_role("region", name=re.compile("^条款"))
    expect(articles.get_by_role("button", name="修改 1")).to_be_visible(timeout=READ_MS)
    expect(articles.get_by_role("button", name="新增 1")).to_be_visible()
    expect(articles.locator("del").filter(has_text="元，凭发票")).to_contain_text("800 元")
    expect(articles.locator("ins").filter(has_text="元，凭发票")).to_contain_text("1000 元")
    here.shot("difference")
    page.get_by_label("版本", exact=True).fill("2027.1")
    page.get_by_role("button", name="保存信息").click()
    page.get_by_role("button", name="不作为标准表").first.click()
    page.get_by_role("button", name="确认入库").click()
    expect(page.get_by_text("2027.1 版已入库")).to_be_visible(timeout=READ_MS)

    page.goto(f"{here.url}/console/knowledge/policies/tuanjian-{word}/versions")
    expect(page.get_by_role("region", name="所有版本").get_by_role("row")).to_have_count(3)
    expect(page.locator("ins").filter(has_text="元，凭发票")).to_contain_text("1000 元")
    here.shot("versions")


def test_what_is_exported_can_be_imported_again(visit: Visits) -> None:
    here = visit()
    page = here.console("/knowledge/imports")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=".csv", exact=True).click()
    body = waiting.value.path().read_bytes()
    assert LODGING in body.decode("utf-8-sig")
    upload(page, ("知识条目.csv", "text/csv", body))
    expect(page.get_by_role("button", name=re.compile("^无变化"))).to_be_visible(timeout=READ_MS)
    for planned in ("新建", "更新", "冲突", "不能导入"):
        expect(page.get_by_role("button", name=re.compile(f"^{planned} "))).to_have_count(0)
    here.shot("the-same")
