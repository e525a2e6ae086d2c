"""Stories of those who care for the knowledge: editors draft, reviewers approve, administrators let people in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
Made = Callable[..., str]
LODGING = "出差住宿费能报多少？"
PASSWORD = "long-enough-for-all"


@pytest.fixture(scope="module")
def desk(stack: Stack) -> Iterator[httpx.Client]:
    """The console's API as its administrator."""
    with httpx.Client(
        base_url=f"{stack.url}/api/v1/console",
        headers={"X-Requested-With": "fssc"},
        trust_env=False,
        timeout=60,
    ) as client:
        assert client.post("/session", json={"username": "admin", "password": ADMIN_PASSWORD}).status_code == 200
        yield client


@pytest.fixture(scope="module")
def people(desk: httpx.Client) -> Iterator[dict[str, str]]:
    """Usernames by role, of people who have that role alone."""
    made = {role: f"{role}-{uuid.uuid4().hex[:6]}" for role in ("editor", "reviewer", "agent")}
    for role, username in made.items():
        body = {"username": username, "name": f"测试{role}", "password": PASSWORD, "roles": [role]}
        assert desk.post("/users", json=body).status_code == 201
    yield made
    for username in made.values():
        desk.delete(f"/users/{username}")


@pytest.fixture
def entry(desk: httpx.Client) -> Iterator[Made]:
    """`entry(question, …)` is an approved entry, gone after the test; its id."""
    made: list[str] = []

    def make(question: str, **fields: Any) -> str:
        body = {"question": question, "answer": "请在报销系统中办理。", "owner": "测试组", **fields}
        one = desk.post("/kb/drafts", json={"body": body}).json()["entry_id"]
        made.append(one)
        approved(desk, one)
        return one

    yield make
    for one in made:
        away(desk, one)


def approved(desk: httpx.Client, entry_id: str) -> None:
    for step in ("submit", "approve"):
        answer = desk.post(f"/kb/drafts/{entry_id}/{step}")
        assert answer.status_code == 200, answer.text


def changed(desk: httpx.Client, entry_id: str, **fields: Any) -> None:
    """A further approved version."""
    now = desk.get(f"/kb/entries/{entry_id}").json()
    names = ("question", "similar", "answer", "business_type", "scenes", "audience", "sources", "owner")
    body = {name: now[name] for name in names} | fields
    answer = desk.put(f"/kb/drafts/{entry_id}", json={"body": body, "base_version": now["version"]})
    assert answer.status_code == 200, answer.text
    approved(desk, entry_id)


def away(desk: httpx.Client, entry_id: str) -> None:
    desk.delete(f"/kb/drafts/{entry_id}")
    if desk.post(f"/kb/entries/{entry_id}/retire").status_code == 200:
        approved(desk, entry_id)


def console(here: Visit, username: str, path: str = "/knowledge/entries") -> Page:
    """The console at this path, signed in as this person."""
    here.page.goto(f"{here.url}/console{path}")
    here.sign_in(username, PASSWORD)
    expect(here.page.locator("#content")).to_be_visible()
    return here.page


def field(page: Page, name: str | re.Pattern[str]) -> Any:
    return page.get_by_role("group", name=name)


