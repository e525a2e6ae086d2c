"""Tickets on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from core.database import Database
from core.identity import ANONYMOUS, Identity
from core.transcript import open_conversation
from handoff.filing import file_ticket
from handoff.tickets import (
    Reason,
    TicketDraft,
    TicketRow,
    events_of,
    tickets_of_requester,
)

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")


def draft(conversation_id: str, key: str, **changes: object) -> TicketDraft:
    values = {
        "business_type": "发票",
        "description": "发票验真一直失败",
        "conversation_id": conversation_id,
        "requester": LI,
        "reason": Reason.CUSTOMER_REQUEST,
        "idempotency_key": key,
    }
    return TicketDraft(**{**values, **changes})


def conversation(database: Database, identity: Identity = LI) -> str:
    with database.write() as session:
        return open_conversation(session, "widget", identity).id


def test_numbers_run_within_a_day_and_twenty_at_once_never_share_one(database: Database) -> None:
    where = conversation(database)

    def file(n: int) -> str:
        with database.write() as session:
            return file_ticket(session, draft(where, f"k{n}", document_no=f"BX{n}")).number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(file, range(20)))
    assert sorted(int(number[-4:]) for number in numbers) == list(range(1, 21))
    assert len({number[:10] for number in numbers}) == 1


def test_the_same_key_files_once(database: Database) -> None:
    where = conversation(database)
    for _ in range(2):
        with database.write() as session:
            number = file_ticket(session, draft(where, "same")).number
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(TicketRow)) == 1
        assert [event.kind for event in events_of(session, number)] == ["filed", "routed"]


def test_an_anonymous_visitor_sees_the_tickets_of_this_conversation_only(database: Database) -> None:
    here, there = conversation(database, ANONYMOUS), conversation(database, ANONYMOUS)
    with database.write() as session:
        file_ticket(session, draft(here, "x", requester=ANONYMOUS))
    with database.read() as session:
        assert len(tickets_of_requester(session, ANONYMOUS, here)) == 1
        assert tickets_of_requester(session, ANONYMOUS, there) == []
        assert tickets_of_requester(session, LI, here) == []
