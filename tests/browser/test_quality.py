"""Quality in the console: an inspector scores, the agent appeals, the supervisor decides and sees the board."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from core.database import Database
from core.identity import Identity
from handoff.actors import Actor
from handoff.quality.satisfaction import rate
from tests.browser.conftest import Visit
from tests.integration.quality.desk import requester, solved
from tests.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.browser
PASSWORD = "long-enough-for-all"
Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[dict[str, str]]:
    """Usernames by role, of people who have that role alone; the agent works in the expense group."""
    with httpx.Client(
        base_url=f"{stack.url}/api/v1/console", headers={"X-Requested-With": "fssc"}, trust_env=False, timeout=60
    ) as desk:
        assert desk.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD}).status_code == 200
        made = {role: f"{role}-{uuid.uuid4().hex[:6]}" for role in ("agent", "inspector", "supervisor")}
        for role, username in made.items():
            body = {"username": username, "name": username, "password": PASSWORD, "roles": [role]}
            assert desk.post("/users", json=body).status_code == 201
        yield made
        for username in made.values():
            desk.delete(f"/users/{username}")


@pytest.fixture
def ticket(stack: Stack, people: dict[str, str]) -> str:
    """A ticket that the agent solved, rated 4."""
    agent = Actor("staff", people["agent"], people["agent"], frozenset({"agent"}), frozenset({"expense"}))
    database = Database(stack.settings.database)
    with database.write() as session:
        done = solved(session, Identity(f"E{uuid.uuid4().hex[:6]}", "员工"), agent)
        rate(session, done.number, requester(done), 4)
    database.close()
    return done.number


def signed_in(here: Visit, username: str, path: str) -> Page:
    here.page.goto(f"{here.url}/console{path}")
    here.sign_in(username, PASSWORD)
    expect(here.page.locator("#content")).to_be_visible()
    return here.page


def test_from_a_sample_to_the_board(visit: Visits, people: dict[str, str], ticket: str) -> None:
    judge, worker, chief = visit(), visit(), visit()
    page = signed_in(judge, people["inspector"], "/quality/inspections")
    page.get_by_role("button", name="抽样", exact=True).click()
    page.get_by_role("button", name="现在抽样").click()
    expect(page.get_by_text(re.compile("抽中 [1-9]"))).to_be_visible()
    page.get_by_role("row", name=ticket).get_by_role("button", name="评分").click()
    aside = page.get_by_role("complementary", name="评分")
    aside.get_by_role("spinbutton", name="解答正确完整得分").fill("60")
    aside.get_by_role("spinbutton", name="解答正确完整得分").press("Tab")
    expect(aside.get_by_role("button", name="提交评分")).to_be_disabled()
    expect(aside).to_contain_text("总分 86")
    aside.get_by_label("解答正确完整评语").fill("没有写明制度依据")
    judge.shot("scoring")
    aside.get_by_role("button", name="提交评分").click()
    expect(aside).to_contain_text("没有写明制度依据")
    expect(aside.get_by_role("button", name="提交申诉")).to_have_count(0)

    mine = signed_in(worker, people["agent"], "/quality/inspections")
    mine.get_by_role("row", name=ticket).get_by_role("button", name="查看/申诉").click()
    mine.get_by_label("申诉理由").fill("依据写在第一条回复里")
    mine.get_by_role("button", name="提交申诉").click()
    expect(mine.get_by_text("等待另一位质检员或主管裁定")).to_be_visible()
    worker.shot("appealed")

    board = signed_in(chief, people["supervisor"], "/quality/inspections?state=appealed")
    board.get_by_role("row", name=ticket).get_by_role("button", name="裁定").click()
    board.get_by_role("button", name="调整评分").click()
    board.get_by_role("spinbutton", name="解答正确完整得分").fill("100")
    board.get_by_label("调整理由").fill("复核属实，依据已写明")
    board.get_by_role("button", name="按此裁定").click()
    expect(board.get_by_text("申诉前 86")).to_be_visible()
    board.get_by_role("link", name="坐席评分").click()
    line = board.get_by_role("row", name=people["agent"])
    expect(line).to_contain_text("4.00 分（1 次评价）")
    expect(line).to_contain_text("1 件质检")
    chief.shot("board")
    line.get_by_role("button", name=re.compile("质检：100")).click()
    expect(board.get_by_role("dialog").get_by_role("link", name=ticket)).to_be_visible()