def paste(page: Page, label: str, text: str) -> None:
    """As from the clipboard, whatever the browser allows a script to read."""
    page.get_by_label(label, exact=True).evaluate(
        """(box, text) => {
          const data = new DataTransfer();
          data.setData('text/plain', text);
          box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def test_from_a_draft_to_a_restored_version(visit: Visits, desk: httpx.Client, people: dict[str, str]) -> None:
    word = uuid.uuid4().hex[:8]
    question = f"外宾{word}接待怎样报销？"
    writer, judge = visit(), visit()
    page = console(writer, people["editor"])
    review = console(judge, people["reviewer"])
    expect(review.get_by_role("button", name="新建条目")).to_have_count(0)

    page.get_by_role("button", name="新建条目").click()
    page.get_by_role("textbox", name="标准问", exact=True).fill(LODGING)
    expect(field(page, "标准问")).to_contain_text("travel-001")
    writer.shot("duplicate")
    page.get_by_role("button", name="提交审核").click()
    expect(field(page, "答案")).to_contain_text("请填写答案")
    page.get_by_role("textbox", name="标准问", exact=True).fill(question)
    expect(field(page, "标准问")).not_to_contain_text("travel-001")
    page.get_by_role("textbox", name="答案", exact=True).fill("**先审批**，再报销：\n\n北京 部门负责人 每天 98765 元。")
    expect(page.get_by_role("region", name="答案预览").locator("strong")).to_have_text("先审批")
    expect(field(page, "答案")).to_contain_text(re.compile("98765"))
    page.get_by_role("button", name="添加相似问").click()
    paste(page, "相似问 1", f"1. 接待外宾{word}\n2. 外宾{word}吃饭\n{question}")
    expect(page.get_by_label(re.compile("^相似问 \\d+$"))).to_have_count(3)
    expect(field(page, re.compile("^相似问"))).to_contain_text("重复")
    writer.choose("业务类型", "日常报销")
    writer.shot("warned")
    page.keyboard.press("Control+s")
    expect(page).to_have_url(re.compile(r"/knowledge/entries/[^/]+/edit"))
    entry_id = page.url.split("/")[-2]
    try:
        page.get_by_role("button", name="提交审核").click()
        expect(page.get_by_role("region", name="新条目")).to_contain_text("待审核")
        expect(page.get_by_role("button", name="批准")).to_have_count(0)

        review.get_by_label("搜索知识条目").fill(word)
        review.keyboard.press("Enter")
        expect(review.locator("#content")).to_contain_text("没有符合条件的知识条目")
        judge.shot("not-approved-yet")
        review.get_by_role("paragraph").filter(has_text="未审核的新条目").get_by_role(
            "button", name="待审核 1 条"
        ).click()
        review.get_by_role("link", name=question).click()
        expect(review.get_by_role("region", name="新条目")).to_contain_text("98765")
        judge.shot("to-review")
        review.get_by_role("button", name="批准").click()
        expect(review.get_by_text("第 1 版").first).to_be_visible()

        page.reload()
        page.get_by_role("button", name="编辑").click()
        page.get_by_role("textbox", name="答案", exact=True).fill("**先审批**，再报销：\n\n按接待方案执行。")
        page.get_by_role("button", name="提交审核").click()
        expect(page.get_by_role("region", name="待定的修改")).to_contain_text("待审核")

        review.reload()
        change = review.get_by_role("region", name="待定的修改")
        expect(change.locator("del")).to_contain_text("98765")
        expect(change.locator("ins")).to_contain_text("按接待方案执行")
        judge.shot("diff")
        change.get_by_role("button", name="退回").click()
        review.get_by_label("退回原因").fill("请写明由谁审批。")
        review.get_by_role("button", name=re.compile("^退回给")).click()
        expect(change).to_contain_text("请写明由谁审批。")

        page.reload()
        page.get_by_role("button", name="继续编辑").click()
        expect(page.locator("#content")).to_contain_text("请写明由谁审批。")
        page.get_by_role("textbox", name="答案", exact=True).fill("**外事办审批**后报销，按接待方案执行。")
        page.get_by_role("button", name="提交审核").click()
        expect(page.get_by_role("region", name="待定的修改")).to_contain_text("待审核")
        review.reload()
        review.get_by_role("button", name="批准").click()
        expect(review.get_by_role("region", name="待定的修改")).to_have_count(0)

        page.reload()
        page.get_by_role("link", name="对比与恢复").click()
        expect(page.get_by_role("heading", name="第 1 版 → 第 2 版")).to_be_visible()
        expect(page.locator("ins").filter(has_text="外事办审批")).to_be_visible()
        writer.shot("versions")
        page.get_by_role("navigation", name="版本").get_by_role("button", name=re.compile("第 1 版")).click()
        expect(page.get_by_role("heading", name="第 1 版全文")).to_be_visible()
        page.get_by_role("button", name="恢复这一版").click()
        page.get_by_role("button", name="恢复为草稿").click()
        expect(page.get_by_role("textbox", name="答案", exact=True)).to_have_value(re.compile("98765"))
        page.get_by_role("button", name="提交审核").click()
        expect(page.get_by_role("region", name="待定的修改")).to_be_visible()
        review.reload()
        review.get_by_role("button", name="批准").click()
        expect(review.get_by_role("region", name="答案")).to_contain_text("98765")
        expect(review.get_by_text("第 3 版").first).to_be_visible()
    finally:
        away(desk, entry_id)


def test_many_entries_are_changed_and_approved_at_once(visit: Visits, entry: Made, people: dict[str, str]) -> None:
    word = uuid.uuid4().hex[:8]
    ids = [entry(f"批量{word}第{n}问怎么办？") for n in ("一", "二", "三")]
    writer, judge = visit(), visit()
    page = console(writer, people["editor"], f"/knowledge/entries?q=批量{word}")
    for one in ids[:2]:
        page.get_by_role("row", name=one).locator(".el-checkbox").click()
    page.get_by_role("button", name="批量修改").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="提交修改")).to_be_disabled()
    dialog.get_by_text("负责组", exact=True).click()
    owner = dialog.get_by_role("combobox", name="新的负责组")
    owner.fill(f"新组{word}")
    owner.press("Enter")
    writer.shot("bulk")
    dialog.get_by_role("button", name="提交修改").click()
    expect(page.get_by_text("已提交审核 2 条")).to_be_visible()
    writer.shot("outcomes")
    page.get_by_role("button", name="知道了").click()
    expect(page.get_by_role("row", name=ids[0])).to_contain_text("待审核")
    expect(page.get_by_role("row", name=ids[2])).not_to_contain_text("待审核")

    page.goto(f"{writer.url}/console/knowledge/entries?business_type=差旅报销")
    total = re.search(r"\d+", page.get_by_text(re.compile(r"共 \d+ 条")).inner_text())
    assert total and int(total[0]) > 40
    page.locator("thead .el-checkbox").click()
    page.get_by_role("button", name=f"选择全部 {total[0]} 条").click()
    expect(page.get_by_text(f"已选 {total[0]} 条")).to_be_visible()
    page.locator(".el-pager").get_by_text("2", exact=True).click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(page.locator("tbody .el-checkbox.is-checked")).to_have_count(20)

    review = console(judge, people["reviewer"], f"/knowledge/entries?state=submitted&q=批量{word}")
    expect(review.get_by_text("共 2 条")).to_be_visible()
    review.locator("thead .el-checkbox").click()
    review.get_by_role("button", name="批准 2 条待审核").click()
    review.get_by_role("button", name="批准 2 条", exact=True).click()
    expect(review.get_by_text("已批准 2 条")).to_be_visible()
    judge.shot("approved")
    review.goto(f"{judge.url}/console/knowledge/entries?owner=新组{word}")
    expect(review.get_by_text("共 2 条")).to_be_visible()


def test_an_agent_reads_and_cannot_write(visit: Visits, entry: Made, people: dict[str, str]) -> None:
    one = entry(f"坐席{uuid.uuid4().hex[:8]}能看吗？")
    here = visit()
    page = console(here, people["agent"], f"/knowledge/entries/{one}")
    expect(page.get_by_role("region", name="答案")).to_contain_text("请在报销系统中办理")
    for name in ("编辑", "停用", "批准", "退回"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="用户")).to_have_count(0)
    here.shot("read-only")
    page.goto(f"{here.url}/console/knowledge/entries/{one}/edit")
    expect(page.locator("#content")).to_contain_text("没有编辑知识的权限")
    page.goto(f"{here.url}/console/users")
    expect(page.locator("#content")).to_contain_text("只有管理员")
    page.goto(f"{here.url}/console/knowledge/entries")
    expect(page.get_by_role("button", name="新建条目")).to_have_count(0)
    expect(page.locator("tbody .el-checkbox")).to_have_count(0)
    body = {"body": {"question": "x", "answer": "y"}}
    refused = page.request.post(f"{here.url}/api/v1/console/kb/drafts", data=body, headers={"X-Requested-With": "fssc"})
    assert refused.status == 403 and refused.json()["error"]["code"] == "role_missing"


def test_a_colleague_was_quicker(visit: Visits, entry: Made, desk: httpx.Client, people: dict[str, str]) -> None:
    one = entry(f"冲突{uuid.uuid4().hex[:8]}怎么办？")
    here = visit()
    page = console(here, people["editor"], f"/knowledge/entries/{one}/edit")
    page.get_by_role("textbox", name="答案", exact=True).fill("我写的答案。")
    changed(desk, one, answer="同事先写的答案。")
    page.get_by_role("button", name="保存草稿").click()
    clash = page.get_by_role("alert", name="保存冲突")
    expect(clash).to_contain_text("有了第 2 版")
    expect(page.get_by_role("textbox", name="答案", exact=True)).to_have_value("我写的答案。")
    here.shot("clash")

    page.get_by_role("button", name="返回条目").click()
    page.get_by_role("button", name="继续编辑").click()
    expect(clash).to_be_visible()
    clash.get_by_role("button", name="在第 2 版上保存我的内容").click()
    expect(clash).to_have_count(0)
    page.get_by_role("button", name="返回条目").click()
    change = page.get_by_role("region", name="待定的修改")
    expect(change.locator("del")).to_contain_text("同事先写的答案")
    expect(change.locator("ins")).to_contain_text("我写的答案")

    other = visit().console(f"/knowledge/entries/{one}/edit")
    expect(other.get_by_role("alert", name="保存冲突")).to_contain_text(people["editor"])
    expect(other.get_by_role("button", name="保存草稿")).to_be_disabled()


def test_an_administrator_lets_people_in_and_out(visit: Visits) -> None:
    username = f"new-{uuid.uuid4().hex[:6]}"
    here = visit()
    page = here.console("/users")
    page.get_by_role("button", name="添加用户").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_contain_text("请填写姓名")
    dialog.get_by_label("账号").fill(username)
    dialog.get_by_label("姓名").fill("新同事")
    dialog.get_by_text("知识编辑").click()
    password = dialog.get_by_label("初始密码").input_value()
    here.shot("adding")
    dialog.get_by_role("button", name="保存").click()
    row = page.get_by_role("row", name=username)
    expect(row).to_contain_text("知识编辑")

    there = visit()
    there.page.goto(f"{there.url}/console/knowledge/entries")
    there.sign_in(username, password)
    expect(there.page.get_by_role("button", name="新建条目")).to_be_visible()

    row.get_by_role("button", name="修改").click()
    dialog.get_by_text("知识编辑").click()
    dialog.get_by_text(re.compile("坐席")).click()
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("坐席")
    expect(row).not_to_contain_text("知识编辑")
    there.page.reload()
    expect(there.page.get_by_label("账号")).to_be_visible()

    row.get_by_role("button", name="删除").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(row).to_have_count(0)
    here.shot("users")
    there.sign_in(username, password)
    expect(there.page.get_by_role("alert")).to_contain_text("密码不正确")
    mine = page.get_by_role("row", name="admin")
    expect(mine.get_by_role("button", name="删除")).to_be_disabled()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_of_care_fits_its_screen(
    visit: Visits, entry: Made, desk: httpx.Client, size: tuple[int, int]
) -> None:
    one = entry(f"版面{uuid.uuid4().hex[:8]}怎么样？")
    changed(desk, one, answer="第二版的答案。", similar=["一个很长很长很长很长很长很长很长很长很长很长很长的相似问"])
    here = visit(size)
    page = here.console("/knowledge/entries")
    for path in (
        "/knowledge/entries",
        "/knowledge/entries?state=never",
        f"/knowledge/entries/{one}",
        f"/knowledge/entries/{one}/edit",
        f"/knowledge/entries/{one}/versions",
        "/knowledge/new",
        "/users",
    ):
        page.goto(f"{here.url}/console{path}")
        expect(page.locator("#content .el-skeleton, #content [aria-busy=true]")).to_have_count(0)
        expect(page.locator("#content")).not_to_be_empty()
        page.wait_for_load_state("networkidle")
        here.fits()
        here.shot(re.sub(r"\W+", "-", path).strip("-"))
