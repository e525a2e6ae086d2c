"""Emergency calls whose schedulers are killed, and two at once: each climbs once, and nobody is called twice or missed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import audit
from core.clock import now
from core.database import Database
from core.identity import Identity
from core.transcript import open_conversation
from handoff.actors import Actor
from handoff.filing import file_ticket
from handoff.notices import NoticeRow
from handoff.routing import versions
from handoff.routing.emergency import EmergencyCallRow, climb_due
from handoff.routing.oncall import lists_body
from handoff.routing.seed import seed
from handoff.staff import follow_user
from handoff.tickets import Reason, TicketDraft, TicketEventRow
from handoff.timeline import altered
from tests.integration.dying_caller import COMMITS, POINTS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
BOSS = Actor("staff", "boss", "周主管", frozenset({"supervisor"}))
TICKETS = 9


def alarms(database: Database) -> None:
    """Tickets about a suspected fraud; ann has been called for each, and bob is next."""
    with database.write() as session:
        seed(session, ["admin"])
        follow_user(session, BOSS, "boss", "周主管", ["supervisor"])
        for username in ("ann", "bob"):
            follow_user(session, BOSS, username, username.upper(), ["agent"])
        calling = lists_body(
            [{"id": "oncall", "name": "值班", "words": [], "people": ["ann", "bob"], "minutes": 5}], {"ann", "bob"}
        )
        versions.put(session, versions.EMERGENCY, calling, BOSS, number=1)
        for n in range(TICKETS):
            who = Identity(f"E{n}", "李晓雯", "华晟销售公司", "销售一部")
            conversation = open_conversation(session, "widget", who).id
            file_ticket(
                session, TicketDraft("资金与账户", "账号被改，疑似诈骗", conversation, who, Reason.EMERGENCY, f"k{n}")
            )


def caller(database: Database, minutes: int, *point: str) -> subprocess.Popen[bytes]:
    url = database.engine.url.render_as_string(hide_password=False)
    moment = (now() + timedelta(minutes=minutes)).isoformat()
    return subprocess.Popen([sys.executable, "-m", "tests.integration.dying_caller", url, moment, *point], cwd=ROOT)


def called(database: Database) -> Counter[tuple[str, str]]:
    """How often each was told of each ticket."""
    with database.read() as session:
        rows = session.execute(select(NoticeRow.username, NoticeRow.ticket).where(NoticeRow.kind == "emergency"))
        return Counter((row.username, row.ticket or "") for row in rows)


def test_each_call_climbs_once_whoever_dies(database: Database) -> None:
    alarms(database)
    assert {username for username, _ in called(database)} == {"ann"}
    dying = [caller(database, 6, point) for point in (*POINTS, COMMITS)]
    assert [process.wait(60) for process in dying] == [-signal.SIGKILL] * 3
    climbed = [one for one in called(database) if one[0] == "bob"]
    assert len(climbed) < TICKETS, "the dead have left something to do"
    moment = now() + timedelta(minutes=6)
    with ThreadPoolExecutor(2) as both:
        done = sum(both.map(lambda _: climb_due(database, moment), range(2)))
    assert done == TICKETS - len(climbed)
    everything = called(database)
    assert Counter(username for username, _ in everything) == {"ann": TICKETS, "bob": TICKETS}
    assert set(everything.values()) == {1}
    with database.read() as session:
        for row in session.scalars(select(EmergencyCallRow)):
            assert [one["usernames"] for one in row.called] == [["ann"], ["bob"]] and row.next_at is not None
        kinds = Counter(session.scalars(select(TicketEventRow.kind)))
        assert (kinds["emergency_called"], kinds["emergency_climbed"]) == (TICKETS, TICKETS)
        assert audit.verify(session) is None and altered(session) is None
