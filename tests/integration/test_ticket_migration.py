"""Tickets from before the desk come along: they know their company, and can be worked on like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from core import audit
from core.database import Database
from core.settings import Settings
from handoff import lifecycle
from handoff.actors import employee
from handoff.tickets import TicketRow, events_of
from handoff.timeline import altered
from service.migrate import alembic_config, migrate
from tests.conftest import fresh_postgres
from tests.tickets import ADMIN, LI, open_desk

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_tickets_of_the_first_tables_can_be_worked_on(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    else:
        url = Settings(DATABASE_URL=fresh_postgres(request.getfixturevalue("postgres"))).database
    command.upgrade(alembic_config(url), "0006")
    database = Database(url)
    with database.write() as session:
        values = {"identity": json.dumps(LI.to_dict()), "at": "2026-06-01 00:00:00+00:00", "none": "[]"}
        session.execute(
            text(
                "INSERT INTO conversation (id, channel, employee_no, identity, mode, created_at, last_at)"
                " VALUES ('c1', 'widget', 'E1001', :identity, 'bot', :at, :at)"
            ),
            values,
        )
        session.execute(
            text(
                "INSERT INTO ticket (number, idempotency_key, status, business_type, description, urgency, employee_no,"
                " requester, channel, page, node, reason, conversation_id, tried, search_text, created_at, updated_at)"
                " VALUES ('FW20260601-0001', 'k', 'new', '税务', '申报失败', '一般', 'E1001', :identity, 'widget', '', '',"
                " 'customer_request', 'c1', :none, '', :at, :at)"
            ),
            values,
        )
        session.execute(
            text(
                "INSERT INTO ticket_event (ticket, kind, actor, text, at)"
                " VALUES ('FW20260601-0001', 'filed', 'E1001', '提交工单', :at)"
            ),
            values,
        )
    migrate(url)
    open_desk(database)
    with database.write() as session:
        row = session.get_one(TicketRow, "FW20260601-0001")
        assert (row.company, row.department) == ("华晟销售公司", "销售一部")
        assert (row.version, row.experts, row.tier, row.breached) == (1, [], 2, False)
        (event,) = events_of(session, row.number)
        assert (event.actor_kind, event.public) == ("employee", True)
        lifecycle.claim(session, row.number, ADMIN, version=1)
        lifecycle.reply(session, row.number, ADMIN, "请重试", then="waiting")
        lifecycle.say_to_ticket(session, row.number, employee(LI, "c1"), "好了")
        lifecycle.resolve(session, row.number, ADMIN, "已恢复")
    with database.read() as session:
        assert session.get_one(TicketRow, "FW20260601-0001").status == "resolved"
        assert audit.verify(session) is None and altered(session) is None
    database.close()
