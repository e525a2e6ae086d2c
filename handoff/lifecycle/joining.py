"""Tickets that belong together: merged into one, or linked."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict
from handoff.actors import Actor
from handoff.locking import allow, lock
from handoff.permissions import may
from handoff.states import require
from handoff.talk import hold, release
from handoff.tickets import Status, TicketLinkRow, TicketRow
from handoff.timeline import record


def survivor(session: Session, number: str) -> str:
    """The ticket that `number` ended up in; itself, where it was never merged."""
    passed = set()
    while number not in passed:
        passed.add(number)
        into = session.scalar(select(TicketRow.merged_into).where(TicketRow.number == number))
        if into is None:
            break
        number = into
    return number


def merge(session: Session, number: str, actor: Actor, into: str, *, version: int | None = None) -> TicketRow:
    """End the ticket in favour of `into`, an open one of the same requester; what they write later goes there."""
    if number == into:
        raise Conflict("不能把工单合并到它自己，请填写另一张工单的编号。", code="same_ticket")
    ticket, other = lock(session, number, into)
    allow(actor, "merge", ticket, version)
    allow(actor, "merge", other, None)
    if not _same_requester(ticket, other):
        raise Conflict(
            "两张工单不是同一位员工提交的，不能合并（会让别人看到他的内容）；请改用关联工单。", code="other_requester"
        )
    ticket.status, ticket.merged_into, ticket.closed_at, ticket.unread = Status.MERGED, into, now(), False
    release(session, ticket, "merged")
    record(session, ticket, actor, "merged", f"合并到 {into}", public=True, detail={"into": into})
    record(
        session,
        other,
        actor,
        "absorbed",
        f"合并了 {number}：{ticket.description}",
        public=True,
        detail={"from": number, "conversation": ticket.conversation_id},
    )
    if other.assignee == actor.id:
        hold(session, other, actor)
    return ticket


def _same_requester(one: TicketRow, other: TicketRow) -> bool:
    if one.employee_no or other.employee_no:
        return one.employee_no == other.employee_no
    return one.conversation_id == other.conversation_id


def link(session: Session, number: str, actor: Actor, other: str, *, version: int | None = None) -> TicketRow:
    """Say that two tickets have to do with each other."""
    ticket, second = _both(session, number, other, actor, "link", version)
    pair = tuple(sorted((number, other)))
    if session.get(TicketLinkRow, pair):
        raise Conflict(f"已经关联了工单 {other}。", code="already_linked")
    session.add(TicketLinkRow(one=pair[0], other=pair[1]))
    record(session, ticket, actor, "linked", f"关联工单 {other}", detail={"other": other})
    record(session, second, actor, "linked", f"关联工单 {number}", detail={"other": number})
    return ticket


def unlink(session: Session, number: str, actor: Actor, other: str, *, version: int | None = None) -> TicketRow:
    """Take a link back."""
    ticket, second = _both(session, number, other, actor, "unlink", version)
    row = session.get(TicketLinkRow, tuple(sorted((number, other))))
    if row is None:
        raise Conflict(f"没有关联工单 {other}。", code="not_linked")
    session.delete(row)
    record(session, ticket, actor, "unlinked", f"取消关联 {other}", detail={"other": other})
    record(session, second, actor, "unlinked", f"取消关联 {number}", detail={"other": number})
    return ticket


def _both(
    session: Session, number: str, other: str, actor: Actor, verb: str, version: int | None
) -> tuple[TicketRow, TicketRow]:
    if number == other:
        raise Conflict("不能关联工单自己，请填写另一张工单的编号。", code="same_ticket")
    ticket, second = lock(session, number, other)
    allow(actor, verb, ticket, version)
    if not may(actor, "read", second):
        raise Conflict(f"没有找到您能查看的工单 {other}，请核对编号。", code="other_unknown")
    require(verb, second)
    return ticket, second


def linked(session: Session, number: str) -> list[TicketRow]:
    """The tickets that this one is linked to, and those merged into it, oldest first."""
    pairs = session.execute(
        select(TicketLinkRow.one, TicketLinkRow.other).where(
            or_(TicketLinkRow.one == number, TicketLinkRow.other == number)
        )
    )
    numbers = {one if other == number else other for one, other in pairs}
    return list(
        session.scalars(
            select(TicketRow)
            .where(or_(TicketRow.number.in_(numbers), TicketRow.merged_into == number))
            .order_by(TicketRow.number)
        )
    )
