"""Getting hold of tickets, always in the same order, so that nobody waits for anybody in a circle: tickets by number, then a
conversation, then the audit chain."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from core.errors import Conflict, InvalidInput, NotFound
from core.privacy import mask
from handoff.actors import Actor
from handoff.permissions import check, may
from handoff.staff import GroupRow
from handoff.states import require
from handoff.tickets import TicketEventRow, TicketRow

MOST_TEXT = 5000
"""Characters that one reply, note or reason may have."""


def lock(session: Session, *numbers: str) -> list[TicketRow]:
    """The tickets, read anew and locked. Raises NotFound."""
    rows = session.scalars(
        select(TicketRow)
        .where(TicketRow.number.in_(numbers))
        .order_by(TicketRow.number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    by_number = {row.number: row for row in rows}
    if missing := set(numbers) - by_number.keys():
        raise NotFound(f"没有工单 {'、'.join(sorted(missing))}，请核对编号。", code="ticket_not_found")
    return [by_number[number] for number in numbers]


def begin(session: Session, number: str, actor: Actor, verb: str, version: int | None) -> TicketRow:
    """The ticket, locked, where `actor` may use `verb` on it now.

    Raises NotFound, also for a ticket that they may not read, Forbidden, Conflict `version_conflict` and `wrong_state`.
    """
    (ticket,) = lock(session, number)
    allow(actor, verb, ticket, version)
    return ticket


def allow(actor: Actor, verb: str, ticket: TicketRow, version: int | None) -> None:
    """Raises what `begin` raises, for a ticket that is locked already."""
    if actor.kind == "staff" and not may(actor, "read", ticket):
        raise unreadable(ticket, actor)
    check(actor, verb, ticket)
    if version is not None and version != ticket.version:
        raise Conflict("这张工单刚刚被别人改过，请看过最新内容再操作。", code="version_conflict")
    require(verb, ticket)


def unreadable(ticket: TicketRow, actor: Actor) -> NotFound:
    """What to tell somebody who may not read a ticket: to one who had to do with it that it went on (`ticket_elsewhere`), to
    anybody else what is said of a number that there is none of."""
    session = object_session(ticket)
    if session is None or not _knew(session, ticket, actor):
        return NotFound(f"没有工单 {ticket.number}，请核对编号。", code="ticket_not_found")
    group = session.get(GroupRow, ticket.group_id) if ticket.group_id else None
    where = f"“{group.name}”" if group else "其他服务组"
    return NotFound(
        f"工单 {ticket.number} 已转到{where}，您不能再查看。还有情况要说明，请联系那边的同事。", code="ticket_elsewhere"
    )


def _knew(session: Session, ticket: TicketRow, actor: Actor) -> bool:
    """Whether the colleague once did something to the ticket, or was given it."""
    event = TicketEventRow
    given = (event.kind == "assigned") & (event.detail["to"].as_string() == actor.id)
    did = (event.actor_kind == "staff") & (event.actor == actor.id)
    found = select(event.id).where(event.ticket == ticket.number, did | given).limit(1)
    return actor.kind == "staff" and session.scalar(found) is not None


def words(text: str, what: str) -> str:
    """`text` masked, without blanks around it. Raises InvalidInput where nothing or too much is left."""
    text = mask(text.replace("\x00", "").strip())
    if not text:
        raise InvalidInput(f"请填写{what}。", code="text_missing")
    if len(text) > MOST_TEXT:
        raise InvalidInput(f"{what}最长 {MOST_TEXT} 字，请精简后再提交。", code="text_too_long")
    return text
