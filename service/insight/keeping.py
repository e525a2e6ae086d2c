"""The worker's part: facts and roll-ups follow the records, again and again, until nothing can change them any more."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.transcript import Message, Turn
from kb.store import FeedbackRow
from service.insight import reports, samples
from service.insight.calendar import day_of, each_day
from service.insight.names import Names
from service.insight.rollups import roll_day
from service.insight.store import MADE, StateRow
from service.insight.tickets import follow_tickets
from service.insight.visits import AGAIN, GAP, make_day

EVERY = timedelta(minutes=5)

_REST = 20
"""The worker rests so many times as long as it counted."""

_SETTLED = AGAIN + GAP + timedelta(hours=3)
"""A day can change until somebody who asked on its evening could have come back, and a slow turn was done."""

_LOCK = 7_340_041
"""PostgreSQL's advisory lock of counting: two workers never make the same day at a time."""


def waiting(database: Database, moment: datetime | None = None) -> bool:
    """Whether it is time to count again, and nobody is at it; what is due to be drawn or made is, then."""
    moment = moment or now()
    with database.read() as session:
        counted, counting = (session.get(StateRow, name) for name in ("visits", "counting"))
        rest = max(EVERY, counted.body["took"] * _REST * timedelta(seconds=1)) if counted else EVERY
        free = counting is None or counting.at <= moment - EVERY
        return free and (counted is None or counted.at <= moment - rest)


def keep_due(database: Database, *, wrong_rate: float, link: str) -> None:
    """`keep`, where it is time."""
    if waiting(database):
        keep(database, wrong_rate=wrong_rate, link=link)


def keep(
    database: Database, moment: datetime | None = None, *, wrong_rate: float = 0.03, link: str = ""
) -> dict[str, int]:
    """Count, then draw the week's sample and make the reports that are due; how many of each. `link` is what the console's
    address begins with, for the notices."""
    moment = moment or now()
    with database.write() as session:
        begun = session.get(StateRow, "counting")
        note(session, "counting", begun.body if begun else {}, now())
    done = {"days": refresh(database, moment), "drawn": 0, "reports": 0}
    with database.write() as session:
        locked(session)
        if week := samples.to_draw(session, moment):
            done["drawn"] = samples.draw(session, week, moment)
    with database.read() as session:
        due = reports.due(session, moment)
    for one in due:
        with database.write() as session:
            locked(session)
            reports.make(session, one.kind, one.period, wrong_rate=wrong_rate, link=link)
            done["reports"] += 1
    return done


def refresh(database: Database, moment: datetime | None = None) -> int:
    """Count whatever may have changed since the last time, each day in a transaction of its own; how many days."""
    moment, started = moment or now(), time.monotonic()
    with database.read() as session:
        days = _changed(session, moment)
    for day in days:
        with database.write() as session:
            locked(session)
            make_day(session, day, Names(session))
            roll_day(session, day)
            note(session, "counting", {"day": day.isoformat(), "made": MADE}, now())
    with database.write() as session:
        locked(session)
        follow_tickets(session, Names(session))
        took = round(time.monotonic() - started, 1)
        note(session, "visits", {"days": len(days), "took": took, "made": MADE}, moment)
    return len(days)


def locked(session: Session) -> None:
    """Nobody else counts until this transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def note(session: Session, name: str, body: dict, moment: datetime) -> None:
    session.merge(StateRow(name=name, body=body, at=moment))


def _changed(session: Session, moment: datetime) -> list[date]:
    """Days whose facts may have changed: all that are not settled, and those of answers that were rated since."""
    state = session.get(StateRow, "visits")
    today = day_of(moment)
    if state is None or state.body.get("made") != MADE:
        # Counting an old database takes long; where it was broken off it goes on where it stopped.
        first = session.scalar(select(func.min(Turn.at)))
        begun = session.get(StateRow, "counting")
        known = begun is not None and "day" in begun.body and begun.body.get("made") == MADE
        start = date.fromisoformat(begun.body["day"]) if begun and known else first and day_of(first)
        return list(each_day(start, today)) if start else []
    since = state.at - _SETTLED
    days = set(each_day(day_of(since), today))
    rated = session.scalars(
        select(Turn.at)
        .join(Message, Message.turn_id == Turn.id)
        .join(FeedbackRow, FeedbackRow.message_id == Message.id)
        .where(FeedbackRow.at >= state.at - EVERY)
    )
    return sorted(days | {day_of(at) for at in rated})
