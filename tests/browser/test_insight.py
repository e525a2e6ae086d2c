"""Insight in the console: a leader reads a figure, what it means, and the conversation behind it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

import httpx
import pytest
from playwright.sync_api import expect

from core.clock import now
from core.database import Database
from core.transcript import Message
from service.insight.calendar import day_of, midnight
from service.insight.keeping import keep
from tests.browser.conftest import Visit
from tests.integration.insight.center import Center
from tests.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.browser
PASSWORD = "long-enough-for-all"


@pytest.fixture
def leader(stack: Stack) -> Iterator[str]:
    """Somebody who leads, and may do nothing else."""
    with httpx.Client(
        base_url=f"{stack.url}/api/v1/console", headers={"X-Requested-With": "fssc"}, trust_env=False, timeout=60
    ) as desk:
        assert desk.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD}).status_code == 200
        username = f"leader-{uuid.uuid4().hex[:6]}"
        body = {"username": username, "name": username, "password": PASSWORD, "roles": ["leader"]}
        assert desk.post("/users", json=body).status_code == 201
        yield username
        desk.delete(f"/users/{username}")


@pytest.fixture
def company(stack: Stack) -> str:
    """A company of which four employees asked yesterday: two were helped, one was not answered, one came back."""
    name = f"华晟{uuid.uuid4().hex[:6]}公司"
    noon = midnight(day_of(now()) - timedelta(days=1)) + timedelta(hours=12)
    database = Database(stack.settings.database)
    with database.write() as session:
        center = Center(session, Random(uuid.uuid4().int))
        for n, bands in enumerate((["answer"], ["none", "answer"], ["none"], ["answer"])):
            one = center.converse(f"E{uuid.uuid4().hex[:8]}")
            one.identity = {**one.identity, "company": name, "department": "销售一部"}
            for place, band in enumerate(bands):
                turn = center.turn(one, noon + timedelta(minutes=place), band, "E1" if band == "answer" else "")
            session.add(
                Message(
                    id=str(uuid.uuid4()),
                    conversation_id=one.id,
                    turn_id=turn.id,
                    seq=1,
                    sender="user",
                    type="text",
                    text=f"第{n}位员工的问题",
                    body={},
                    at=noon,
                )
            )
        center.turn(one, noon + timedelta(hours=2), "answer", "E1")
    keep(database)
    database.close()
    return name


def test_a_figure_its_meaning_and_what_is_behind_it(visit: Callable[..., Visit], leader: str, company: str) -> None:
    here = visit()
    here.page.goto(f"{here.url}/console/insight/service?company={company}")
    here.sign_in(leader, PASSWORD)
    page = here.page
    automation = page.get_by_role("button", name=re.compile("^自助率 60"))
    expect(automation).to_be_visible()
    page.get_by_role("button", name=re.compile("^自助率的口径")).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("介入率 × 解决率")
    expect(page.get_by_role("img", name="自助率")).to_be_visible()
    here.shot("insight-service")
    page.get_by_role("button", name=re.compile("^未答占比 ")).click()
    records = page.get_by_role("dialog", name="有问题没答上的会话")
    expect(records.get_by_role("row")).to_have_count(3)
    records.get_by_text("没有向机器人提问").or_(records.get_by_role("button", name="怎么办")).first.click()
    expect(page.get_by_role("dialog", name="会话内容")).to_contain_text("员工的问题")
    page.goto(f"{here.url}/console/insight/knowledge?company={company}")
    page.get_by_role("button", name=re.compile("^用到的知识 1")).click()
    page.get_by_role("dialog", name="用到的知识").get_by_role("button", name=re.compile("查看会话$")).click()
    behind = page.get_by_role("dialog", name="会话")
    expect(behind.get_by_role("row")).to_have_count(5)
    behind.get_by_role("button", name="返回上一张明细").click()
    expect(page.get_by_role("dialog", name="用到的知识")).to_be_visible()
