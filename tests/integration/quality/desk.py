"""A small desk: people, and tickets that were solved."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from core.database import Database
from core.identity import Identity
from core.transcript import Message, messages_of, open_conversation
from handoff import lifecycle
from handoff.actors import Actor, employee
from handoff.filing import file_ticket
from handoff.staff import StaffRow
from handoff.tickets import Reason, Status, TicketDraft, TicketRow

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
ZHANG = Actor("staff", "zhang", "张敏", frozenset({"agent"}), frozenset({"expense"}))
ZHAO = Actor("staff", "zhao", "赵强", frozenset({"agent"}), frozenset({"expense"}))
LEADER = Actor("staff", "lin", "林组长", frozenset({"leader"}), frozenset({"expense"}), frozenset({"expense"}))
SUPERVISOR = Actor("staff", "sun", "孙主管", frozenset({"supervisor"}))
INSPECTOR = Actor("staff", "qian", "钱质检", frozenset({"inspector"}))
OTHER_INSPECTOR = Actor("staff", "wu", "吴质检", frozenset({"inspector"}))
PEOPLE = (ZHANG, ZHAO, LEADER, SUPERVISOR)


def staffed(session: Session) -> None:
    for one in PEOPLE:
        if session.get(StaffRow, one.id) is None:
            session.add(
                StaffRow(
                    username=one.id,
                    name=one.name,
                    groups=sorted(one.groups),
                    leads=sorted(one.leads),
                    roles=sorted(one.roles),
                )
            )


def filed(session: Session, who: Identity = LI, business_type: str = "差旅报销", group: str = "expense") -> TicketRow:
    """A ticket that waits in the pool of a group, in a conversation of its own."""
    where = open_conversation(session, "widget", who).id
    ticket = file_ticket(
        session,
        TicketDraft(
            business_type=business_type,
            description="住宿费超标怎么报销",
            conversation_id=where,
            requester=who,
            reason=Reason.CUSTOMER_REQUEST,
            idempotency_key=f"quality-{uuid.uuid4().hex}",
        ),
    )
    ticket.group_id, ticket.assignee, ticket.status = group, None, Status.NEW
    return ticket


def solved(
    session: Session, who: Identity = LI, agent: Actor = ZHANG, at: datetime | None = None, **kinds: str
) -> TicketRow:
    """A ticket that `agent` took and resolved; `at` moves the resolution there."""
    ticket = filed(session, who, group=min(agent.groups, default="expense"), **kinds)
    lifecycle.claim(session, ticket.number, agent)
    lifecycle.resolve(session, ticket.number, agent, "超标部分请走特批流程。")
    if at is not None:
        ticket.resolved_at = at
    return ticket


def solve_again(session: Session, number: str, agent: Actor = ZHANG) -> TicketRow:
    """The employee reopens, the agent takes it up and resolves it once more."""
    ticket = session.get_one(TicketRow, number)
    lifecycle.reopen(session, number, requester(ticket), "还是提交不了")
    (lifecycle.accept if ticket.assignee == agent.id else lifecycle.claim)(session, number, agent)
    return lifecycle.resolve(session, number, agent, "已经处理好了。")


def requester(ticket: TicketRow) -> Actor:
    return employee(Identity.from_dict(ticket.requester), ticket.conversation_id)


def said(database: Database, ticket: TicketRow, kind: str) -> list[Message]:
    """What the ticket's conversation holds of this type."""
    with database.read() as session:
        return [one for one in messages_of(session, ticket.conversation_id) if one.type == kind]
