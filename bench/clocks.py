"""The checker among 100,000 open tickets, each with two running clocks.

    .venv/bin/python -m bench.clocks [--tickets 100000] [--only sqlite|postgresql] [--most 10] [--database URL]

Times a check where nothing is due, where one ticket in a hundred is, where every single one is (the scheduler was down), and
where a policy changed, so that every clock is counted anew. The baseline beside it reads the same rows without doing
anything: `SELECT` of every open clock with its ticket. Without `--database` it starts a PostgreSQL of its own and also
measures SQLite.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from core.database import Database
from core.events import EventRow
from core.identity import Identity
from core.settings import Settings
from core.transcript import open_conversation
from handoff.clocks.checking import check, waiting
from handoff.clocks.clock import ClockRow
from handoff.clocks.defaults import seed
from handoff.clocks.rules import Rules
from handoff.clocks.timetable import rules_changed
from handoff.notices import NoticeRow
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import TicketEventRow, TicketRow
from service.migrate import migrate

RESULTS = Path(__file__).resolve().parent / "results" / "clocks.json"
START = datetime(2026, 11, 23, 1, tzinfo=UTC)
"""Monday, 09:00 in Shanghai."""


def fill(database: Database, tickets: int) -> None:
    """Open tickets of 40 groups, one filed each moment before `START`, none near its promise."""
    with database.write() as session:
        seed(session)
        for n in range(40):
            session.add(GroupRow(id=f"g{n}", name=f"组{n}", tier=2, business_types=[], dispatch="pool", settings={}))
            session.add(
                StaffRow(
                    username=f"agent{n}",
                    name=f"坐席{n}",
                    groups=[f"g{n}"],
                    leads=[f"g{n}"],
                    skills=[],
                    capacity=20,
                    on_duty=True,
                )
            )
        conversation = open_conversation(session, "widget", Identity("E1", "李晓雯", "华晟", "销售")).id
        version = Rules.read(session).version
    for first in range(0, tickets, 5000):
        numbers = range(first, min(first + 5000, tickets))
        with database.write() as session:
            session.execute(insert(TicketRow), [_ticket(n, conversation) for n in numbers])
            session.execute(
                insert(ClockRow),
                [_clock(n, kind, version) for n in numbers for kind in ("first_response", "resolution")],
            )


def _ticket(n: int, conversation: str) -> dict[str, object]:
    return {
        "number": f"FW20261123-{n:06d}",
        "idempotency_key": str(n),
        "conversation_id": conversation,
        "status": "in_progress",
        "business_type": "差旅报销",
        "description": "报销单被退回",
        "urgency": "一般",
        "employee_no": f"E{n}",
        "requester": {"employee_no": f"E{n}"},
        "channel": "widget",
        "page": "",
        "node": "",
        "reason": "customer_request",
        "tried": [],
        "group_id": f"g{n % 40}",
        "assignee": f"agent{n % 40}",
        "created_at": START,
        "updated_at": START,
    }


def _clock(n: int, kind: str, version: int) -> dict[str, object]:
    promised = {"first_response": 30, "resolution": 900}[kind]
    due = START + (timedelta(minutes=30) if kind == "first_response" else timedelta(days=1, hours=9))
    return {
        "ticket": f"FW20261123-{n:06d}",
        "kind": kind,
        "round": 1,
        "policy": "standard",
        "calendar": "workdays",
        "promised_min": promised,
        "started_at": START,
        "warn_at": due,
        "due_at": due,
        "stage": 0,
        "recounts": 0,
        "rules": version,
        "next_check_at": START + timedelta(days=30),
    }


def let_be_due(database: Database, share: int) -> None:
    """The first response of each `share`-th ticket is due for its warning."""
    with database.write() as session:
        session.execute(
            update(ClockRow)
            .where(ClockRow.kind == "first_response", ClockRow.id % (2 * share) == 1)
            .values(next_check_at=START + timedelta(minutes=24), stage=0, warned_at=None)
        )


def timed(doing: Callable[[], object]) -> tuple[dict[str, float], object]:
    """Seconds on the wall, and of this process's processor: they differ by the database server, and by who else works."""
    begin, worked = time.perf_counter(), time.process_time()
    result = doing()
    spent = {"s": round(time.perf_counter() - begin, 3), "cpu_s": round(time.process_time() - worked, 3)}
    print("   ", spent, flush=True)
    return spent, result


def measure(url: str, tickets: int, most: int) -> dict[str, object]:
    """Until one ticket in `most` is due; with 1 all of it."""
    migrate(url)
    database = Database(url)
    fill(database, tickets)
    if not url.startswith("sqlite"):
        with database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")

    def read_all() -> int:
        with database.read() as session:
            query = select(ClockRow.id, ClockRow.next_check_at, TicketRow.number, TicketRow.urgency).join(
                TicketRow, TicketRow.number == ClockRow.ticket
            )
            return len(session.execute(query.where(ClockRow.stopped_at.is_(None))).all())

    moment = START + timedelta(minutes=26)
    figures: dict[str, object] = {"tickets": tickets, "read_every_open_clock": timed(read_all)[0]}
    figures["asked_whether"] = timed(lambda: waiting(database, moment))[0]
    figures["nothing_due"] = timed(lambda: check(database, moment))[0]
    for name, share in (("one_in_a_hundred_due", 100), ("one_in_ten_due", 10), ("every_one_due", 1)):
        if share < most:
            database.close()
            return figures
        let_be_due(database, share)
        figures[name], checked = timed(lambda: check(database, moment))
        assert checked.warned == -(-tickets // share), checked
    with database.write() as session:
        rules_changed(session)
    figures["every_clock_counted_anew"], checked = timed(lambda: check(database, moment))
    assert checked.recounted == 2 * tickets, checked
    figures["every_one_broken"], checked = timed(lambda: check(database, START + timedelta(minutes=31)))
    assert checked.breached == tickets, checked
    with database.read() as session:
        for row in (NoticeRow, TicketEventRow, EventRow):
            figures[f"rows_of_{row.__tablename__}"] = len(session.execute(select(row.id)).all())
    database.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--most", type=int, default=1, help="10: stop when one ticket in ten was due")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="fssc-clocks-"))
    if options.database:
        found = {"database": measure(Settings(DATABASE_URL=options.database).database, options.tickets, options.most)}
    else:
        import pgserver

        found = {}
        if options.only != "postgresql":
            found["sqlite"] = measure(f"sqlite:///{home / 'bench.sqlite3'}", options.tickets, options.most)
        if options.only == "sqlite":
            print(json.dumps(found, indent=2))
            return
        server = pgserver.get_server(home / "pg", cleanup_mode="delete")
        try:
            found["postgresql"] = measure(
                Settings(DATABASE_URL=server.get_uri()).database, options.tickets, options.most
            )
        finally:
            server.cleanup()
    print(json.dumps(found, indent=2))
    if options.only or options.database or options.most > 1:
        return
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
