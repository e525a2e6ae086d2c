"""The story of a publisher: see what gets better and worse, publish, and go back."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.stack import ADMIN_PASSWORD, Employee, Stack

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
MADE_MS = 180_000
HEADERS = {"X-Requested-With": "fssc"}


@pytest.fixture
def desk(stack: Stack) -> Iterator[httpx.Client]:
    """The console's API as the administrator."""
    with httpx.Client(base_url=f"{stack.url}/api/v1/console", headers=HEADERS, trust_env=False, timeout=60) as client:
        answer = client.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


def write(desk: httpx.Client, question: str, answer: str) -> str:
    """A new entry, approved; its id."""
    drafted = desk.post("/kb/drafts", json={"body": {"id": "", "question": question, "answer": answer, "similar": []}})
    assert drafted.status_code in (200, 201), drafted.text
    entry_id = drafted.json()["entry_id"]
    for step in ("submit", "approve"):
        done = desk.post(f"/kb/drafts/{entry_id}/{step}", json={})
        assert done.status_code == 200, done.text
    return entry_id


def preview(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(生成发布|重新生成)预览$")).click()
    expect(page.get_by_text(re.compile("质量检查(通过|未通过)"))).to_be_visible(timeout=MADE_MS)


def tried(here: Visit, question: str, release: int) -> Locator:
    """What the test page finds, once this release answers there: within five seconds."""
    page = here.page
    found = page.get_by_role("region", name="检索结果")
    since = time.monotonic()
    while True:
        page.goto(f"{here.url}/console/try?q={question}")
        expect(found.get_by_role("status")).to_be_visible()
        if f"由第 {release} 号发布给出" in found.inner_text():
            return found
        assert time.monotonic() - since < 8, found.inner_text()  # Five seconds, and the page itself.
        page.wait_for_timeout(300)


def told(employee: Callable[..., Employee], question: str, release: int) -> str:
    """What the chat says, once this release answers there: the dialogue's actions are another replica than the page."""
    since = time.monotonic()
    while True:
        turn = employee().ask(question)
        if turn.outcome["release"] == release:
            return turn.text
        assert time.monotonic() - since < 8, turn.outcome  # Five seconds, and the turn itself.
        time.sleep(0.3)


def current(desk: httpx.Client) -> int:
    return next(one["number"] for one in desk.get("/kb/releases").json() if one["current"])


def test_a_release_is_previewed_published_used_and_rolled_back(
    visit: Visits, desk: httpx.Client, employee: Callable[..., Employee]
) -> None:
    word = "".join(chr(0x5400 + int(digit, 16) * 7) for digit in uuid.uuid4().hex[:4])
    question, answer = f"{word}补贴每月发多少？", f"{word}补贴每月 321 元，随工资发放。"
    write(desk, question, answer)
    before = current(desk)
    try:
        here = visit()
        page = here.console("/knowledge/releases")
        expect(page.get_by_role("row", name=re.compile(f"第 {before} 号发布"))).to_contain_text("当前")
        preview(page)
        coming = page.get_by_role("region", name="下一次发布")
        expect(coming.get_by_role("region", name="条目变化")).to_contain_text(question)
        measured = coming.get_by_role("region", name="评测")
        for name in ("首位命中", "直接答对率", "答错率", "范围外拒答率"):
            expect(measured.get_by_role("row", name=name)).to_contain_text(re.compile(r"\d+\.\d%"))
        expect(coming.get_by_role("img", name=re.compile("^直接答对率与答错率")).locator("svg")).to_be_visible()
        expect(coming.get_by_role("img", name=re.compile("^预测的概率")).locator("svg")).to_be_visible()
        expect(coming.get_by_role("region", name="回答有变化的问题")).to_contain_text(question)
        here.shot("preview")

        reason = coming.get_by_label("仍然发布的理由")
        if reason.is_visible():
            reason.fill("测试环境")
        coming.get_by_role("button", name=re.compile("^(仍然)?发布$")).click()
        expect(page.get_by_text(re.compile(r"第 \d+ 号发布已生效"))).to_be_visible()
        now = current(desk)
        assert now > before
        expect(page.get_by_role("row", name=re.compile(f"第 {now} 号发布"))).to_contain_text("当前")
        here.shot("published")

        found = tried(here, question, now)
        expect(found.get_by_role("status")).to_contain_text("直接回答")
        expect(found.get_by_role("listitem").first).to_contain_text(question)
        assert "321" in told(employee, question, now)

        page.goto(f"{here.url}/console/knowledge/releases/{now}")
        expect(page.get_by_role("region", name="条目变化")).to_contain_text(question)
        expect(page.get_by_role("region", name="上线记录")).to_contain_text("发布")
        here.shot("release")

        page.goto(f"{here.url}/console/knowledge/releases")
        page.get_by_role("row", name=re.compile(f"第 {before} 号发布")).get_by_role("button", name="回滚").click()
        dialog = page.get_by_role("dialog")
        confirm = dialog.get_by_role("button", name="回滚", exact=True)
        expect(confirm).to_be_disabled()
        dialog.get_by_label("回滚理由").fill("补贴标准有误")
        here.shot("rollback")
        confirm.click()
        expect(page.get_by_text(f"已回滚到第 {before} 号发布")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile(f"第 {before} 号发布"))).to_contain_text("当前")
        assert current(desk) == before

        page.goto(f"{here.url}/console/knowledge/releases/{before}")
        expect(page.get_by_role("region", name="上线记录")).to_contain_text("补贴标准有误")
        expect(tried(here, question, before).get_by_role("listitem").filter(has_text=question)).to_have_count(0)
        assert "321" not in told(employee, question, before)
    finally:
        if current(desk) != before:
            desk.post(f"/kb/releases/{before}/rollback", json={"reason": "测试结束"})


