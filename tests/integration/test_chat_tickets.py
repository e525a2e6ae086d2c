"""我的工单 over the API: all of one's own, nothing of anybody else's, each deed once."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from redis.asyncio import Redis

from bot.answering import Answering
from bot.dialogue import Dialogue
from bot.filing import Filing
from connectors.widget import sign_token
from core.database import Database
from core.identity import ANONYMOUS, Identity
from core.settings import Settings
from core.transcript import open_conversation
from handoff import lifecycle
from handoff.actors import Actor
from handoff.attachments import attach
from handoff.filing import file_ticket
from handoff.tickets import Reason, TicketDraft
from kb.release.live import LiveKnowledge
from service.app import create_app
from tests.engines import ScriptedEngine

LI, WANG = Identity("E1001", "李晓雯"), Identity("E1002", "王建国")
SUN = Actor("staff", "sun", "孙敏", frozenset({"supervisor"}))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)


@dataclass
class Desk:
    """A desk without its knowledge; Redis and dialogue are made anew for each request, which has a loop of its own."""

    settings: Settings
    database: Database
    redis_url: str

    @property
    def redis(self) -> Redis:
        return Redis.from_url(self.redis_url)

    @cached_property
    def knowledge(self) -> LiveKnowledge:
        return LiveKnowledge(self.database, self.settings.home, None)  # type: ignore[arg-type]

    @property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.database, self.redis, ScriptedEngine(), Answering(self.knowledge), Filing(self.database))


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def desk(app: FastAPI, database: Database, redis_url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Settings(home=tmp_path, messages_per_minute=10**6), database, redis_url)
    app.state.desk = desk
    yield desk


Visit = Callable[[Identity], TestClient]


@pytest.fixture
def visit(app: FastAPI, desk: Desk) -> Visit:
    def client(who: Identity) -> TestClient:
        token = (
            {}
            if who.anonymous
            else {"Authorization": f"Bearer {sign_token(who, desk.settings.widget_key, 'fssc-demo')}"}
        )
        return TestClient(app, headers=token, base_url="http://testserver/api/v1/chat")

    return client


def filed(desk: Desk, who: Identity = LI, text: str = "退票费能报吗") -> tuple[str, str]:
    """A ticket's number and its conversation."""
    with desk.database.write() as session:
        conversation = open_conversation(session, "widget", who)
        draft = TicketDraft("差旅报销", text, conversation.id, who, Reason.MISSING_KNOWLEDGE, uuid.uuid4().hex)
        return file_ticket(session, draft).number, conversation.id


def agent(desk: Desk, verb: Callable[..., Any], number: str, *args: Any, **more: Any) -> Any:
    with desk.database.write() as session:
        return verb(session, number, SUN, *args, **more)


def test_an_employee_sees_what_is_theirs_and_what_is_public(desk: Desk, visit: Visit) -> None:
    number, _ = filed(desk)
    other, _ = filed(desk, WANG, "付款被退回")
    agent(desk, lifecycle.claim, number)
    agent(desk, lifecycle.note, number, "内部：他上月也问过")
    agent(desk, lifecycle.reply, number, "请上传凭证", then="waiting")
    li = visit(LI)
    mine = li.get("/tickets").json()
    assert [one["number"] for one in mine["items"]] == [number]
    assert (mine["open"], mine["unread"], mine["items"][0]["status_label"]) == (1, 1, "待您补充")
    ticket = li.get(f"/tickets/{number}").json()
    said = [event["text"] for event in ticket["events"]]
    assert "请上传凭证" in said and not any("内部" in text for text in said)
    assert ticket["can"] == {
        "say": True, "attach": True, "urge": True, "reopen": False, "cancel": True, "confirm": False, "rate": False,
    }  # fmt: skip
    for path in (f"/tickets/{other}", "/tickets/FW20200101-0001"):
        assert li.get(path).status_code == 404
    for verb in ("urge", "confirm", "cancel", "reopen", "rate", "say"):
        body = {"client_message_id": "message-0001", "text": "x", "reason": "x", "score": 1}
        assert li.post(f"/tickets/{other}/{verb}", json=body).status_code == 404
    assert li.post(f"/tickets/{other}/attachments", files={"file": ("a.png", PNG)}).status_code == 404


