"""The curator's workbench, by keyboard: what was not answered in the chat becomes a draft that waits for review."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import expect

from core.database import Database
from core.transcript import open_conversation
from kb.curation.signals import Signal, keep
from tests.browser.conftest import PHONE, Visit
from tests.stack import ADMIN_PASSWORD, CHEN, LI, WANG, Employee, Stack

pytestmark = pytest.mark.browser

CANTEEN = {LI: "食堂的饭卡在哪里充值呀", WANG: "饭卡去哪里充值", CHEN: "食堂饭卡怎么充值"}
HOTEL, ENTRY = "去外地住酒店一晚最多能报多少钱", "travel-001"


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{stack.url}/api/v1/console", headers={"X-Requested-With": "fssc"}, trust_env=False, timeout=60
    ) as client:
        assert client.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD}).status_code == 200
        yield client
        client.delete(f"/kb/drafts/{ENTRY}")


def test_a_curator_decides_by_keyboard_alone(
    visit: Callable[..., Visit], stack: Stack, api: httpx.Client, employee: Callable[..., Employee]
) -> None:
    database = Database(stack.settings.database)
    with database.write() as session:
        for who, text in CANTEEN.items():
            talk = open_conversation(session, "widget", who).id
            keep(session, Signal(f"canteen:{talk}", "no_answer", talk, text, "travel.claim"))
    database.close()
    someone = employee(LI, page="travel.claim")
    assert "none" in someone.ask(HOTEL).choices
    someone.press("none")
    for _ in range(600):  # The worker hears of it within seconds.
        signals = {one["kind"]: one["count"] for one in api.get("/curation/summary").json()["signals"]}
        if signals["none_of_these"]:
            break
        time.sleep(0.1)

    console = visit()
    page = console.console("/knowledge/curation?q=饭卡")
    clusters = page.get_by_label("未解决的问题", exact=True).get_by_role("button")
    page.get_by_role("button", name="立即归类").click()
    expect(clusters.first).to_contain_text("饭卡")
    expect(page.get_by_role("article").get_by_text("3 人")).to_be_visible()

    page.keyboard.press("d")
    expect(page.get_by_role("textbox", name="不归我们答")).to_be_focused()
    page.keyboard.type("属于行政部，请打 8001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="不归我们 1")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="不归我们 0")).to_be_visible()
    page.keyboard.press("g")
    expect(page.get_by_role("textbox", name="制度里缺什么")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="制度缺口")).not_to_be_visible()

    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("住酒店")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name=HOTEL)).to_contain_text("都不是 1")
    console.shot("workbench")

    page.keyboard.press("1")
    dialog = page.get_by_role("dialog", name="加为相似问")
    expect(dialog.get_by_text("这一组 1 个问法，直接答上的： 0 → 1")).to_be_visible()
    expect(dialog.get_by_text("质量检查通过")).to_be_visible()
    console.shot("trial")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="待审核发布 1")).to_be_visible()
    expect(dialog).not_to_be_visible()
    draft = api.get(f"/kb/entries/{ENTRY}").json()["draft"]
    assert draft["state"] == "submitted" and draft["body"]["similar"][-1] == HOTEL

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘快捷键")).to_contain_text("不归我们答")

    phone = visit(PHONE)
    phone.console("/knowledge/curation?state=review&q=住酒店")
    expect(phone.page.get_by_role("article", name=HOTEL)).to_be_visible()
    phone.fits()
