"""The expense system opens tickets from a process node: once, for the right employee, and only its own are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis.asyncio import Redis
from sqlalchemy import func, select

from connectors.api_clients import add_client, revoke_client
from connectors.webhooks import WebhookDeliveryRow, add_webhook
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from core.transcript import Conversation, messages_of, open_conversation
from handoff.tickets import TicketRow
from service.api import deps
from service.app import create_app
from service.bootstrap import event_relay
from service.users import UserRow

LI = {"employee_no": "E1001", "name": "李晓雯", "company": "华晟销售公司", "department": "销售一部"}
ASKED: dict[str, Any] = {
    "requester": LI,
    "description": "单据被退回，理由“附件不全”，但附件都在",
    "business_type": "影像与单据退回",
    "urgency": "紧急",
    "document_no": "BX202611210001",
    "page": "expense-approval",
    "node": "returned",
    "reference": "approval-8812",
}


@dataclass
class Desk:
    settings: Settings
    database: Database
    redis_url: str

    @property
    def redis(self) -> Redis:
        """A new client each time: one belongs to one event loop, and the test client makes a loop for each request."""
        return Redis.from_url(self.redis_url)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def caller(app: FastAPI, database: Database, redis_url: str) -> Iterator[Callable[..., TestClient]]:
    """A client with the key of a system that is made under this name."""

    def make(name: str = "费用系统") -> TestClient:
        app.state.desk = Desk(Settings(), database, redis_url)
        with database.write() as session:
            _, key = add_client(session, name, "admin")
        return TestClient(app, headers={"Authorization": f"Bearer {key}"}, base_url="http://testserver/api/v1/open")

    yield make


def post(client: TestClient, key: str | None, **changes: Any) -> Any:
    return client.post("/tickets", json={**ASKED, **changes}, headers={"Idempotency-Key": key} if key else {})


def tickets(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(TicketRow)) or 0


def test_a_ticket_is_opened_once_however_often_it_is_sent(caller: Callable[..., TestClient], database: Database):
    system = caller()
    first = post(system, "k1")
    assert first.status_code == 201, first.text
    again = post(system, "k1")
    assert again.status_code == 200 and again.json() == first.json()
    assert first.json()["reference"] == "approval-8812" and first.json()["status_label"]
    assert tickets(database) == 1

    clash = post(system, "k1", description="另一件事")
    assert (clash.status_code, clash.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert tickets(database) == 1


def test_the_same_request_at_the_same_moment_makes_one_ticket(caller: Callable[..., TestClient], database: Database):
    system = caller()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(system, "k1"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert tickets(database) == 1


def test_the_employee_reads_of_it_where_they_chat(caller: Callable[..., TestClient], database: Database) -> None:
    with database.write() as session:
        mine = open_conversation(session, "widget", Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")).id
    number = post(caller(), "k1").json()["number"]
    with database.read() as session:
        ticket = session.get_one(TicketRow, number)
        assert ticket.conversation_id == mine and ticket.employee_no == "E1001" and ticket.channel == "api"
        (message,) = messages_of(session, mine)
        assert number in message.text and "费用系统" in message.text
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1


def test_another_system_sees_nothing_of_it(caller: Callable[..., TestClient]) -> None:
    ours = caller()
    number = post(ours, "k1").json()["number"]
    assert ours.get(f"/tickets/{number}").json()["status"]
    for name, value in (("document_no", "BX202611210001"), ("employee_no", "E1001"), ("reference", "approval-8812")):
        assert [one["number"] for one in ours.get("/tickets", params={name: value}).json()["items"]] == [number]
        assert ours.get("/tickets", params={name: value + "x"}).json()["items"] == []
    theirs = caller("别的系统")
    assert theirs.get(f"/tickets/{number}").json()["error"]["code"] == "ticket_not_found"
    assert theirs.get("/tickets").json()["items"] == []


def test_who_has_no_key_or_a_revoked_one_is_refused(caller: Callable[..., TestClient], database: Database) -> None:
    system = caller()
    with database.write() as session:
        row, key = add_client(session, "旧系统", "admin")
        revoke_client(session, row.id)
    for header in ("", "Bearer ", "Bearer fssc_wrong", f"Bearer {key}", f"Basic {key}"):
        answer = system.post("/tickets", json=ASKED, headers={"Authorization": header, "Idempotency-Key": "k1"})
        assert answer.status_code == 401, header
    assert tickets(database) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"description": " \n "}, "description"),
        ({"description": "长" * 2001}, "2000"),
        ({"business_type": "税务局"}, "可选"),
        ({"urgency": "urgent"}, ""),
        ({"document_no": "单 号"}, ""),
        ({"requester": {}}, "employee_no"),
        ({"requester": {"employee_no": "a\0b"}}, ""),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_filed(
    caller: Callable[..., TestClient], database: Database, changes: dict[str, Any], said: str
) -> None:
    answer = post(caller(), "k1", **changes)
    assert answer.status_code == 400 and said in answer.json()["error"]["message"], answer.text
    assert tickets(database) == 0


def test_without_an_idempotency_key_nothing_is_filed(caller: Callable[..., TestClient], database: Database) -> None:
    for key in (None, "x" * 65):
        assert post(caller(), key).status_code == 400
    assert tickets(database) == 0


def test_webhooks_hear_of_it_with_the_systems_own_reference(
    caller: Callable[..., TestClient], database: Database
) -> None:
    with database.write() as session:
        add_webhook(session, "http://127.0.0.1:9/", [], "admin", production=False)
    number = post(caller(), "k1").json()["number"]
    relay = event_relay(database)
    while relay.deliver():
        pass
    with database.read() as session:
        bodies = list(session.scalars(select(WebhookDeliveryRow.body).where(WebhookDeliveryRow.kind == "ticket.filed")))
    assert len(bodies) == 1
    assert number in bodies[0] and "approval-8812" in bodies[0] and "附件不全" not in bodies[0]


def test_only_administrators_hand_out_keys(app: FastAPI, database: Database) -> None:
    app.state.desk = SimpleNamespace(settings=Settings(), database=database)
    page = TestClient(
        app, headers={"X-Requested-With": "fssc"}, base_url="http://testserver/api/v1/console/integration"
    )

    def someone(*roles: str) -> None:
        app.dependency_overrides[deps.console_user] = lambda: UserRow(username="u", name="u", roles=list(roles))

    someone("supervisor", "agent")
    assert page.post("/clients", json={"name": "费用系统"}).status_code == 403
    assert page.post("/webhooks", json={"url": "https://example.com/"}).status_code == 403
    someone("admin")
    made = page.post("/clients", json={"name": "费用系统"}).json()
    assert made["key"].startswith("fssc_") and made["key"] not in page.get("/clients").text
    hook = page.post("/webhooks", json={"url": "https://example.com/", "kinds": ["resolved"]}).json()
    assert hook["secret"].startswith("whsec_") and hook["secret"] not in page.get("/webhooks").text
    changed = page.patch(f"/webhooks/{hook['id']}", json={"new_secret": True}).json()
    assert changed["secret"] != hook["secret"]
    assert page.post("/webhooks/none/ping").status_code == 404
    assert page.delete(f"/webhooks/{hook['id']}").status_code == 204
    app.dependency_overrides.clear()
