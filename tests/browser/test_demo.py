"""Stories of employees in the expense system, and of the agent who gets their ticket."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Desk, Visit

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
DRAFT = "BX20261118-0107"
RETURNED = "BX20261103-0042"
AT_INVOICES = f"/travel/{DRAFT}/attach-invoice"
FOLIO = "报销住宿费要不要酒店水单"
PLACES = (
    "/",
    "/travel/new/basic",
    f"/travel/{DRAFT}/itinerary",
    AT_INVOICES,
    f"/travel/{DRAFT}/submit",
    "/fill/daily/new/basic",
    "/fill/payment/new/basic",
    f"/documents/{RETURNED}",
    f"/documents/{RETURNED}/image",
    "/documents/BX20261110-0063",
    "/invoices/upload",
    "/invoices/verify",
)


def test_an_answer_in_the_middle_of_a_form(visit: Visits) -> None:
    here = visit()
    desk = here.demo()
    page = here.page
    here.shot("list")
    page.get_by_role("row", name=DRAFT).get_by_role("link", name="继续填写").click()
    page.get_by_role("button", name="关联发票与附件").click()
    expect(page.get_by_role("complementary", name="传给客服的页面上下文")).to_contain_text("attach-invoice")
    desk.open()
    expect(desk.panel).to_contain_text("关联发票与附件 · " + DRAFT)
    expect(desk.panel.get_by_role("list", name="常见问题").get_by_role("button")).to_have_count(5)
    here.shot("greeting")

    answer = desk.ask(FOLIO)
    expect(answer.get_by_role("heading", name=FOLIO + "？")).to_be_visible()
    expect(answer.get_by_role("list", name="依据")).to_contain_text("《差旅费管理办法》")
    expect(answer).to_contain_text(re.compile(r"生效日期 \d{4}-\d\d-\d\d"))
    answer.get_by_role("button", name="有用").click()
    expect(answer).to_contain_text("感谢反馈")
    expect(answer.get_by_role("button", name="有用")).to_have_attribute("aria-pressed", "true")
    here.shot("answer")

    follow_up = answer.get_by_role("list", name="相关问题").get_by_role("button").first
    title = follow_up.inner_text()
    opened = desk.press(title)
    expect(opened.get_by_role("heading", name=title, exact=True)).to_be_visible()
    here.shot("follow-up")

    before = desk.texts()
    page.reload()
    expect(desk.panel).to_be_visible()
    expect(desk.lines).to_have_count(len(before))
    assert desk.texts() == before
    expect(desk.replies.first.get_by_role("button", name="有用")).to_have_attribute("aria-pressed", "true")
    here.shot("reloaded")


def test_from_a_close_call_to_a_ticket_on_the_agents_screen(visit: Visits) -> None:
    li = visit()
    desk = li.demo(AT_INVOICES).open()
    choices = desk.ask("发票")
    expect(choices).to_contain_text("您想问的是下面哪一个")
    first = choices.get_by_role("list", name="请选择").get_by_role("button").first.inner_text()
    li.shot("choices")
    opened = desk.press(first)
    expect(opened.get_by_role("heading", name=first, exact=True)).to_be_visible()
    expect(choices.page.get_by_role("button", name="都不是")).to_be_disabled()

    desk.ask("发票")
    offered = desk.press("都不是")
    expect(offered).to_contain_text("抱歉")
    li.shot("none-of-these")
    asked = desk.press("提交工单")
    expect(asked).to_contain_text("描述")
    asked = desk.ask("数电票勾选后保存不上，提示已被使用")
    assert desk.lines.last.get_by_role("button", name="紧急", exact=True).is_visible(), asked.inner_text()
    summary = desk.press("紧急")
    for value in ("差旅报销", "数电票勾选后保存不上", "紧急", DRAFT, "李晓雯"):
        expect(summary).to_contain_text(value)
    li.shot("summary")

    for field, value in (("联系方式", "分机8012"), ("紧急程度", "特急"), ("业务类型", "发票")):
        expect(desk.press(f"修改{field}")).to_contain_text("？")
        summary = (
            desk.press(value)
            if desk.lines.last.get_by_role("button", name=value, exact=True).count()
            else desk.ask(value)
        )
        expect(summary.locator(".field", has_text=field)).to_contain_text(value)
    li.shot("corrected")
    card = desk.press("提交")
    number = re.search(r"FW\d{8}-\d{4}", card.inner_text())
    assert number, card.inner_text()
    expect(card).to_contain_text("待受理")
    li.shot("ticket")
    desk.panel.get_by_role("button", name="我的工单").click()
    expect(desk.panel.locator(".tickets")).to_contain_text(number[0])
    li.shot("my-tickets")

    agent = visit()
    console = agent.console()
    console.get_by_label("搜索工单").fill(number[0])
    console.get_by_role("button", name="搜索").click()
    expect(console.get_by_text("共 1 张工单")).to_be_visible()
    agent.shot("found")
    console.get_by_role("link", name=number[0]).click()
    expect(console.get_by_role("heading", name=number[0])).to_be_visible()
    content = console.locator("#content")
    for seen in ("特急", "华晟销售公司", "E1001", "分机8012", "差旅报销单填写", "关联发票", DRAFT):
        expect(content).to_contain_text(seen)
    said = console.get_by_role("region", name="会话记录")
    said.get_by_role("button", name=re.compile("^显示之前的")).click()
    for line in ("发票", first, "都不是", "数电票勾选后保存不上"):
        expect(said).to_contain_text(line)
    expect(console.get_by_role("region", name="智能客服查过的条目")).to_contain_text("请用户选择")
    agent.shot("detail")


def test_another_employee_has_another_conversation(visit: Visits) -> None:
    here = visit()
    desk = here.demo("/").open()
    desk.ask(FOLIO)
    before = desk.texts()
    who = here.page.get_by_label("演示身份")
    who.select_option("E1002")
    expect(desk.panel.get_by_role("list", name="常见问题")).to_be_visible()
    expect(desk.lines).to_have_count(0)
    here.shot("somebody-else")
    desk.ask("备用金怎么借")
    who.select_option("E1001")
    expect(desk.said.last).to_have_text(FOLIO)
    expect(desk.lines).to_have_count(len(before))
    assert desk.texts() == before
    here.shot("back-again")


def test_what_is_for_finance_only_is_shown_to_finance_only(visit: Visits, finance_only: dict[str, str]) -> None:
    question = finance_only["question"]
    here = visit()
    desk = here.demo("/").open()
    who = here.page.get_by_label("演示身份")
    heading = desk.panel.get_by_role("heading", name=question, exact=True)
    button = desk.panel.get_by_role("button", name=question, exact=True)

    who.select_option("anonymous")
    expect(desk.lines).to_have_count(0)
    desk.ask(question)
    expect(heading).to_have_count(0)
    expect(button).to_have_count(0)
    here.shot("anonymous")

    who.select_option("E2001")
    expect(desk.lines).to_have_count(0)
    desk.ask(question)
    expect(heading.or_(button).first).to_be_visible()
    here.shot("finance")


def test_the_desk_follows_the_employee_through_the_system(visit: Visits) -> None:
    here = visit()
    desk = here.demo(f"/documents/{RETURNED}").open()
    page = here.page
    hot = desk.panel.get_by_role("list", name="常见问题")
    expect(desk.panel).to_contain_text(f"已退回 · {RETURNED}")
    expect(hot).to_be_visible()
    at_returned = hot.inner_text()
    here.shot("returned")
    page.get_by_role("link", name="发票池").click()
    expect(desk.panel).not_to_contain_text(RETURNED)
    expect(hot).not_to_have_text(at_returned)
    here.shot("invoices")

    page.get_by_role("link", name="我的单据").first.click()
    page.get_by_role("link", name=RETURNED).click()
    with page.expect_request("**/api/v1/chat/messages") as sent:
        page.get_by_role("button", name="没有水单怎么办").click()
    assert sent.value.post_data_json["context"] == {
        "page": "document.detail",
        "node": "returned",
        "document_no": RETURNED,
    }
    expect(desk.replies).to_have_count(1)
    expect(desk.last).to_contain_text("水单")
    here.shot("asked-from-the-page")


def test_each_document_opens_with_its_own_figures(visit: Visits) -> None:
    here = visit()
    here.demo("/")
    page = here.page
    total, reason = page.locator(".total strong"), page.get_by_label("出差事由")
    page.get_by_role("row", name=DRAFT).get_by_role("link", name="继续填写").click()
    expect(total).not_to_have_text("0.00")
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="差旅报销单").click()
    expect(total).to_have_text("0.00")
    expect(reason).to_have_value("")
    reason.fill("参加展会")
    page.get_by_role("button", name="下一步").click()
    expect(page).to_have_url(re.compile(r"/travel/BX\d{8}-\d{4}/itinerary"))
    page.get_by_role("button", name="上一步").click()
    expect(reason).to_have_value("参加展会")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_its_screen(visit: Visits, size: tuple[int, int]) -> None:
    here = visit(size)
    for path in PLACES:
        desk: Desk = here.demo(path)
        expect(here.page.get_by_role("heading", level=1)).to_be_visible()
        here.fits()
        here.shot(path.strip("/").replace("/", "-") or "list")
    desk.open()
    here.fits()
