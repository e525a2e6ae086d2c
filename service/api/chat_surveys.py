"""Questionnaires as the employee answers them in the chat."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from core.clock import now
from handoff.quality import surveys
from handoff.quality.surveys import SurveyInvitationRow, SurveyRow
from service.api.deps import DeskDep, Visitor

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])
Token = Annotated[str, Path(max_length=24, pattern=r"^[a-z]+$")]
Answer = int | Annotated[str, Field(max_length=2000)] | Annotated[list[str], Field(max_length=20)] | None


class Answers(BaseModel):
    """By question id: 1 to 5, an option, a list of options, or words."""

    answers: dict[Annotated[str, Field(max_length=30)], Answer] = Field(max_length=20)


@router.get("/surveys")
def get_surveys(desk: DeskDep, visitor: Visitor) -> list[dict[str, Any]]:
    """Questionnaires that the employee may still answer."""
    moment = now()
    with desk.database.read() as session:
        found = surveys.open_surveys(session, visitor.employee_no, moment)
        return [survey_body(invitation, survey, moment) for invitation, survey in found]


@router.get("/surveys/{token}")
def get_survey(desk: DeskDep, visitor: Visitor, token: Token) -> dict[str, Any]:
    """One questionnaire of the employee's own: its questions, its state, what they answered."""
    with desk.database.read() as session:
        return survey_body(*surveys.invitation_of(session, token, visitor.employee_no), now())


@router.post("/surveys/{token}")
def post_survey(desk: DeskDep, visitor: Visitor, token: Token, body: Answers) -> dict[str, Any]:
    """Answer it; answered again within its time, the last answers count."""
    with desk.database.write() as session:
        row = surveys.answer(session, token, visitor.employee_no, body.answers)
        return survey_body(row, session.get_one(SurveyRow, row.survey_id), now())


def survey_body(row: SurveyInvitationRow, survey: SurveyRow, moment: datetime) -> dict[str, Any]:
    over = survey.state != "sending" or survey.expires_at <= moment
    return {
        "survey": row.token,
        "title": survey.title,
        "intro": survey.intro,
        "questions": survey.questions,
        "state": "answered" if row.answers is not None else "expired" if over else "open",
        "open": not over,
        "answers": row.answers,
        "expires_at": survey.expires_at.isoformat(),
    }
