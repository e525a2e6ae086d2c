"""One ticket over the console's API: what is sent, what is refused, files in and out, the audit log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from connectors.delivery import Deliverer
from connectors.widget import WidgetChannel
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.outbox import DeliveryRow
from core.settings import Settings
from core.transcript import Conversation, mark_read
from handoff import attachments, lifecycle
from handoff.attachments import attach, attachment_for, attachments_of, path_of
from handoff.clocks.defaults import seed
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import TicketRow
from service import users
from service.app import create_app
from service.users import add_user
from tests.tickets import ADMIN, CHEN, FANG, LI, SUN, WANG, ZHANG, filed, open_desk, placed, requester_of

PASSWORD = "long-enough-for-this"
ROLES = {"admin": ["admin"], "zhang": ["agent"], "fang": ["agent"], "audit": ["auditor"], "ed": ["editor"]}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Colleague:
    """Somebody signed in to the console."""

    def __init__(self, app: FastAPI, username: str) -> None:
        self.http = TestClient(app, headers={"X-Requested-With": "fssc"}, base_url="http://testserver/api/v1/console")
        assert self.http.post("/session", json={"username": username, "password": PASSWORD}).status_code == 200

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        response = self.http.request(method, path, json=body, **more)
        assert response.status_code < 300, (method, path, response.status_code, response.text)
        return response.json()

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        response = self.http.request(method, path, json=body, **more)
        assert response.status_code >= 400, response.text
        return response.status_code, response.json()["error"]["code"]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def desk(app: FastAPI, database: Database, home: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(users, "_HASHER", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
    open_desk(database)
    with database.write() as session:
        for username, roles in ROLES.items():
            add_user(session, username, username.capitalize(), PASSWORD, roles)
        session.get_one(StaffRow, "zhang").groups = ["tax"]
    knowledge = SimpleNamespace(place_label=lambda page, node: "")
    app.state.desk = SimpleNamespace(settings=Settings(home=home), database=database, knowledge=knowledge)
    return SimpleNamespace(database=database, **{name: Colleague(app, name) for name in ROLES})


@pytest.fixture
def number(desk: SimpleNamespace) -> str:
    with desk.database.write() as session:
        return filed(session, contact="13800000000").number


def test_a_ticket_is_worked_through_with_the_version_that_each_answer_gives(desk: SimpleNamespace, number: str) -> None:
    ticket = desk.zhang("GET", f"/tickets/{number}")
    assert "claim" in ticket["verbs"] and "give-back" not in ticket["verbs"] and ticket["contact"] == "13800000000"
    ticket = desk.zhang("POST", f"/tickets/{number}/claim", {"version": ticket["version"]})
    assert ticket["assignee"] == {"username": "zhang", "name": "Zhang"} and "resolve" in ticket["verbs"]
    ticket = desk.zhang("POST", f"/tickets/{number}/note", {"version": ticket["version"], "text": "问过税务局"})
    ticket = desk.zhang(
        "POST", f"/tickets/{number}/reply", {"version": ticket["version"], "text": "已处理", "then": "resolved"}
    )
    assert ticket["status"] == "resolved" and ticket["resolution"] == "已处理"
    assert [(e["kind"], e["public"], e["actor_name"]) for e in ticket["events"] if e["actor_kind"] == "staff"] == [
        ("claimed", True, "Zhang"),
        ("noted", False, "Zhang"),
        ("replied", True, "Zhang"),
        ("resolved", True, "Zhang"),
    ]
    assert {clock["kind"] for clock in ticket["clocks"]} >= {"first_response", "resolution"}


def test_the_desk_sees_whether_its_words_came_and_were_read(desk: SimpleNamespace, number: str) -> None:
    ticket = desk.zhang("POST", f"/tickets/{number}/claim", {})
    ticket = desk.zhang("POST", f"/tickets/{number}/reply", {"version": ticket["version"], "text": "请重新提交"})

    def reach() -> list[str]:
        said = desk.zhang("GET", f"/tickets/{number}")["transcript"]
        assert all("reach" not in one for one in said if one["from"] != "agent")
        return [one["reach"] for one in said if one["from"] == "agent"]

    assert reach() == ["waiting"]
    Deliverer(desk.database, {"widget": WidgetChannel()}).run()
    assert reach() == ["unread"]
    with desk.database.write() as session:
        conversation = session.get_one(Conversation, session.get_one(TicketRow, number).conversation_id)
        mark_read(session, conversation, 10**6)
    assert reach() == ["read"]
    with desk.database.write() as session:
        session.get_one(Conversation, conversation.id).channel = "wecom"
    assert reach() == ["delivered"], "nobody can tell what was read there"
    with desk.database.write() as session:
        session.execute(update(DeliveryRow).values(state="dead"))
    assert reach() == ["dead"]


def test_a_clock_has_one_name(desk: SimpleNamespace) -> None:
    with desk.database.write() as session:
        seed(session)
        number = filed(session).number
    desk.zhang("POST", f"/tickets/{number}/claim", {})
    desk.zhang("POST", f"/tickets/{number}/reply", {"text": "请重新提交"})
    with desk.database.write() as session:
        lifecycle.say_to_ticket(session, number, requester_of(session.get_one(TicketRow, number)), "还是不行")
    ticket = desk.zhang("GET", f"/tickets/{number}")
    running = {clock["label"] for clock in ticket["clocks"] if not clock["stopped_at"]}
    assert running == {"后续响应", "解决"} and ticket["due_label"] == "后续响应"


def test_who_had_a_ticket_that_went_on_is_told_so(desk: SimpleNamespace, number: str) -> None:
    where = f"/tickets/{number}"
    desk.zhang("POST", f"{where}/claim", {})
    desk.zhang("POST", f"{where}/escalate", {"reason": "涉税"})
    found = desk.zhang.http.get(where)
    assert (found.status_code, found.json()["error"]["code"]) == (404, "ticket_elsewhere")
    with desk.database.read() as session:
        group = session.get_one(GroupRow, session.get_one(TicketRow, number).group_id).name
    assert f"已转到“{group}”" in found.json()["error"]["message"]
    assert desk.zhang.refused("POST", f"{where}/note", {"text": "补充一句"}) == (404, "ticket_elsewhere")
    assert desk.fang.refused("GET", where) == (404, "ticket_not_found"), "to others it is as if there were none"


def test_what_is_wrong_is_told_by_its_code(desk: SimpleNamespace, number: str) -> None:
    where = f"/tickets/{number}"
    version = desk.zhang("GET", where)["version"]
    assert desk.zhang.refused("POST", f"{where}/claim", {"version": version - 1}) == (409, "version_conflict")
    assert desk.zhang.refused("POST", f"{where}/resolve", {"text": "好了"}) == (409, "wrong_state")
    assert desk.zhang.refused("POST", f"{where}/assign", {"to": "fang"})[0] == 403
    assert desk.zhang.refused("POST", f"{where}/reply", {}) == (400, "argument_missing")
    assert desk.zhang.refused("POST", f"{where}/claim", {"text": "x"}) == (400, "argument_unknown")
    assert desk.zhang.refused("POST", f"{where}/claim", {"status": "closed"}) == (400, "invalid_input")
    assert desk.zhang.refused("POST", f"{where}/explode", {})[0] in (400, 404)
    assert desk.zhang.refused("POST", f"{where}/say-to-ticket", {"text": "x"})[0] in (400, 404)
    assert desk.zhang.refused("POST", f"{where}/claim", {}, headers={"X-Requested-With": ""}) == (403, "csrf")
    assert desk.zhang.refused("POST", f"{where}/reply", {"text": "字" * 5001}) == (400, "text_too_long")
    assert desk.zhang.refused("GET", "/tickets/FW20200101-9999") == (404, "ticket_not_found")
    assert desk.zhang("GET", where)["version"] == version


def test_a_ticket_of_another_group_looks_like_none(desk: SimpleNamespace, number: str) -> None:
    for colleague in (desk.fang, desk.ed):
        assert colleague.refused("GET", f"/tickets/{number}") == (404, "ticket_not_found")
        assert colleague.refused("POST", f"/tickets/{number}/note", {"text": "x"}) == (404, "ticket_not_found")
    assert desk.audit("GET", f"/tickets/{number}")["verbs"] == []
    assert desk.audit.refused("POST", f"/tickets/{number}/note", {"text": "x"})[0] == 403


def test_links_show_only_what_one_may_read(desk: SimpleNamespace, number: str) -> None:
    with desk.database.write() as session:
        other = filed(session, requester=WANG, group="expense").number
        lifecycle.link(session, number, ADMIN, other)
    assert [one["number"] for one in desk.admin("GET", f"/tickets/{number}")["links"]] == [other]
    assert desk.zhang("GET", f"/tickets/{number}")["links"] == []


def upload(colleague: Colleague, number: str, name: str, content: bytes, public: str = "true") -> Any:
    return colleague.http.post(
        f"/tickets/{number}/attachments", files={"file": (name, content, "text/html")}, data={"public": public}
    )


def test_a_file_goes_out_with_a_reply_and_comes_back_as_a_download(
    desk: SimpleNamespace, number: str, home: Path
) -> None:
    version = desk.zhang("GET", f"/tickets/{number}")["version"]
    made = upload(desk.zhang, number, '../../发票"<script>.png', PNG)
    assert made.status_code == 201
    file = made.json()
    assert (file["name"], file["type"], file["size"], file["sent"]) == ("发票_script_.png", "image/png", 108, False)
    ticket = desk.zhang(
        "POST", f"/tickets/{number}/reply", {"version": version, "text": "见图", "attachments": [file["id"]]}
    )
    assert ticket["attachments"][0]["sent"]
    assert ticket["transcript"][-1]["attachments"][0]["name"] == "发票_script_.png"
    answer = desk.zhang.http.get(f"/tickets/{number}/attachments/{file['id']}")
    assert answer.content == PNG and answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff" and "no-store" in answer.headers["cache-control"]
    stored = [path for path in (home / "attachments").rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [file["id"]] and stored[0].stat().st_mode & 0o777 == 0o600
    for colleague, status in ((desk.fang, 404), (desk.audit, 200)):
        assert colleague.http.get(f"/tickets/{number}/attachments/{file['id']}").status_code == status
    with desk.database.write() as session:
        other = filed(session, requester=WANG).number
    assert desk.zhang.http.get(f"/tickets/{other}/attachments/{file['id']}").status_code == 404


def test_a_file_that_is_not_taken_leaves_nothing_behind(
    desk: SimpleNamespace, number: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_BYTES", 1000)
    for name, content, code in (
        ("a.png", b"<html>", "file_type"),
        ("a.pdf", PNG, "file_type_mismatch"),
        ("a.png", b"", "file_empty"),
        ("a.png", PNG + bytes(1000), "file_too_large"),
    ):
        refused = upload(desk.zhang, number, name, content)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert upload(desk.zhang, number, "a.png", PNG, public="maybe").status_code == 400
    assert upload(desk.audit, number, "a.png", PNG).status_code == 403
    assert upload(desk.fang, number, "a.png", PNG).status_code == 404
    assert [path for path in (home / "attachments").rglob("*") if path.is_file()] == []
    assert desk.zhang("GET", f"/tickets/{number}")["attachments"] == []


def test_an_internal_file_never_reaches_the_employee(database: Database, home: Path, tmp_path: Path) -> None:
    open_desk(database)
    source = tmp_path / "x.png"
    source.write_bytes(PNG)

    def bring(session, number, actor, public):
        with source.open("rb") as stream:
            return attach(session, home, number, actor, "x.png", stream, public=public)

    with database.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        li, wang = requester_of(ticket), requester_of(filed(session, requester=WANG))
        secret = bring(session, ticket.number, CHEN, False)
        draft = bring(session, ticket.number, ZHANG, True)
        theirs = bring(session, ticket.number, li, True)
        with pytest.raises(Conflict) as refused:
            lifecycle.reply(session, ticket.number, ZHANG, "见附件", attachments=[secret.id])
        assert refused.value.code == "internal_attachment"
        lifecycle.note(session, ticket.number, ZHANG, "见附件", attachments=[secret.id, draft.id])
        assert attachment_for(session, li, ticket, theirs.id)
        for hidden in (secret, draft):
            with pytest.raises(NotFound):
                attachment_for(session, li, ticket, hidden.id)
        lifecycle.reply(session, ticket.number, ZHANG, "见附件", attachments=[draft.id])
        assert attachment_for(session, li, ticket, draft.id)
        for stranger in (wang, FANG):
            with pytest.raises(NotFound):
                attachment_for(session, stranger, ticket, draft.id)
        with pytest.raises(NotFound):
            lifecycle.reply(session, filed(session).number, SUN, "见附件", attachments=[draft.id])


def test_a_ticket_takes_so_many_files(database: Database, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import BytesIO

    monkeypatch.setattr(attachments, "MOST_FILES", 2)
    open_desk(database)
    with database.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        for _ in range(2):
            attach(session, home, ticket.number, ZHANG, "x.png", BytesIO(PNG), public=False)
        with pytest.raises(Conflict):
            attach(session, home, ticket.number, ZHANG, "x.png", BytesIO(PNG), public=False)
        first = attachments_of(session, ticket.number)[0]
        assert path_of(home, first.id).read_bytes() == PNG
        with pytest.raises(InvalidInput):
            attach(session, home, filed(session).number, ZHANG, "x.html", BytesIO(b"<html>"), public=False)


def test_auditors_read_the_log_and_see_whether_it_holds(desk: SimpleNamespace, number: str) -> None:
    desk.zhang("POST", f"/tickets/{number}/claim", {})
    found = desk.audit("GET", f"/audit?q={number}")
    assert found["items"][0] | {"at": "", "hash": "", "id": 0, "detail": 0} == {
        "id": 0,
        "at": "",
        "actor": "zhang",
        "actor_name": "Zhang",
        "action": "ticket.claimed",
        "subject": number,
        "detail": 0,
        "hash": "",
    }
    assert found["items"][0]["detail"]["assignee"] == "zhang" and found["total"] == len(found["items"])
    assert desk.audit("GET", "/audit?q=zhang&action=ticket.")["total"] == 1
    assert desk.audit("GET", "/audit?action=nothing")["items"] == []
    report = desk.audit("GET", "/audit/verification")
    assert report["holds"] and report["broken"] is None and report["entries"] == desk.audit("GET", "/audit")["total"]
    for colleague in (desk.zhang, desk.ed):
        assert colleague.refused("GET", "/audit") == (403, "role_missing")
        assert colleague.refused("GET", "/audit/verification") == (403, "role_missing")


def test_an_administrator_alone_works_the_whole_desk(desk: SimpleNamespace) -> None:
    with desk.database.write() as session:
        number = filed(session, group=None).number
    desk.admin("POST", f"/tickets/{number}/claim", {})
    desk.admin("POST", f"/tickets/{number}/reply", {"text": "请看制度第三条"})
    assert desk.admin("POST", f"/tickets/{number}/resolve", {"text": "已说明"})["status"] == "resolved"
    with desk.database.read() as session:
        assert session.get_one(TicketRow, number).requester["employee_no"] == LI.employee_no
