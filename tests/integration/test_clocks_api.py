"""Supervisors edit service levels and calendars over the console's API; others read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from typer.testing import CliRunner

from core.database import Database
from core.settings import Settings
from handoff.clocks import check
from handoff.clocks.holidays import KNOWN
from handoff.tickets import Status
from service import users
from service.app import create_app
from service.cli import app as cli
from service.users import add_user
from tests.integration.clocked import Clocked, at, open_desk

PASSWORD = "long-enough-for-this"
SignIn = Callable[[str], TestClient]


@pytest.fixture
def sign_in(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIn]:
    monkeypatch.setattr(users, "_HASHER", PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)]))
    open_desk(database)
    with database.write() as session:
        for name, roles in (("boss", ["supervisor"]), ("anna", ["agent"]), ("edi", ["editor"])):
            add_user(session, name, name, PASSWORD, roles)
    settings = Settings(home=tmp_path, demo=False)
    app: FastAPI = create_app(settings)
    app.state.desk = SimpleNamespace(database=database, settings=settings)

    def enter(username: str) -> TestClient:
        client = TestClient(app, headers={"X-Requested-With": "fssc"})
        client.post("/api/v1/console/session", json={"username": username, "password": PASSWORD}).raise_for_status()
        return client

    yield enter


def test_a_supervisor_changes_a_promise_and_open_tickets_follow(sign_in: SignIn, database: Database) -> None:
    boss, anna = sign_in("boss"), sign_in("anna")
    case = Clocked(database, at("11-23 09:00"))
    found = anna.get("/api/v1/console/clocks/policies").json()
    standard = found["items"][0]
    assert (standard["id"], standard["first_response_min"], found["open_clocks"]) == ("standard", 30, 2)
    body = {**standard, "first_response_min": 45}
    path = "/api/v1/console/clocks/policies/standard"
    assert anna.put(path, json=body).json()["error"]["code"] == "role_missing"
    assert sign_in("edi").get("/api/v1/console/clocks/policies").status_code == 403
    assert boss.put(path, json=body).json()["version"] == 2
    assert boss.put(path, json=body).json()["error"]["code"] == "version_conflict"
    check(database, at("11-23 09:10"))
    assert case.ticket.due_at == at("11-23 09:45")
    mine = boss.post(
        "/api/v1/console/clocks/policies", json={"name": "税务", "business_type": "税务", "resolution_min": 60}
    )
    assert mine.status_code == 201
    assert boss.delete(f"/api/v1/console/clocks/policies/{mine.json()['id']}").status_code == 204
    changes = boss.get("/api/v1/console/clocks/changes").json()
    assert [one["action"] for one in changes[:3]] == ["sla_policy.removed", "sla_policy.made", "sla_policy.changed"]
    assert changes[2]["actor"] == "boss" and '"first_response_min":45' in changes[2]["detail"]


def test_a_calendar_shows_each_day_and_takes_the_companys_own(sign_in: SignIn, database: Database) -> None:
    boss = sign_in("boss")
    calendars = boss.get("/api/v1/console/clocks/calendars").json()
    workdays = calendars["items"][0]
    assert (workdays["id"], calendars["items"][-1]["fixed"]) == ("workdays", True)
    assert calendars["known_years"][1] == max(KNOWN)
    path = "/api/v1/console/clocks/calendars/workdays/days"
    days = boss.get(path, params={"from": "2026-10-08", "to": "2026-10-11"}).json()
    assert [(day["source"], bool(day["periods"])) for day in days] == [
        ("weekly", True),
        ("weekly", True),
        ("make_up", True),
        ("weekly", False),
    ]
    unknown = boss.get(path, params={"from": f"{max(KNOWN) + 1}-01-01", "to": f"{max(KNOWN) + 1}-01-01"}).json()
    assert unknown[0]["source"] == "unknown_year"
    own = {"days": [{"day": "2026-11-24", "periods": [], "note": "司庆"}], "version": workdays["version"]}
    assert boss.put(path, json=own).json()["own_days"] == [{"day": "2026-11-24", "periods": [], "note": "司庆"}]
    asked = {"business_type": "发票", "urgency": "紧急", "at": "2026-11-23T17:50:00+08:00"}
    tried = boss.post("/api/v1/console/clocks/try", json=asked).json()
    first = tried["promises"][0]
    assert tried["policy"]["id"] == "urgent"
    assert first["due_at"] == "2026-11-25T01:05:00+00:00"
    assert [span["minutes"] for span in first["spans"]] == [10, 5]
    assert [step["whom"] for step in first["chain"]] == ["leader", "supervisor", "tier3"]
    assert boss.put(path, json={"days": [{"day": "2026-11-24"}]}).json()["own_days"] == []
    bad = {**workdays, "weekly": [[["12:00", "09:00"]]] + [[]] * 6}
    assert "跨零点" in boss.put("/api/v1/console/clocks/calendars/workdays", json=bad).json()["error"]["message"]
    assert boss.delete("/api/v1/console/clocks/calendars/workdays").status_code == 400
    late = {**asked, "at": f"{max(KNOWN)}-12-31T17:50:00+08:00"}
    assert str(max(KNOWN) + 1) in boss.post("/api/v1/console/clocks/try", json=late).json()["warnings"][0]


def test_the_command_retells_what_counted(
    sign_in: SignIn, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = Clocked(database, at("11-23 11:30"), urgency="紧急")
    case.happen("replied", at("11-23 11:40"), Status.WAITING)
    case.happen("employee_said", at("11-23 14:00"), Status.IN_PROGRESS, by="employee")
    case.happen("resolved", at("11-23 14:30:30"), Status.RESOLVED)
    boss = sign_in("boss")
    week = [[["00:00", "24:00"]]] * 7
    boss.put("/api/v1/console/clocks/calendars/workdays", json={"name": "改过", "weekly": week}).raise_for_status()
    monkeypatch.setenv("DATABASE_URL", database.url.replace("+psycopg", ""))
    monkeypatch.setenv("FSSC_HOME", str(tmp_path))
    told = CliRunner().invoke(cli, ["clocks", "explain", case.number.lower()])
    assert told.exit_code == 0, told.output
    assert "计时 2026-11-23 11:30 → 11:40  10 分钟，累计 10 分钟" in told.output
    assert "暂停 2026-11-23 11:40 → 2026-11-23 14:00" in told.output
    assert "实际 40.5 分钟" in told.output
    assert "不一致" not in told.output
    assert CliRunner().invoke(cli, ["clocks", "explain", "FW20200101-0001"]).exit_code == 1
