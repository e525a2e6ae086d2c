"""Tickets on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from core.database import Database
from core.identity import ANONYMOUS, Identity
from core.transcript import open_conversation
from handoff.filing import file_ticket
from handoff.tickets import (
    Reason,
    Status,
    TicketDraft,
    Urgency,
    events_of,
    find_tickets,
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
        assert find_tickets(session)[1] == 1
        assert [event.kind for event in events_of(session, number)] == ["filed", "routed"]


def test_lists_filter_and_search_in_chinese(database: Database) -> None:
    where = conversation(database)
    with database.write() as session:
        file_ticket(session, draft(where, "a", urgency=Urgency.EMERGENCY))
        file_ticket(session, draft(where, "b", business_type="税务", description="个税申报表导不出来_100%"))
    with database.read() as session:
        assert [t.business_type for t in find_tickets(session, text="申报表")[0]] == ["税务"]
        assert [t.business_type for t in find_tickets(session, text="_100%")[0]] == ["税务"]
        assert find_tickets(session, text="李晓雯 验真")[1] == 1
        assert find_tickets(session, urgency="特急")[1] == 1
        assert find_tickets(session, status=f"{Status.NEW},{Status.CLOSED}")[1] == 2
        rows, total = find_tickets(session, page=2, page_size=1)
        assert (len(rows), total) == (1, 2)


def test_an_anonymous_visitor_sees_the_tickets_of_this_conversation_only(database: Database) -> None:
    here, there = conversation(database, ANONYMOUS), conversation(database, ANONYMOUS)
    with database.write() as session:
        file_ticket(session, draft(here, "x", requester=ANONYMOUS))
    with database.read() as session:
        assert len(tickets_of_requester(session, ANONYMOUS, here)) == 1
        assert tickets_of_requester(session, ANONYMOUS, there) == []
        assert tickets_of_requester(session, LI, here) == []