def test_the_accepted_wrong_rate_is_explained_and_kept(visit: Visits, desk: httpx.Client) -> None:
    kept = desk.get("/kb/wrong-rate").json()["wrong_rate"]
    here = visit()
    page = here.console("/knowledge/releases")
    try:
        page.get_by_role("button", name="修改", exact=True).click()
        dialog = page.get_by_role("dialog", name="可接受的答错率")
        field = dialog.get_by_label("可接受的答错率（%）")
        field.fill("5")
        field.press("Tab")
        expect(dialog).to_contain_text("每 1000 个直接回答最多约 50 个答错")
        here.shot("wrong-rate")
        dialog.get_by_role("button", name="保存").click()
        expect(page.get_by_text("可接受的答错率 5.0%")).to_be_visible()
        assert desk.get("/kb/wrong-rate").json()["wrong_rate"] == pytest.approx(0.05)
    finally:
        desk.put("/kb/wrong-rate", json={"wrong_rate": kept})


def test_an_editor_sees_releases_and_may_not_publish(visit: Visits, desk: httpx.Client) -> None:
    name = f"editor{uuid.uuid4().hex[:6]}"
    password = uuid.uuid4().hex
    made = desk.post("/users", json={"username": name, "name": "小编", "password": password, "roles": ["editor"]})
    assert made.status_code == 201, made.text
    try:
        here = visit()
        page = here.page
        page.goto(f"{here.url}/console/knowledge/releases")
        here.sign_in(name, password)
        expect(page.get_by_text("发布需要“知识发布”角色")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("第 1 号发布"))).to_be_visible()
        for button in ("生成发布预览", "重新生成预览", "发布", "回滚", "修改"):
            expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)
        refused = page.evaluate(
            """fetch('/api/v1/console/kb/releases/1/rollback', {method: 'POST', body: '{"reason":"x"}',
                 headers: {'X-Requested-With': 'fssc', 'Content-Type': 'application/json'}}).then(r => r.status)"""
        )
        assert refused == 403
    finally:
        desk.delete(f"/users/{name}")
