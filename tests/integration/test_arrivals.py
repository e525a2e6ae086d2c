"""What arrives is kept once, worked on by one process at a time, in order for each sender; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select, update

from connectors import arrivals
from connectors.arrivals import MOST_ATTEMPTS, ArrivalRow
from connectors.channel_state import state_of
from core.clock import now
from core.database import Database


def test_it_is_stored_once_however_often_and_at_once_it_comes(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        new = list(pool.map(lambda n: arrivals.store(database, "wecom", f"m:{n % 5}", "e1", {"n": n}), range(30)))
    assert new.count(True) == 5
    assert arrivals.store(database, "dingtalk", "m:1", "e1", {}), "another channel's ids are its own"


def test_each_is_claimed_by_one_and_a_sender_s_next_waits_for_the_one_before(database: Database) -> None:
    for n in range(12):
        arrivals.store(database, "wecom", f"m:{n}", f"e{n % 4}", {"n": n})
    due = arrivals.due(database)
    assert len(due) == 4
    with ThreadPoolExecutor(6) as pool:
        claimed = [one for some in pool.map(lambda _: arrivals.claim(database, due), range(6)) for one in some]
    assert sorted(one.body["n"] for one in claimed) == [0, 1, 2, 3] and arrivals.due(database) == []
    arrivals.done(database, [one for one in claimed if one.body["n"] in (0, 1)])
    assert [one.body["n"] for one in arrivals.claim(database, arrivals.due(database))] == [4, 5]


def test_a_claim_that_ran_out_is_taken_over_and_the_first_can_end_nothing(database: Database) -> None:
    arrivals.store(database, "wecom", "m:1", "e1", {})
    (first,) = arrivals.claim(database, arrivals.due(database))
    with database.write() as session:
        session.execute(update(ArrivalRow).values(claimed_until=now() - timedelta(seconds=1)))
    (second,) = arrivals.claim(database, arrivals.due(database))
    assert second.attempts == 2
    arrivals.done(database, [first])
    with database.read() as session:
        assert session.scalars(select(ArrivalRow.state)).one() == "claimed"
    arrivals.done(database, [second])
    with database.read() as session:
        row = session.scalars(select(ArrivalRow)).one()
        assert (row.state, row.body) == ("done", {})
        state = state_of(session, "wecom", now())
    assert (state.waiting_in, state.failed_in) == (0, 0) and state.last_in


def test_what_fails_again_and_again_is_kept_as_failed(database: Database) -> None:
    arrivals.store(database, "wecom", "m:1", "e1", {})
    for attempt in range(MOST_ATTEMPTS):
        (one,) = arrivals.claim(database, arrivals.due(database))
        assert one.attempts == attempt + 1
        arrivals.failed(database, one, "x" * 999)
        with database.write() as session:
            session.execute(update(ArrivalRow).values(due_at=now()))
    assert arrivals.due(database) == []
    with database.read() as session:
        assert state_of(session, "wecom", now()).failed_in == 1
