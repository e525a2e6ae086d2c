"""Callbacks gone wrong in every way: refused with the same words, nothing is taken in, nothing breaks."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from redis import Redis
from sqlalchemy import func, select

from connectors.arrivals import ArrivalRow
from connectors.connected import Connected
from core.database import Database
from core.settings import Settings
from service.app import create_app
from service.intake import Intake
from tests.forgeries import DINGTALK, WECOM, forgeries
from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator


@pytest.fixture
def front_door(database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The real routes with both channels configured; nothing behind them works on what is stored."""
    for name, value in (WecomSimulator().environment | DingtalkSimulator().environment).items():
        monkeypatch.setenv(name, value or "http://127.0.0.1:9")
    settings = Settings(secret_key="k" * 40)
    app = create_app(settings)
    connected = Connected(database, settings, Redis.from_url(redis_url), lambda kind, advice: None)
    app.state.desk = SimpleNamespace(
        settings=settings,
        database=database,
        connected=connected,
        intake=Intake(database),
        bell=SimpleNamespace(ring=lambda channel: None),
    )
    yield TestClient(app, raise_server_exceptions=True)


def test_no_forgery_is_taken_in_and_none_is_told_why(front_door: TestClient, database: Database) -> None:
    wecom, dingtalk = WecomSimulator(), DingtalkSimulator()
    answers: Counter[tuple[str, int]] = Counter()
    said = set()
    for forged in forgeries(wecom, dingtalk, random.Random(5), 600):
        answer = front_door.post(
            forged.path, params=forged.query, content=forged.content, headers=_sendable(forged.headers)
        )
        assert answer.status_code in (400, 413), f"{forged} got {answer.status_code} {answer.text[:200]}"
        answers[forged.kind, answer.status_code] += 1
        said.add(answer.json()["error"]["message"])
    assert len({kind for kind, _ in answers}) == 12
    assert len(said) <= 8 and not any("Error" in words or "Traceback" in words for words in said), said
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ArrivalRow)) == 0


def test_what_is_theirs_is_taken_in_once(front_door: TestClient, database: Database) -> None:
    wecom, dingtalk = WecomSimulator(), DingtalkSimulator()
    sealed = wecom.sealed(wecom.message("E1001", "text", "<Content>x</Content><MsgId>7</MsgId>").encode())
    query = {"msg_signature": wecom.signature("1", "2", sealed), "timestamp": "1", "nonce": "2"}
    for _ in range(3):
        assert (
            front_door.post(WECOM, params=query, content=f"<xml><Encrypt>{sealed}</Encrypt></xml>").status_code == 200
        )
    body = dingtalk.message("E1001", "怎么报销")
    for _ in range(3):
        moment = str(int(time.time() * 1000))
        headers = {"timestamp": moment, "sign": dingtalk.signature(moment)}
        assert front_door.post(DINGTALK, json=body, headers=headers).status_code == 200
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ArrivalRow)) == 2


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.encode("ascii", "replace").decode() for name, value in headers.items()}