def test_an_anonymous_visitor_has_those_of_the_conversation_they_know(desk: Desk, visit: Visit) -> None:
    number, conversation = filed(desk, ANONYMOUS)
    theirs, known_to_li = filed(desk, LI)
    somebody = visit(ANONYMOUS)
    assert somebody.get("/tickets").json()["items"] == []
    assert somebody.get(f"/tickets/{number}").status_code == 404
    own = {"conversation_id": conversation}
    assert [one["number"] for one in somebody.get("/tickets", params=own).json()["items"]] == [number]
    assert somebody.post(f"/tickets/{number}/urge", params=own).status_code == 200
    assert somebody.get("/tickets", params={"conversation_id": known_to_li}).status_code == 404
    assert somebody.get(f"/tickets/{theirs}", params=own).status_code == 404
    assert visit(LI).get("/tickets", params=own).status_code == 404


def test_words_and_files_join_once_and_only_files_of_the_ticket(desk: Desk, visit: Visit) -> None:
    number, conversation = filed(desk)
    another, _ = filed(desk, LI, "另一件事情：发票抬头错了")
    agent(desk, lifecycle.reply, number, "请上传凭证", then="waiting")
    li = visit(LI)
    kept = li.post(f"/tickets/{number}/attachments", files={"file": ("退票凭证.png", PNG)})
    assert kept.status_code == 201 and kept.json()["name"] == "退票凭证.png"
    body = {"client_message_id": "message-0001", "text": "凭证见附件", "attachments": [kept.json()["id"]]}
    for _ in range(2):
        ticket = li.post(f"/tickets/{number}/say", json=body).json()
        assert ticket["status"] == "in_progress"
    said = [event for event in ticket["events"] if event["kind"] == "employee_said"]
    assert [(one["text"], one["attachments"]) for one in said] == [("凭证见附件", [kept.json()["id"]])]
    messages = li.get(f"/conversations/{conversation}/messages").json()["messages"]
    assert [one["attachments"][0]["name"] for one in messages if one["text"] == "凭证见附件"] == ["退票凭证.png"]
    saved = li.get(f"/tickets/{number}/attachments/{kept.json()['id']}")
    assert saved.content == PNG and saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert li.get(f"/tickets/{another}/attachments/{kept.json()['id']}").status_code == 404
    for name, content, words in (("病毒.exe", b"MZ" + bytes(99), "不支持这种文件"), ("空.png", b"", "空的")):
        refused = li.post(f"/tickets/{number}/attachments", files={"file": (name, content)})
        assert refused.status_code == 400 and words in refused.json()["error"]["message"]


def test_a_file_of_the_desk_is_seen_when_it_was_sent(desk: Desk, visit: Visit) -> None:
    number, _ = filed(desk)
    with desk.database.write() as session:
        shown, hidden = (
            attach(session, desk.settings.home, number, SUN, name, io.BytesIO(PNG), public=public).id
            for name, public in (("给员工.png", True), ("内部.png", False))
        )
    li = visit(LI)
    assert li.get(f"/tickets/{number}/attachments/{shown}").status_code == 404
    agent(desk, lifecycle.reply, number, "见附件", [shown])
    assert li.get(f"/tickets/{number}/attachments/{shown}").status_code == 200
    assert li.get(f"/tickets/{number}/attachments/{hidden}").status_code == 404
    assert [one["name"] for one in li.get(f"/tickets/{number}").json()["attachments"]] == ["给员工.png"]


