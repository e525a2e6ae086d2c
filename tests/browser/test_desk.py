"""Stories of the agents' workbench: the queue that lives, the ticket on one screen, work by keyboard."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.test_console import file_ticket
from tests.stack import ADMIN_PASSWORD, LI, WANG, Employee

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
Employees = Callable[..., Employee]


@contextmanager
def colleague(url: str) -> Iterator[httpx.Client]:
    """Somebody else at the same desk, over the API."""
    with httpx.Client(
        base_url=f"{url}/api/v1/console", trust_env=False, timeout=60, headers={"X-Requested-With": "fssc"}
    ) as client:
        signed_in = client.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        yield client


def row_of(page: Page, number: str):
    return page.get_by_role("row", name=number)


def test_a_ticket_comes_in_and_is_solved_without_the_mouse(visit: Visits, employee: Employees) -> None:
    word = f"键盘{uuid.uuid4().hex[:8]}"
    here = visit()
    page = here.console(f"/tickets?view=all&q={word}")
    expect(page.get_by_text("没有符合条件的工单")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="实时")).to_be_visible()
    pool = page.get_by_role("button", name=re.compile("^待领取"))
    before = int(re.search(r"\d+", pool.inner_text()).group())

    asker = employee(LI, page="payment.apply", node="contract", document_no="FK20261101-0009")
    number = file_ticket(asker, f"付款申请保存报错 {word}")
    expect(row_of(page, number)).to_contain_text("待受理")
    expect(pool).to_contain_text(str(before + 1))
    expect(row_of(page, number)).to_contain_text(re.compile(r"首次响应\s*(剩|\S+ \d\d:\d\d 前)"))
    here.shot("came-in")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("下一张 / 上一张")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    expect(row_of(page, number)).to_have_attribute("aria-current", "true")
    page.keyboard.press("c")
    expect(row_of(page, number)).to_contain_text("处理中")
    expect(pool).to_contain_text(str(before))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name=number)).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_label("备注内容")).to_be_focused()
    page.keyboard.type("已问过系统组，缓存问题。")
    page.keyboard.press("Control+Enter")
    note = page.get_by_role("listitem", name=re.compile("^内部备注"))
    expect(note).to_contain_text("已问过系统组")
    expect(note).to_contain_text("员工看不到")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.get_by_label("回复内容")).to_be_focused()
    page.keyboard.type("您好，请清除浏览器缓存后再保存一次。")
    page.keyboard.press("Control+Enter")
    said = page.get_by_role("region", name="会话记录").get_by_role("listitem").filter(has_text="清除浏览器缓存")
    expect(said).to_contain_text("回复员工")
    expect(page.get_by_label("回复内容")).to_have_value("")
    here.shot("answered")

    asker.ask("好了，保存成功")
    expect(page.get_by_role("region", name="会话记录")).to_contain_text("好了，保存成功")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.get_by_role("dialog")).to_contain_text("标记解决")
    page.get_by_label("解决说明（员工会看到）").fill("清除缓存后已可以保存。")
    page.keyboard.press("Control+Enter")
    expect(page.locator("header.head")).to_contain_text("已解决")
    here.shot("solved")
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"/console/tickets\?"))
    expect(row_of(page, number)).to_contain_text("已解决")

    heard = "\n".join(message["text"] for message in asker.history())
    assert "清除浏览器缓存" in heard and "清除缓存后已可以保存" in heard
    assert "缓存问题" not in heard and "系统组" not in heard


def test_what_was_typed_outlives_a_clash_and_a_reload(visit: Visits, employee: Employees) -> None:
    here = visit()
    number = file_ticket(employee(WANG), f"影像上传失败 {uuid.uuid4().hex[:8]}")
    page = here.console("/tickets")
    page.route("**/api/v1/console/stream", lambda route: route.abort())
    page.goto(f"{here.url}/console/tickets/{number}")
    box = page.get_by_label("回复内容")
    box.fill("您好，请把影像压缩到 10 MB 以内再上传。")
    page.reload()
    expect(box).to_have_value("您好，请把影像压缩到 10 MB 以内再上传。")

    with colleague(here.url) as other:
        version = other.get(f"/tickets/{number}").json()["version"]
        done = other.post(f"/tickets/{number}/change", json={"version": version, "urgency": "特急"})
        assert done.status_code == 200, done.text
    page.get_by_role("button", name="发送给员工").click()
    form = page.get_by_role("form", name="回复员工")
    expect(form.get_by_role("alert")).to_contain_text("您写的内容还在")
    expect(box).to_have_value("您好，请把影像压缩到 10 MB 以内再上传。")
    expect(page.locator("header.head")).to_contain_text("特急")
    here.shot("clash")
    page.get_by_role("button", name="发送，等员工补充").click()
    expect(page.locator("header.head")).to_contain_text("待员工补充")
    expect(box).to_have_value("")


def test_help_is_one_click_from_the_reply(visit: Visits, employee: Employees) -> None:
    number = file_ticket(employee(LI), f"借款单保存时报错 {uuid.uuid4().hex[:6]}")
    here = visit()
    page = here.console(f"/tickets/{number}")
    helpful = page.get_by_role("region", name="可能有用")
    helpful.get_by_role("button", name="插入回复").first.click()
    box = page.get_by_label("回复内容")
    expect(box).to_be_focused()
    expect(box).not_to_have_value("")
    box.fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.get_by_label("查找常用回复").fill("单据号")
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile("^您好，李晓雯。请把单据号"))
    with page.expect_file_chooser() as chosen:
        page.get_by_role("form", name="回复员工").get_by_role("button", name="附件").click()
    chosen.value.set_files({"name": "说明.txt", "mimeType": "text/plain", "buffer": "请按此填写".encode()})
    expect(page.get_by_role("form", name="回复员工")).to_contain_text("说明.txt")
    page.get_by_role("button", name="发送给员工").click()
    sent = page.get_by_role("region", name="会话记录").get_by_role("link", name="说明.txt")
    with page.expect_download() as download:
        sent.click()
    assert download.value.suggested_filename == "说明.txt"
    here.shot("sent")


def test_many_at_once_and_a_view_that_is_kept(visit: Visits, employee: Employees) -> None:
    word = f"批量{uuid.uuid4().hex[:8]}"
    numbers = [
        file_ticket(employee(who), f"{word} 第{n}件：{what}") for n, who, what in ((1, LI, "借款"), (2, WANG, "报销"))
    ]
    here = visit()
    page = here.console(f"/tickets?view=pool&q={word}")
    for number in numbers:
        row_of(page, number).locator(".el-checkbox").click()
    bar = page.get_by_role("toolbar", name="批量处理")
    expect(bar).to_contain_text("已选 2 张")
    bar.get_by_role("button", name="认领").click()
    expect(page.get_by_text("没有符合条件的工单")).to_be_visible()
    page.get_by_role("button", name=re.compile("^我的")).click()
    for number in numbers:
        expect(row_of(page, number)).to_contain_text("处理中")

    here.choose("业务类型", "系统操作")
    page.get_by_role("button", name="保存的视图").click()
    page.get_by_label("视图名称").fill(word)
    page.get_by_label("视图名称").press("Enter")
    page.get_by_role("button", name=word, exact=True).wait_for()
    here.shot("kept")
    page.goto(f"{here.url}/console/tickets")
    page.get_by_role("button", name="保存的视图").click()
    page.get_by_role("button", name=word, exact=True).click()
    expect(page).to_have_url(re.compile("view=mine.*business_type="))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_queue_and_ticket_fit_their_screen(visit: Visits, employee: Employees, size: tuple[int, int]) -> None:
    number = file_ticket(employee(WANG), f"很长的描述{'单据保存报错' * 20} {uuid.uuid4().hex[:6]}")
    here = visit(size)
    page = here.console("/tickets?view=all")
    expect(row_of(page, number)).to_be_visible()
    here.fits()
    here.shot("queue")
    page.goto(f"{here.url}/console/tickets/{number}")
    expect(page.get_by_role("region", name="可能有用").get_by_role("button").first).to_be_visible()
    here.fits()
    here.shot("ticket")
    if size == DESKTOP:
        tall, screen = page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert tall <= screen, "the ticket is on one screen"
        expect(page.get_by_role("button", name="发送给员工")).to_be_in_viewport()
