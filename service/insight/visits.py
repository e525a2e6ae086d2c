"""Visits and questions of a day, made from turns, tickets and ratings. The same records make the same facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.transcript import Conversation, Message, Turn
from handoff.tickets import Status, TicketRow
from kb.store import EntryRow, FeedbackRow
from service.insight.calendar import day_of, midnight
from service.insight.names import Names, Place
from service.insight.store import QuestionRow, VisitRow
from service.insight.waits import bucket

GAP = timedelta(minutes=30)
"""A longer silence ends a visit."""

AGAIN = timedelta(hours=24)
"""Who comes back about the same within this time was not helped."""


@dataclass(frozen=True)
class Asked:
    """A question that the bot looked for an answer to. `top` is what it took it for: the entry it answered with, or the
    best one it had."""

    turn_id: str
    band: str
    entry_id: str
    top: str
    business_type: str
    release: int | None
    outright: bool


@dataclass
class Visit:
    conversation_id: str
    person: str
    company: str
    department: str
    channel: str
    id: str = ""
    start: datetime = datetime.min
    end: datetime = datetime.min
    page: str = ""
    wait: int | None = None
    turns: list[str] = field(default_factory=list)
    questions: list[Asked] = field(default_factory=list)
    refused: bool = False
    """What its last question got was 都不是: none of it was what the employee meant."""

    @property
    def place(self) -> Place:
        return (self.company, self.department, self.channel, self.page)


@dataclass(frozen=True)
class Ticket:
    conversation_id: str
    person: str
    at: datetime
    business_type: str


def make_day(session: Session, day: date, names: Names) -> None:
    """Make the facts of `day` anew."""
    visits, later = _visits(session, day)
    tickets = _tickets(session, midnight(day), midnight(day + timedelta(days=3)))
    bad = _badly_rated(session, day)
    coming = defaultdict(list)
    for visit in (*visits, *later):
        coming[visit.person].append(visit)
    session.execute(delete(VisitRow).where(VisitRow.day == day))
    session.execute(delete(QuestionRow).where(QuestionRow.day == day))
    persons = names.persons({visit.person for visit in visits})
    origins = names.origins({visit.place for visit in visits})
    facts, questions = [], []
    for visit in visits:
        fact = _fact(visit, day, tickets.get(visit.person, ()), coming[visit.person], bad)
        fact["person"] = persons[visit.person]
        fact["origin"] = origins[visit.place]
        facts.append(fact)
        questions += [_question(asked, fact, bad) for asked in visit.questions]
    for table, rows in ((VisitRow, facts), (QuestionRow, questions)):
        if rows:
            session.execute(insert(table.__table__), rows)


def _fact(visit: Visit, day: date, tickets: Sequence[Ticket], others: Sequence[Visit], bad: set[str]) -> dict[str, Any]:
    filed = [
        one
        for one in tickets
        if one.conversation_id == visit.conversation_id and visit.start <= one.at <= visit.end + GAP
    ]
    last = visit.questions[-1] if visit.questions else None
    involved, answered = last is not None, last is not None and last.band == "answer" and not visit.refused
    handed = bool(filed) or any(visit.start <= one.at <= visit.end + AGAIN for one in tickets)
    again = answered and any(
        asked.top == last.top
        for other in others
        if visit.start < other.start <= visit.end + AGAIN
        for asked in other.questions
    )
    rated_bad = any(turn in bad for turn in visit.turns)
    bands = [asked.band for asked in visit.questions]
    return {
        "id": visit.id,
        "conversation_id": visit.conversation_id,
        "day": day,
        "started_at": visit.start,
        "hour": visit.start.astimezone(midnight(day).tzinfo).hour,
        "business_type": last.business_type if last else filed[-1].business_type if filed else "",
        "entry_id": last.entry_id if last else "",
        "wait": visit.wait,
        "matter": int(involved or bool(filed)),
        "involved": int(involved),
        "answered": int(answered),
        "filed": int(bool(filed)),
        "handed": int(involved and handed),
        "again": int(again),
        "bad": int(involved and rated_bad),
        "resolved": int(answered and not handed and not again and not rated_bad),
        "questions": len(bands),
        "answers": bands.count("answer"),
        "clarified": bands.count("clarify"),
        "nones": bands.count("none"),
    }


def _question(asked: Asked, fact: dict[str, Any], bad: set[str]) -> dict[str, Any]:
    return {
        "turn_id": asked.turn_id,
        "visit_id": fact["id"],
        "day": fact["day"],
        "origin": fact["origin"],
        "business_type": asked.business_type,
        "band": asked.band,
        "entry_id": asked.entry_id,
        "release": asked.release,
        "outright": int(asked.outright),
        "bad": int(asked.turn_id in bad),
    }


def _visits(session: Session, day: date) -> tuple[list[Visit], list[Visit]]:
    """The visits of `day`, and those of the next day, which tell whether somebody came back."""
    found = _split(_turns(session, midnight(day), midnight(day + timedelta(days=2))), _types(session))
    both: tuple[list[Visit], list[Visit]] = ([], [])
    for visit in found:
        both[day_of(visit.start) != day].append(visit)
    return both


def _turns(session: Session, start: datetime, end: datetime) -> Iterable[Any]:
    return session.execute(
        select(
            Turn.id,
            Turn.conversation_id,
            Turn.at,
            Turn.body["place"]["page"].as_string().label("page"),
            Turn.outcome,
            Turn.took_ms,
            Conversation.channel,
            Conversation.employee_no,
            Conversation.identity["company"].as_string().label("company"),
            Conversation.identity["department"].as_string().label("department"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.state == "done", Turn.at >= start, Turn.at < end)
        .order_by(Turn.conversation_id, Turn.at, Turn.id)
    )


def _split(turns: Iterable[Any], types: dict[str, str]) -> Iterator[Visit]:
    visit: Visit | None = None
    for turn in turns:
        if (
            visit is None
            or visit.conversation_id != turn.conversation_id
            or turn.at - visit.end > GAP
            or day_of(turn.at) != day_of(visit.end)
        ):
            if visit is not None:
                yield visit
            visit = Visit(
                turn.conversation_id,
                turn.employee_no or turn.conversation_id,
                turn.company or "",
                turn.department or "",
                turn.channel,
                id=turn.id,
                start=turn.at,
            )
        visit.end = turn.at
        visit.turns.append(turn.id)
        asked = _asked(turn, types)
        if asked is not None:
            if not visit.questions:
                visit.wait = None if turn.took_ms is None else bucket(turn.took_ms)
            visit.questions.append(asked)
            visit.refused = False
        elif refuses(turn.outcome):
            visit.refused = True
        if turn.page and (asked is not None or not visit.questions):
            visit.page = turn.page
    if visit is not None:
        yield visit


def refuses(outcome: dict[str, Any] | None) -> bool:
    """Whether the turn was 都不是: a word on the question before, for which nothing was looked up."""
    return (outcome or {}).get("unresolved") == "none_of_these"


def _asked(turn: Any, types: dict[str, str]) -> Asked | None:
    outcome = turn.outcome or {}
    if not outcome.get("band") or refuses(outcome):
        return None
    shown = outcome.get("shown") or []
    best = shown[0] if shown else {}
    top = outcome.get("entry_id") or best.get("entry_id") or ""
    return Asked(
        turn.id,
        outcome["band"],
        outcome.get("entry_id") or "",
        top,
        best.get("business_type") or types.get(top, ""),
        outcome.get("release"),
        bool(shown),
    )


def _types(session: Session) -> dict[str, str]:
    return dict(session.execute(select(EntryRow.id, EntryRow.business_type)).all())


def _tickets(session: Session, start: datetime, end: datetime) -> dict[str, list[Ticket]]:
    """Tickets filed from `start` to before `end`, by person."""
    found = defaultdict(list)
    # Every state is named so that the index on state and time serves.
    rows = session.execute(
        select(TicketRow.conversation_id, TicketRow.employee_no, TicketRow.created_at, TicketRow.business_type)
        .where(TicketRow.status.in_(tuple(Status)), TicketRow.created_at >= start, TicketRow.created_at < end)
        .order_by(TicketRow.created_at, TicketRow.number)
    )
    for row in rows:
        person = row.employee_no or row.conversation_id
        found[person].append(Ticket(row.conversation_id, person, row.created_at, row.business_type))
    return found


def _badly_rated(session: Session, day: date) -> set[str]:
    """Turns of `day` with an answer that was called no use."""
    return set(
        session.scalars(
            select(Turn.id)
            .join(Message, Message.turn_id == Turn.id)
            .join(FeedbackRow, FeedbackRow.message_id == Message.id)
            .where(
                Turn.state == "done",
                Turn.at >= midnight(day),
                Turn.at < midnight(day + timedelta(days=1)),
                FeedbackRow.helpful.is_(False),
            )
        )
    )
