"""People of a desk and tickets for tests of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.identity import ANONYMOUS, Identity
from core.transcript import open_conversation
from handoff.actors import Actor, employee
from handoff.filing import file_ticket
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import Reason, TicketDraft, TicketRow

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
WANG = Identity("E1002", "王建国", "华晟制造公司", "生产部")
NOBODY = ANONYMOUS

_KEYS: Iterator[int] = itertools.count()


def person(username: str, *roles: str, groups: tuple[str, ...] = (), leads: tuple[str, ...] = ()) -> Actor:
    return Actor("staff", username, username, frozenset(roles), frozenset(groups), frozenset(leads))


ADMIN = person("admin", "admin")
ZHANG = person("zhang", "agent", groups=("tax",))
CHEN = person("chen", "agent", groups=("tax",))
FANG = person("fang", "agent", groups=("expense",))
GU = person("gu", "leader", leads=("tax",))
SUN = person("sun", "supervisor")
QIAN = person("qian", "expert", groups=("experts",))
PEOPLE = (ADMIN, ZHANG, CHEN, FANG, GU, SUN, QIAN)


def open_desk(database: Database) -> None:
    """Groups tax and expense (pools), experts (tier 3), and `PEOPLE` in them."""
    with database.write() as session:
        for number, name, tier in (("tax", "税务组", 2), ("expense", "报销组", 2), ("experts", "专家组", 3)):
            types = {"tax": ["税务", "发票"], "expense": ["差旅报销"], "experts": []}[number]
            if session.get(GroupRow, number) is None:
                session.add(GroupRow(id=number, name=name, tier=tier, business_types=types, dispatch="pool"))
        for one in PEOPLE:
            session.add(StaffRow(username=one.id, name=one.name, groups=sorted(one.groups), leads=sorted(one.leads)))


def draft(conversation_id: str, requester: Identity = LI, **changes: Any) -> TicketDraft:
    """Every draft is about something else, unless `description` or `document_no` says so."""
    number = next(_KEYS)
    values: dict[str, Any] = {
        "business_type": "税务",
        "description": "申报失败",
        "document_no": f"BX{number:08d}",
        "conversation_id": conversation_id,
        "requester": requester,
        "reason": Reason.CUSTOMER_REQUEST,
        "idempotency_key": f"key-{number}",
    }
    return TicketDraft(**{**values, **changes})


def talk(session: Session, requester: Identity = LI) -> str:
    return open_conversation(session, "widget", requester).id


def filed(session: Session, requester: Identity = LI, group: str | None = "tax", **changes: Any) -> TicketRow:
    """A new ticket in a conversation of its own, which lies in the pool of `group`."""
    ticket = file_ticket(session, draft(talk(session, requester), requester, **changes))
    ticket.group_id, ticket.assignee, ticket.status = group, None, "new"
    ticket.tier = 3 if group == "experts" else 2
    session.flush()
    return ticket


def placed(session: Session, status: str, assignee: str | None = None, **changes: Any) -> TicketRow:
    """A ticket put into a state, as if its verbs had brought it there."""
    ticket = filed(session, **changes)
    ticket.status, ticket.assignee = status, assignee
    if status in ("resolved", "closed"):
        ticket.resolved_at = now()
    if status == "merged":
        ticket.merged_into = filed(session, **changes).number
    session.flush()
    return ticket


def requester_of(ticket: TicketRow) -> Actor:
    return employee(Identity.from_dict(ticket.requester), ticket.conversation_id)
