"""The pages over HTTP, on a small center's records: figures, the records behind them, sample, statement, reports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from random import Random
from types import SimpleNamespace

import pytest
from openpyxl import load_workbook
from redis import Redis
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from connectors.dingtalk import app as dingtalk_app
from connectors.port import Connector
from connectors.staff_notices import StaffMessageRow, bring
from connectors.wecom import app as wecom_app
from core.audit import AuditRow
from core.clock import now
from core.database import Database
from core.settings import Settings
from core.transcript import Message
from handoff import lifecycle
from handoff.notices import NoticeRow
from handoff.quality.periods import bounds, month_of, week_of
from handoff.quality.satisfaction import rate
from handoff.staff import change_staff
from kb.reviewed import lately_reviewed
from service.app import create_app
from service.insight.calendar import day_of, midnight
from service.insight.keeping import keep
from service.users import SessionRow, UserRow
from tests.integration.insight.center import Center
from tests.integration.quality.desk import SUPERVISOR, ZHANG, requester, solve_again, solved, staffed
from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator

SETTINGS = Settings(widget_secret="a" * 40)
ROLES = {"sun": ["supervisor"], "lin": ["leader"], "shen": ["auditor"], "rui": ["reviewer"], "zhang": ["agent"]}
Door = Callable[[str], TestClient]


@pytest.fixture
def door(database: Database) -> Iterator[Door]:
    """`door(username)` is the console with that person signed in."""
    app = create_app(SETTINGS)
    app.state.desk = SimpleNamespace(database=database, settings=SETTINGS)
    with database.write() as session:
        staffed(session)
        for username, roles in ROLES.items():
            session.add(UserRow(username=username, name=username, password_hash="", roles=roles, created_at=now()))
    opened: dict[str, TestClient] = {}

    def client(username: str) -> TestClient:
        if username not in opened:
            with database.write() as session:
                made = hashlib.sha256(username.encode()).hexdigest()
                session.add(SessionRow(token_hash=made, username=username, expires_at=now() + timedelta(hours=1)))
            opened[username] = TestClient(
                app,
                base_url="http://desk/api/v1/console/insight",
                headers={"X-Requested-With": "fssc"},
                cookies={"fssc_session": username},
            )
        return opened[username]

    yield client


def figures(page: dict) -> dict:
    return {one["id"]: one["value"] for one in page["figures"]}


def test_what_a_center_did_is_on_its_pages_with_the_records_behind(database: Database, door: Door) -> None:
    day = day_of(now() - timedelta(days=2))
    noon = midnight(day) + timedelta(hours=12)
    with database.write() as session:
        center = Center(session, Random(5))
        helped, lost, filed = (center.converse(f"E{n}") for n in range(3))
        for one in (helped, lost, filed):
            one.identity = {**one.identity, "company": "华晟销售公司", "department": "销售一部"}
        center.turn(helped, noon, "answer", "E1")
        center.turn(lost, noon, "none", "")
        bad = center.turn(filed, noon, "answer", "E2")
        center.rate(bad, False, now())
        center.file(filed, noon + timedelta(minutes=1))
        once, twice = solved(session), solved(session)
        solve_again(session, twice.number)
        rate(session, once.number, requester(once), 5)
    assert keep(database)["days"] == 3
    period = f"since={day}&until={day}"
    leader = door("lin")
    assert door("zhang").get(f"/service?{period}").status_code == 403
    page = leader.get(f"/service?{period}").json()
    shown = figures(page)
    assert (shown["visits"], shown["people"]) == (3, 3)
    assert (shown["involvement"], shown["resolution"], shown["automation"]) == (1, 0.3333, 0.3333)
    assert {one["id"]: one["count"] for one in page["reasons"]} == {"unanswered": 1, "handed": 1, "again": 0, "bad": 1}
    assert page["hours"][12] == 3 and all(one["means"] for one in page["figures"])
    assert [one["entry_id"] for one in page["top"]] == ["E1", "E2"]

    found = leader.get(f"/records?{period}&which=unresolved").json()
    assert found["kind"] == "visits" and len(found["items"]) == 2
    assert leader.get(f"/records?{period}&which=visits&entry_ids=E2").json()["items"][0]["bad"] is True
    assert leader.get(f"/visits/{bad.id}").json()["messages"][0]["text"] == "答案"
    assert len(leader.get(f"/records?{period}&which=visits&hour=12").json()["items"]) == 3
    assert not leader.get(f"/records?{period}&which=visits&hour=13").json()["items"]
    assert leader.get(f"/records?{period}&which=nothing").status_code == 400
    assert page["rising"] == [], "there was no period before"
    assert leader.get(f"/service?since={day}&until={day - timedelta(days=1)}").status_code == 400

    span = f"since={day}&until={day_of(now())}"
    desk = leader.get(f"/desk?{span}&business_type=差旅报销").json()
    shown = figures(desk)
    assert (shown["filed"], shown["solved"], shown["backlog"]) == (2, 2, 0)
    assert (shown["reopened"], shown["once"], shown["satisfaction"]) == (0.5, 0.5, 5)
    assert figures(leader.get(f"/desk?{span}").json())["backlog"] == 1
    reopened = leader.get(f"/records?{span}&which=reopened").json()["items"]
    assert [one["number"] for one in reopened] == [twice.number]
    assert [one["number"] for one in leader.get(f"/records?{span}&which=score_5").json()["items"]] == [once.number]
    year = f"since={day - timedelta(days=200)}&until={day_of(now())}"
    assert len(leader.get(f"/records?{year}&which=visits&entry_ids=E2").json()["items"]) == 1
    knowledge = leader.get(f"/knowledge?{period}").json()
    assert figures(knowledge)["coverage"] == 0.6667 and knowledge["releases"][0]["questions"] == 3
    assert figures(leader.get(f"/policy?{period}").json())["gaps_open"] == 0

    for name in ("service", "desk", "knowledge", "policy"):
        for one in leader.get(f"/{name}?{span}").json()["figures"]:
            assert one["records"], f"{one['label']} opens nothing"
            if not one["records"].startswith("/"):
                assert leader.get(f"/records?{span}&which={one['records']}").status_code == 200, one["label"]
    used = leader.get(f"/records?{period}&which=used").json()
    assert used["kind"] == "lines" and {one["text"]: one["count"] for one in used["items"]} == {"E1": 1, "E2": 1}
    assert len(leader.get(f"/records?{period}&which=involved&release=1").json()["items"]) == 3
    assert not leader.get(f"/records?{period}&which=involved&release=2").json()["items"]
    assert not leader.get(f"/records?{period}&which=visits&without=差旅报销,发票,").json()["items"]


def test_a_backlog_of_the_past_opens_what_was_left_then(database: Database, door: Door) -> None:
    with database.write() as session:
        done, left = solved(session), solved(session)
        center = Center(session, Random(8))
        center.file(center.converse("E1"), now() - timedelta(days=20))
        for row in (done, left):
            row.created_at -= timedelta(days=10)
        done.resolved_at -= timedelta(days=10)
    keep(database)
    then = day_of(now() - timedelta(days=5))
    period = f"since={then - timedelta(days=30)}&until={then}"
    leader = door("lin")
    assert figures(leader.get(f"/desk?{period}").json())["backlog"] == 2
    found = leader.get(f"/records?{period}&which=open").json()["items"]
    assert len(found) == 2 and done.number not in [one["number"] for one in found]
    assert len(leader.get(f"/records?{period}&which=filed&group=nobody").json()["items"]) == 0


def test_a_rating_counts_though_its_ticket_was_reopened(database: Database, door: Door) -> None:
    with database.write() as session:
        reopened, pleased = solved(session), solved(session)
        rate(session, reopened.number, requester(reopened), 1)
        lifecycle.reopen(session, reopened.number, requester(reopened), "还是提交不了")
        rate(session, pleased.number, requester(pleased), 5)
    keep(database)
    today = day_of(now())
    period, leader = f"since={today}&until={today}", door("lin")
    desk = leader.get(f"/desk?{period}").json()
    assert figures(desk)["satisfaction"] == 3, "one said 1, the other 5"
    assert [one["satisfaction"] for one in desk["by"]["group"]] == [3]
    assert [one["count"] for one in desk["scores"]] == [1, 0, 0, 0, 1]
    bad = leader.get(f"/records?{period}&which=low&group=expense").json()["items"]
    assert [(one["number"], one["score"]) for one in bad] == [(reopened.number, 1)]
    levels = door("shen").get(f"/statement?month={month_of(now())}").json()["levels"]
    assert {one["id"]: one["reached"] for one in levels}["satisfaction"] == 3
    with database.write() as session:
        lifecycle.accept(session, reopened.number, ZHANG)
        lifecycle.resolve(session, reopened.number, ZHANG, "已经处理好了。")
        rate(session, reopened.number, requester(reopened), 4)
    keep(database)
    assert figures(leader.get(f"/desk?{period}").json())["satisfaction"] == 3.33, "both words of the one count"
    assert len(leader.get(f"/records?{period}&which=rated").json()["items"]) == 3


def test_a_week_is_sampled_judged_and_learned_from(database: Database, door: Door) -> None:
    week = week_of(now() - timedelta(days=7))
    start, _ = bounds(week)
    with database.write() as session:
        center = Center(session, Random(6))
        for n in range(4):
            turn = center.turn(center.converse(f"E{n}"), start + timedelta(hours=30 + n), "answer", "E1")
            center.rate(turn, True, now() - timedelta(minutes=1))
        for message in session.scalars(select(Message)):
            message.text = "请联系张会计 13812345678"
    assert keep(database)["drawn"] == 4 and keep(database)["drawn"] == 0
    reviewer, found = door("rui"), door("rui").get("/samples").json()
    assert (found["week"], found["total"], found["together"]["rate"]) == (week, 4, None)
    assert "138****5678" in found["items"][0]["answer"]
    assert (
        door("shen").post(f"/samples/{found['items'][0]['id']}/verdict", json={"verdict": "right"}).status_code == 403
    )
    for one, verdict in zip(found["items"], ("wrong", "right", "partly"), strict=False):
        told = reviewer.post(f"/samples/{one['id']}/verdict", json={"verdict": verdict})
        assert told.status_code == 200, told.text
    together = reviewer.get("/samples").json()["together"]
    assert (together["reviewed"], together["rate"]) == (3, 0.3333)
    assert 0 < together["low"] < together["rate"] < together["high"] < 1
    with database.read() as session:
        learned = [one.right for one in lately_reviewed(session)]
    assert sorted(learned) == [False, True, True], (
        "the reviewers' words come before the employees'; partly says nothing"
    )
    assert door("sun").put("/samples/settings", json={"size": 80}).json() == {"size": 80}


def test_a_month_is_charged_and_reported(database: Database, door: Door) -> None:
    month = month_of(bounds(month_of(now()))[0] - timedelta(days=1))
    first, _ = bounds(month)
    with database.write() as session:
        center = Center(session, Random(7))
        for n in range(3):
            one = center.converse(f"E{n}")
            one.identity = {**one.identity, "company": "华晟销售公司", "department": "销售一部"}
            center.turn(one, first + timedelta(days=3, hours=9), "answer", "E1")
        solved(session, at=first + timedelta(days=4))
    after = bounds(month)[1]
    assert keep(database, after + timedelta(hours=2))["reports"] == 0, "not before seven in the morning"
    assert keep(database, after + timedelta(hours=8))["reports"] >= 1
    prices = door("sun").get("/prices").json()
    assert prices["version"] == 0 and door("lin").get("/prices").status_code == 403
    items = [
        {"id": "bot", "name": "智能问答", "kind": "self_service", "unit": "次", "price": 50},
        {
            "id": "travel",
            "name": "差旅工单",
            "kind": "ticket",
            "business_type": "差旅报销",
            "unit": "件",
            "price": 1234,
        },
    ]
    body = {"version": 0, "items": items, "levels": {"automation": 0.9, "satisfaction": None}}
    assert door("shen").put("/prices", json=body).status_code == 403
    assert door("sun").put("/prices", json={**body, "items": [*items, items[0]]}).status_code == 400
    assert door("sun").put("/prices", json=body).json() == {"version": 1}
    assert door("sun").put("/prices", json=body).status_code == 409
    keep(database, after + timedelta(hours=40))
    statement = door("shen").get(f"/statement?month={month}").json()
    company = next(one for one in statement["companies"] if one["company"] == "华晟销售公司")
    assert statement["kept"] and [line["volume"] for line in company["lines"]] == [3, 1]
    assert company["amount"] == 3 * 50 + 1234 == statement["amount"]
    assert [one["kept"] for one in company["levels"] if one["id"] == "automation"] == [True]
    book = load_workbook(BytesIO(door("sun").get(f"/statement.xlsx?month={month}").content))
    assert book["汇总"]["B2"].value == 13.84 and book["明细"]["D2"].value == 3

    reports = door("lin").get("/reports").json()["items"]
    assert {one["kind"] for one in reports} <= {"week", "month"}
    monthly = next(one for one in reports if one["kind"] == "month")
    shown = figures(door("lin").get(f"/reports/{monthly['id']}").json()["body"]["service"])
    assert (shown["visits"], shown["automation"]) == (3, 1)
    book = load_workbook(BytesIO(door("lin").get(f"/reports/{monthly['id']}/file.xlsx").content))
    assert book["概览"]["A1"].value == "板块" and len(book.sheetnames) == 9
    with database.read() as session:
        told = session.scalars(
            select(NoticeRow.text).where(NoticeRow.kind == "report", NoticeRow.username == "lin")
        ).all()
        actions = set(session.scalars(select(AuditRow.action)))
    assert any(f"/console/insight/reports/{monthly['id']}" in text for text in told)
    assert {"insight.prices", "insight.exported"} <= actions
    assert door("sun").post("/reports", json={"kind": "week", "period": week_of(now())}).status_code == 409


@pytest.fixture
def platforms() -> Iterator[dict[str, WecomSimulator | DingtalkSimulator]]:
    members = {"S1": {"name": "林组长"}}
    started = {"wecom": WecomSimulator(members=members).start(), "dingtalk": DingtalkSimulator(members=members).start()}
    yield started
    for one in started.values():
        one.stop()
        assert one.violations == []


def test_a_report_reaches_its_reader_in_each_channel_and_the_link_opens_it(
    database: Database, door: Door, platforms: dict[str, WecomSimulator | DingtalkSimulator], redis_url: str
) -> None:
    week, link = week_of(now() - timedelta(days=7)), "https://desk.example.com"
    with database.write() as session:
        center = Center(session, Random(8))
        center.turn(center.converse("E1"), bounds(week)[0] + timedelta(hours=30), "answer", "E1")
        change_staff(session, SUPERVISOR, "lin", employee_no="S1")
    assert keep(database, bounds(week)[1] + timedelta(hours=8), link=link)["reports"] >= 1
    made = next(one for one in door("lin").get("/reports").json()["items"] if one["kind"] == "week")
    redis = Redis.from_url(redis_url)
    redis.flushdb()  # what was sent in another test is remembered there
    for name, package in (("wecom", wecom_app), ("dingtalk", dingtalk_app)):
        with database.write() as session:
            session.execute(delete(StaffMessageRow))
        given = {key.removeprefix(f"FSSC_{name.upper()}_").lower(): v for key, v in platforms[name].environment.items()}
        config = {one.name: one.default for one in package.FIELDS} | given | {"public_url": link, "links_key": "k"}
        channel: Connector = package.connector(config, database, redis, lambda *_: None)
        bring(database, {name: channel}, lambda number: "")
        card = next(one["card"] for one in platforms[name].sent_to("S1") if made["label"] in one["text"])
        assert f"{link}/console/insight/reports/{made['id']}" in json.dumps(card), "the card opens the report"
    opened = door("lin").get(f"/reports/{made['id']}").json()
    assert opened["label"] == made["label"] and figures(opened["body"]["service"])["visits"] == 1
