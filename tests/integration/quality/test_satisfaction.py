"""Satisfaction from the resolution of a ticket to the leader's review of a low score."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.identity import ANONYMOUS, Identity
from core.outbox import DeliveryRow
from handoff import lifecycle
from handoff.actors import employee
from handoff.notices import notices_of
from handoff.quality import reviews, satisfaction
from handoff.quality.keeping import keep
from handoff.quality.reviews import ReviewRow
from handoff.quality.satisfaction import SatisfactionRow, rate, standing
from handoff.tickets import Status, TicketRow, events_of
from tests.integration.quality.desk import LEADER, SUPERVISOR, ZHANG, requester, said, solve_again, solved, staffed


def test_a_resolved_ticket_is_asked_about_once_and_a_good_score_closes_it(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
        satisfaction.invite(session, ticket)
    asked = said(database, ticket, "rating")
    assert len(asked) == 1
    assert asked[0].body["options"][0] == {"label": "5 分 · 非常满意", "choice": f"rate:{ticket.number}:5"}
    assert "时效:回复太慢" in asked[0].body["reasons"]["low"] and "时效:回复很快" in asked[0].body["reasons"]["high"]
    with database.read() as session:
        keys = session.scalars(select(DeliveryRow.key).where(DeliveryRow.message_id == asked[0].id)).all()
        assert len(keys) == 1
    with database.write() as session:
        rate(session, ticket.number, requester(ticket), 5, ["专业:解答专业准确"], "谢谢，电话 13812345678")
    with database.read() as session:
        row = session.get_one(TicketRow, ticket.number)
        assert (row.status, row.rating) == (Status.CLOSED, 5)
        assert standing(session, ticket.number)["words"] == "谢谢，电话 138****5678"
        kinds = [event.kind for event in events_of(session, ticket.number)]
        assert kinds.count("invited_to_rate") == 1 and kinds.count("rated") == 1
        assert not session.scalars(select(ReviewRow)).all()


def test_the_last_word_counts_until_the_question_expires(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
        rate(session, ticket.number, requester(ticket), 4)
        rate(session, ticket.number, requester(ticket), 4)
        rate(session, ticket.number, requester(ticket), 5, words="补充：很快")
    with database.read() as session:
        kinds = [event.kind for event in events_of(session, ticket.number)]
        assert kinds.count("rated") == 2
        assert session.get_one(TicketRow, ticket.number).rating == 5
    with database.write() as session, pytest.raises(Conflict, match="评价时间已过"):
        rate(session, ticket.number, requester(ticket), 1, moment=now() + timedelta(days=8))


def test_only_the_requester_rates_and_only_what_is_offered(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
        stranger = employee(Identity("E9999", "别人"), ticket.conversation_id)
        for actor in (stranger, ZHANG, employee(ANONYMOUS, ticket.conversation_id)):
            with pytest.raises(NotFound):
                rate(session, ticket.number, actor, 5)
        with pytest.raises(InvalidInput):
            rate(session, ticket.number, requester(ticket), 6)
        with pytest.raises(InvalidInput):
            rate(session, ticket.number, requester(ticket), 5, ["时效:回复太慢"])
        lifecycle.reopen(session, ticket.number, requester(ticket), "没有解决")
        with pytest.raises(Conflict, match="还没有解决"):
            rate(session, ticket.number, requester(ticket), 5)


def test_an_anonymous_visitor_rates_from_their_conversation(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session, ANONYMOUS)
        rate(session, ticket.number, requester(ticket), 3, ["系统:操作指引好用", "流程:被转来转去"])
    with database.read() as session:
        assert standing(session, ticket.number)["reasons"] == ["流程:被转来转去", "系统:操作指引好用"]


def test_a_reopened_ticket_is_asked_about_again(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)
        solve_again(session, ticket.number)
    with database.read() as session:
        rows = session.scalars(select(SatisfactionRow).order_by(SatisfactionRow.resolution)).all()
        assert [(row.resolution, row.state) for row in rows] == [(1, "withdrawn"), (2, "open")]
    assert len(said(database, ticket, "rating")) == 2
    with database.write() as session:
        rate(session, ticket.number, requester(ticket), 1)
        solve_again(session, ticket.number)
        rate(session, ticket.number, requester(ticket), 4)
    with database.read() as session:
        rows = session.scalars(select(SatisfactionRow).order_by(SatisfactionRow.resolution)).all()
        assert [(row.state, row.score) for row in rows] == [("withdrawn", None), ("rated", 1), ("rated", 4)]


def test_reminded_once_by_two_schedulers_and_then_it_expires(database: Database) -> None:
    with database.write() as session:
        tickets = [solved(session, Identity(f"E{n}", f"员工{n}")) for n in range(4)]
        rate(session, tickets[0].number, requester(tickets[0]), 5)
    assert keep(database, now() + timedelta(hours=47))["reminded"] == 0
    moment = now() + timedelta(hours=49)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: keep(database, moment)["reminded"], range(4)))
    assert sum(done) == 3
    assert [len(said(database, ticket, "rating")) for ticket in tickets] == [1, 2, 2, 2]
    assert keep(database, moment + timedelta(hours=50))["reminded"] == 0
    assert keep(database, now() + timedelta(days=8))["expired"] == 3
    with database.read() as session:
        assert standing(session, tickets[1].number)["state"] == "expired"
        assert standing(session, tickets[0].number)["state"] == "rated"


def test_a_low_score_is_reviewed_by_the_leader_in_time(database: Database) -> None:
    with database.write() as session:
        staffed(session)
        ticket = solved(session)
        rate(session, ticket.number, requester(ticket), 2, ["时效:回复太慢"])
        rate(session, ticket.number, requester(ticket), 1, ["时效:回复太慢"])
    with database.read() as session:
        (review,) = session.scalars(select(ReviewRow)).all()
        assert (review.ticket, review.agent, review.closed_at) == (ticket.number, "zhang", None)
        assert review.due_at > now()
        assert session.get_one(TicketRow, ticket.number).status == Status.RESOLVED
        (notice,) = [one for one in notices_of(session, "lin") if one.kind == "review"]
        assert ticket.number in notice.text
        assert not [one for one in notices_of(session, "sun") if one.kind == "review"]
    late = review.due_at + timedelta(minutes=1)
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: keep(database, late)["overdue"], range(3))) == 1
    with database.read() as session:
        assert len([one for one in notices_of(session, "sun") if one.kind == "review" and one.urgent]) == 1
    with database.write() as session:
        with pytest.raises(Forbidden):
            reviews.close_review(session, review.id, ZHANG, "时效", "回复慢了一天", "安排值班提醒")
        with pytest.raises(InvalidInput, match="写清楚"):
            reviews.close_review(session, review.id, LEADER, "时效", "慢", "")
        with pytest.raises(InvalidInput, match="原因分类"):
            reviews.close_review(session, review.id, LEADER, "天气", "回复慢了一天", "安排值班提醒")
        reviews.close_review(session, review.id, LEADER, "时效", "回复慢了一天", "安排值班提醒")
        with pytest.raises(Conflict):
            reviews.close_review(session, review.id, SUPERVISOR, "时效", "回复慢了一天", "安排值班提醒")
    with database.read() as session:
        assert session.get_one(ReviewRow, review.id).closed_by == "lin"
        assert any("已办结" in one.text for one in notices_of(session, "zhang"))


def test_a_leader_does_not_review_their_own_ticket(database: Database) -> None:
    with database.write() as session:
        staffed(session)
        ticket = solved(session, agent=LEADER)
        rate(session, ticket.number, requester(ticket), 1)
        review = session.scalars(select(ReviewRow)).one()
        assert [one.username for one in notices_of(session, "sun")] == ["sun"]
        with pytest.raises(Forbidden):
            reviews.close_review(session, review.id, LEADER, "专业", "我自己看过了", "下次注意")
        reviews.close_review(session, review.id, SUPERVISOR, "专业", "依据引用错误", "组内培训一次")


def test_asking_is_counted_once_however_many_resolve_at_once(database: Database) -> None:
    with database.write() as session:
        ticket = solved(session)

    def again(_: int) -> None:
        with database.write() as session:
            satisfaction.invite(session, lifecycle_locked(session, ticket.number))

    def lifecycle_locked(session, number: str) -> TicketRow:
        from handoff.locking import lock

        return lock(session, number)[0]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(again, range(4)))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SatisfactionRow)) == 1
