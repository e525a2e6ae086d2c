"""Tickets whose clocks are told what time it is."""

from __future__ import annotations

import itertools
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from core.database import Database
from core.identity import Identity
from core.transcript import open_conversation
from handoff.clocks.clock import ClockRow, clocks_of
from handoff.clocks.defaults import seed
from handoff.clocks.following import follow
from handoff.notices import NoticeRow
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import Status, TicketEventRow, TicketRow

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
_numbers = itertools.count(1)


def at(text: str) -> datetime:
    """`11-23 09:30` in Shanghai, in 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)


def open_desk(database: Database) -> None:
    """The default calendars and service levels; a group with an agent and a leader, and experts."""
    with database.write() as session:
        seed(session)
        session.add_all(
            [
                GroupRow(id="expense", name="报销组", tier=2, business_types=[], dispatch="pool", settings={}),
                GroupRow(id="experts", name="专家组", tier=3, business_types=[], dispatch="pool", settings={}),
                _person("wang", "王敏", ["expense"]),
                _person("zhao", "赵磊", ["expense"], leads=["expense"]),
                _person("qian", "钱进", ["experts"]),
                _person("sun", "孙静", [], roles=["supervisor"]),
            ]
        )


def _person(username: str, name: str, groups: list[str], **fields: list[str]) -> StaffRow:
    values = {"leads": [], "skills": [], "roles": ["agent"], **fields}
    return StaffRow(username=username, name=name, groups=groups, capacity=20, on_duty=True, **values)


def ticket_row(number: str, conversation: str, moment: datetime, **fields: object) -> TicketRow:
    values: dict[str, object] = {
        "status": Status.NEW,
        "business_type": "差旅报销",
        "description": "报销单被退回",
        "urgency": "一般",
        "employee_no": LI.employee_no,
        "requester": LI.to_dict(),
        "channel": "widget",
        "page": "",
        "node": "",
        "reason": "customer_request",
        "tried": [],
        "group_id": "expense",
        **fields,
    }
    return TicketRow(
        number=number,
        idempotency_key=number,
        conversation_id=conversation,
        created_at=moment,
        updated_at=moment,
        **values,
    )


class Clocked:
    """One ticket, filed at `moment`."""

    def __init__(self, database: Database, moment: datetime, **fields: object) -> None:
        self.database = database
        self.number = f"FW20261123-{next(_numbers):04d}"
        with database.write() as session:
            conversation = open_conversation(session, "widget", LI)
            ticket = ticket_row(self.number, conversation.id, moment, **fields)
            session.add(ticket)
            session.flush()
            self._record(session, ticket, "filed", moment, "employee")

    def happen(
        self, kind: str, moment: datetime, status: str | None = None, by: str = "staff", **fields: object
    ) -> None:
        """`kind` happens to the ticket by `by` (staff, employee, system), which leaves it in `status`."""
        with self.database.write() as session:
            ticket = session.get_one(TicketRow, self.number)
            for name, value in fields.items():
                setattr(ticket, name, value)
            ticket.status = status or ticket.status
            self._record(session, ticket, kind, moment, by)

    def _record(self, session: Session, ticket: TicketRow, kind: str, moment: datetime, by: str) -> None:
        actor = {"staff": "wang", "employee": LI.employee_no, "system": "system"}[by]
        event = TicketEventRow(
            ticket=self.number, kind=kind, actor=actor, actor_kind=by, actor_name="", text=kind, at=moment, detail={}
        )
        session.add(event)
        session.flush()
        follow(session, ticket, event)

    @property
    def ticket(self) -> TicketRow:
        with self.database.read() as session:
            return session.get_one(TicketRow, self.number)

    def clocks(self) -> list[ClockRow]:
        with self.database.read() as session:
            return clocks_of(session, self.number)

    def clock(self, kind: str) -> ClockRow:
        """The newest clock of that kind."""
        return max((row for row in self.clocks() if row.kind == kind), key=lambda row: row.round)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.clocks()]

    def events(self) -> list[str]:
        """What clocks put on the timeline."""
        with self.database.read() as session:
            query = select(TicketEventRow.kind).where(TicketEventRow.ticket == self.number).order_by(TicketEventRow.id)
            return [kind for kind in session.scalars(query) if kind in ("warned", "breached", "chain_climbed")]

    def notices(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            query = select(NoticeRow.kind, NoticeRow.username).where(NoticeRow.ticket == self.number)
            return sorted((kind, username) for kind, username in session.execute(query))
