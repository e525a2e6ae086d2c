"""The API without its engine: whatever is sent, no 5xx. schemathesis makes up the requests from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from core.settings import Settings
from kb.encoder import load_encoder
from kb.release.publish import publish
from kb.store import save_entry
from service.app import create_app
from service.bootstrap import build_desk
from service.migrate import migrate
from service.users import create_first_admin
from tests.integration.test_knowledge import ADVANCE, LODGING


@pytest.fixture(scope="module")
def client(encoder_dir: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A front door with two entries, a real Redis, and an engine address where nobody listens."""
    home = tmp_path_factory.mktemp("home")
    chosen = Settings(
        home=home, REDIS_URL=redis_url, engine_url="http://127.0.0.1:9", engine_timeout=1, messages_per_minute=10**6
    )
    migrate(chosen.database)
    encoder = load_encoder(None, encoder_dir.parent)
    desk = build_desk(chosen, encoder)
    with desk.database.write() as session:
        create_first_admin(session, "a-password-for-tests")
        for entry in (LODGING, ADVANCE):
            save_entry(session, entry, "tester")
    publish(desk.database, home, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    desk.knowledge.refresh()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", redis_url)  # The task queue is bound when its module is first imported.
        with TestClient(create_app(chosen, desk), raise_server_exceptions=False) as client:
            yield client


def test_health_tells_what_is_missing(client: TestClient) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "degraded"
    assert health["parts"] == {"database": True, "knowledge": True, "redis": True, "engine": False}


def test_too_many_messages_are_refused_kindly(client: TestClient) -> None:
    limited = client.app.state.desk.settings.model_copy(update={"messages_per_minute": 2})
    desk = client.app.state.desk
    object.__setattr__(desk, "settings", limited)
    codes = [
        client.post(
            "/api/v1/chat/messages", json={"client_message_id": f"rate-{n:06d}", "text": "住宿标准"}
        ).status_code
        for n in range(4)
    ]
    object.__setattr__(desk, "settings", limited.model_copy(update={"messages_per_minute": 10**6}))
    assert codes[-1] == 429


def test_metrics_and_openapi_are_there(client: TestClient) -> None:
    assert "fssc_turns_total" in client.get("/metrics").text
    assert client.get("/api/openapi.json").json()["info"]["title"] == "FSSC Desk"


def test_changes_need_the_header_that_only_our_page_sends(client: TestClient) -> None:
    body = {"username": "admin", "password": "a-password-for-tests"}
    assert client.post("/api/v1/console/session", json=body).status_code == 403
    signed_in = client.post("/api/v1/console/session", json=body, headers={"X-Requested-With": "fssc"})
    cookie = signed_in.headers["set-cookie"].lower()
    assert signed_in.status_code == 200 and "httponly" in cookie and "samesite=strict" in cookie


@pytest.mark.slow
def test_no_request_however_odd_is_a_server_error(client: TestClient) -> None:
    client.post(
        "/api/v1/console/session",
        json={"username": "admin", "password": "a-password-for-tests"},
        headers={"X-Requested-With": "fssc"},
    )
    schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
    tried = 0

    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ("/metrics", "/api/v1/console/stream"):  # The stream does not end by itself.
            continue

        @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def probe(case) -> None:
            nonlocal tried
            tried += 1
            sent = case.as_transport_kwargs(base_url="http://testserver")
            sent.pop("cookies", None)
            response = client.request(**sent)
            assert response.status_code < 500, (case.method, case.path, sent, response.text)

        probe()
    assert tried > 150
