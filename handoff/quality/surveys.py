"""Follow-up campaigns: a sample of those who were served is sent a questionnaire where they had asked.

draft (the sample is drawn) → sending → closed by hand or when it expires. The same population, size and seed draw the same
people.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from core.outbox import deliver
from core.transcript import Message, say
from handoff.actors import Actor
from handoff.quality.periods import days
from handoff.quality.questionnaire import checked_answers, checked_questionnaire
from handoff.tickets import Status, TicketRow

MOST_PEOPLE = 5000
STATES = {"draft": "待发送", "sending": "进行中", "closed": "已结束"}


class SurveyRow(Base):
    """A campaign with its questions as they were asked; `population` as `Population.to_dict`, `reached` its number of
    people, `size` how many of them were drawn with `seed`."""

    __tablename__ = "survey"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    title: Mapped[str] = mapped_column(String(60))
    intro: Mapped[str] = mapped_column(Text)
    questions: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    population: Mapped[dict[str, Any]] = mapped_column(Json)
    size: Mapped[int]
    seed: Mapped[int]
    reached: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    author: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class SurveyInvitationRow(Base):
    """One employee asked, about `ticket`, their last in the period. `answers` are by question id."""

    __tablename__ = "survey_invitation"

    token: Mapped[str] = mapped_column(String(24), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    employee_no: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(100))
    company: Mapped[str | None] = mapped_column(String(100))
    department: Mapped[str | None] = mapped_column(String(100))
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"))
    conversation_id: Mapped[str] = mapped_column(String(36))
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    answers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("survey_id", "employee_no"),
        Index("ix_survey_invitation_waiting", "survey_id", "sent_at"),
    )


@dataclass(frozen=True)
class Population:
    """Employees with a ticket solved from `start` to `end` (days of Shanghai, both included); empty tuples mean any."""

    start: date
    end: date
    companies: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    business_types: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "companies": list(self.companies),
            "departments": list(self.departments),
            "business_types": list(self.business_types),
        }


def people(session: Session, population: Population) -> list[TicketRow]:
    """The last ticket of each employee of the population, by employee number."""
    start, end = days(population.start, population.end)
    query = select(TicketRow).where(
        TicketRow.resolved_at >= start,
        TicketRow.resolved_at < end,
        TicketRow.status.in_((Status.RESOLVED, Status.CLOSED)),
        TicketRow.employee_no.is_not(None),
    )
    for column, wanted in (
        (TicketRow.company, population.companies),
        (TicketRow.department, population.departments),
        (TicketRow.business_type, population.business_types),
    ):
        if wanted:
            query = query.where(column.in_(wanted))
    last: dict[str, TicketRow] = {}
    for ticket in session.scalars(query.order_by(TicketRow.resolved_at, TicketRow.number)):
        last[ticket.employee_no or ""] = ticket
    return [last[number] for number in sorted(last)]


def plan(
    session: Session,
    actor: Actor,
    questionnaire: Mapping[str, Any],
    population: Population,
    size: int,
    seed: int,
    open_days: int,
    *,
    moment: datetime | None = None,
) -> SurveyRow:
    """Draw the sample of a campaign that is open for `open_days` days once it is sent. Raises InvalidInput for nobody."""
    moment = moment or now()
    asked = checked_questionnaire(questionnaire)
    if not 1 <= size <= MOST_PEOPLE or not 1 <= open_days <= 90:
        raise InvalidInput(f"样本量要在 1 到 {MOST_PEOPLE} 之间，有效期在 1 到 90 天之间。", code="size")
    found = people(session, population)
    if not found:
        raise InvalidInput("这个范围和期间里没有已解决的工单，请放宽条件。", code="nobody")
    drawn = sorted(Random(seed).sample(range(len(found)), min(size, len(found))))
    row = SurveyRow(
        title=asked["title"],
        intro=asked["intro"],
        questions=asked["questions"],
        population=population.to_dict(),
        size=len(drawn),
        seed=seed,
        reached=len(found),
        state="draft",
        author=actor.id,
        created_at=moment,
        expires_at=moment + timedelta(days=open_days),
    )
    session.add(row)
    session.flush()
    session.add_all(
        SurveyInvitationRow(
            token="".join(secrets.choice(string.ascii_lowercase) for _ in range(20)),
            survey_id=row.id,
            employee_no=ticket.employee_no,
            name=ticket.requester.get("name") or "",
            company=ticket.company or ticket.requester.get("company"),
            department=ticket.department or ticket.requester.get("department"),
            ticket=ticket.number,
            conversation_id=ticket.conversation_id,
        )
        for ticket in (found[place] for place in drawn)
    )
    return row


def survey_of(session: Session, survey_id: int, *, held: bool = False) -> SurveyRow:
    row = session.get(SurveyRow, survey_id, with_for_update=held or None, populate_existing=held)
    if row is None:
        raise NotFound("没有这次回访，请刷新列表。")
    return row


def start(session: Session, survey_id: int, *, moment: datetime | None = None) -> SurveyRow:
    """Send it: the worker brings it to everybody in the sample. Its time runs from now."""
    moment = moment or now()
    row = survey_of(session, survey_id, held=True)
    if row.state != "draft":
        raise Conflict("这次回访已经发送过了。", code="wrong_state")
    row.expires_at = moment + (row.expires_at - row.created_at)
    row.state, row.started_at = "sending", moment
    return row


def close(session: Session, survey_id: int, *, moment: datetime | None = None) -> SurveyRow:
    """End it before its time: nothing more is sent, no answer is taken any more."""
    row = survey_of(session, survey_id, held=True)
    if row.state == "closed":
        raise Conflict("这次回访已经结束。", code="wrong_state")
    row.state, row.expires_at = "closed", min(row.expires_at, moment or now())
    return row


def to_send(session: Session, moment: datetime, limit: int = 200) -> list[str]:
    """Tokens of invitations of running campaigns that are not sent yet."""
    query = (
        select(SurveyInvitationRow.token)
        .join(SurveyRow, SurveyRow.id == SurveyInvitationRow.survey_id)
        .where(SurveyRow.state == "sending", SurveyRow.expires_at > moment, SurveyInvitationRow.sent_at.is_(None))
        .order_by(SurveyRow.id, SurveyInvitationRow.employee_no)
        .limit(limit)
    )
    return list(session.scalars(query))


def send(session: Session, token: str, moment: datetime) -> bool:
    """Bring the questionnaire to one employee; False where somebody was quicker or the campaign is over."""
    found = session.execute(
        select(SurveyInvitationRow, SurveyRow)
        .join(SurveyRow, SurveyRow.id == SurveyInvitationRow.survey_id)
        .where(
            SurveyInvitationRow.token == token,
            SurveyInvitationRow.sent_at.is_(None),
            SurveyRow.state == "sending",
            SurveyRow.expires_at > moment,
        )
        .with_for_update(of=SurveyInvitationRow)
    ).one_or_none()
    if found is None:
        return False
    invitation, survey = found
    invitation.sent_at = moment
    message = say(
        session,
        invitation.conversation_id,
        "bot",
        "survey",
        f"{survey.title}：{survey.intro}",
        extras={
            "survey": token,
            "title": survey.title,
            "intro": survey.intro,
            "questions": survey.questions,
            "expires_at": survey.expires_at.isoformat(),
            "options": [{"label": "填写问卷", "choice": f"survey:{token}"}],
        },
    )
    deliver(session, message, key=f"survey:{token}")
    return True


def close_due(session: Session, moment: datetime) -> int:
    """Close the campaigns whose time is over; return how many."""
    done = session.execute(
        update(SurveyRow).where(SurveyRow.state == "sending", SurveyRow.expires_at <= moment).values(state="closed")
    )
    return done.rowcount


def any_over(session: Session, moment: datetime) -> bool:
    """Whether the time of any running campaign is over."""
    over = select(SurveyRow.id).where(SurveyRow.state == "sending", SurveyRow.expires_at <= moment)
    return session.scalar(over.limit(1)) is not None


def invitation_of(
    session: Session, token: str, employee_no: str | None, *, held: bool = False
) -> tuple[SurveyInvitationRow, SurveyRow]:
    """An employee's own invitation and its survey. Raises NotFound for anybody else's."""
    row = session.get(SurveyInvitationRow, token, with_for_update=held or None, populate_existing=held)
    if row is None or row.sent_at is None or employee_no is None or row.employee_no != employee_no:
        raise NotFound("没有找到这份问卷。", code="survey_not_found")
    return row, session.get_one(SurveyRow, row.survey_id)


def answer(
    session: Session, token: str, employee_no: str | None, answers: Mapping[str, Any], *, moment: datetime | None = None
) -> SurveyInvitationRow:
    """Keep an employee's answers; again within the time, the last ones count. Raises Conflict `survey_closed`."""
    moment = moment or now()
    row, survey = invitation_of(session, token, employee_no, held=True)
    if survey.state != "sending" or survey.expires_at <= moment:
        raise Conflict("这份问卷已经结束，谢谢您的关注。", code="survey_closed")
    row.answers, row.answered_at = checked_answers(survey.questions, answers), moment
    asked = select(Message).where(
        Message.conversation_id == row.conversation_id,
        Message.type == "survey",
        Message.body["survey"].as_string() == token,
    )
    for message in session.scalars(asked):
        message.body = {**message.body, "answers": row.answers}
    return row


def open_surveys(
    session: Session, employee_no: str | None, moment: datetime
) -> list[tuple[SurveyInvitationRow, SurveyRow]]:
    """What an employee may still answer, the newest first."""
    return [
        (invitation, survey)
        for invitation, survey in session.execute(
            select(SurveyInvitationRow, SurveyRow)
            .join(SurveyRow, SurveyRow.id == SurveyInvitationRow.survey_id)
            .where(
                SurveyInvitationRow.employee_no == employee_no,
                SurveyInvitationRow.sent_at.is_not(None),
                SurveyInvitationRow.answered_at.is_(None),
                SurveyRow.state == "sending",
                SurveyRow.expires_at > moment,
            )
            .order_by(SurveyInvitationRow.sent_at.desc())
        )
    ]


def counts(session: Session, survey_id: int) -> dict[str, int]:
    """`{drawn, sent, answered}`."""
    row = session.execute(
        select(
            func.count(),
            func.count(SurveyInvitationRow.sent_at),
            func.count(SurveyInvitationRow.answered_at),
        ).where(SurveyInvitationRow.survey_id == survey_id)
    ).one()
    return dict(zip(("drawn", "sent", "answered"), row, strict=True))
