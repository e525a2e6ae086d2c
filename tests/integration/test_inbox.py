"""The durable inbox on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.inbox import Inbound, Inbox
from bot.turns import Place
from core.clock import now
from core.database import Database
from core.errors import Conflict, NotFound
from core.identity import ANONYMOUS, Identity
from core.transcript import Turn

LI = Identity("E1001", "李晓雯")
HELLO = Inbound("widget", LI, "message-0001", Place("expense.list"), text="发票丢了怎么办")


def test_the_same_message_finds_itself(database: Database) -> None:
    inbox = Inbox(database)
    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(inbox.accept, [HELLO] * 12))
    assert len(found) == 1


def test_one_process_claims_a_turn_until_its_claim_runs_out(database: Database) -> None:
    inbox = Inbox(database)
    turn_id, _ = inbox.accept(HELLO)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(inbox.claim, [turn_id] * 12)) == 1
    assert inbox.abandoned(10) == []
    with database.write() as session:
        session.execute(update(Turn).values(claimed_until=now() - timedelta(seconds=1)))
    assert [one for one, _ in inbox.abandoned(10)] == [turn_id]
    assert inbox.claim(turn_id) and not inbox.claim(turn_id)


def test_an_id_that_was_used_for_something_else_is_refused(database: Database) -> None:
    inbox = Inbox(database)
    inbox.accept(HELLO)
    with pytest.raises(Conflict):
        inbox.accept(replace(HELLO, text="别的问题"))


def test_a_stored_message_loads_as_it_came(database: Database) -> None:
    inbox = Inbox(database)
    turn_id, conversation_id = inbox.accept(HELLO)
    inbound, context = inbox.load(turn_id)
    assert inbound == replace(HELLO, conversation_id=conversation_id)
    assert (context.identity, context.place, context.turn_id) == (LI, HELLO.place, turn_id)


def test_a_conversation_belongs_to_who_began_it(database: Database) -> None:
    inbox = Inbox(database)
    _, conversation_id = inbox.accept(HELLO)
    for other in (Identity("E1002"), ANONYMOUS):
        with pytest.raises(NotFound):
            inbox.accept(
                replace(HELLO, identity=other, conversation_id=conversation_id, client_message_id="message-0002")
            )


def test_a_first_message_sent_again_with_the_conversation_it_opened_finds_itself(database: Database) -> None:
    inbox = Inbox(database)
    for identity in (LI, ANONYMOUS):
        first = replace(HELLO, identity=identity, client_message_id=f"first-{identity.employee_no}")
        turn_id, conversation_id = inbox.accept(first)
        assert inbox.accept(replace(first, conversation_id=conversation_id)) == (turn_id, conversation_id)
