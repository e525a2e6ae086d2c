"""Domain events on both databases: told at least once, after the change that made them, whatever a subscriber does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from core.database import Database
from core.events import Event, EventRelay, append_event, undelivered


@dataclass(frozen=True)
class SomethingHappened(Event):
    """Only in these tests."""

    what: str


def test_an_event_is_told_only_if_its_change_was_committed(database: Database) -> None:
    relay, heard = EventRelay(database), []
    relay.subscribe(SomethingHappened, lambda session, event_id, event: heard.append(event.what))
    with pytest.raises(RuntimeError), database.write() as session:
        append_event(session, SomethingHappened("undone"))
        raise RuntimeError
    with database.write() as session:
        append_event(session, SomethingHappened("done"))
    assert undelivered(database)
    assert relay.deliver() == 1 and relay.deliver() == 0
    assert heard == ["done"] and not undelivered(database)


def test_a_failing_subscriber_is_asked_again_and_holds_up_nobody(database: Database) -> None:
    relay, heard = EventRelay(database), []

    def fussy(session: Session, event_id: int, event: SomethingHappened) -> None:
        if event.what == "bad" and len(heard) < 2:
            raise ValueError("not yet")
        heard.append(event.what)

    relay.subscribe(SomethingHappened, fussy)
    with database.write() as session:
        for what in ("bad", "good", "better"):
            append_event(session, SomethingHappened(what))
    assert relay.deliver() == 2
    assert relay.deliver() == 1
    assert heard == ["good", "better", "bad"]
