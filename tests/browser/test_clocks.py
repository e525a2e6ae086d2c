"""A supervisor changes a service level and gives a day off: open tickets are counted anew while somebody looks at one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from core.clock import SHANGHAI
from tests.browser.conftest import Visit
from tests.browser.test_console import file_ticket
from tests.browser.test_dispatch import signed_in
from tests.stack import WANG, Employee, Stack

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
PATIENCE_S = 120


def clock(console: httpx.Client, number: str) -> dict[str, Any]:
    """The one that runs to the solution."""
    return next(one for one in console.get(f"/tickets/{number}").json()["clocks"] if one["kind"] == "resolution")


def later(ask: Callable[[], bool]) -> None:
    """The worker counts anew within seconds."""
    until = time.monotonic() + PATIENCE_S
    while not ask():
        assert time.monotonic() < until, "the clock was not counted anew"
        time.sleep(0.2)


def choose(where: Locator, field: str, option: str) -> None:
    """The form and the forecast beside it ask for the same things."""
    box = where.get_by_role("combobox", name=field)
    box.focus()
    box.press("Enter")
    where.page.get_by_role("option", name=option, exact=True).locator("visible=true").click()


def test_a_changed_promise_and_a_day_off_move_open_clocks(
    visit: Visits, employee: Callable[..., Employee], stack: Stack
) -> None:
    name = f"付款急事 {uuid.uuid4().hex[:4]}"
    number = file_ticket(employee(WANG, page="payment.apply"), f"{name} 打印按钮灰色")
    with signed_in(stack) as admin:
        assert clock(admin, number)["policy"] == "紧急"
        here = visit()
        page = here.console("/clocks/levels")
        page.get_by_role("button", name="新建时效").click()
        dialog = page.get_by_role("dialog", name="新建时效")
        dialog.get_by_label("名称").fill(name)
        choose(dialog, "业务类型", "应付与付款")
        choose(dialog, "紧急程度", "紧急")
        dialog.get_by_label("解决（分钟）").fill("600")
        here.shot("level")
        dialog.get_by_role("button", name="保存").click()
        expect(dialog).to_be_hidden()
        row = page.get_by_role("row", name=name)
        expect(row).to_contain_text("10 小时")
        try:
            later(lambda: clock(admin, number)["promised_min"] == 600)

            forecast = page.get_by_role("region", name="试算到期时间")
            choose(forecast, "业务类型", "应付与付款")
            choose(forecast, "紧急程度", "紧急")
            forecast.get_by_role("button", name="试算").click()
            expect(forecast).to_contain_text(f"适用时效 {name}")
            expect(forecast.get_by_role("listitem").filter(has_text="解决")).to_contain_text("10 小时")
            here.shot("forecast")

            due = datetime.fromisoformat(clock(admin, number)["due_at"]).astimezone(SHANGHAI)
            here.page.goto(f"{here.url}/console/clocks/calendars")
            if due.month != datetime.now(SHANGHAI).month:
                page.get_by_role("button", name="下个月").click()
            page.locator(f"[data-day='{due.date()}']").click()
            dialog = page.get_by_role("dialog", name=f"{due.date()} 的安排")
            dialog.get_by_label("说明").fill("司庆放假")
            dialog.get_by_role("button", name="保存").click()
            expect(page.locator(f"[data-day='{due.date()}']")).to_contain_text("司庆放假")
            here.shot("day-off")
            later(lambda: datetime.fromisoformat(clock(admin, number)["due_at"]) > due)

            page.goto(f"{here.url}/console/tickets/{number}")
            expect(page.get_by_role("listitem").filter(has_text="10 小时").filter(has_text="解决")).to_be_visible()
            here.shot("ticket")

            page.goto(f"{here.url}/console/clocks/calendars")
            if due.month != datetime.now(SHANGHAI).month:
                page.get_by_role("button", name="下个月").click()
            page.locator(f"[data-day='{due.date()}']").click()
            page.get_by_role("dialog").get_by_role("button", name="恢复默认").click()
            expect(page.locator(f"[data-day='{due.date()}']")).not_to_contain_text("司庆放假")
            later(lambda: datetime.fromisoformat(clock(admin, number)["due_at"]) == due)
        finally:
            policies = admin.get("/clocks/policies").json()["items"]
            for one in policies:
                if one["name"] == name:
                    assert admin.delete(f"/clocks/policies/{one['id']}").is_success
    small = visit((390, 844))
    small.console("/clocks/levels")
    small.fits()
    small.console("/clocks/calendars")
    small.fits()
