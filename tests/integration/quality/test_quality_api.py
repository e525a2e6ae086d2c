"""Quality over HTTP, by the people of a small desk."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from starlette.testclient import TestClient

from connectors.widget import sign_token
from core.audit import AuditRow
from core.clock import now
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from handoff.quality.keeping import keep
from handoff.quality.periods import week_of
from handoff.quality.satisfaction import rate
from handoff.quality.surveys import SurveyInvitationRow
from service.app import create_app
from service.users import SessionRow, UserRow
from tests.integration.quality.desk import ZHANG, ZHAO, requester, said, solved, staffed

SETTINGS = Settings(widget_secret="a" * 40)
TODAY = now().date().isoformat()
WEEK_AGO = (now() - timedelta(days=6)).date().isoformat()
ROLES = {
    "zhang": ["agent"],
    "zhao": ["agent"],
    "lin": ["leader"],
    "sun": ["supervisor"],
    "qian": ["inspector"],
    "wu": ["inspector"],
    "shen": ["auditor"],
}
Door = Callable[[str], TestClient]


@pytest.fixture
def door(database: Database) -> Iterator[Door]:
    """`door(username)` is the console with that person signed in."""
    app = create_app(SETTINGS)
    app.state.desk = SimpleNamespace(database=database, settings=SETTINGS)
    with database.write() as session:
        staffed(session)
        for username, roles in ROLES.items():
            session.add(
                UserRow(username=username, name=f"{username}先生", password_hash="", roles=roles, created_at=now())
            )
    opened: dict[str, TestClient] = {}

    def client(username: str) -> TestClient:
        if username not in opened:
            with database.write() as session:
                made = hashlib.sha256(username.encode()).hexdigest()
                session.add(SessionRow(token_hash=made, username=username, expires_at=now() + timedelta(hours=1)))
            opened[username] = TestClient(
                app,
                base_url="http://desk/api/v1/console/quality",
                headers={"X-Requested-With": "fssc"},
                cookies={"fssc_session": username},
            )
        return opened[username]

    yield client


def points(client: TestClient, value: int, **comments: str) -> dict[str, object]:
    rubric = client.get("/settings/rubric").json()["body"]
    return {item["id"]: {"points": value, "comment": comments.get(item["id"], "")} for item in rubric["items"]}


def test_from_a_sample_to_a_decided_appeal(database: Database, door: Door) -> None:
    with database.write() as session:
        mine, theirs = solved(session, agent=ZHANG), solved(session, Identity("E2", "王"), agent=ZHAO)
    rules = {"per_agent": 1, "random": 0, "most": 10}
    drawing = {"start": TODAY, "end": TODAY, "seed": 7, "rules": rules}
    drawing = {**drawing, "start": WEEK_AGO, "end": (now() + timedelta(days=1)).date().isoformat()}
    assert door("zhang").post("/inspections/runs", json=drawing).status_code == 403
    run = door("qian").post("/inspections/runs", json=drawing)
    assert (run.status_code, run.json()["picked"]) == (201, 2), run.text
    assert door("qian").post("/inspections/runs", json={**drawing, "seed": 8}).json()["picked"] == 0
    assert door("zhang").get("/inspections").json()["items"] == []
    waiting = {row["ticket"]: row for row in door("qian").get("/inspections?state=waiting").json()["items"]}
    assert set(waiting) == {mine.number, theirs.number} and waiting[mine.number]["may"] == ["score"]
    path = f"/inspections/{waiting[mine.number]['id']}"
    assert door("zhang").get(path).status_code == 404
    subject = door("qian").get(path).json()["subject"]
    assert subject["number"] == mine.number and subject["transcript"] and subject["events"]

    low = points(door("qian"), 60)
    refused = door("qian").post(f"{path}/score", json={"points": low})
    assert refused.status_code == 400 and "扣分理由" in refused.json()["error"]["message"]
    low = points(door("qian"), 60, **dict.fromkeys(low, "没有说明依据"))
    assert door("zhao").post(f"{path}/score", json={"points": low}).status_code == 403
    scored = door("qian").post(f"{path}/score", json={"points": low, "comment": "请注意"}).json()
    assert (scored["total"], scored["state"], scored["may"]) == (60.0, "scored", [])
    assert door("qian").post(f"{path}/score", json={"points": low}).status_code == 409

    seen = door("zhang").get("/inspections?mine=true").json()["items"]
    assert [(row["ticket"], row["may"]) for row in seen] == [(mine.number, ["appeal"])]
    assert door("zhao").get(path).status_code == 404
    assert door("zhao").post(f"{path}/appeal", json={"words": "不同意评分"}).status_code == 403
    assert door("zhang").post(f"{path}/appeal", json={"words": "依据在第二条回复里"}).json()["state"] == "appealed"
    assert door("zhang").post(f"{path}/appeal", json={"words": "依据在第二条回复里"}).status_code == 409
    assert door("qian").post(f"{path}/decide", json={"words": "维持原来评分"}).status_code == 403
    better = points(door("wu"), 90)
    decided = door("wu").post(f"{path}/decide", json={"words": "确有依据，调整", "points": better}).json()
    assert (decided["total"], decided["first_total"], decided["decision"]) == (90.0, 60.0, "changed")
    with database.read() as session:
        logged = select(AuditRow.action).where(AuditRow.action.startswith("inspection.")).order_by(AuditRow.id)
        done = [action.removeprefix("inspection.") for action in session.scalars(logged)]
    assert done == ["drawn", "drawn", "scored", "appealed", "decided"]
    report = door("sun").get(f"/inspections/report?start={WEEK_AGO}&end={drawing['end']}").json()
    assert (report["drawn"], report["scored"], report["appealed"], report["changed"]) == (2, 1, 1, 1)
    assert report["by_agent"][0]["name"] == "张敏" and report["by_item"][0]["mean"] == 90.0


def test_an_appeal_comes_too_late_after_its_days(database: Database, door: Door) -> None:
    from core.errors import Conflict
    from handoff.quality.inspections import InspectionRow, appeal

    with database.write() as session:
        solved(session)
    end = (now() + timedelta(days=1)).date().isoformat()
    rules = {"per_agent": 1, "random": 0, "most": 1}
    door("sun").post("/inspections/runs", json={"start": WEEK_AGO, "end": end, "seed": 1, "rules": rules})
    (row,) = door("sun").get("/inspections").json()["items"]
    body = {"points": points(door("sun"), 100), "vetoes": ["rudeness"]}
    assert door("sun").post(f"/inspections/{row['id']}/score", json=body).status_code == 400
    vetoed = door("sun").post(f"/inspections/{row['id']}/score", json={**body, "comment": "对员工说了粗话"}).json()
    assert vetoed["total"] == 0.0
    with database.write() as session, pytest.raises(Conflict, match="申诉期已"):
        late = session.get_one(InspectionRow, row["id"]).appeal_until + timedelta(seconds=1)
        appeal(session, row["id"], ZHANG, "没有说粗话", moment=late)


def test_a_survey_reaches_its_sample_once_and_is_counted(database: Database, door: Door) -> None:
    people = [Identity(f"E{n}", f"员工{n}", "华晟销售公司" if n % 2 else "华晟制造公司", "一部") for n in range(6)]
    with database.write() as session:
        tickets = {who.employee_no: solved(session, who) for who in people}
        solved(session, people[1])
    tomorrow = (now() + timedelta(days=1)).date().isoformat()
    whom = {"start": WEEK_AGO, "end": tomorrow, "companies": ["华晟销售公司"]}
    assert door("lin").post("/surveys/population", json=whom).status_code == 403
    found = door("sun").post("/surveys/population", json=whom).json()
    assert (found["people"], found["companies"]) == (3, ["华晟制造公司", "华晟销售公司"])
    asked = door("sun").get("/settings/questionnaire").json()["body"]
    plan = {"questionnaire": asked, "population": whom, "size": 2, "seed": 5, "days": 7}
    draft = door("sun").post("/surveys", json=plan).json()
    again = door("sun").post("/surveys", json=plan).json()
    assert (draft["reached"], draft["size"], draft["state"]) == (3, 2, "draft")
    drawn = [
        [one["employee_no"] for one in door("sun").get(f"/surveys/{made['id']}").json()["people"]]
        for made in (draft, again)
    ]
    assert drawn[0] == drawn[1]
    assert keep(database)["sent"] == 0
    assert door("sun").post(f"/surveys/{draft['id']}/start").json()["state"] == "sending"
    assert keep(database)["sent"] == 2 and keep(database)["sent"] == 0
    with database.read() as session:
        invitation = session.scalars(
            select(SurveyInvitationRow).where(SurveyInvitationRow.survey_id == draft["id"])
        ).first()
        held = SimpleNamespace(conversation_id=invitation.conversation_id)
    (message,) = said(database, held, "survey")
    assert message.body["survey"] == invitation.token and len(message.body["questions"]) == 4
    assert invitation.employee_no in tickets

    employee = next(who for who in people if who.employee_no == invitation.employee_no)
    chat = TestClient(door("sun").app, base_url="http://desk/api/v1/chat")
    bearer = {"Authorization": f"Bearer {sign_token(employee, SETTINGS.widget_key, SETTINGS.widget_issuer)}"}
    other = {"Authorization": f"Bearer {sign_token(people[0], SETTINGS.widget_key, SETTINGS.widget_issuer)}"}
    answers = {"overall": 4, "solved": "部分解决", "better": ["系统更好用", "更快回复"], "words": "=1+1"}
    assert chat.get("/surveys", headers=bearer).json()[0]["survey"] == invitation.token
    assert chat.get(f"/surveys/{invitation.token}").status_code == 404
    assert chat.get(f"/surveys/{invitation.token}", headers=other).status_code == 404
    missing = chat.post(f"/surveys/{invitation.token}", headers=bearer, json={"answers": {"overall": 4}})
    assert missing.status_code == 400 and "您的问题解决了吗" in missing.json()["error"]["message"]
    done = chat.post(f"/surveys/{invitation.token}", headers=bearer, json={"answers": answers}).json()
    assert (done["state"], done["answers"]["better"]) == ("answered", ["更快回复", "系统更好用"])
    assert chat.get("/surveys", headers=bearer).json() == []
    assert said(database, held, "survey")[0].body["answers"]["overall"] == 4

    result = door("shen").get(f"/surveys/{draft['id']}").json()
    assert (result["drawn"], result["sent"], result["answered"]) == (2, 2, 1)
    assert result["results"][0]["mean"] == 4.0
    assert {"option": "部分解决", "count": 1} in result["results"][1]["counts"]
    book = load_workbook(BytesIO(door("sun").get(f"/surveys/{draft['id']}/answers.xlsx").content))
    cells = [cell for row in book["回答"].iter_rows(values_only=True) for cell in row]
    assert "'=1+1" in cells and "更快回复；系统更好用" in cells
    door("sun").post(f"/surveys/{draft['id']}/close")
    late = chat.post(f"/surveys/{invitation.token}", headers=bearer, json={"answers": answers})
    assert late.status_code == 409


def test_the_scoreboard_adds_up_and_shows_what_is_behind_it(database: Database, door: Door) -> None:
    with database.write() as session:
        solo = [solved(session, Identity(f"E{n}", "员工"), ZHANG) for n in range(3)]
        other = solved(session, Identity("E9", "员工"), ZHAO)
        rate(session, solo[0].number, requester(solo[0]), 5)
        rate(session, solo[1].number, requester(solo[1]), 1)
        rate(session, other.number, requester(other), 2)
    week = week_of(now())
    board = door("sun").get(f"/scoreboard?period={week}").json()
    lines = {line["agent"]: line for line in board["lines"]}
    assert lines["zhang"]["scores"]["satisfaction"] == 60.0 and lines["zhang"]["basis"]["volume"] == "3 件"
    assert (lines["zhang"]["scores"]["volume"], lines["zhao"]["scores"]["volume"]) == (100.0, 50.0)
    assert "quality" not in lines["zhang"]["scores"] and lines["zhang"]["lists"] == {}
    assert {one["id"] for one in board["definitions"]} == set(board["rules"]["weights"])
    behind = door("sun").get(f"/scoreboard/tickets?period={week}&agent=zhang").json()
    assert {one["number"] for one in behind} == {ticket.number for ticket in solo}
    assert [line["agent"] for line in door("zhao").get(f"/scoreboard?period={week}").json()["lines"]] == ["zhao"]
    assert door("zhao").get(f"/scoreboard/tickets?period={week}&agent=zhang").status_code == 403
    assert len(door("lin").get(f"/scoreboard?period={week}").json()["lines"]) == 2

    rules = {**board["rules"], "weights": {**board["rules"]["weights"], "volume": 50}}
    wrong = door("sun").put("/settings/scoreboard", json={"version": 0, "body": rules})
    assert wrong.status_code == 400 and "100" in wrong.json()["error"]["message"]
    rules["weights"] = {"volume": 0, "timeliness": 0, "first_contact": 0, "satisfaction": 100, "quality": 0}
    rules["least_volume"] = 1
    assert door("lin").put("/settings/scoreboard", json={"version": 0, "body": rules}).status_code == 403
    assert door("sun").put("/settings/scoreboard", json={"version": 0, "body": rules}).json()["version"] == 1
    stale = door("sun").put("/settings/scoreboard", json={"version": 0, "body": rules})
    assert stale.status_code == 409
    after = {line["agent"]: line for line in door("sun").get(f"/scoreboard?period={week}").json()["lines"]}
    assert (after["zhang"]["total"], after["zhao"]["total"]) == (60.0, 40.0)
    assert "满意度 40，低于 60" in after["zhao"]["lists"]["warning"]
    with database.read() as session:
        assert session.scalars(select(AuditRow.action).where(AuditRow.subject == "scoreboard:default")).all() == [
            "quality.scoreboard"
        ]


def test_satisfaction_is_counted_and_a_review_is_closed(database: Database, door: Door) -> None:
    with database.write() as session:
        tickets = [solved(session, Identity(f"E{n}", "员工")) for n in range(3)]
        for ticket, (score, reason) in zip(
            tickets, ((5, "时效:回复很快"), (1, "时效:回复太慢"), (4, "态度:耐心友好")), strict=True
        ):
            rate(session, ticket.number, requester(ticket), score, [reason])
        solved(session, Identity("E8", "员工"))
    span = f"start={WEEK_AGO}&end={(now() + timedelta(days=1)).date()}"
    assert door("zhang").get(f"/satisfaction?{span}").status_code == 403
    report = door("lin").get(f"/satisfaction?{span}").json()
    assert (report["asked"], report["rated"], report["mean"], report["satisfied"]) == (4, 3, 3.33, 0.6667)
    assert report["reasons"]["low"][0] == {"class": "时效", "count": 1, "reasons": [{"text": "回复太慢", "count": 1}]}
    rated = door("shen").get(f"/ratings?{span}&score=1,2").json()
    assert (rated["total"], rated["items"][0]["ticket"]) == (1, tickets[1].number)
    assert door("shen").get("/reviews").json()["items"][0]["may_close"] is False
    found = door("lin").get("/reviews").json()
    assert (found["counts"]["open"], found["items"][0]["may_close"]) == (1, True)
    path = f"/reviews/{found['items'][0]['id']}/close"
    body = {"cause": "时效", "finding": "周五下午没人值班", "action": "调整周五排班"}
    assert door("shen").post(path, json=body).status_code == 403
    assert door("lin").post(path, json=body).json()["closed_by"]["username"] == "lin"
    assert door("lin").get("/reviews?state=closed").json()["items"][0]["finding"] == "周五下午没人值班"


def test_last_weeks_sample_is_drawn_once(database: Database, door: Door) -> None:
    last_week = now() - timedelta(days=7)
    with database.write() as session:
        for n in range(4):
            solved(session, Identity(f"E{n}", "员工"), at=last_week)
    drawn = [keep(database)["drawn"] for _ in range(2)]
    assert drawn == [4, 0]
    (run,) = door("sun").get("/inspections/runs").json()
    assert run["key"] == f"week:{week_of(last_week)}" and run["picked"] == 4
    rules = door("sun").get("/inspections").json()["items"]
    assert sorted(itertools.chain.from_iterable([one["label"] for one in row["rules"]] for row in rules)) == [
        "每人定量",
        "每人定量",
        "随机",
        "随机",
    ]
