"""Stories of agents and knowledge managers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.stack import ADMIN_PASSWORD, WANG, Employee

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
LODGING = "出差住宿费能报多少？"
PLACES = (
    "/tickets",
    "/knowledge/entries",
    "/knowledge/entries/travel-001",
    "/knowledge/policies",
    "/knowledge/tables",
    "/knowledge/policies/travel/versions",
    "/knowledge/imports",
    "/knowledge/releases",
    "/knowledge/releases/1",
    "/try?q=发票",
)


def file_ticket(who: Employee, description: str) -> str:
    """Over HTTP, as the widget does; the number."""
    turn = who.press("file")
    answers = {"business_type": "系统操作", "urgency": "紧急", "document_no": "跳过", "contact": "跳过"}
    for _ in range(7):
        if turn.types[-1] == "summary":
            return who.ask("提交").message("ticket")["number"]
        turn = who.ask(answers.get(turn.messages[-1]["field"], description))
    raise AssertionError(turn.text)


def test_signing_in_and_out(visit: Visits) -> None:
    here = visit()
    page = here.page
    page.goto(f"{here.url}/console/knowledge/policies")
    expect(page.get_by_text("请登录后继续")).to_be_visible()
    expect(page.get_by_label("账号")).to_be_focused()
    here.sign_in("admin", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("密码不正确")
    expect(page.get_by_label("密码", exact=True)).to_have_value("")
    here.shot("refused")
    here.sign_in("admin", ADMIN_PASSWORD)
    expect(page).to_have_url(re.compile("/console/knowledge/policies"))
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="当前用户").click()
    page.get_by_role("menuitem", name="退出登录").click()
    expect(page.get_by_label("账号")).to_be_visible()
    page.goto(f"{here.url}/console/tickets")
    expect(page.get_by_label("账号")).to_be_visible()


def test_an_agent_finds_a_ticket_by_words_and_filters(visit: Visits, employee: Callable[..., Employee]) -> None:
    word = f"流水{uuid.uuid4().hex[:8]}"
    hostile = f"保存报错<img src=x onerror=\"document.title='hacked'\">{word}"
    number = file_ticket(employee(WANG, page="payment.apply", node="contract", document_no="FK20261101-8803"), hostile)
    here = visit()
    page = here.console("/tickets")
    row = page.get_by_role("row", name=number)
    expect(row).to_contain_text("王建国")
    expect(row).to_contain_text("付款申请单填写")
    here.shot("tickets")

    filters = page.get_by_role("search", name="筛选工单")
    here.choose("紧急程度", "特急")
    expect(row).to_have_count(0)
    filters.get_by_role("button", name="清除筛选").click()
    expect(row).to_be_visible()
    here.choose("业务类型", "应付与付款")
    page.get_by_label("搜索工单").fill(word)
    page.get_by_label("搜索工单").press("Enter")
    expect(page.get_by_text("共 1 张工单")).to_be_visible()
    here.shot("filtered")
    row.click()
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    expect(page.locator("#content")).to_contain_text(hostile)
    expect(page.get_by_role("region", name="提问位置与单据")).to_contain_text("FK20261101-8803")
    assert page.locator("#content img").count() == 0 and "hacked" not in page.title()
    here.shot("detail")
    page.get_by_role("button", name="返回列表").click()
    expect(page.get_by_text("共 1 张工单")).to_be_visible()

    page.get_by_label("搜索工单").fill("没有这样的工单")
    page.get_by_label("搜索工单").press("Enter")
    expect(page.get_by_text("没有符合条件的工单")).to_be_visible()
    page.goto(f"{here.url}/console/tickets/FW20200101-9999")
    expect(page.get_by_role("button", name="返回工单列表")).to_be_visible()
    here.shot("no-such-ticket")


def test_knowledge_from_a_search_to_the_article_it_rests_on(visit: Visits, finance_only: dict[str, str]) -> None:
    here = visit()
    page = here.console("/knowledge/entries")
    page.get_by_label("搜索知识条目").fill("住宿费")
    page.get_by_label("搜索知识条目").press("Enter")
    expect(page).to_have_url(re.compile("q="))
    here.shot("entries")
    page.get_by_label("搜索知识条目").fill("travel-001")
    page.get_by_label("搜索知识条目").press("Enter")
    page.get_by_role("link", name=LODGING).click()
    expect(page.get_by_role("heading", name=LODGING)).to_be_visible()
    expect(page.get_by_role("region", name="基本信息")).to_contain_text("travel-001")
    expect(page.get_by_role("region", name="适用场景")).to_contain_text("差旅报销单填写 · 行程明细")
    here.shot("entry")
    page.get_by_role("region", name="依据").get_by_role("link", name="《差旅费管理办法》").first.click()
    expect(page).to_have_url(re.compile(r"policies/travel.*#article-\d+"))
    expect(page.locator("#content")).to_contain_text("差旅费管理办法")
    here.shot("article")

    page.goto(f"{here.url}/console/knowledge/entries/{finance_only['id']}")
    expect(page.get_by_role("region", name="基本信息")).to_contain_text("finance")
    page.get_by_role("button", name="用它做检索测试").click()
    expect(page.get_by_label("问题", exact=True)).to_have_value(finance_only["question"])


def test_the_test_page_shows_candidates_probabilities_and_the_band(visit: Visits) -> None:
    here = visit()
    page = here.console("/try")
    found = page.get_by_role("region", name="检索结果")
    for question, band in ((LODGING, "直接回答"), ("发票", "请用户选择"), ("咕噜咕噜喵喵喵呜哇", "不回答")):
        page.get_by_label("问题", exact=True).fill(question)
        page.get_by_role("button", name="测试", exact=True).click()
        expect(found.get_by_role("status")).to_contain_text(band)
        here.shot(band)
    page.get_by_label("问题", exact=True).fill(LODGING)
    page.get_by_label("问题", exact=True).press("Enter")
    expect(found.get_by_role("status")).to_contain_text("直接回答")
    best = found.get_by_role("listitem").first
    expect(best.get_by_role("link")).to_have_text(LODGING)
    expect(best.get_by_role("meter")).to_have_attribute("aria-valuetext", re.compile(r"\d+\.\d%"))
    best.get_by_role("button", name="特征").click()
    expect(best.locator("dl")).to_contain_text(re.compile(r"\d\.\d{3}"))
    here.shot("features")

    here.choose("所在页面", "差旅报销单填写")
    page.get_by_role("button", name="测试", exact=True).click()
    expect(page).to_have_url(re.compile("page=expense.travel.fill"))
    page.reload()
    expect(found.get_by_role("status")).to_contain_text("直接回答")
    expect(page.get_by_label("问题", exact=True)).to_have_value(LODGING)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_its_screen(visit: Visits, size: tuple[int, int]) -> None:
    here = visit(size)
    page = here.console("/tickets")
    for path in PLACES:
        page.goto(f"{here.url}/console{path}")
        expect(page.locator("#content .el-skeleton, #content [aria-busy=true]")).to_have_count(0)
        expect(page.locator("#content")).not_to_be_empty()
        here.fits()
        here.shot(path.split("?")[0].strip("/").replace("/", "-"))


def test_an_answer_that_does_not_come_is_told(visit: Visits) -> None:
    here = visit()
    page = here.console("/tickets")
    page.route("**/api/v1/console/kb/policies", lambda route: route.abort())
    page.get_by_role("region", name="知识库").get_by_role("link", name="制度").click()
    expect(page.locator("#content")).to_contain_text("连不上服务器")
    here.shot("unreachable")
    page.unroute("**/api/v1/console/kb/policies")
    page.get_by_role("button", name="重试").click()
    expect(page.locator("#content")).to_contain_text("差旅费管理办法")
