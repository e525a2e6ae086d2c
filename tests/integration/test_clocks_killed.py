"""Two checkers at once, and checkers that are killed: every notice is there, and none is there twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.database import Database
from core.transcript import open_conversation
from handoff.clocks import check
from handoff.clocks.clock import ClockRow
from handoff.clocks.following import follow
from handoff.notices import NoticeRow
from handoff.tickets import TicketEventRow
from tests.integration.clocked import LI, at, open_desk, ticket_row
from tests.integration.dying_checker import POINTS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TICKETS = 60
BROKEN = at("11-23 09:31")


def file(database: Database) -> None:
    with database.write() as session:
        conversation = open_conversation(session, "widget", LI).id
        for n in range(TICKETS):
            ticket = ticket_row(f"FW20261123-9{n:03d}", conversation, at("11-23 09:00"), assignee="wang")
            event = TicketEventRow(
                ticket=ticket.number, kind="filed", actor="E1001", actor_kind="employee", text="", at=at("11-23 09:00")
            )
            session.add(ticket)
            session.flush()
            session.add(event)
            session.flush()
            follow(session, ticket, event)


def checker(database: Database, *point: str) -> subprocess.Popen[bytes]:
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = [url, BROKEN.isoformat(), "7", *point]
    return subprocess.Popen([sys.executable, "-m", "tests.integration.dying_checker", *arguments], cwd=ROOT)


def told(database: Database) -> tuple[Counter[str], Counter[str]]:
    """Events and notices, by kind."""
    with database.read() as session:
        ours = TicketEventRow.kind.in_(("warned", "breached", "chain_climbed"))
        return (
            Counter(session.scalars(select(TicketEventRow.kind).where(ours))),
            Counter(session.scalars(select(NoticeRow.kind))),
        )


def test_nothing_is_missed_or_told_twice(database: Database) -> None:
    open_desk(database)
    file(database)
    dying = [checker(database, point) for point in POINTS]
    assert [process.wait(60) for process in dying] == [-signal.SIGKILL] * len(POINTS)
    events, _ = told(database)
    assert events["breached"] < TICKETS
    both = [checker(database), checker(database)]
    assert [process.wait(60) for process in both] == [0, 0]
    everything = {"breached": TICKETS, "chain_climbed": TICKETS}
    assert told(database) == (everything, everything)
    assert check(database, BROKEN).breached == 0
    with database.write() as session:
        first = ClockRow.kind == "first_response"
        session.execute(update(ClockRow).where(first).values(stage=0, next_check_at=at("11-23 09:30")))
    check(database, BROKEN)
    assert told(database)[1] == everything
