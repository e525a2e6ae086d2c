"""Supervisors, leaders and agents at the dispatch pages, over the console's API: who may, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from core import audit
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from core.transcript import open_conversation
from handoff.filing import file_ticket
from handoff.notices import notices_of
from handoff.tickets import Reason, TicketDraft
from service import users
from service.app import create_app
from service.setup import prepare_desk
from service.users import add_user

PASSWORD = "long-enough-for-this"
PEOPLE = {
    "admin": ["admin"],
    "boss": ["supervisor"],
    "lead": ["leader"],
    "ann": ["agent"],
    "bob": ["agent"],
    "judge": ["inspector"],
    "audit": ["auditor"],
    "wang": ["editor"],
}


class Colleague:
    """Somebody signed in to the console."""

    def __init__(self, app: FastAPI, username: str) -> None:
        self.http = TestClient(app, headers={"X-Requested-With": "fssc"}, base_url="http://testserver/api/v1/console")
        assert self.http.post("/session", json={"username": username, "password": PASSWORD}).status_code == 200

    def __call__(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        response = self.http.request(method, path, json=body)
        assert response.status_code == expect, (method, path, response.status_code, response.text)
        return response.json() if response.content else None

    def refused(self, code: str, method: str, path: str, body: Any = None) -> str:
        response = self.http.request(method, path, json=body)
        assert response.status_code in (400, 403, 404, 409), response.text
        assert response.json()["error"]["code"] == code, response.text
        return response.json()["error"]["message"]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def desk(app: FastAPI, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(users, "_HASHER", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
    with database.write() as session:
        for username, roles in PEOPLE.items():
            add_user(session, username, "", PASSWORD, roles)
        prepare_desk(session)
    knowledge = SimpleNamespace(place_label=lambda page, node: "")
    app.state.desk = SimpleNamespace(settings=Settings(home=tmp_path), database=database, knowledge=knowledge)
    people = {name: Colleague(app, name) for name in PEOPLE}
    people["boss"]("PATCH", "/staff/lead", {"groups": ["expense"], "leads": ["expense"]})
    people["boss"]("PATCH", "/staff/ann", {"groups": ["expense"]})
    return SimpleNamespace(database=database, **people)


def file(database: Database, description: str, business_type: str = "差旅报销") -> str:
    with database.write() as session:
        asking = Identity(f"E-{description}", "李晓雯", "华晟销售公司", "销售一部")
        conversation = open_conversation(session, "widget", asking)
        draft = TicketDraft(business_type, description, conversation.id, asking, Reason.CUSTOMER_REQUEST, description)
        return file_ticket(session, draft).number


UNITS = {"units": [{"company": "华晟集团总部"}], "number": 1}
SHIFT = {"name": "夜班", "days": [1, 2], "starts": "22:00", "ends": "06:00"}
DAY = {"username": "ann", "day": "2026-11-24", "shift": "late"}
READS = (
    "/groups",
    "/staff",
    "/shifts",
    "/roster",
    "/routing/rules",
    "/routing/units",
    "/routing/targets",
    "/emergency",
)
CHANGES: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/groups", {"id": "new", "name": "新组"}, {"admin", "boss"}),
    ("PATCH", "/groups/tax", {"dispatch": "auto"}, {"admin", "boss"}),
    ("POST", "/staff", {"username": "admin"}, {"admin", "boss"}),
    ("PATCH", "/staff/ann", {"capacity": 9, "skills": ["借款"]}, {"admin", "boss", "lead"}),
    ("PATCH", "/staff/bob", {"capacity": 9}, {"admin", "boss"}),
    ("PATCH", "/staff/bob", {"groups": ["tax"]}, {"admin", "boss"}),
    ("POST", "/staff/ann/duty", {"on": True}, {"admin", "boss", "lead"}),
    ("POST", "/staff/me/duty", {"on": True}, {"admin", "boss", "lead", "ann", "bob"}),
    ("PUT", "/shifts/night", SHIFT, {"admin", "boss"}),
    ("PUT", "/roster", DAY, {"admin", "boss", "lead"}),
    ("POST", "/routing/try", {"rules": [], "default": {"group": "tax"}}, {"admin", "boss"}),
    ("PUT", "/routing/rules", {"rules": [], "default": {"group": "tax"}}, {"admin", "boss"}),
    ("PUT", "/routing/units", UNITS, {"admin", "boss"}),
    ("PUT", "/emergency/list", None, {"admin", "boss"}),
    ("GET", "/supervision", None, {"admin", "boss", "lead", "judge", "audit"}),
]


def test_who_may_read_and_change_what(desk: SimpleNamespace) -> None:
    """Each row for one who may and each one who may not; what changed is in the audit log."""
    for path in READS:
        for name in PEOPLE:
            getattr(desk, name)("GET", path, expect=403 if name == "wang" else 200)
    for method, path, body, allowed in CHANGES:
        if path == "/emergency/list":
            known = desk.admin("GET", path)
            body = {"lists": known["lists"], "number": known["number"]}
        for name in PEOPLE:
            response = getattr(desk, name).http.request(method, path, json=body)
            if name not in allowed:
                assert response.status_code in (403, 404), (name, method, path, response.status_code, response.text)
        first = sorted(allowed)[-1]
        response = getattr(desk, first).http.request(method, path, json=body)
        assert response.status_code < 300 or response.json()["error"]["code"] in (
            "group_exists",
            "version_conflict",
        ), (first, method, path, response.text)
    with desk.database.read() as session:
        rows = list(audit.entries(session))
        assert {(row.action, row.actor) for row in rows} >= {
            ("group.added", "admin"),
            ("staff.changed", "boss"),
            ("shift.saved", "boss"),
            ("roster.changed", "lead"),
            ("rules.drafted", "admin"),
            ("units.activated", "admin"),
            ("staff.on_duty", "lead"),
        }
        assert audit.verify(session) is None


def test_a_rule_is_drafted_tried_activated_and_kept(desk: SimpleNamespace) -> None:
    boss = desk.boss
    number = file(desk.database, "发票查验失败", "发票")
    found = boss("GET", "/routing/rules")
    assert found["draft"] is None and found["active"]["number"] == 1
    rules, default = found["active"]["rules"], found["active"]["default"]
    rules.insert(0, {"id": "verify", "name": "查验", "when": {"risk_words": ["查验"]}, "then": {"group": "system"}})
    trial = boss("POST", "/routing/try", {"rules": rules, "default": default, "days": 7})
    assert (trial["tickets"], trial["moved"]) == (1, 1)
    assert trial["moves"][0]["number"] == number and trial["moves"][0]["after"]["rule"] == "查验"
    assert {one["id"]: one["after"] for one in trial["groups"]} == {"system": 1, "tax": 0}

    draft = boss("PUT", "/routing/rules", {"rules": rules, "default": default, "comment": "查验找系统组"})
    boss.refused("version_conflict", "PUT", "/routing/rules", {"rules": rules, "default": default})
    desk.lead.refused("role_missing", "POST", "/routing/rules/activate", {"revision": draft["revision"]})
    active = boss("POST", "/routing/rules/activate", {"revision": draft["revision"]})
    assert (active["state"], active["number"], active["activated_by"]) == ("active", 2, "boss")
    boss.refused("no_draft", "POST", "/routing/rules/activate", {"revision": 1})
    assert [(one["number"], one["state"]) for one in boss("GET", "/routing/rules")["versions"]] == [
        (2, "active"),
        (1, "past"),
    ]
    assert len(boss("GET", "/routing/rules/1")["rules"]) == len(rules) - 1
    rules[0]["then"]["group"] = "nobody"
    assert "第 1 条规则“查验”" in boss.refused(
        "rules_invalid", "PUT", "/routing/rules", {"rules": rules, "default": default}
    )


def test_duty_load_and_the_supervisors_view(desk: SimpleNamespace) -> None:
    desk.boss("PATCH", "/groups/expense", {"dispatch": "auto"})
    numbers = [file(desk.database, f"住宿费问题之{n}") for n in "甲乙"]
    assert desk.ann("GET", "/staff/me")["person"]["available"] is False
    assert desk.ann("POST", "/staff/me/duty", {"on": True})["person"]["load"] == 2, "what waited comes at once"
    seen = desk.lead("GET", "/supervision")
    assert [one["id"] for one in seen["groups"]] == ["expense"] and seen["groups"][0]["available"] == 1
    assert {one["username"] for one in seen["people"]} == {"ann", "lead"}
    assert seen["counts"]["open"] == 2 and seen["pool"] == []
    off = desk.lead("POST", "/staff/ann/duty", {"on": False})
    assert off["returned"] == 2
    assert [one["number"] for one in desk.boss("GET", "/supervision")["pool"]] == numbers
    targets = {one["id"]: one["people"] for one in desk.ann("GET", "/routing/targets")}
    assert [one["username"] for one in targets["expense"]] == ["ann", "lead"] and targets["experts"] == []


def test_a_removed_user_leaves_their_tickets_to_the_group(desk: SimpleNamespace) -> None:
    desk.boss("PATCH", "/groups/expense", {"dispatch": "auto"})
    desk.ann("POST", "/staff/me/duty", {"on": True})
    file(desk.database, "住宿费问题")
    assert desk.boss("GET", "/supervision")["pool"] == []
    desk.admin("DELETE", "/users/ann", expect=204)
    seen = desk.boss("GET", "/supervision")
    assert len(seen["pool"]) == 1 and "ann" not in {one["username"] for one in seen["people"]}


def test_an_emergency_is_seen_and_acknowledged_by_who_is_called(desk: SimpleNamespace) -> None:
    known = desk.boss("GET", "/emergency/list")
    assert known["lists"][0]["people"] == ["admin"], "a new desk calls its administrator"
    known["lists"][0] |= {"people": ["ann"], "minutes": 3}
    desk.boss("PUT", "/emergency/list", {"lists": known["lists"], "number": known["number"]})
    number = file(desk.database, "同一张单据付了两次", "应付与付款")
    with desk.database.read() as session:
        assert [(one.urgent, one.ticket) for one in notices_of(session, "ann")] == [(True, number)]
    assert desk.bob("GET", "/emergency") == []
    call = desk.ann("GET", "/emergency")[0]
    assert (call["state"], call["mine"], call["minutes"]) == ("calling", True, 3)
    assert desk.ann("GET", f"/tickets/{number}")["number"] == number, "whoever is called can read it"
    desk.bob.refused("not_on_call", "POST", f"/emergency/{number}/acknowledge", {})
    done = desk.ann("POST", f"/emergency/{number}/acknowledge", {"words": "已请银行止付"})
    assert (done["state"], done["acknowledged_by"]["username"], done["assignee"]["username"]) == (
        "acknowledged",
        "ann",
        "ann",
    )
    desk.boss.refused("already_acknowledged", "POST", f"/emergency/{number}/acknowledge", {})
