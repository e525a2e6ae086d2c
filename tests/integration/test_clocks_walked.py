"""For random calendars, pauses, reopenings and changes of policy the engine says what a walk from minute to minute says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from core.clock import SHANGHAI
from core.database import Database
from handoff.clocks import check
from handoff.clocks.calendars import Calendar, OwnDay, Periods, written
from handoff.clocks.clock import BROKEN, WARNED, ClockRow
from handoff.clocks.policies import Terms, save_policy
from handoff.clocks.reckoning import Pause, Walk, worked
from handoff.clocks.timetable import save_calendar, save_days
from handoff.tickets import Status
from service.migrate import migrate
from tests.integration.clocked import Clocked

START = datetime(2026, 9, 24, tzinfo=SHANGHAI)
"""The day before the Mid-autumn festival; National Day and its 调休 follow."""

DAYS = 40
MINUTE = timedelta(minutes=1)


@st.composite
def periods(draw: st.DrawFn, most: int = 3) -> Periods:
    edges = sorted(draw(st.sets(st.integers(0, 288), max_size=2 * most)))
    return tuple((5 * start, 5 * end) for start, end in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = draw(st.lists(periods(), min_size=7, max_size=7).filter(any))
    own = draw(st.dictionaries(st.integers(0, DAYS), periods(), max_size=4))
    days = {(START + timedelta(days=n)).date(): OwnDay(value) for n, value in own.items()}
    make_up = draw(periods()) or next(filter(None, week))
    return Calendar("workdays", "c", tuple(week), make_up, draw(st.booleans()), days)


class Walked:
    """Every minute of `DAYS` days, worked or not, one after another."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.worked = bytearray(DAYS * 1440)
        for n in range(DAYS):
            for start, end in self._periods((START + timedelta(days=n)).date()):
                for minute in range(start, end):
                    self.worked[n * 1440 + minute] = 1

    def _periods(self, day: date) -> Periods:
        calendar = self.calendar
        if day in calendar.own:
            return calendar.own[day].periods
        week = calendar.weekly[day.weekday()]
        if not calendar.chinese_holidays or chinese_calendar.is_workday(day) == (day.weekday() < 5):
            # A weekend within a holiday is no working day either, whatever the week says.
            off = calendar.chinese_holidays and chinese_calendar.get_holiday_detail(day)[1] and day.weekday() > 4
            return () if off else week
        return (week or calendar.make_up) if chinese_calendar.is_workday(day) else ()

    def works(self, moment: datetime) -> bool:
        return bool(self.worked[_index(moment)])

    def minutes(self, start: datetime, pauses: list[Pause]) -> Iterator[int]:
        """The minutes that count, from `start` on."""
        worked = bytearray(self.worked)
        for begin, end in pauses:
            for minute in range(_index(begin), _index(end) if end else len(worked)):
                worked[minute] = 0
        for minute in range(_index(start), len(worked)):
            if worked[minute]:
                yield minute

    def count(self, start: datetime, end: datetime, pauses: list[Pause]) -> int:
        last = _index(end)
        return sum(1 for _ in takewhile(lambda minute: minute < last, self.minutes(start, pauses)))

    def due(self, start: datetime, pauses: list[Pause], promised: int) -> datetime | None:
        minute = next(islice(self.minutes(start, pauses), promised - 1, None), None)
        return None if minute is None else START + (minute + 1) * MINUTE


def _index(moment: datetime) -> int:
    return (moment - START) // MINUTE


@settings(max_examples=40, deadline=None, derandomize=True)
@given(calendars(), st.integers(0, 4000), st.lists(st.integers(1, 900), max_size=6), st.integers(1, 3000))
def test_the_arithmetic_is_the_walks(calendar: Calendar, begin: int, gaps: list[int], promised: int) -> None:
    start = START + begin * MINUTE
    edges = [start + sum(gaps[: n + 1]) * MINUTE for n in range(len(gaps))]
    pauses: list[Pause] = list(zip(edges[::2], [*edges[1::2], None], strict=False))
    end = (edges[-1] if edges else start) + timedelta(days=2)
    walk = Walked(calendar)
    assert worked(calendar, start, end, pauses) == walk.count(start, end, pauses) * MINUTE
    due = walk.due(start, pauses, promised)
    found = Walk(calendar, start, pauses).runs_out(promised)
    if due:
        assert found == due
    else:
        assert found is None or found > START + timedelta(days=DAYS)


@dataclass
class Model:
    """One clock as a walker keeps it."""

    start: datetime
    pauses: list[Pause] = field(default_factory=list)
    stop: datetime | None = None
    actual: int | None = None
    late: bool = False


