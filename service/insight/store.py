"""What insight keeps: facts made from the rooms' records, their sums by day, and how far they were counted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from core.database import Base, Json, Moment

MADE = 2
"""The way in which facts are made; raised when it changes, so that all of them are made anew."""


class OriginRow(Base):
    """Where something was asked from. Empty where unknown."""

    __tablename__ = "insight_origin"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    company: Mapped[str] = mapped_column(String(100))
    department: Mapped[str] = mapped_column(String(100))
    channel: Mapped[str] = mapped_column(String(20))
    page: Mapped[str] = mapped_column(String(100))

    __table_args__ = (UniqueConstraint("company", "department", "channel", "page"),)


class PersonRow(Base):
    """A small number for whoever asked: `key` is the employee's number, or an anonymous visitor's conversation."""

    __tablename__ = "insight_person"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)


MEASURES = (
    "matter",
    "involved",
    "answered",
    "filed",
    "handed",
    "again",
    "bad",
    "resolved",
    "questions",
    "answers",
    "clarified",
    "nones",
)
"""The columns of a visit that are summed."""

_SUMMED = ("person", "hour", "wait", *MEASURES)
_COUNTED = ("band", "entry_id", "bad")
"""What is summed of a few hundred thousand visits or questions at a time lies in the index that finds them."""


class VisitRow(Base):
    """One visit: the turns of one conversation on one day of Shanghai, none more than half an hour after the one before.

    Flags are 0 or 1 so that SQL can sum them; docs/insight.md defines each. `id` is that of the first turn; `entry_id` is what
    its last question was answered with; `wait` the bucket of the time that its first question took (`service.insight.waits`).
    """

    __tablename__ = "insight_visit"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(36))
    person: Mapped[int]
    day: Mapped[date]
    started_at: Mapped[datetime] = mapped_column(Moment)
    hour: Mapped[int] = mapped_column(SmallInteger)
    origin: Mapped[int]
    business_type: Mapped[str] = mapped_column(String(40))
    entry_id: Mapped[str] = mapped_column(String(64))
    wait: Mapped[int | None] = mapped_column(SmallInteger)
    matter: Mapped[int] = mapped_column(SmallInteger)
    involved: Mapped[int] = mapped_column(SmallInteger)
    answered: Mapped[int] = mapped_column(SmallInteger)
    filed: Mapped[int] = mapped_column(SmallInteger)
    handed: Mapped[int] = mapped_column(SmallInteger)
    again: Mapped[int] = mapped_column(SmallInteger)
    bad: Mapped[int] = mapped_column(SmallInteger)
    resolved: Mapped[int] = mapped_column(SmallInteger)
    questions: Mapped[int] = mapped_column(SmallInteger)
    answers: Mapped[int] = mapped_column(SmallInteger)
    clarified: Mapped[int] = mapped_column(SmallInteger)
    nones: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        Index("ix_insight_visit_day", "day", "started_at"),
        Index("ix_insight_visit_origin", "origin", "day", postgresql_include=("business_type", *_SUMMED)),
        Index("ix_insight_visit_type", "business_type", "day", postgresql_include=("origin", *_SUMMED)),
    )


class QuestionRow(Base):
    """A turn in which the bot looked for an answer. `outright` is 1 where the bot chose the answer itself, 0 where the employee
    opened an entry by a button."""

    __tablename__ = "insight_question"

    turn_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    visit_id: Mapped[str] = mapped_column(String(36))
    day: Mapped[date]
    origin: Mapped[int]
    business_type: Mapped[str] = mapped_column(String(40))
    band: Mapped[str] = mapped_column(String(10))
    entry_id: Mapped[str] = mapped_column(String(64))
    release: Mapped[int | None]
    outright: Mapped[int] = mapped_column(SmallInteger)
    bad: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        Index("ix_insight_question_day", "day", "outright"),
        Index("ix_insight_question_entry", "entry_id", "day"),
        Index("ix_insight_question_origin", "origin", "day", postgresql_include=("business_type", *_COUNTED)),
        Index("ix_insight_question_type", "business_type", "day", postgresql_include=("origin", *_COUNTED)),
    )


class TicketFactRow(Base):
    """A ticket as the figures see it. `left_day` is when it left the backlog, null while it is open. `policy` is the service
    level that it was promised by, whoever chose that. Promises are 1 kept, 0 broken, null where nothing was promised or the clock still runs in time; minutes are working time without pauses.
    `once` is 1 where it was solved without reopening, transfer, escalation or asking for more; `score` and `reasons` are of its
    last rating (figures of satisfaction count every one: `service.insight.ratings`); `quality` 0 to 100."""

    __tablename__ = "insight_ticket"

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    filed_day: Mapped[date]
    solved_day: Mapped[date | None]
    left_day: Mapped[date | None]
    origin: Mapped[int]
    business_type: Mapped[str] = mapped_column(String(40))
    group_id: Mapped[str] = mapped_column(String(40))
    policy: Mapped[str] = mapped_column(String(40))
    first_kept: Mapped[int | None] = mapped_column(SmallInteger)
    resolve_kept: Mapped[int | None] = mapped_column(SmallInteger)
    first_min: Mapped[float | None]
    resolve_min: Mapped[float | None]
    escalated: Mapped[int] = mapped_column(SmallInteger)
    reopened: Mapped[int] = mapped_column(SmallInteger)
    once: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int | None] = mapped_column(SmallInteger)
    reasons: Mapped[list[str]] = mapped_column(Json)
    quality: Mapped[float | None]

    __table_args__ = (
        Index("ix_insight_ticket_filed", "filed_day"),
        Index("ix_insight_ticket_solved", "solved_day"),
        Index("ix_insight_ticket_left", "left_day"),
    )


class DayRow(Base):
    """The visits of one day with one value, or one pair of values, of the dimensions that `by` names (`company+page`, empty
    for all). `hours` and `waits` count visits by hour and by the bucket of their first answer's time; `people` are packed
    numbers of persons (`service.insight.people`)."""

    __tablename__ = "insight_day"

    by: Mapped[str] = mapped_column(String(30), primary_key=True)
    a: Mapped[str] = mapped_column(String(100), primary_key=True)
    b: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    visits: Mapped[int]
    matter: Mapped[int]
    involved: Mapped[int]
    answered: Mapped[int]
    filed: Mapped[int]
    handed: Mapped[int]
    again: Mapped[int]
    bad: Mapped[int]
    resolved: Mapped[int]
    questions: Mapped[int]
    answers: Mapped[int]
    clarified: Mapped[int]
    nones: Mapped[int]
    hours: Mapped[dict[str, int]] = mapped_column(Json)
    waits: Mapped[dict[str, int]] = mapped_column(Json)
    people: Mapped[bytes] = deferred(mapped_column(LargeBinary))

    __table_args__ = (Index("ix_insight_day_day", "day", "by"),)


class EntryDayRow(Base):
    """How often an entry answered on a day, with one value of one dimension (`by`, empty for all)."""

    __tablename__ = "insight_entry_day"

    by: Mapped[str] = mapped_column(String(20), primary_key=True)
    a: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked: Mapped[int]
    bad: Mapped[int]

    __table_args__ = (Index("ix_insight_entry_day_day", "day"),)


class ReleaseDayRow(Base):
    """The questions of a day by the release that answered them."""

    __tablename__ = "insight_release_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    release: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    questions: Mapped[int]
    answers: Mapped[int]
    clarified: Mapped[int]
    nones: Mapped[int]
    bad: Mapped[int]


class StateRow(Base):
    """How far something was counted, and when."""

    __tablename__ = "insight_state"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Moment)


class PriceListRow(Base):
    """The price list of the service statement; every change is a new version. `body` is `{items: [{id, name, unit, price}]}`
    with prices in fen."""

    __tablename__ = "insight_price_list"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)


class ReportRow(Base):
    """A report that was made when its period was over, kept as it was sent. `kind` is week, month or statement."""

    __tablename__ = "insight_report"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))
    period: Mapped[str] = mapped_column(String(10))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("kind", "period"),)
