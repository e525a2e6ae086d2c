"""The workbench's routes: who may, what a decision answers, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from core.audit import AuditRow
from core.clock import now
from core.settings import Settings
from core.transcript import Conversation
from handoff.filing import file_ticket
from handoff.tickets import TicketEventRow
from kb.curation.store import ClusterRow, OpenQuestionRow, SignalRow
from kb.encoder import load_encoder
from kb.entries import Entry
from kb.store import save_entry
from service.app import create_app
from service.bootstrap import build_desk
from service.migrate import migrate
from service.users import add_user
from tests.integration.test_curation import SEAL, TAXI, asked
from tests.integration.test_release_api import OURS, PASSWORD, sign_in
from tests.tickets import WANG, draft

ROOT = "/api/v1/console/curation"


@pytest.fixture(scope="module")
def client(encoder_dir: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A desk before its first release, with two clusters."""
    chosen = Settings(
        home=tmp_path_factory.mktemp("home"), REDIS_URL=redis_url, engine_url="http://127.0.0.1:9", engine_timeout=1
    )
    migrate(chosen.database)
    desk = build_desk(chosen, load_encoder(None, encoder_dir.parent))
    with desk.database.write() as session:
        for name in ("editor", "reviewer", "publisher", "agent"):
            add_user(session, name, name, PASSWORD, [name])
        save_entry(session, Entry("k-1", "打车费怎么报销", "凭票。"), "t")
    asked(desk.database, *TAXI)
    asked(desk.database, *SEAL, by=WANG)
    with desk.database.write() as session:
        for texts in (TAXI, SEAL):
            rows = session.scalars(select(OpenQuestionRow).where(OpenQuestionRow.text.in_(texts))).all()
            cluster = ClusterRow(
                name=texts[0], questions=len(rows), people=1, answered=0, created_at=now(), last_at=now()
            )
            session.add(cluster)
            session.flush()
            for row in rows:
                row.cluster = cluster.id
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", redis_url)
        with TestClient(create_app(chosen, desk), headers=OURS) as client:
            yield client


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_only_curators_look_and_only_editors_decide(client: TestClient) -> None:
    sign_in(client, "agent")
    assert code(client.get(f"{ROOT}/clusters")) == (403, "role_missing")
    assert client.get(f"{ROOT}/gaps").json() == []
    sign_in(client, "reviewer")
    assert client.get(f"{ROOT}/clusters").json()["total"] == 2
    assert code(client.post(f"{ROOT}/clusters/1/snooze", json={"version": 1})) == (403, "role_missing")
    assert code(client.put(f"{ROOT}/settings", json={"tell_askers": True})) == (403, "role_missing")
    sign_in(client, "editor")
    assert code(client.post(f"{ROOT}/runs", headers={"X-Requested-With": ""}))[1] == "csrf"
    assert code(client.get(f"{ROOT}/clusters/99")) == (404, "cluster_not_found")
    assert code(client.post(f"{ROOT}/clusters/1/written", json={"question": "x"})) == (404, "no_writer")
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    assert client.get(f"{ROOT}/runs").json()["ungrouped"] == 0
    with desk.database.write() as session:
        row = session.scalars(select(OpenQuestionRow).limit(1)).one()
        number, home, row.cluster = row.id, row.cluster, None
    assert client.get(f"{ROOT}/runs").json()["ungrouped"] == 1
    with desk.database.write() as session:
        session.get_one(OpenQuestionRow, number).cluster = home
    assert client.post(f"{ROOT}/runs").json()["run"]["state"] == "waiting"
    sign_in(client, "publisher")
    assert client.put(f"{ROOT}/settings", json={"tell_askers": True}).json() == {"tell_askers": True}
    assert client.get(f"{ROOT}/summary").json()["tell_askers"]


def test_what_agents_answered_stands_beside_the_questions_masked(client: TestClient) -> None:
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    with desk.database.write() as session:
        question = session.scalars(select(OpenQuestionRow).where(OpenQuestionRow.cluster == 2)).first()
        conversation = session.get(Conversation, question.conversation_id)
        ticket = file_ticket(session, draft(conversation.id, WANG))
        for kind in ("replied", "resolved"):
            told = TicketEventRow(
                ticket=ticket.number, kind=kind, actor="zhang", text="您好，请打 13812345678 找法务部盖章。", at=now()
            )
            told.public, told.detail, told.actor_kind, told.actor_name = True, {}, "staff", "张敏"
            session.add(told)
        session.add(SignalRow(key="replies", question=question.id, kind="handoff", ticket=ticket.number, at=now()))
    sign_in(client, "reviewer")
    (reply,) = client.get(f"{ROOT}/clusters/2").json()["replies"]
    assert (
        reply["text"] == "请打 138****5678 找法务部盖章。" and reply["resolution"] and reply["ticket"] == ticket.number
    )


def test_clusters_are_found_and_decided_about(client: TestClient) -> None:
    sign_in(client, "editor")
    found = client.get(f"{ROOT}/clusters", params={"q": "行程单 滴滴", "company": "华晟销售公司"}).json()
    assert [one["name"] for one in found["items"]] == [TAXI[0]] and found["counts"] == {"open": 2}
    assert client.get(f"{ROOT}/clusters", params={"signal": "reopened"}).json()["total"] == 0
    seen = client.get(f"{ROOT}/clusters/1").json()
    assert (len(seen["members"]), seen["signals"]) == (4, [{"name": "no_answer", "count": 4}])
    assert seen["members"][0]["company"] == "华晟销售公司" and seen["nearest"] == []
    assert {one["said"] for one in seen["members"]} == set(TAXI)

    body = {"version": 1, "entry_id": "k-1", "texts": list(TAXI[:2])}
    after = client.post(f"{ROOT}/clusters/1/similar", json=body)
    assert after.status_code == 200 and after.json()["state"] == "review"
    assert after.json()["decisions"][0]["state"] == "drafted"
    assert code(client.post(f"{ROOT}/clusters/1/similar", json=body)) == (409, "version_conflict")
    draft = client.get("/api/v1/console/kb/entries/k-1").json()["draft"]
    assert draft["state"] == "submitted" and draft["body"]["similar"] == list(TAXI[:2])

    refused = client.post(f"{ROOT}/clusters/2/dismiss", json={"version": 1, "reason": " "})
    assert code(refused) == (400, "reason_missing")
    gone = client.post(f"{ROOT}/clusters/2/dismiss", json={"version": 1, "reason": "属于法务部"}).json()
    assert gone["state"] == "dismissed" and {one["closed_as"] for one in gone["members"]} == {"not_ours"}
    assert client.get(f"{ROOT}/clusters").json()["counts"] == {"review": 1, "dismissed": 1}
    desk = client.app.state.desk  # type: ignore[attr-defined]  # starlette types it as any ASGI callable
    with desk.database.read() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.subject == "cluster:2")).all()
        assert actions == ["curation.dismiss"]
