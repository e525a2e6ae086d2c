"""Rating over a signed link: for one question, used once, and over with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from connectors.connected import LINKS_PURPOSE
from connectors.delivery import Delivery
from connectors.rating_links import RatingLinks
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from handoff import lifecycle
from handoff.quality.satisfaction import standing
from handoff.tickets import TicketRow
from service.api import ratings
from service.api.problems import install_problem_handlers
from tests.integration.quality.desk import requester, said, solve_again, solved

SETTINGS = Settings(secret_key="a" * 40)


@pytest.fixture
def page(database: Database) -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(ratings.router)
    app.state.desk = SimpleNamespace(database=database, settings=SETTINGS)
    return TestClient(app)


def link(database: Database, ticket: TicketRow, employee_no: str | None = None) -> str:
    """The token that a channel would send with the newest question about this ticket."""
    message = said(database, ticket, "rating")[-1].to_dict()
    delivery = Delivery("k", "dingtalk", "c", Identity(employee_no or ticket.employee_no), message, 1)
    return RatingLinks("https://d", SETTINGS.internal_token(LINKS_PURPOSE)).address(delivery).rsplit("/", 1)[1]


def test_a_link_rates_once_even_when_pressed_twice_at_once(page: TestClient, database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
    address = f"/api/v1/ratings/{link(database, ticket)}"
    asked = page.get(address).json()
    assert asked["ticket"] == ticket.number and not asked["rated"] and asked["labels"]["5"] == "非常满意"
    assert page.post(address, json={"score": 5, "reasons": asked["reasons"]["low"][:1]}).status_code == 400
    rating = {"score": 2, "reasons": asked["reasons"]["low"][:2], "words": "电话 13812345678"}
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda _: page.post(address, json=rating).status_code, range(4)))
    assert statuses == [200, 409, 409, 409]
    with database.read() as session:
        found = standing(session, ticket.number)
        assert found and (found["score"], found["words"]) == (2, "电话 138****5678")
        assert found["reasons"] == asked["reasons"]["low"][:2]
    assert page.get(address).json()["rated"]


def test_a_link_is_over_with_its_question(page: TestClient, database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
    first = f"/api/v1/ratings/{link(database, ticket)}"
    with database.write() as session:
        solve_again(session, ticket.number)
    second = f"/api/v1/ratings/{link(database, ticket)}"
    assert page.post(first, json={"score": 5}).status_code == 410, "the newer question is another one"
    assert page.get(second).status_code == 200
    with database.write() as session:
        lifecycle.reopen(session, ticket.number, requester(ticket), "没有解决")
    assert page.get(second).status_code == 410


def test_a_link_for_somebody_else_or_none_opens_nothing(page: TestClient, database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
    for token in (link(database, ticket, "E9999"), link(database, ticket)[:-1], "x", "a.b"):
        assert page.get(f"/api/v1/ratings/{token}").status_code == 404
        assert page.post(f"/api/v1/ratings/{token}", json={"score": 5}).status_code == 404
    with database.read() as session:
        assert standing(session, ticket.number)["state"] == "open"  # type: ignore[index]
    shown = page.get("/rate/anything")
    assert (
        shown.status_code == 200
        and "服务评价" in shown.text
        and "default-src 'none'" in shown.headers["content-security-policy"]
    )
