"""Stories of a supervisor who decides who gets a ticket, and of an agent who comes and goes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_console import file_ticket
from tests.stack import ADMIN_PASSWORD, WANG, Employee, Stack

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
PASSWORD = "an-agent-of-the-tests"


@contextmanager
def signed_in(stack: Stack) -> Iterator[httpx.Client]:
    """The administrator, over HTTP."""
    with httpx.Client(
        base_url=f"{stack.url}/api/v1/console", headers={"X-Requested-With": "fssc"}, timeout=60, trust_env=False
    ) as client:
        opened = client.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD})
        assert opened.status_code == 200, opened.text
        yield client


def test_a_rule_is_written_tried_on_past_tickets_and_takes_effect(
    visit: Visits, employee: Callable[..., Employee], stack: Stack
) -> None:
    word = f"乙票{uuid.uuid4().hex[:6]}"
    past = file_ticket(employee(WANG, page="payment.apply"), f"{word}提交没有反应")
    here = visit()
    page = here.console("/dispatch/rules")
    page.get_by_role("button", name="添加规则").click()
    dialog = page.get_by_role("dialog", name="添加规则")
    dialog.get_by_label("规则名称").fill(f"找{word}")
    here.choose("班组", "资金组")
    dialog.get_by_role("button", name="确定").click()
    expect(dialog.get_by_role("alert")).to_contain_text("至少填写一个条件")
    dialog.get_by_label("风险词", exact=True).fill(word)  # No Enter: what was typed counts all the same.
    here.shot("rule")
    dialog.get_by_role("button", name="确定").click()

    page.get_by_role("button", name="试算").click()
    trial = page.get_by_role("region", name="试算结果")
    expect(trial).to_contain_text("1 张的去向会改变")
    row = trial.get_by_role("row", name=past)
    expect(row).to_contain_text("应付组")
    expect(row).to_contain_text("资金组")
    rule = page.get_by_role("listitem", name=f"找{word}")
    expect(rule).to_contain_text(f"风险词{word}")
    expect(rule).to_contain_text("试算命中 1 张")
    here.shot("tried")

    page.get_by_label("修改说明").fill("票据问题找资金组")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("alert").filter(has_text="还没有启用")).to_be_visible()
    with signed_in(stack) as admin:
        assert admin.get(f"/tickets/{past}").json()["group"]["name"] == "应付组"
        page.get_by_role("button", name="启用", exact=True).click()
        page.get_by_role("dialog", name="启用草稿？").get_by_role("button", name="启用").click()
        expect(page.get_by_role("table").filter(has_text="票据问题找资金组")).to_contain_text("使用中")
        here.shot("active")
        later = file_ticket(employee(WANG, page="payment.apply"), f"又是{word}，审批流卡住了，请处理")
        assert admin.get(f"/tickets/{later}").json()["group"]["name"] == "资金组"


def test_an_agent_goes_on_duty_gets_what_waited_and_leaves_it_when_off(
    visit: Visits, employee: Callable[..., Employee], stack: Stack
) -> None:
    name = f"agent{uuid.uuid4().hex[:6]}"
    group = f"g-{name}"
    with signed_in(stack) as admin:
        admin.post("/users", json={"username": name, "name": "丁到岗", "password": PASSWORD, "roles": ["agent"]})
        admin.post("/groups", json={"id": group, "name": f"{name}组", "dispatch": "auto"})
        admin.patch(f"/staff/{name}", json={"groups": [group]})
        number = file_ticket(employee(WANG, page="payment.apply"), f"{name} 的打印按钮灰色")
        moved = admin.post(f"/tickets/{number}/transfer", json={"group": group, "reason": "归新组", "version": None})
        assert moved.status_code == 200, moved.text

        here = visit()
        page = here.page
        page.goto(f"{here.url}/console/tickets")
        here.sign_in(name, PASSWORD)
        duty = page.get_by_role("switch", name="在岗")
        expect(duty).not_to_be_checked()
        page.locator(".duty .el-switch").click()
        expect(page.get_by_text("您已到岗，可以派工给您")).to_be_visible()
        assert admin.get(f"/tickets/{number}").json()["assignee"]["username"] == name

        board = visit()
        supervisor = board.console("/dispatch/board")
        staff = supervisor.get_by_role(
            "region", name="人员"
        )  # In working hours the ticket is listed with its agent too.
        expect(staff.get_by_role("row", name="丁到岗")).to_contain_text("1 / 20")
        board.shot("board")
        page.locator(".duty .el-switch").click()
        expect(page.get_by_text("1 张未答复的工单已退回班组")).to_be_visible()
        expect(supervisor.get_by_role("region", name="派工池").get_by_role("row", name=number)).to_be_visible()
        admin.delete(f"/users/{name}")
