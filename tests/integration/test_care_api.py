"""Editors draft, reviewers approve, administrators keep the users: over the console's API, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from core.clock import now, today
from core.database import Database
from core.settings import Settings
from kb.care.drafts import submit_drafts
from kb.care.flags import SOURCE_CHANGED, flag
from kb.entries import Audience, Entry, Source
from kb.release.live import LiveKnowledge
from kb.store import FeedbackRow, count_hit, save_document, save_entry
from service import users
from service.app import create_app
from service.users import add_user

PASSWORD = "long-enough-for-this"
STAY = Entry(
    id="t-1",
    question="出差住宿费能报多少？",
    answer="北京：部门负责人650元，其他人员500元。",
    similar=("酒店一晚上限多少",),
    business_type="差旅报销",
    scenes=("expense.travel.fill/itinerary",),
    sources=(Source("《住宿费限额标准表》", table="lodging"),),
    related=("t-2",),
    owner="报销组",
)
ADVANCE = Entry(id="t-2", question="借款多久要冲销？", answer="30日内。", business_type="借款与冲销", owner="资金组")
SECRET = replace(ADVANCE, id="t-3", question="手工付款怎么补录？", audience=Audience(groups=frozenset({"finance"})))
LODGING: dict[str, Any] = {
    "id": "lodging",
    "title": "住宿费限额标准表",
    "unit": "元/人·天",
    "effective_from": "2026-01-01",
    "dimensions": [{"name": "city"}, {"name": "level"}],
    "rows": [
        {"city": city, "level": level, "value": value}
        for city, level, value in (
            ("北京", "部门负责人", 650),
            ("北京", "其他人员", 500),
            ("上海", "其他人员", 480),
        )
    ],
}
SCENES = {
    "id": "scenes",
    "title": "页面",
    "pages": [{"page": "expense.travel.fill", "label": "差旅", "nodes": [{"node": "itinerary", "label": "行程"}]}],
}


class Colleague:
    """Somebody signed in to the console."""

    def __init__(self, app: Any, username: str) -> None:
        self.http = TestClient(app, headers={"X-Requested-With": "fssc"}, base_url="http://testserver/api/v1/console")
        signed_in = self.http.post("/session", json={"username": username, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text

    def __call__(self, method: str, path: str, expect: int = 200, **sent: Any) -> Any:
        response = self.http.request(method, path, **sent)
        assert response.status_code == expect, (method, path, response.status_code, response.text)
        return response.json() if response.content else None

    def refused(self, code: str, method: str, path: str, **sent: Any) -> str:
        response = self.http.request(method, path, **sent)
        assert response.status_code in (400, 401, 403, 404, 409), response.text
        assert response.json()["error"]["code"] == code, response.text
        return response.json()["error"]["message"]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def desk(app: FastAPI, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(users, "_HASHER", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
    with database.write() as session:
        for username, roles in (
            ("admin", ["admin"]),
            ("wang", ["editor"]),
            ("zhao", ["editor"]),
            ("li", ["reviewer"]),
            ("chen", ["agent"]),
        ):
            add_user(session, username, "", PASSWORD, roles)
        for entry in (STAY, ADVANCE, SECRET):
            save_entry(session, entry, "starter")
        save_document(session, "table", LODGING)
        save_document(session, "scenes", SCENES)
    settings = Settings(home=tmp_path)
    knowledge = LiveKnowledge(database, tmp_path, None)  # type: ignore[arg-type]  # Nothing is published, nothing encoded.
    app.state.desk = SimpleNamespace(settings=settings, database=database, knowledge=knowledge)
    people = {name: Colleague(app, name) for name in ("admin", "wang", "zhao", "li", "chen")}
    return SimpleNamespace(app=app, database=database, **people)


def body(entry: Entry, **changes: Any) -> dict[str, Any]:
    from kb.store import entry_to_dict

    return {**entry_to_dict(entry), **changes}


def test_a_draft_is_written_reviewed_and_approved(desk: SimpleNamespace) -> None:
    wang, li = desk.wang, desk.li
    draft = wang("PUT", "/kb/drafts/t-1", json={"body": body(STAY, answer="北京：其他人员550元。"), "base_version": 1})
    assert (draft["state"], draft["author"], draft["base_version"], draft["deletes"]) == ("draft", "wang", 1, False)
    assert [(f["kind"], f["severity"], f["detail"]) for f in draft["findings"]] == [("amount", "warning", "550元")]
    assert "500元" in draft["findings"][0]["message"]
    desk.zhao.refused("draft_by_other", "PUT", "/kb/drafts/t-1", json={"body": body(STAY), "base_version": 1})
    wang.refused("version_conflict", "PUT", "/kb/drafts/t-1", json={"body": body(STAY), "base_version": 0})

    listed = wang("GET", "/kb/entries", params={"state": "drafts"})
    assert [(row["id"], row["draft"]["state"], row["draft"]["author"]) for row in listed["items"]] == [
        ("t-1", "draft", "wang")
    ]
    assert listed["unapproved"] == {"drafts": 0, "submitted": 0}, "a change to what is live is found with what is live"
    li.refused("not_submitted", "POST", "/kb/drafts/t-1/approve", json={})
    assert wang("POST", "/kb/drafts/t-1/submit")["state"] == "submitted"
    assert wang("GET", "/kb/entries", params={"state": "submitted"})["total"] == 1

    shown = li("GET", "/kb/entries/t-1")
    assert shown["draft"]["body"]["answer"] == "北京：其他人员550元。" and shown["answer"] == STAY.answer
    fields = li("GET", "/kb/entries/t-1/diff", params={"from": "1", "to": "draft"})["fields"]
    assert [(f["field"], f["label"]) for f in fields] == [("answer", "答案")]
    assert fields[0]["lines"] == [{"op": "-", "text": STAY.answer}, {"op": "+", "text": "北京：其他人员550元。"}]

    li.refused("comment_missing", "POST", "/kb/drafts/t-1/reject", json={"comment": ""})
    assert li("POST", "/kb/drafts/t-1/reject", json={"comment": "表里是500元"})["state"] == "rejected"
    again = {"body": body(STAY, answer="北京：其他人员500元。"), "base_version": 1}
    draft = wang("PUT", "/kb/drafts/t-1", json=again)
    assert draft["findings"] == [] and draft["comment"] == ""
    wang("POST", "/kb/drafts/t-1/submit")
    li.refused("draft_changed", "POST", "/kb/drafts/t-1/approve", json={"revision": 1})
    entry = li("POST", "/kb/drafts/t-1/approve", json={"revision": draft["revision"]})
    assert (entry["version"], entry["answer"]) == (2, "北京：其他人员500元。")
    shown = li("GET", "/kb/entries/t-1")
    assert shown["draft"] is None and shown["version"] == 2
    assert [(v["version"], v["author"], v["reviewer"]) for v in shown["versions"]] == [
        (2, "wang", "li"),
        (1, "starter", None),
    ]
    assert li("GET", "/kb/entries/t-1/versions/1")["body"]["answer"] == STAY.answer


def test_nobody_does_what_their_role_does_not_say(desk: SimpleNamespace) -> None:
    change = {"body": body(STAY), "base_version": 1}
    for who in (desk.li, desk.chen):
        for method, path, sent in (
            ("PUT", "/kb/drafts/t-1", change),
            ("POST", "/kb/drafts", {"body": body(STAY, id="")}),
            ("POST", "/kb/check", {"body": body(STAY)}),
            ("POST", "/kb/drafts/t-1/submit", None),
            ("DELETE", "/kb/drafts/t-1", None),
            ("POST", "/kb/entries/t-1/retire", None),
            ("POST", "/kb/entries/t-1/restore", {"version": 1}),
            ("POST", "/kb/entries/bulk", {"ids": ["t-1"], "change": {"owner": "x"}}),
            ("POST", "/kb/flags/1/resolve", None),
        ):
            who.refused("role_missing", method, path, json=sent)
    for who in (desk.wang, desk.chen):
        for path, sent in (
            ("/kb/drafts/t-1/approve", {}),
            ("/kb/drafts/t-1/reject", {"comment": "x"}),
            ("/kb/drafts/approve", {"ids": ["t-1"]}),
        ):
            who.refused("role_missing", "POST", path, json=sent)
    for who in (desk.wang, desk.li, desk.chen):
        for method, path, sent in (
            ("GET", "/users", None),
            ("POST", "/users", {"username": "evil", "password": PASSWORD, "roles": ["admin"]}),
            ("PATCH", "/users/chen", {"roles": ["admin"]}),
            ("DELETE", "/users/admin", None),
        ):
            who.refused("role_missing", method, path, json=sent)
    assert desk.chen("GET", "/kb/entries")["total"] == 3  # Agents answer for all entries, so they read them all.
    stranger = TestClient(desk.app, headers={"X-Requested-With": "fssc"})
    assert stranger.get("/api/v1/console/kb/entries").status_code == 401
    assert stranger.get("/api/v1/console/kb/health").status_code == 401
    desk.wang.http.headers.pop("X-Requested-With")
    desk.wang.refused("csrf", "PUT", "/kb/drafts/t-1", json=change)


def test_an_author_does_not_approve_themselves_but_an_administrator_may(desk: SimpleNamespace) -> None:
    desk.admin("PATCH", "/users/wang", json={"roles": ["editor", "reviewer"]})
    wang = Colleague(desk.app, "wang")
    for who in (wang, desk.admin):
        who("PUT", "/kb/drafts/t-1", json={"body": body(STAY, owner="新组"), "base_version": 1})
        who("POST", "/kb/drafts/t-1/submit")
        if who is wang:
            assert who.refused("own_draft", "POST", "/kb/drafts/t-1/approve", json={})
            assert who("POST", "/kb/drafts/approve", json={"ids": ["t-1", "t-9"]}) == [
                {"id": "t-1", "outcome": "failed", "message": "不能审核自己写的草稿，请交给另一位审核人。"},
                {"id": "t-9", "outcome": "failed", "message": "这条知识没有草稿，可能已被审核或撤销，请刷新页面。"},
            ]
            who("DELETE", "/kb/drafts/t-1", expect=204)
    assert desk.admin("POST", "/kb/drafts/approve", json={"ids": ["t-1"]})[0]["outcome"] == "approved"


def test_a_new_entry_gets_an_id_and_is_read_from_its_draft(desk: SimpleNamespace) -> None:
    new = body(
        STAY, id="", question=" 高铁\u0000能坐 一等座吗？ ", similar=["一等座能报吗", ""], related=[{"id": "t-1"}]
    )
    draft = desk.wang("POST", "/kb/drafts", expect=201, json={"body": new})
    entry_id = draft["entry_id"]
    shown = desk.wang("GET", f"/kb/entries/{entry_id}")
    assert (shown["version"], shown["question"], shown["versions"]) == (0, "高铁能坐 一等座吗？", [])
    assert shown["related"] == [{"id": "t-1", "question": STAY.question}] and shown["similar"] == ["一等座能报吗"]
    fields = desk.wang("GET", f"/kb/entries/{entry_id}/diff", params={"from": 0, "to": "draft"})["fields"]
    assert {f["field"] for f in fields} >= {"question", "answer", "sources"} and all(not f["before"] for f in fields)
    desk.wang.refused("entry_exists", "POST", "/kb/drafts", json={"body": body(STAY)})

    def searched(words: str) -> tuple[list[str], dict[str, int]]:
        found = desk.wang("GET", "/kb/entries", params={"q": words})
        return [row["id"] for row in found["items"]], found["unapproved"]

    assert searched("一等座能报") == ([], {"drafts": 1, "submitted": 0})
    desk.wang("POST", f"/kb/drafts/{entry_id}/submit")
    assert searched("一等座能报") == ([], {"drafts": 0, "submitted": 1})
    assert searched("二等座能报") == ([], {"drafts": 0, "submitted": 0})
    assert desk.li("POST", f"/kb/drafts/{entry_id}/approve")["version"] == 1


def test_retire_and_restore_are_drafts_like_any_other(desk: SimpleNamespace) -> None:
    assert desk.wang("POST", "/kb/entries/t-2/retire")["deletes"] is True
    desk.wang("POST", "/kb/drafts/t-2/submit")
    desk.li("POST", "/kb/drafts/t-2/approve")
    assert desk.wang("GET", "/kb/entries")["total"] == 2
    found = desk.wang("GET", "/kb/entries", params={"state": "retired", "q": "借款"})
    assert [(row["id"], row["retired"]) for row in found["items"]] == [("t-2", True)]
    assert desk.wang("GET", "/kb/health")["counts"]["retired"] == 1
    gone = desk.wang("GET", "/kb/entries/t-2")
    assert gone["retired"] and gone["versions"][0]["retired"]
    desk.wang.refused("not_found", "POST", "/kb/entries/t-2/retire")
    back = desk.wang("POST", "/kb/entries/t-2/restore", json={"version": 1})
    assert back["body"]["answer"] == ADVANCE.answer and back["base_version"] == 2
    desk.wang("POST", "/kb/drafts/t-2/submit")
    assert desk.li("POST", "/kb/drafts/t-2/approve")["version"] == 3
    assert desk.wang("GET", "/kb/entries")["total"] == 3
    desk.wang.refused("not_found", "POST", "/kb/entries/t-2/restore", json={"version": 77})


def test_what_is_wrong_is_told_before_it_is_saved_and_keeps_it_from_review(desk: SimpleNamespace) -> None:
    bad = body(STAY, id="", question=STAY.question, answer="<script>alert(1)</script>", effective_to="2020-01-01")
    found = desk.wang("POST", "/kb/check", json={"body": {**bad, "effective_from": "2021-01-01"}})["findings"]
    kinds = {(f["kind"], f["severity"]) for f in found}
    assert {("unsafe", "error"), ("invalid_dates", "error")} <= kinds
    same = desk.wang("POST", "/kb/check", json={"body": body(STAY, id="", question="  出差住宿费 能报多少")})[
        "findings"
    ]
    assert [(f["kind"], f["severity"], f["entry_id"]) for f in same] == [("duplicate", "error", "t-1")]
    draft = desk.wang("POST", "/kb/drafts", expect=201, json={"body": bad})
    message = desk.wang.refused("findings", "POST", f"/kb/drafts/{draft['entry_id']}/submit")
    assert "网页代码" in message


def test_a_reviewer_is_told_what_an_import_did_not_look_for(desk: SimpleNamespace) -> None:
    with desk.database.write() as session:
        submit_drafts(session, [replace(STAY, id="t-7", question="住宿费的新问题？")], "wang")
    assert {f["kind"] for f in desk.li("GET", "/kb/entries/t-7")["draft"]["findings"]} >= {"duplicate"}


def test_many_entries_change_at_once_with_a_result_each(desk: SimpleNamespace) -> None:
    desk.zhao("PUT", "/kb/drafts/t-3", json={"body": body(SECRET, owner="赵"), "base_version": 1})
    change = {"owner": "资金组", "audience": {"companies": ["华晟集团总部"], "groups": []}, "effective_to": None}
    results = desk.wang("POST", "/kb/entries/bulk", json={"ids": ["t-1", "t-2", "t-3", "t-9"], "change": change})
    assert [(r["id"], r["outcome"]) for r in results["results"]] == [
        ("t-1", "draft"),
        ("t-2", "draft"),
        ("t-3", "failed"),
        ("t-9", "failed"),
    ]
    assert "zhao" in results["results"][2]["message"]
    done = desk.li("POST", "/kb/drafts/approve", json={"ids": ["t-1", "t-2"]})
    assert [one["outcome"] for one in done] == ["approved", "approved"]
    shown = desk.wang("GET", "/kb/entries/t-1")
    assert (shown["owner"], shown["audience"]["companies"], shown["answer"]) == (
        "资金组",
        ["华晟集团总部"],
        STAY.answer,
    )
    again = desk.wang("POST", "/kb/entries/bulk", json={"ids": ["t-1"], "change": change})["results"]
    assert again[0]["outcome"] == "unchanged"
    scenes = {"add_scenes": ["expense.travel.fill"], "remove_scenes": ["expense.travel.fill/itinerary"]}
    desk.wang("POST", "/kb/entries/bulk", json={"ids": ["t-1"], "change": scenes})
    assert desk.wang("GET", "/kb/entries/t-1")["draft"]["body"]["scenes"] == ["expense.travel.fill"]
    desk.wang("POST", "/kb/entries/bulk", json={"ids": ["t-2"], "change": {"retire": True}})
    assert desk.wang("GET", "/kb/entries/t-2")["draft"]["deletes"]
    too_late = {"effective_from": "2030-01-01", "effective_to": "2029-01-01"}
    desk.zhao("DELETE", "/kb/drafts/t-3", expect=204)
    failed = desk.zhao("POST", "/kb/entries/bulk", json={"ids": ["t-3"], "change": too_late})["results"][0]
    assert failed["outcome"] == "failed" and "失效日期" in failed["message"]
    assert desk.zhao("GET", "/kb/entries/t-3")["draft"] is None


def test_a_bulk_change_goes_over_no_draft_of_ones_own(desk: SimpleNamespace) -> None:
    better = body(STAY, answer="按城市和级别执行，超出部分自理。")
    desk.wang("PUT", "/kb/drafts/t-1", json={"body": better, "base_version": 1})
    desk.wang("POST", "/kb/drafts/t-1/submit")
    change = {"ids": ["t-1"], "change": {"owner": "资金组"}}
    told = desk.wang("POST", "/kb/entries/bulk", json=change)["results"][0]
    assert told["outcome"] == "failed" and "没有审核完" in told["message"]
    desk.li("POST", "/kb/drafts/t-1/reject", json={"comment": "请写明依据"})
    told = desk.wang("POST", "/kb/entries/bulk", json=change)["results"][0]
    assert told["outcome"] == "failed" and "退回" in told["message"]
    assert desk.wang("GET", "/kb/entries/t-1")["draft"]["body"]["answer"] == better["answer"]


def test_many_drafts_are_thrown_away_at_once_but_nobody_elses(desk: SimpleNamespace) -> None:
    desk.wang("POST", "/kb/entries/bulk", json={"ids": ["t-1", "t-2"], "change": {"owner": "新组"}})
    desk.zhao("PUT", "/kb/drafts/t-3", json={"body": body(SECRET, owner="赵"), "base_version": 1})
    ids = {"ids": ["t-1", "t-2", "t-3", "t-9"]}
    done = desk.wang("POST", "/kb/drafts/discard", json=ids)
    assert [one["outcome"] for one in done] == ["discarded", "discarded", "failed", "failed"]
    assert desk.wang("GET", "/kb/entries", params={"state": "submitted"})["total"] == 0
    assert [one["outcome"] for one in desk.admin("POST", "/kb/drafts/discard", json=ids)] == [
        "failed",
        "failed",
        "discarded",
        "failed",
    ]
    desk.li.refused("role_missing", "POST", "/kb/drafts/discard", json=ids)


def test_many_are_approved_only_as_they_were_seen(desk: SimpleNamespace) -> None:
    for entry in (STAY, ADVANCE):
        desk.wang("PUT", f"/kb/drafts/{entry.id}", json={"body": body(entry, owner="新组"), "base_version": 1})
        desk.wang("POST", f"/kb/drafts/{entry.id}/submit")
    listed = desk.li("GET", "/kb/entries", params={"state": "submitted"})["items"]
    seen = {row["id"]: row["draft"]["revision"] for row in listed}
    desk.wang("PUT", "/kb/drafts/t-1", json={"body": body(STAY, answer="没人看过的答案"), "base_version": 1})
    desk.wang("POST", "/kb/drafts/t-1/submit")
    done = desk.li("POST", "/kb/drafts/approve", json={"ids": ["t-1", "t-2"], "revisions": seen})
    assert [one["outcome"] for one in done] == ["failed", "approved"] and "重新查看" in done[0]["message"]


def test_health_tells_what_is_hot_cold_bad_and_due(desk: SimpleNamespace) -> None:
    soon, past = today() + timedelta(days=5), today() - timedelta(days=5)
    with desk.database.write() as session:
        save_entry(session, replace(STAY, effective_to=soon, review_on=past), "x")
        save_entry(session, replace(ADVANCE, effective_to=past), "x")
        for _ in range(4):
            count_hit(session, "t-1", today(), "", "")
        count_hit(session, "t-2", today() - timedelta(days=90), "", "")
        flag(session, "t-1", SOURCE_CHANGED, "《差旅费管理办法》第十二条已修改")
        for n, (helpful, reason) in enumerate([(True, None), (False, "outdated"), (False, None)]):
            session.add(
                FeedbackRow(
                    message_id=str(n),
                    conversation_id="c",
                    entry_id="t-1",
                    helpful=helpful,
                    reason=reason,
                    comment="旧标准" if reason else None,
                    at=now() + timedelta(seconds=n),
                )
            )
    health = desk.wang("GET", "/kb/health")
    assert health["counts"] == {
        "entries": 3,
        "drafts": 0,
        "submitted": 0,
        "flagged": 1,
        "hot": 1,
        "cold": 1,
        "never": 1,
        "bad": 1,
        "expired": 1,
        "expiring": 1,
        "review_due": 1,
        "retired": 0,
    }
    assert health["hot"] == [{"id": "t-1", "question": STAY.question, "hits": 4}]
    assert health["bad"] == [{"id": "t-1", "question": STAY.question, "helpful": 1, "unhelpful": 2}]
    assert health["owners"] == ["报销组", "资金组"]
    for state, expected in {
        "flagged": "t-1",
        "hot": "t-1",
        "cold": "t-2",
        "never": "t-3",
        "bad": "t-1",
        "expired": "t-2",
        "expiring": "t-1",
        "review_due": "t-1",
    }.items():
        rows = desk.wang("GET", "/kb/entries", params={"state": state})["items"]
        assert [row["id"] for row in rows] == [expected], state
    entry = desk.wang("GET", "/kb/entries/t-1")
    found = desk.wang("POST", "/kb/check", json={"body": body(STAY)})["findings"]
    assert [one["kind"] for one in found] == [SOURCE_CHANGED] and "第十二条" in found[0]["message"]
    assert entry["hits_30d"] == 4 and entry["flags"][0]["kind"] == SOURCE_CHANGED
    assert (entry["feedback"]["helpful"], entry["feedback"]["unhelpful"]) == (1, 2)
    assert entry["feedback"]["reasons"] == {"outdated": 1}
    assert [one["comment"] for one in entry["feedback"]["recent"]] == ["旧标准"]
    desk.wang("POST", f"/kb/flags/{entry['flags'][0]['id']}/resolve", expect=204)
    assert desk.wang("GET", "/kb/entries", params={"state": "flagged"})["total"] == 0
    with desk.database.write() as session:  # Another owner mends nothing; an answer that was mended starts afresh.
        session.query(FeedbackRow).update({"at": now()})
        save_entry(session, replace(STAY, owner="资金组"), "x")
    assert desk.wang("GET", "/kb/health")["counts"]["bad"] == 1
    with desk.database.write() as session:
        save_entry(session, replace(STAY, answer="北京：其他人员500元。"), "x")
    assert desk.wang("GET", "/kb/health")["counts"]["bad"] == 0


def test_the_list_is_filtered(desk: SimpleNamespace) -> None:
    def ids(**params: str) -> list[str]:
        return [row["id"] for row in desk.wang("GET", "/kb/entries", params=params)["items"]]

    assert ids(owner="报销组") == ["t-1"]
    assert ids(scene="expense.travel.fill") == ids(scene="expense.travel.fill/itinerary") == ["t-1"]
    assert ids(scene="expense.travel") == ids(scene="expense_travel.fill") == ids(scene='"') == []
    assert ids(business_type="借款与冲销", q="冲销") == ["t-2"]
    desk.wang.refused("invalid_input", "GET", "/kb/entries", params={"state": "nonsense"})


def test_users_are_kept_by_administrators(desk: SimpleNamespace) -> None:
    admin = desk.admin
    new = {"username": "sun", "name": "孙老师", "password": PASSWORD, "roles": ["reviewer", "editor"]}
    assert admin("POST", "/users", expect=201, json=new)["roles"] == ["editor", "reviewer"]
    admin.refused("user_exists", "POST", "/users", json=new)
    admin.refused("password_length", "POST", "/users", json={**new, "username": "a", "password": "short"})
    admin.refused("role_unknown", "POST", "/users", json={**new, "username": "a", "roles": ["root"]})
    admin.refused("username_invalid", "POST", "/users", json={**new, "username": "孙"})
    sun = Colleague(desk.app, "sun")
    assert admin("PATCH", "/users/sun", json={"name": "孙"})["name"] == "孙"
    sun("GET", "/kb/entries")
    admin("PATCH", "/users/sun", json={"roles": ["agent"]})
    sun.refused("not_signed_in", "GET", "/kb/entries")
    sun = Colleague(desk.app, "sun")
    admin("PATCH", "/users/sun", json={"password": "another-long-one"})
    sun.refused("not_signed_in", "GET", "/kb/entries")
    sun.refused("wrong_password", "POST", "/session", json={"username": "sun", "password": PASSWORD})
    assert "password_hash" not in str(admin("GET", "/users"))
    admin("DELETE", "/users/sun", expect=204)
    admin.refused("user_not_found", "DELETE", "/users/sun")
    admin.refused("last_admin", "DELETE", "/users/admin")
    admin.refused("last_admin", "PATCH", "/users/admin", json={"roles": ["editor"]})
    assert [user["username"] for user in admin("GET", "/users")] == ["admin", "chen", "li", "wang", "zhao"]
    admin("PATCH", "/users/li", json={"roles": ["admin"]})
    admin("DELETE", "/users/admin", expect=204)
    admin.refused("not_signed_in", "GET", "/users")


def test_a_large_entry_is_taken(desk: SimpleNamespace) -> None:
    many = [f"住宿费第{n}种问法，问得非常非常详细，把出差的城市、日期、级别、同行人都一一说清楚了" for n in range(400)]
    draft = desk.wang("PUT", "/kb/drafts/t-1", json={"body": body(STAY, similar=many), "base_version": 1})
    assert len(draft["body"]["similar"]) == 400
    desk.wang("POST", "/kb/drafts/t-1/submit")
    desk.wang.refused(
        "invalid_input", "PUT", "/kb/drafts/t-1", json={"body": body(STAY, similar=["x"] * 501), "base_version": 1}
    )


def test_dates_come_back_as_they_went_in(desk: SimpleNamespace) -> None:
    dated = replace(STAY, effective_from=date(2026, 1, 1), effective_to=date(2030, 12, 31), review_on=date(2027, 1, 1))
    dated = replace(dated, extra=(("旧编号", "A-7"),), title="住宿")
    draft = desk.wang("PUT", "/kb/drafts/t-1", json={"body": body(dated), "base_version": 1})
    assert draft["body"] == body(dated)


def test_what_an_import_takes_is_edited_here(desk: SimpleNamespace) -> None:
    """One limit for both; the message says which field is too long."""
    aside = (("内部说明", "多\n行" + "长" * 20_000),)
    with desk.database.write() as session:
        save_entry(session, replace(ADVANCE, id="差旅-001", answer="字" * 90_000, extra=aside), "t")
    entry = desk.wang("GET", "/kb/entries/差旅-001")
    body = {name: entry[name] for name in ("question", "answer", "extra", "owner")} | {"id": "差旅-001"}
    saved = desk.wang("PUT", "/kb/drafts/差旅-001", json={"body": body | {"owner": "共享组"}, "base_version": 1})
    assert saved["body"]["extra"] == [["内部说明", "多\n行" + "长" * 20_000]]
    for change, words in (
        ({"id": "a b"}, "编号最长 64 个字符"),
        ({"id": ".."}, "编号最长 64 个字符"),
        ({"extra": [["甲", "一"], ["乙", "长" * 40_000]]}, "其他信息第 2 项最长 32767 字"),
        ({"answer": "字" * 100_001}, "答案最长 100000 字"),
        ({"audience": {"companies": ["长" * 101]}}, "可见公司第 1 项最长 100 字"),
        ({"related": ["x"] * 21}, "后续问题最多 20 项"),
        ({"question": None}, "标准问不符合要求"),
    ):
        refused = desk.wang("POST", "/kb/drafts", 400, json={"body": {"question": "甲", "answer": "乙"} | change})
        assert words in refused["error"]["message"], refused
