"""The console's way of a policy: who may bring it in, look at it, confirm it; its versions side by side."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.audit import AuditRow
from core.database import Database
from core.settings import Settings
from kb.ingest import jobs
from kb.ingest.kinds import KINDS
from kb.policies import save_policy
from service.api import deps
from service.app import create_app
from service.users import UserRow

BASE = "/api/v1/console/kb"
TEXT = """# 差旅费管理办法
华晟财〔2027〕1号
第一条 适用范围
本办法适用于全体员工。
第二条 住宿费
限额如下（单位：元/天）：
| 城市 | 领导 | 其他人员 |
| --- | --- | --- |
| 北京 | 1200 | 500 |
第三条 本办法自2027年1月1日起施行。
"""


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def signed_in(app: FastAPI, database: Database) -> Callable[..., TestClient]:
    """A client of somebody with these roles."""
    app.state.desk = SimpleNamespace(settings=Settings(), database=database)

    def make(name: str, *roles: str) -> TestClient:
        app.dependency_overrides[deps.console_user] = lambda: UserRow(username=name, name=name, roles=list(roles))
        return TestClient(app, headers={"X-Requested-With": "fssc"}, base_url=f"http://testserver{BASE}")

    return make


def body(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def old_version() -> dict[str, Any]:
    texts = ("本办法适用于全体员工。", "限额为500元。")
    articles = [
        {"number": n, "label": f"第{'一二'[n - 1]}条", "title": "", "chapter": "", "text": text}
        for n, text in enumerate(texts, 1)
    ]
    return {
        "id": "travel", "title": "差旅费管理办法", "number": "", "version": "2026.1", "effective_from": "2026-01-01",
        "owner": "报销组", "articles": articles,
    }  # fmt: skip


def test_a_new_version_from_upload_to_confirmation(signed_in: Callable[..., TestClient], database: Database):
    with database.write() as session:
        save_policy(session, old_version(), "starter")
    editor = signed_in("chen", "editor")
    row = body(editor.post("/imports", files={"file": ("新办法.md", TEXT.encode())}), 201)
    assert row["kind"] == "policy" and row["state"] == "reading"
    here = f"/imports/{row['id']}"
    assert editor.get(f"{here}/policy").json()["error"]["code"] == "not_in_preview"
    jobs.run_waiting(database, KINDS)

    shown = body(editor.get(f"{here}/policy"))
    assert shown["policy"]["id"] == "travel" and shown["against"]["version"] == "2026.1"
    assert [one["change"] for one in shown["articles"]] == ["changed", "changed", "added"]
    details = {**shown["policy"], "owner": "差旅组"}
    assert body(editor.put(f"{here}/policy", json=details))["summary"]["version"] == "2027.1"
    assert editor.put(f"{here}/policy", json={**details, "effective_from": "明天"}).status_code == 400
    assert editor.put(f"{here}/policy", json={**details, "title": "　"}).json()["error"]["code"] == "invalid_input"
    confirmed = body(editor.put(f"{here}/tables/1", json={"use": True, "id": "lodging", "title": "住宿费限额表"}))
    assert (confirmed["title"], confirmed["confirmed"], confirmed["proposal"]["unit"]) == (
        "住宿费限额表",
        True,
        "元/天",
    )
    assert editor.put(f"{here}/tables/9", json={"use": False}).status_code == 404
    wrong = editor.put(f"{here}/tables/1", json={"use": True, "value_dimension": ""})
    assert wrong.status_code == 400 and "多个数值列" in wrong.json()["error"]["message"]

    assert editor.post(f"{here}/confirm", json={"approve": False}).json()["error"]["code"] == "needs_review"
    assert editor.post(f"{here}/confirm", json={"approve": True}).json()["error"]["code"] == "role_missing"
    agent = signed_in("zhao", "agent")
    assert body(agent.get(f"{here}/policy"))["policy"]["owner"] == "差旅组"
    assert agent.put(f"{here}/policy", json=details).json()["error"]["code"] == "role_missing"
    reviewer = signed_in("wang", "reviewer")
    assert reviewer.post(f"{here}/confirm", json={"approve": False}).json()["error"]["code"] == "role_missing"
    assert body(reviewer.post(f"{here}/confirm", json={"approve": True}))["state"] == "applying"
    jobs.run_waiting(database, KINDS)
    done = body(reviewer.get(here))
    assert (done["state"], done["counts"]["tables_made"], done["counts"]["changed"]) == ("done", 1, 2)

    versions = body(reviewer.get("/policies/travel/versions"))
    assert [(one["version"], one["author"], one["articles"]) for one in versions] == [
        ("2027.1", "wang", 3), ("2026.1", "starter", 2),
    ]  # fmt: skip
    difference = body(reviewer.get("/policies/travel/diff"))
    assert (difference["from"], difference["to"]) == ("2026.1", "2027.1")
    assert [one["change"] for one in difference["articles"]] == ["changed", "changed", "added"]
    back = body(reviewer.get("/policies/travel/diff", params={"from": "2027.1", "to": "2026.1"}))
    assert [one["change"] for one in back["articles"]] == ["changed", "changed", "removed"]
    assert body(reviewer.get("/policies/travel/versions/2026.1"))["articles"][1]["text"] == "限额为500元。"
    assert [one["id"] for one in body(reviewer.get("/tables"))] == ["lodging"]


def test_a_reviewer_takes_a_policy_out_of_use(signed_in: Callable[..., TestClient], database: Database):
    with database.write() as session:
        save_policy(session, old_version(), "starter")
    editor = signed_in("chen", "editor")
    sent = {"reason": "导错了文件"}
    assert editor.post("/policies/travel/withdraw", json=sent).json()["error"]["code"] == "role_missing"
    assert editor.post("/policies/travel/bring-back").json()["error"]["code"] == "role_missing"
    reviewer = signed_in("wang", "reviewer")
    assert reviewer.post("/policies/travel/withdraw", json={"reason": ""}).status_code in (400, 422)
    assert reviewer.post("/tables/travel/withdraw", json=sent).status_code == 404
    assert reviewer.post("/scenes/travel/withdraw", json=sent).status_code in (400, 404, 422)
    assert body(reviewer.post("/policies/travel/withdraw", json=sent)) == {"flagged": 0}
    [policy] = body(reviewer.get("/policies"))
    assert (policy["withdrawn"]["by"], policy["withdrawn"]["reason"]) == ("wang", "导错了文件")
    assert reviewer.post("/policies/travel/withdraw", json=sent).json()["error"]["code"] == "withdrawn"
    assert reviewer.post("/policies/travel/bring-back").status_code == 204
    assert "withdrawn" not in body(reviewer.get("/policies"))[0]
    with database.read() as session:
        deeds = [(row.action, row.subject, row.actor) for row in session.query(AuditRow).order_by(AuditRow.id)]
    assert [one for one in deeds if one[0].startswith("policy.")] == [
        ("policy.stopped", "policy:travel", "wang"),
        ("policy.resumed", "policy:travel", "wang"),
    ]


def test_what_is_not_there_is_told(signed_in: Callable[..., TestClient]):
    somebody = signed_in("zhao", "agent")
    for path in (
        "/policies/lunch/versions",
        "/policies/lunch/diff",
        "/policies/lunch/versions/1",
        "/imports/0-0/policy",
    ):
        answer = somebody.get(path)
        assert answer.status_code == 404 and answer.json()["error"]["message"], path


def test_a_sheet_of_questions_has_no_policy(signed_in: Callable[..., TestClient], database: Database):
    editor = signed_in("chen", "editor")
    row = body(editor.post("/imports", files={"file": ("问答.csv", "问题,答案\n怎么报销？,填单。\n".encode())}), 201)
    jobs.run_waiting(database, KINDS)
    assert editor.get(f"/imports/{row['id']}/policy").json()["error"]["code"] == "not_a_policy"