def test_urge_resolve_reopen_confirm_rate(desk: Desk, visit: Visit) -> None:
    number, _ = filed(desk)
    li = visit(LI)
    assert li.post(f"/tickets/{number}/urge").json()["urge_at"]
    again = li.post(f"/tickets/{number}/urge")
    assert again.status_code == 429 and "分钟后可以再次催办" in again.json()["error"]["message"]
    agent(desk, lifecycle.claim, number)
    agent(desk, lifecycle.resolve, number, "可以报")
    ticket = li.get(f"/tickets/{number}").json()
    assert (
        ticket["can"]["reopen"]
        and ticket["can"]["confirm"]
        and ticket["can"]["rate"]
        and ticket["resolution"] == "可以报"
    )
    assert li.post(f"/tickets/{number}/reopen", json={"reason": " "}).status_code == 400
    assert li.post(f"/tickets/{number}/reopen", json={"reason": "还是不行"}).json()["status"] == "reopened"
    agent(desk, lifecycle.reply, number, "再试一次", then="resolved")
    offered = li.get(f"/tickets/{number}").json()["satisfaction"]["offered"]["high"]
    rated = li.post(f"/tickets/{number}/rate", json={"score": 5, "reasons": offered[:1], "words": "很快"}).json()
    assert (rated["status"], rated["rating"], rated["satisfaction"]["words"]) == ("closed", 5, "很快")
    assert li.post(f"/tickets/{number}/confirm").status_code == 409
    assert li.post(f"/tickets/{number}/cancel", json={}).status_code == 409


def test_buttons_that_a_ticket_has_outlived_are_not_offered_again(desk: Desk, visit: Visit) -> None:
    number, conversation = filed(desk)
    li = visit(LI)

    def offered() -> list[str]:
        found = li.get(f"/conversations/{conversation}/messages").json()["messages"]
        return [one["choice"] for message in found for one in message["options"] if number in one["choice"]]

    agent(desk, lifecycle.claim, number)
    agent(desk, lifecycle.reply, number, "可以报销", then="resolved")
    assert {f"confirm:{number}", f"reopen:{number}"} <= set(offered())
    assert li.post(f"/tickets/{number}/rate", json={"score": 5}).json()["status"] == "closed"
    assert f"confirm:{number}" not in offered() and f"reopen:{number}" in offered()


def test_an_answer_that_resolved_is_read_once(desk: Desk, visit: Visit) -> None:
    number, _ = filed(desk)
    agent(desk, lifecycle.claim, number)
    agent(desk, lifecycle.reply, number, "可以报销", then="resolved")
    li = visit(LI)
    steps = [(one["kind"], one["text"]) for one in li.get(f"/tickets/{number}").json()["events"]]
    assert ("replied", "可以报销") in steps and ("resolved", "问题已解决") in steps
    records = load_workbook(io.BytesIO(li.get("/tickets/export").content))["服务记录"]
    assert [row[3].value for row in records.iter_rows(min_row=2)].count("可以报销") == 1
    agent(desk, lifecycle.reopen, number, "再看看")
    agent(desk, lifecycle.accept, number)
    agent(desk, lifecycle.resolve, number, "按特批流程报销")
    assert any(one["text"] == "按特批流程报销" for one in li.get(f"/tickets/{number}").json()["events"])


def test_own_records_can_be_kept_and_are_text(desk: Desk, visit: Visit) -> None:
    number, _ = filed(desk, LI, "=HYPERLINK(1)能不能报")
    filed(desk, WANG)
    agent(desk, lifecycle.note, number, "内部备注")
    agent(desk, lifecycle.reply, number, "可以报")
    kept = visit(LI).get("/tickets/export")
    book = load_workbook(io.BytesIO(kept.content))
    tickets, records = book["工单"], book["服务记录"]
    assert [row[0].value for row in tickets.iter_rows(min_row=2)] == [number]
    assert tickets["C2"].value.startswith("'=") and tickets["C2"].data_type == "s"
    said = [row[3].value for row in records.iter_rows(min_row=2)]
    assert "可以报" in said and "内部备注" not in said
