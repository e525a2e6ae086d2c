"""An employee and an agent at the same time, each at their own screen, from the question to the rating."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Desk, Visit
from tests.stack import LI

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
Tokens = Callable[..., str]
RECEIPT = {"name": "退票凭证.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(50_000)}


def hand_over(desk: Desk, story: str) -> str:
    """From 转人工 to the ticket's number."""
    desk.press("转人工", inside=desk.panel.get_by_role("group", name="快捷操作"))
    values = {"哪类业务": "差旅报销", "描述": story, "多急": "一般", "哪张单据": "跳过", "怎么联系": "跳过"}
    for _ in range(8):
        said = desk.last.inner_text()
        if "请确认" in said:
            break
        desk.ask(next(value for words, value in values.items() if words in said))
    card = desk.press("提交", inside=desk.last)
    number = re.search(r"FW\d{8}-\d{4}", card.inner_text())
    assert number, card.inner_text()
    return number[0]


def answer(page: Page, text: str) -> None:
    page.get_by_label("回复内容").fill(text)
    page.get_by_label("回复内容").press("Control+Enter")
    expect(page.get_by_label("回复内容")).to_have_value("")


def test_from_the_question_to_the_rating(visit: Visits, token: Tokens) -> None:
    who = replace(LI, employee_no=f"T{uuid.uuid4().hex[:8]}")
    word = f"退票{uuid.uuid4().hex[:6]}"
    li, agent = visit(), visit()
    desk = li.host(token(who), page="expense.travel.fill").open()
    number = hand_over(desk, f"机票{word}费提交时提示超标准")
    li.shot("filed")

    page = agent.console(f"/tickets?view=all&q={word}")
    row = page.get_by_role("row", name=number)
    expect(row).to_contain_text("待受理")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(row).to_contain_text("处理中")
    talk = desk.panel.locator(".talk-bar")
    expect(talk).to_contain_text("正在为您服务")
    expect(desk.panel.locator(".line.notice")).to_contain_text("已接入")
    expect(desk.panel.get_by_role("button", name="转人工")).to_be_hidden()
    li.shot("somebody-came")

    page.goto(f"{agent.url}/console/tickets/{number}")
    answer(page, "您好，请把退票凭证发给我。")
    words = desk.panel.locator(".line.agent")
    expect(words.last).to_contain_text("请把退票凭证发给我")
    expect(words.last).to_be_in_viewport()
    li.shot("answered")

    before = desk.replies.count()
    desk.say("是 11 月 3 日国航的")
    talked = page.get_by_role("region", name="会话记录")
    expect(talked).to_contain_text("是 11 月 3 日国航的")
    with li.page.expect_file_chooser() as chosen:
        desk.panel.get_by_role("button", name="发送附件").click()
    chosen.value.set_files(RECEIPT)
    expect(desk.panel.locator(".line.user .files")).to_contain_text("退票凭证.png")
    expect(talked).to_contain_text("退票凭证.png")
    with li.page.expect_file_chooser() as chosen:
        desk.panel.get_by_role("button", name="发送附件").click()
    chosen.value.set_files({"name": "工具.exe", "mimeType": "application/octet-stream", "buffer": b"MZ" + bytes(90)})
    expect(desk.status).to_contain_text("不支持这种文件")
    assert desk.replies.count() == before, "the bot talked over a person"
    agent.shot("heard")

    desk.panel.get_by_role("button", name="关闭客服窗口").first.click()
    answer(page, "收到，正在核对。")
    expect(desk.page.get_by_role("button", name="打开财务共享客服，1 条未读消息")).to_be_visible()
    li.shot("unread")

    phone = visit(PHONE)
    there = phone.host(token(who), page="expense.list")
    expect(there.page.get_by_role("button", name="打开财务共享客服，1 条未读消息")).to_be_visible()
    there.open()
    missed = there.panel.locator(".line", has=there.page.locator(".separator"))
    expect(missed).to_contain_text("收到，正在核对")
    phone.shot("missed")
    there.panel.get_by_role("button", name="我的工单").click()
    ticket = there.panel.locator(".tickets")
    ticket.get_by_role("button", name=re.compile(number)).click()
    expect(ticket).to_contain_text("收到，正在核对")
    ticket.get_by_role("button", name="催办").click()
    expect(ticket.get_by_role("status")).to_contain_text("已催办")
    ticket.get_by_label("要补充的内容").fill("出差已经结束了")
    ticket.get_by_role("button", name="发送").click()
    expect(ticket.get_by_role("status")).to_contain_text("已补充")
    expect(talked).to_contain_text("出差已经结束了")
    phone.fits()
    phone.shot("ticket")

    desk.open()
    expect(desk.panel.locator(".line.agent").last).to_contain_text("收到，正在核对")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.get_by_label("解决说明（员工会看到）").fill("退票费可以随差旅单报销，选“退票费”类型即可。")
    page.keyboard.press("Control+Enter")
    expect(talk).to_be_hidden()
    expect(words.last).to_contain_text("选“退票费”类型即可")
    expect(desk.panel.locator(".line.notice", has_text="智能客服回来了")).to_have_count(1)
    expect(desk.panel.get_by_role("button", name="转人工")).to_be_visible()
    li.shot("resolved")

    rating = desk.panel.locator(".card.rating")
    rating.get_by_role("radio", name="2 分，不满意").click()
    rating.get_by_role("button", name="回复太慢").click()
    rating.get_by_label("想说的话").fill("等了很久")
    li.shot("rating")
    rating.get_by_role("button", name="提交评价").click()
    expect(rating).to_contain_text("您评了 2 分")
    expect(page.locator("#content")).to_contain_text("2 分")

    desk.ask("出差住宿费能报多少？")
    expect(desk.last).to_contain_text("元")
    desk.panel.get_by_role("button", name="我的工单").click()
    with li.page.expect_download() as saved:
        desk.panel.get_by_role("button", name="导出我的服务记录").click()
    assert saved.value.suggested_filename == "我的服务记录.xlsx"
    records = load_workbook(BytesIO(saved.value.path().read_bytes()))
    told = [[cell or "" for cell in row] for row in records["服务记录"].iter_rows(min_row=2, values_only=True)]
    assert {row[0] for row in told} == {number}
    said = "\n".join(row[3] for row in told)
    assert "请把退票凭证发给我" in said and "出差已经结束了" in said
    li.shot("records")


def test_the_employee_calls_the_bot_back_and_the_agent_comes_again(visit: Visits, token: Tokens) -> None:
    who = replace(LI, employee_no=f"T{uuid.uuid4().hex[:8]}")
    word = f"借款{uuid.uuid4().hex[:6]}"
    li, agent = visit(PHONE), visit()
    desk = li.host(token(who), page="expense.list").open()
    number = hand_over(desk, f"{word}冲销后余额不对")
    page = agent.console(f"/tickets/{number}")
    answer(page, "您好，我看一下。")
    talk = desk.panel.locator(".talk-bar")
    expect(talk).to_be_visible()
    li.shot("agent")

    talk.get_by_role("button", name="回到机器人").click()
    expect(talk).to_be_hidden()
    desk.at_rest()
    desk.ask("出差住宿费能报多少？")
    expect(desk.last).to_contain_text("元")
    li.fits()
    li.shot("bot")

    answer(page, "查到了，是上月的冲销单还没入账。")
    expect(talk).to_be_visible()
    expect(desk.panel.locator(".line.agent").last).to_contain_text("还没入账")
    li.shot("agent-again")
