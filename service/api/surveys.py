"""Follow-up campaigns: whom to ask what, and what they answered."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from openpyxl import Workbook
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import local
from handoff.actors import Actor
from handoff.quality import surveys
from handoff.quality.questionnaire import results
from handoff.quality.surveys import STATES, Population, SurveyInvitationRow, SurveyRow
from handoff.tickets import TicketRow
from kb.ingest.workbooks import new_sheet, text_cells
from service.api.deps import DeskDep, Page, PageSize, RowId, from_our_page
from service.api.quality import day
from service.api.quality_scope import Overseeing, Surveying, named
from service.api.ticket_body import names_of

router = APIRouter(prefix="/api/v1/console/quality", tags=["quality"])
_OURS = [Depends(from_our_page)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Names = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=200)]
DayText = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Whom(BaseModel):
    start: DayText
    end: DayText
    companies: Names = []
    departments: Names = []
    business_types: Names = []

    def population(self) -> Population:
        return Population(
            day(self.start),
            day(self.end),
            tuple(self.companies),
            tuple(self.departments),
            tuple(self.business_types),
        )


class NewSurvey(BaseModel):
    """`questionnaire` as `{title, intro, questions}`; `days` it stays open once it is sent."""

    questionnaire: dict[str, Any]
    population: Whom
    size: int
    seed: int = Field(ge=0, le=2**31 - 1)
    days: int


@router.get("/surveys")
def get_surveys(desk: DeskDep, actor: Overseeing, page: Page = 1, page_size: PageSize = 20) -> dict[str, Any]:
    """Campaigns, the newest first."""
    with desk.database.read() as session:
        total = session.scalar(select(func.count()).select_from(SurveyRow)) or 0
        rows = session.scalars(
            select(SurveyRow).order_by(SurveyRow.id.desc()).offset((page - 1) * page_size).limit(page_size)
        ).all()
        return {"items": [_survey(session, row) for row in rows], "total": total}


def _survey(session: Session, row: SurveyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "intro": row.intro,
        "questions": row.questions,
        "population": row.population,
        "reached": row.reached,
        "size": row.size,
        "seed": row.seed,
        "state": row.state,
        "state_label": STATES[row.state],
        "author": named(names_of(session, [row.author]), row.author),
        "created_at": row.created_at.isoformat(),
        "started_at": row.started_at.isoformat() if row.started_at else None,
        "expires_at": row.expires_at.isoformat(),
        **surveys.counts(session, row.id),
    }


@router.post("/surveys/population", dependencies=_OURS)
def post_population(desk: DeskDep, actor: Surveying, body: Whom) -> dict[str, Any]:
    """How many people a population has, and what there is to choose from in its period."""
    population = body.population()
    with desk.database.read() as session:
        everybody = surveys.people(session, Population(population.start, population.end))
        found = surveys.people(session, population)
        return {
            "people": len(found),
            "companies": sorted({ticket.company for ticket in everybody if ticket.company}),
            "departments": sorted(
                {
                    ticket.department
                    for ticket in everybody
                    if ticket.department and (not population.companies or ticket.company in population.companies)
                }
            ),
            "business_types": sorted({ticket.business_type for ticket in everybody}),
        }


@router.post("/surveys", status_code=201, dependencies=_OURS)
def post_survey(desk: DeskDep, actor: Surveying, body: NewSurvey) -> dict[str, Any]:
    """Draw the sample; nothing is sent yet."""
    with desk.database.write() as session:
        row = surveys.plan(
            session, actor, body.questionnaire, body.population.population(), body.size, body.seed, body.days
        )
        return _audited(session, actor, "survey.drawn", row)


@router.get("/surveys/{survey_id}")
def get_survey(desk: DeskDep, actor: Overseeing, survey_id: RowId) -> dict[str, Any]:
    """One campaign with its results: counts, mean scores, words; and who was drawn."""
    with desk.database.read() as session:
        row = surveys.survey_of(session, survey_id)
        invitations = _invitations(session, survey_id)
        return _survey(session, row) | {
            "results": results(row.questions, [one.answers for one in invitations if one.answers is not None]),
            "people": [
                {
                    "employee_no": one.employee_no,
                    "name": one.name,
                    "company": one.company,
                    "department": one.department,
                    "ticket": one.ticket,
                    "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                    "answered_at": one.answered_at.isoformat() if one.answered_at else None,
                    "answers": one.answers,
                }
                for one in invitations
            ],
        }


def _invitations(session: Session, survey_id: int) -> list[SurveyInvitationRow]:
    query = select(SurveyInvitationRow).where(SurveyInvitationRow.survey_id == survey_id)
    return list(session.scalars(query.order_by(SurveyInvitationRow.employee_no)))


@router.post("/surveys/{survey_id}/start", dependencies=_OURS)
def post_start(desk: DeskDep, actor: Surveying, survey_id: RowId) -> dict[str, Any]:
    """Send it to everybody in the sample."""
    with desk.database.write() as session:
        return _audited(session, actor, "survey.started", surveys.start(session, survey_id))


@router.post("/surveys/{survey_id}/close", dependencies=_OURS)
def post_close(desk: DeskDep, actor: Surveying, survey_id: RowId) -> dict[str, Any]:
    """End it before its time."""
    with desk.database.write() as session:
        return _audited(session, actor, "survey.closed", surveys.close(session, survey_id))


def _audited(session: Session, actor: Actor, action: str, row: SurveyRow) -> dict[str, Any]:
    facts = {"title": row.title, "population": row.population, "size": row.size, "seed": row.seed}
    audit.append(session, actor, action, f"survey:{row.id}", facts)
    return _survey(session, row)


@router.get("/surveys/{survey_id}/answers.xlsx")
def get_answers(desk: DeskDep, actor: Overseeing, survey_id: RowId) -> Response:
    """A sheet of answers, one line a person, and one of counts."""
    with desk.database.read() as session:
        row = surveys.survey_of(session, survey_id)
        invitations = _invitations(session, survey_id)
        types = dict(
            session.execute(
                select(TicketRow.number, TicketRow.business_type)
                .join(SurveyInvitationRow, SurveyInvitationRow.ticket == TicketRow.number)
                .where(SurveyInvitationRow.survey_id == survey_id)
            ).all()
        )
    return Response(
        _workbook(row, invitations, types),
        media_type=_XLSX,
        headers={"Content-Disposition": f'attachment; filename="survey-{survey_id}.xlsx"'},
    )


def _workbook(survey: SurveyRow, invitations: list[SurveyInvitationRow], types: dict[str, str]) -> bytes:
    book = Workbook(write_only=True)
    asked = [question["text"] for question in survey.questions]
    header = ["工号", "姓名", "公司", "部门", "工单", "业务类型", "发送时间", "回答时间", *asked]
    sheet = new_sheet(book, "回答", header, {"工单": 20, **dict.fromkeys(asked, 30)})
    for one in invitations:
        told = [_told((one.answers or {}).get(question["id"])) for question in survey.questions]
        moments = [local(moment) if moment else "" for moment in (one.sent_at, one.answered_at)]
        person = [one.employee_no, one.name, one.company or "", one.department or ""]
        sheet.append(text_cells(sheet, [*person, one.ticket, types.get(one.ticket, ""), *moments, *told]))
    sheet = new_sheet(book, "统计", ["题目", "选项", "人数", "平均分"], {"题目": 40, "选项": 24})
    answers = [one.answers for one in invitations if one.answers is not None]
    for result in results(survey.questions, answers):
        mean = "" if result["mean"] is None else f"{result['mean']:g}"
        for count in result["counts"]:
            sheet.append(text_cells(sheet, [result["text"], count["option"], str(count["count"]), mean]))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _told(answer: Any) -> str:
    return "；".join(answer) if isinstance(answer, list) else "" if answer is None else str(answer)
