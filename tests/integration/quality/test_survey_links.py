"""A questionnaire over a signed link, for channels where none can be filled in."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from connectors.connected import LINKS_PURPOSE
from connectors.delivery import Delivery
from connectors.survey_links import SurveyLinks
from core.clock import now, today
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from core.transcript import Message
from handoff.quality import surveys
from handoff.quality.defaults import QUESTIONNAIRE
from handoff.quality.surveys import Population, SurveyInvitationRow
from service.api import survey_links
from service.api.problems import install_problem_handlers
from tests.integration.quality.desk import SUPERVISOR, solved

SETTINGS = Settings(secret_key="a" * 40)


@pytest.fixture
def page(database: Database) -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(survey_links.router)
    app.state.desk = SimpleNamespace(database=database, settings=SETTINGS)
    return TestClient(app)


@pytest.fixture
def sent(database: Database) -> Delivery:
    """A questionnaire as it leaves for a channel."""
    day = today()
    with database.write() as session:
        solved(session)
        everybody = Population(day - timedelta(days=1), day + timedelta(days=1), (), (), ())
        survey = surveys.start(session, surveys.plan(session, SUPERVISOR, QUESTIONNAIRE, everybody, 5, 1, 7).id)
        invitation = session.scalars(
            select(SurveyInvitationRow).where(SurveyInvitationRow.survey_id == survey.id)
        ).one()
        assert surveys.send(session, invitation.token, now())
        message = session.scalars(select(Message).where(Message.type == "survey")).one().to_dict()
        return Delivery("k", "wecom", "c", Identity(invitation.employee_no), message, 1)


def links(base: str = "https://desk.example.com") -> SurveyLinks:
    return SurveyLinks(base, SETTINGS.internal_token(LINKS_PURPOSE))


def test_the_link_opens_ones_own_questionnaire_and_takes_the_answers(page: TestClient, sent: Delivery) -> None:
    said = links().opened_by(sent).message
    assert said["options"] == [] and "[填写问卷](https://desk.example.com/survey/" in said["text"]
    token = links().address(sent).rsplit("/", 1)[1]
    assert "default-src 'none'" in page.get(f"/survey/{token}").headers["content-security-policy"]
    address = f"/api/v1/survey-links/{token}"
    asked = page.get(address).json()
    assert asked["open"] and asked["title"] == "财务共享服务回访"
    assert page.post(address, json={"answers": {"overall": 5}}).status_code == 400, "问题解决了吗 is missing"
    given = {"overall": 5, "solved": "完全解决", "better": ["更快回复"], "words": "电话 13812345678"}
    assert page.post(address, json={"answers": given}).json()["answers"] == given | {"words": "电话 138****5678"}


def test_a_link_that_was_changed_or_made_for_something_else_opens_nothing(page: TestClient, sent: Delivery) -> None:
    token = links().address(sent).rsplit("/", 1)[1]
    assert page.get(f"/api/v1/survey-links/{token[:-1]}x").status_code == 404
    other = SurveyLinks("https://d", "another key").address(sent).rsplit("/", 1)[1]
    assert page.get(f"/api/v1/survey-links/{other}").status_code == 404
    assert "请打开费用系统" in links("").opened_by(sent).message["text"]
    assert links().address(Delivery("k", "wecom", "c", Identity("E1"), {"type": "text", "text": "x"}, 1)) == ""
