"""A questionnaire over a signed link: a page for one employee's own, without signing in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from connectors.connected import LINKS_PURPOSE
from connectors.survey_links import PURPOSE
from core.clock import now
from core.links import LinkInvalid, opened
from handoff.quality import surveys
from handoff.quality.surveys import SurveyRow
from service.api.chat_surveys import Answers, survey_body
from service.api.deps import DeskDep
from service.api.ratings import ALONE
from service.bootstrap import Desk

router = APIRouter(tags=["chat"])
Token = Annotated[str, InPath(max_length=1000, pattern=r"^[A-Za-z0-9_.-]+$")]

_PAGE = Path(__file__).parent / "survey.html"


@router.get("/survey/{token}", response_class=FileResponse)
def get_page(token: Token) -> FileResponse:
    """The page that the link of a questionnaire opens; what it shows, it asks for itself."""
    return FileResponse(_PAGE, media_type="text/html; charset=utf-8", headers=ALONE)


@router.get("/api/v1/survey-links/{token}")
def get_survey(desk: DeskDep, token: Token) -> dict[str, Any]:
    """The questionnaire, its state, what was answered."""
    survey, employee_no = _claims(desk, token)
    with desk.database.read() as session:
        return survey_body(*surveys.invitation_of(session, survey, employee_no), now())


@router.post("/api/v1/survey-links/{token}")
def post_survey(desk: DeskDep, token: Token, body: Answers) -> dict[str, Any]:
    """Answer it; answered again within its time, the last answers count."""
    survey, employee_no = _claims(desk, token)
    with desk.database.write() as session:
        row = surveys.answer(session, survey, employee_no, body.answers)
        return survey_body(row, session.get_one(SurveyRow, row.survey_id), now())


def _claims(desk: Desk, token: str) -> tuple[str, str]:
    found = opened(desk.settings.internal_token(LINKS_PURPOSE), PURPOSE, token, now())
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("s", "e")):
        raise LinkInvalid
    return found["s"], found["e"]
