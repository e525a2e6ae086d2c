"""Roll-ups are what a slow recount of every record gives, also when records come late and counting stops half-way."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import delete, select

from core.clock import now
from core.database import Database
from core.transcript import Message, Turn
from service.insight.asking import SUMMED, Filter, people, spreads, sums
from service.insight.calendar import day_of, each_day
from service.insight.keeping import EVERY, keep, note, refresh, waiting
from service.insight.store import DayRow, QuestionRow, ReleaseDayRow, StateRow, VisitRow
from tests.integration.insight.center import PAGES, REFUSED, START, Center, added, recount

FIRST = START.date()
LAST = FIRST + timedelta(days=3)
FILTERS = [
    {},
    {"channel": "wecom"},
    {"company": "华晟销售公司", "department": "销售一部"},
    {"company": "华晟制造公司", "channel": "widget", "page": "expense.list"},
    {"business_type": "发票", "page": "travel.form", "channel": "widget"},
]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_roll_ups_equal_a_recount_of_every_record(database: Database, seed: int) -> None:
    random = Random(seed)
    with database.write() as session:
        center = Center(session, random)
        center.days(3, 70)
    refresh(database, START + timedelta(days=2, hours=11))
    with database.write() as session:
        center.session = session
        turns = list(session.scalars(select(Turn).order_by(Turn.at)))
        for turn in random.sample([one for one in turns if one.at > START + timedelta(days=1, hours=8)], 4):
            center.turn(center.conversations[0], turn.at + timedelta(minutes=3), "answer", "E1")
        answered = [one for one in turns if one.outcome["band"] == "answer"]
        rated = set(session.scalars(select(Message.turn_id)))
        for turn in random.sample([one for one in answered if one.id not in rated], 4):
            center.rate(turn, False, START + timedelta(days=2, hours=12))
    refresh(database, START + timedelta(days=2, hours=13))
    refresh(database, START + timedelta(days=4))
    with database.read() as session:
        visits = recount(session)
        for chosen in FILTERS:
            asked = Filter(FIRST, LAST, **chosen)
            fast = sums(session, asked, "day")
            slow = {day: added(visits, day=day, **chosen) for day in each_day(FIRST, LAST)}
            assert {day: fast.get(day, added([])) for day in slow} == slow
            fitting = [one for one in visits if chosen.items() <= one.items()]
            assert people(session, asked) == len({one["person"] for one in fitting})
            hours, _ = spreads(session, asked)
            assert sum(hours.values()) == len(fitting)
        by_page = sums(session, Filter(FIRST, LAST, channel="wecom"), "page")
        assert by_page == {page: added(visits, channel="wecom", page=page) for page in PAGES}
        total = sums(session, Filter(FIRST, LAST))[None]
        assert total["resolved"] and total["again"] and total["handed"] and total["bad"]


def test_none_of_these_is_no_question_and_leaves_the_one_before_unanswered(database: Database) -> None:
    with database.write() as session:
        center = Center(session, Random(4))
        offered, answered = center.converse("E1"), center.converse("E2")
        center.turn(offered, START + timedelta(hours=9), "clarify", "E1")
        center.turn(offered, START + timedelta(hours=9, minutes=1), REFUSED, "E1")
        center.turn(answered, START + timedelta(hours=9), "answer", "E2")
        center.turn(answered, START + timedelta(hours=9, minutes=1), REFUSED, "E2")
    refresh(database, START + timedelta(days=4))
    with database.write() as session:
        total = sums(session, Filter(FIRST, LAST))[None]
        assert [total[name] for name in ("questions", "answers", "clarified", "nones")] == [2, 1, 1, 0]
        assert (total["answered"], total["resolved"]) == (0, 0), "what was refused helped nobody"
        of_release = session.scalars(select(ReleaseDayRow)).one()
        assert of_release.questions == total["questions"], "the page's cards and its releases count the same"
        session.execute(delete(DayRow))
        session.get_one(StateRow, "visits").body = {"took": 0}
        session.get_one(StateRow, "counting").body = {"day": str(LAST)}
    refresh(database, START + timedelta(days=9))
    with database.read() as session:
        assert sums(session, Filter(FIRST, LAST))[None] == total, "facts of an older program are made anew"


def test_counting_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        Center(session, Random(3)).days(2, 40)

    def kept() -> list:
        with database.read() as session:
            rows = session.scalars(select(DayRow).order_by(DayRow.day, DayRow.by, DayRow.a, DayRow.b)).all()
            counted = [
                [row.day, row.by, row.a, row.b, row.hours, row.waits, *(getattr(row, n) for n in SUMMED)]
                for row in rows
            ]
            facts = [len(session.scalars(select(table)).all()) for table in (VisitRow, QuestionRow)]
            return [counted, facts]

    moment = START + timedelta(days=1, hours=3)
    assert refresh(database, moment) == 2
    first = kept()
    refresh(database, moment + timedelta(minutes=10))
    assert kept() == first


def test_a_day_is_counted_again_until_nobody_can_come_back(database: Database) -> None:
    evening = START + timedelta(hours=23, minutes=50)
    with database.write() as session:
        center = Center(session, Random(4))
        conversation = center.converse("E1")
        center.turn(conversation, evening, "answer", "E1")
    refresh(database, evening + timedelta(minutes=2))
    with database.read() as session:
        assert sums(session, Filter(FIRST, FIRST))[None]["resolved"] == 1
    with database.write() as session:
        center.session = session
        center.turn(conversation, evening + timedelta(hours=23), "answer", "E1")
    refresh(database, evening + timedelta(hours=25))
    with database.read() as session:
        assert sums(session, Filter(FIRST, FIRST))[None]["resolved"] == 0
        assert day_of(evening) == FIRST


def test_nobody_counts_while_somebody_does(database: Database) -> None:
    assert waiting(database)
    keep(database)
    assert not waiting(database) and not waiting(database, now() + EVERY / 2)
    assert waiting(database, now() + EVERY)
    with database.write() as session:
        note(session, "counting", {}, now() + EVERY)
    assert not waiting(database, now() + EVERY), "a long count is under way"
