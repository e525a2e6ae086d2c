"""Channels as an administrator configures them: secrets never come out, changes reach other processes, a test says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from sqlalchemy import select, text

from connectors.connected import Connected
from core.audit import AuditRow
from core.database import Database
from core.settings import Settings
from service.api import deps
from service.app import create_app
from service.users import UserRow
from tests.simulators.wecom import WecomSimulator

ROUTE = "/api/v1/console/channels"
SECRETS = ("the-apps-secret", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture(scope="module")
def platform() -> Iterator[WecomSimulator]:
    simulator = WecomSimulator().start()
    yield simulator
    simulator.stop()


@pytest.fixture
def values(platform: WecomSimulator) -> dict[str, str]:
    """What an administrator types for the simulator's app."""
    names = {name.removeprefix("FSSC_WECOM_").lower(): value for name, value in platform.environment.items()}
    return names


@pytest.fixture
def connected(database: Database, redis_url: str) -> Callable[..., Connected]:
    """`connected()` is what one process knows; keywords are its settings."""

    def make(**settings: Any) -> Connected:
        return Connected(
            database, Settings(secret_key="k" * 40, **settings), Redis.from_url(redis_url), lambda kind, advice: None
        )

    return make


@pytest.fixture
def console(app: FastAPI, database: Database, connected: Callable[..., Connected]) -> Iterator[TestClient]:
    settings = Settings(secret_key="k" * 40)
    app.state.desk = SimpleNamespace(settings=settings, database=database, connected=connected())
    app.dependency_overrides[deps.console_user] = lambda: UserRow(username="root", name="管理员", roles=["admin"])
    yield TestClient(app, headers={"X-Requested-With": "fssc"})
    app.dependency_overrides.clear()


def wecom_of(console: TestClient) -> dict[str, Any]:
    return next(one for one in console.get(ROUTE).json() if one["name"] == "wecom")


def test_secrets_go_in_and_never_come_out(console: TestClient, database: Database, values: dict[str, str]) -> None:
    saved = console.put(f"{ROUTE}/wecom", json={"values": values, "enabled": True})
    assert saved.status_code == 200 and saved.json()["connected"], saved.text
    shown = {field["name"]: field for field in saved.json()["fields"]}
    assert shown["corp_id"]["value"] == values["corp_id"] and shown["secret"]["set"] and not shown["secret"]["value"]
    assert saved.json()["callback_url"].endswith("/api/v1/channels/wecom/callback")
    with database.read() as session:
        kept = str(session.execute(text("SELECT * FROM channel_setting")).all())
        told = " ".join(session.scalars(select(AuditRow.detail)))
    assert "changed" in told and "secret" in told
    for secret in SECRETS:
        assert secret not in kept and secret not in told and secret not in console.get(ROUTE).text

    again = console.put(f"{ROUTE}/wecom", json={"values": {**values, "secret": "", "token": "", "aes_key": ""}})
    assert again.json()["connected"], "an empty secret is the stored one"


def test_another_process_takes_a_change_up(
    console: TestClient, connected: Callable[..., Connected], values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.connected._LOOK_EVERY", 0)
    worker = connected()
    assert worker.get("wecom") is None
    console.put(f"{ROUTE}/wecom", json={"values": values})
    assert worker.get("wecom") is not None
    console.put(f"{ROUTE}/wecom", json={"values": values, "enabled": False})
    assert worker.get("wecom") is None and wecom_of(console)["enabled"] is False


def test_the_environment_wins_and_cannot_be_changed_here(
    connected: Callable[..., Connected], database: Database, values: dict[str, str]
) -> None:
    here = connected(**{f"wecom_{name}": value for name, value in values.items() if name != "url"})
    assert here.get("wecom") is not None
    assert "secret" in here.configuration("wecom").given
    half = connected(wecom_corp_id="ww1")
    assert half.get("wecom") is None and "Secret" in half.configuration("wecom").problem


def test_the_test_button_says_what_is_wrong(console: TestClient, values: dict[str, str]) -> None:
    def problems(**changed: str) -> str:
        answer = console.post(f"{ROUTE}/wecom/check", json={"values": {**values, **changed}})
        assert answer.status_code == 200, answer.text
        return "".join(answer.json()["problems"])

    assert "Secret" in problems(secret="wrong")
    assert "EncodingAESKey" in problems(aes_key="short")
    assert "还缺少：AgentId" in problems(agent_id="")
    assert wecom_of(console)["connected"] is False, "nothing was stored"
    refused = console.put(f"{ROUTE}/wecom", json={"values": {**values, "aes_key": "short"}})
    assert refused.status_code == 400 and "EncodingAESKey" in refused.json()["error"]["message"]


def test_only_an_administrator_with_our_page_and_a_known_channel(console: TestClient, app: FastAPI) -> None:
    assert console.put(f"{ROUTE}/fax", json={}).status_code == 404
    assert console.put(f"{ROUTE}/wecom", json={"values": {"hat": "x"}}).status_code == 400
    assert console.put(f"{ROUTE}/wecom", json={}, headers={"X-Requested-With": ""}).status_code == 403
    app.dependency_overrides[deps.console_user] = lambda: UserRow(username="a", name="坐席", roles=["agent"])
    assert console.get(ROUTE).status_code == 403


def test_secrets_of_another_key_are_asked_for_again(
    console: TestClient, database: Database, redis_url: str, values: dict[str, str]
) -> None:
    console.put(f"{ROUTE}/wecom", json={"values": values})
    moved = Connected(
        database, Settings(secret_key="another" * 6), Redis.from_url(redis_url), lambda kind, advice: None
    )
    assert moved.get("wecom") is None and "重新填写" in moved.configuration("wecom").problem