ACTIONS = st.sampled_from(
    ["wait", "wait", "reply", "say", "say", "resolve", "reopen", "policy", "calendar", "check", "check"]
)
TERMS = st.one_of(st.tuples(*[st.integers(1, 60)] * 3), st.tuples(*[st.integers(200, 3000)] * 3))
BEGINNINGS = st.sampled_from(
    [[], ["wait"], ["reply", "say"], ["wait", "say"], ["wait", "say", "wait"], ["resolve", "reopen"], ["check", "wait"]]
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("walked") / "db.sqlite3"
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_engine_says_what_the_walk_says(desk: Database, data: st.DataObject) -> None:
    with desk.write() as session:
        session.execute(update(ClockRow).values(stopped_at=START, next_check_at=None))
    calendar, terms = _new_calendar(desk, data.draw(calendars())), _new_terms(desk, data.draw(TERMS))
    moment = START + data.draw(st.integers(0, 3000)) * MINUTE
    case, status = Clocked(desk, moment), Status.NEW
    model: dict[tuple[str, int], Model] = {("first_response", 1): Model(moment), ("resolution", 1): Model(moment)}

    def going(kind: str) -> Model | None:
        return next((one for (name, _), one in model.items() if name == kind and one.stop is None), None)

    def start(kind: str) -> None:
        if going(kind) is None:
            model[kind, sum(name == kind for name, _ in model) + 1] = Model(moment)

    def stop(*kinds: str) -> None:
        walk = Walked(calendar)
        for kind in kinds:
            if one := going(kind):
                if one.pauses and one.pauses[-1][1] is None:
                    one.pauses[-1] = (one.pauses[-1][0], moment)
                one.stop, one.actual = moment, walk.count(one.start, moment, one.pauses)
                one.late = one.actual > terms[kind]

    def resume() -> None:
        if (one := going("resolution")) and one.pauses and one.pauses[-1][1] is None:
            one.pauses[-1] = (one.pauses[-1][0], moment)

    actions = data.draw(BEGINNINGS) + data.draw(st.lists(ACTIONS, max_size=6))
    for action in actions:
        gap = data.draw(st.integers(1, 900))
        moment += gap * MINUTE
        ended = status == Status.RESOLVED
        if action == "policy":
            terms = _new_terms(desk, data.draw(TERMS))
        elif action == "calendar":
            calendar = _new_calendar(desk, data.draw(calendars()))
        elif action == "check":
            check(desk, moment)
        elif action in ("reply", "wait") and not ended:
            if status == Status.WAITING:
                resume() if action == "reply" else None
            elif action == "wait" and (one := going("resolution")):
                one.pauses.append((moment, None))
            status = Status.IN_PROGRESS if action == "reply" else Status.WAITING
            stop("first_response", "next_response")
            case.happen("replied", moment, status)
        elif action == "say" and not ended:
            if status == Status.WAITING:
                status = Status.IN_PROGRESS
                resume()
            if going("first_response") is None:
                start("next_response")
            case.happen("employee_said", moment, status, by="employee")
        elif action == "resolve" and not ended:
            status = Status.RESOLVED
            stop("first_response", "next_response", "resolution")
            case.happen("resolved", moment, status)
        elif action == "reopen" and ended:
            status = Status.REOPENED
            start("resolution")
            start("next_response")
            case.happen("reopened", moment, status, by="employee")
    if data.draw(st.booleans()):
        moment = START + (next(Walked(calendar).minutes(moment, []), _index(moment)) + 1) * MINUTE
        check(desk, moment)
        terms = _new_terms(desk, data.draw(TERMS))
    walk = Walked(calendar)
    moment = START + (next(walk.minutes(moment, []), _index(moment)) + 1) * MINUTE
    check(desk, moment)
    _compare(case, model, walk, terms, moment)


def _compare(
    case: Clocked, model: dict[tuple[str, int], Model], walk: Walked, terms: dict[str, int], moment: datetime
) -> None:
    rows = {(row.kind, row.round): row for row in case.clocks()}
    assert rows.keys() == model.keys()
    dues = []
    for key, one in model.items():
        row, promised = rows[key], terms[key[0]]
        assert row.started_at == one.start
        assert row.stopped_at == one.stop
        if one.stop:
            assert (row.actual_min, row.breached_at is not None) == (one.actual, one.late), key
            continue
        due = walk.due(one.start, one.pauses, promised)
        assert row.promised_min == promised
        if due or row.due_at is None or row.due_at < START + timedelta(days=DAYS):
            assert row.due_at == due, key
        dues += [row.due_at] if row.due_at else []
        if not walk.works(moment):
            continue
        counted = walk.count(one.start, moment, one.pauses)
        stage = BROKEN if counted > promised else WARNED if counted > promised * 0.8 else 0
        assert row.stage == stage, (key, counted, promised)
    ticket = case.ticket
    assert ticket.due_at == min(dues, default=None)
    assert ticket.breached == any(row.stage >= BROKEN for row in rows.values() if row.stopped_at is None)


def _new_calendar(desk: Database, calendar: Calendar) -> Calendar:
    with desk.write() as session:
        week = [written(day) for day in calendar.weekly]
        row = save_calendar(
            session,
            "sun",
            "workdays",
            name="c",
            weekly=week,
            make_up=written(calendar.make_up),
            chinese_holidays=calendar.chinese_holidays,
        )
        gone = {date.fromisoformat(day): None for day in row.days}
        own = {day: (written(own.periods), "") for day, own in calendar.own.items()}
        if gone or own:
            save_days(session, "sun", "workdays", {**gone, **own})
    return calendar


def _new_terms(desk: Database, minutes: tuple[int, int, int]) -> dict[str, int]:
    terms = dict(zip(("first_response", "next_response", "resolution"), minutes, strict=True))
    with desk.write() as session:
        targets = {f"{kind}_min": value for kind, value in terms.items()}
        save_policy(session, "sun", "standard", Terms("默认", **targets), calendars=("workdays",))
    return terms
