"""Live news of the desk: who hears what, nothing missed, nobody kept from leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from core.clock import now
from core.database import Database
from handoff.notices import notify
from handoff.tickets import TicketEventRow
from service.stream import Hub, Seen, Told
from tests.integration.test_queue import AGENT, EDITOR, SUPERVISOR, ticket


def happens(database: Database, number: str, kind: str = "noted", id: int | None = None) -> None:
    with database.write() as session:
        session.add(TicketEventRow(id=id, ticket=number, kind=kind, actor="wang", text="", at=now()))


def hearing(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 30))


async def until(source: Any, event: str) -> Told:
    async for told in source:
        if told.event == event:
            return told
    raise AssertionError(f"the stream ended before {event}")


def test_each_hears_of_the_tickets_that_they_may_read_and_of_their_own_notices(database: Database) -> None:
    with database.write() as session:
        tax, payable = ticket(session, group_id="tax").number, ticket(session, group_id="payable").number
        happens_before = TicketEventRow(ticket=tax, kind="filed", actor="E1001", text="", at=now())
        session.add(happens_before)

    async def story() -> None:
        hub = Hub(database)
        agent, boss, editor = hub.listen(AGENT), hub.listen(SUPERVISOR), hub.listen(EDITOR)
        for one in (agent, boss, editor):
            assert (await anext(one)).event == "hello"
        happens(database, tax, "claimed")
        happens(database, payable, "claimed")
        with database.write() as session:
            notify(session, ["wang"], "assigned", "派给您了", key="k1", ticket=tax)
        heard = await until(agent, "notice")
        assert (heard.data["text"], heard.data["read"]) == ("派给您了", False)
        seen: list[str] = []
        while payable not in seen:
            told = await until(boss, "tickets")
            seen += [one["number"] for one in told.data["changes"]]
        assert seen == [tax, payable]
        mine = await until(agent, "tickets")
        assert {one["number"] for one in mine.data["changes"]} == {tax}
        assert (await until(editor, "tickets")).data["changes"] == []
        hub.close()
        assert [told.event async for told in editor if told.event == "notice"] == []

    hearing(story)


def test_after_a_break_one_hears_what_was_missed(database: Database) -> None:
    with database.write() as session:
        number = ticket(session).number

    async def story() -> None:
        hub = Hub(database)
        first = hub.listen(SUPERVISOR)
        place = (await anext(first)).last
        happens(database, number, "claimed")
        place = (await until(first, "tickets")).last
        await first.aclose()
        happens(database, number, "replied")
        again = Hub(database).listen(SUPERVISOR, place)
        missed = await until(again, "tickets")
        assert [one["kind"] for one in missed.data["changes"]] == ["replied"]
        await again.aclose()
        for nonsense in ("x", "1", "-1.2", "9" * 50, "1.2.3", "٣.٤"):
            stream = Hub(database).listen(SUPERVISOR, nonsense)
            assert (await anext(stream)).event == "hello"
            await stream.aclose()

    hearing(story)


def test_a_transaction_that_commits_late_is_not_passed_over(database: Database) -> None:
    with database.write() as session:
        number = ticket(session).number

    async def story() -> None:
        hub = Hub(database)
        stream = hub.listen(SUPERVISOR)
        await anext(stream)
        happens(database, number, "second", id=1002)
        assert (await until(stream, "tickets")).data["changes"][0]["kind"] == "second"
        happens(database, number, "first", id=1001)
        assert [one["kind"] for one in (await until(stream, "tickets")).data["changes"]] == ["first"]
        hub.close()

    hearing(story)


def test_numbers_are_taken_once_and_forgotten_in_time() -> None:
    seen = Seen(10)
    assert seen.take([9, 10, 12], at=0.0) == {12}
    assert seen.take([11, 12], at=1.0) == {11}
    assert (seen.low, seen.high) == (10, 12)
    assert seen.take([11, 12, 13], at=40.0) == {13}
    assert (seen.low, seen.high) == (12, 13)
    assert seen.take([11], at=41.0) == set()
