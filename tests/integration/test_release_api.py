"""The console's routes of releases: who may do what, and the whole way from a preview to a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from kb.encoder import load_encoder
from kb.evaluation.remembering import Remembering
from kb.release import preview
from kb.release.publish import Publisher, publish
from service.app import create_app
from service.bootstrap import build_desk
from service.migrate import migrate
from service.users import add_user
from tests.integration.test_releases import entry, save

ROOT = "/api/v1/console/kb"
PASSWORD = "a-password-for-tests"
OURS = {"X-Requested-With": "fssc"}


@pytest.fixture(scope="module")
def client(encoder_dir: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("home")
    chosen = Settings(home=home, REDIS_URL=redis_url, engine_url="http://127.0.0.1:9", engine_timeout=1)
    migrate(chosen.database)
    encoder = Remembering(load_encoder(None, encoder_dir.parent))
    desk = build_desk(chosen, encoder)
    with desk.database.write() as session:
        for name, roles in (("pub", ["publisher"]), ("edit", ["editor"])):
            add_user(session, name, name, PASSWORD, roles)
    save(desk.database, entry(0), entry(1))
    publish(desk.database, home, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    desk.knowledge.refresh()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", redis_url)  # The task queue is bound when its module is first imported.
        with TestClient(create_app(chosen, desk), headers=OURS) as client:
            client.encoder = encoder  # type: ignore[attr-defined]
            yield client


def sign_in(client: TestClient, name: str) -> None:
    body = {"username": name, "password": PASSWORD}
    assert client.post("/api/v1/console/session", json=body).status_code == 200


def prepare(client: TestClient) -> dict:
    """What the worker does."""
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    assert client.post(f"{ROOT}/releases/preview").status_code == 202
    publisher = Publisher(desk.database, desk.settings.home, client.encoder)  # type: ignore[attr-defined]
    assert preview.make(desk.database, publisher, desk.settings.wrong_rate)
    return client.get(f"{ROOT}/releases/preview").json()


def test_only_a_publisher_publishes_and_only_from_our_page(client: TestClient) -> None:
    sign_in(client, "edit")
    assert client.get(f"{ROOT}/releases").status_code == 200
    for method, path, body in (
        ("POST", "/releases/preview", None),
        ("POST", "/releases", {}),
        ("POST", "/releases/1/rollback", {"reason": "试试"}),
        ("PUT", "/wrong-rate", {"wrong_rate": 0.1}),
    ):
        refused = client.request(method, ROOT + path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "role_missing"), path
    sign_in(client, "pub")
    assert client.post(f"{ROOT}/releases", headers={"X-Requested-With": ""}).json()["error"]["code"] == "csrf"


def test_from_preview_to_rollback(client: TestClient) -> None:
    sign_in(client, "pub")
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    assert client.get(f"{ROOT}/releases/preview").json()["state"] == "none"
    assert client.post(f"{ROOT}/releases").json()["error"]["code"] == "preview_stale"
    assert prepare(client)["nothing_changed"]
    assert client.post(f"{ROOT}/releases").json()["error"]["code"] == "nothing_changed"

    assert client.get(f"{ROOT}/wrong-rate").json() == {"wrong_rate": 0.03}
    assert client.put(f"{ROOT}/wrong-rate", json={"wrong_rate": 0}).status_code in (400, 422)
    assert client.put(f"{ROOT}/wrong-rate", json={"wrong_rate": 0.05}).json() == {"wrong_rate": 0.05}
    save(desk.database, entry(0, "新口径。"), entry(2))
    waiting = client.get(f"{ROOT}/releases/pending").json()
    assert waiting["base"] == 1 and waiting["counts"] == {"added": 1, "changed": 1, "removed": 0}
    assert waiting["changes"]["added"] == [{"id": "e-02", "question": entry(2).question}]
    seen = prepare(client)
    assert seen["state"] == "ready" and seen["counts"] == {"added": 1, "changed": 1, "removed": 0}
    assert {"before", "after", "gate", "answer_changes", "reliability", "curve"} <= seen.keys()
    published = client.post(f"{ROOT}/releases", json={})
    assert published.status_code == 201 and published.json()["number"] == 2 and published.json()["current"]
    desk.knowledge.refresh()
    assert desk.knowledge.searcher.thresholds.accepted_wrong_rate == 0.05

    assert client.post(f"{ROOT}/releases/2/rollback", json={"reason": "x"}).json()["error"]["code"] == "already_current"
    assert client.post(f"{ROOT}/releases/9/rollback", json={"reason": "x"}).status_code == 404
    assert client.post(f"{ROOT}/releases/1/rollback", json={"reason": " "}).status_code in (400, 422)
    assert client.post(f"{ROOT}/releases/1/rollback", json={"reason": "口径有误"}).json() == {"number": 1}
    listed = client.get(f"{ROOT}/releases").json()
    assert [(one["number"], one["current"], one["kind"], one["base"]) for one in listed] == [
        (2, False, "publish", 1),
        (1, True, "rollback", None),
    ]
    assert listed[0]["changes"] == {"added": 1, "changed": 1, "removed": 0}
    detail = client.get(f"{ROOT}/releases/1").json()
    assert [(one["kind"], one["reason"], one["author"]) for one in detail["moves"]][0] == (
        "rollback",
        "口径有误",
        "pub",
    )
    assert client.get(f"{ROOT}/releases/99999999999999999999").status_code == 404


@pytest.mark.usefixtures("every_stranger")
def test_a_refused_release_needs_a_reason(client: TestClient) -> None:
    sign_in(client, "pub")
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    save(desk.database, *map(entry, range(12)))
    prepare(client)
    client.post(f"{ROOT}/releases", json={"override_reason": "基础数据"})
    twins = [type(entry(i))(id=f"twin-{i}", question=entry(i).question, answer="另一个答案。") for i in range(12)]
    save(desk.database, *twins)
    assert not prepare(client)["gate"]["passed"]
    refused = client.post(f"{ROOT}/releases", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "gate_refused")
    assert "理由" in refused.json()["error"]["message"]
    done = client.post(f"{ROOT}/releases", json={"override_reason": "两套口径过渡"})
    assert done.status_code == 201 and done.json()["override_reason"] == "两套口径过渡"
