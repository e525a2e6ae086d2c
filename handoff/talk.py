"""Who talks in a conversation: the bot, or a person over a ticket. Each change is said in the chat, once.

Lock the ticket's row before calling anything here: the conversation's row is locked after it, always in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database import Database
from core.outbox import deliver
from core.transcript import Conversation, Message, locked, say
from handoff.actors import Actor
from handoff.tickets import OPEN, Status, TicketRow

Why = Literal["resolved", "closed", "cancelled", "merged", "transferred", "asked", "silence"]
NOBODY = "人工客服"

_NOW = {
    "resolved": "工单 **{number}** 已解决。如果问题还在，7 天内可以重新打开。",
    "closed": "工单 **{number}** 已关闭。",
    "cancelled": "工单 **{number}** 已撤销。",
    "merged": "工单 **{number}** 已并入 **{survivor}**，后续进展都在 **{survivor}** 里。",
    "transferred": "工单 **{number}** 正在转给其他同事，接手后会在这里联系您。",
    "asked": "工单 **{number}** 仍由{agent}跟进，有回复会出现在这里。",
    "silence": "{agent}有一段时间没有说话了，工单 **{number}** 仍在处理，有回复会第一时间出现在这里。",
}
_BOT = "智能客服回来了，有别的问题可以直接问我。"


def hold(session: Session, ticket: TicketRow, actor: Actor) -> Message | None:
    """`actor` talks in the ticket's conversation from now on and the bot is silent. Said when the person is another one."""
    conversation = locked(session, ticket.conversation_id)
    held = _held(conversation, ticket)
    if held and (actor.id != ticket.assignee or _holder(session, conversation) == actor.name):
        return None
    conversation.mode, conversation.held_by = "agent", ticket.number
    name = actor.name or NOBODY
    came = "已接手" if held else "已接入"
    return _tell(
        session,
        ticket,
        f"{name} {came}，由人工为您处理工单 **{ticket.number}**。您在这里写的内容会直接转给对方；想问智能客服，点“回到机器人”。",
        mode="agent",
        agent_name=name,
        options=[{"label": "回到机器人", "choice": "bot"}],
    )


def release(session: Session, ticket: TicketRow, why: Why) -> Message | None:
    """The bot talks again, if this ticket held the conversation; says so, and how the ticket stands.

    That a ticket is resolved, cancelled or merged is said even where the bot was back before.
    """
    conversation = locked(session, ticket.conversation_id)
    held = _held(conversation, ticket)
    if not held and why not in ("resolved", "cancelled", "merged"):
        return None
    agent = _holder(session, conversation) or NOBODY
    if held:
        conversation.mode, conversation.held_by = "bot", None
    stands = _NOW[why].format(number=ticket.number, survivor=ticket.merged_into or "", agent=agent)
    return _tell(
        session,
        ticket,
        f"{stands}{_BOT}" if held else stands,
        mode=conversation.mode,
        options=_next_steps(ticket, why),
    )


def take_up(session: Session, ticket: TicketRow) -> Message | None:
    """The employee wants to go on with the person of their ticket, in the conversation that it was filed in; None where
    nobody works on it, or they talk already."""
    conversation = locked(session, ticket.conversation_id)
    if not answered_by_person(ticket) or _held(conversation, ticket):
        return None
    conversation.mode, conversation.held_by = "agent", ticket.number
    name = _holder(session, conversation) or NOBODY
    return _tell(
        session,
        ticket,
        f"好的，接下来您写的内容会转给{name}（工单 **{ticket.number}**）。想问智能客服，点“回到机器人”。",
        mode="agent",
        agent_name=name,
        options=[{"label": "回到机器人", "choice": "bot"}],
    )


def answered_by_person(ticket: TicketRow) -> bool:
    """Whether somebody of the desk works on it."""
    return ticket.status in (Status.IN_PROGRESS, Status.WAITING) and ticket.assignee is not None


@dataclass(frozen=True)
class Silence:
    """How long a conversation stays with a person although nobody says anything; longer where it is the employee who was
    asked for something."""

    owed: timedelta
    waiting: timedelta

    def over(self, status: str, last_at: datetime, moment: datetime) -> bool:
        return moment - last_at >= (self.waiting if status == Status.WAITING else self.owed)


def silent(database: Database, silence: Silence, moment: datetime, limit: int = 200) -> list[str]:
    """Tickets whose conversation a person holds in silence, the longest silence first."""
    query = (
        select(TicketRow.number, TicketRow.status, Conversation.last_at)
        .join(TicketRow, TicketRow.number == Conversation.held_by)
        .where(Conversation.mode == "agent", Conversation.last_at <= moment - min(silence.owed, silence.waiting))
        .order_by(Conversation.last_at)
    )
    with database.read() as session:
        return [row.number for row in session.execute(query) if silence.over(row.status, row.last_at, moment)][:limit]


def end_silence(session: Session, number: str, silence: Silence, moment: datetime) -> Message | None:
    """Give the conversation back to the bot, if it is still as silent as it was found."""
    ticket = session.scalars(select(TicketRow).where(TicketRow.number == number).with_for_update()).one()
    conversation = locked(session, ticket.conversation_id)
    if not silence.over(ticket.status, conversation.last_at, moment):
        return None
    return release(session, ticket, "silence")


def holder(session: Session, conversation: Conversation) -> str | None:
    """The name of the person who holds the conversation."""
    return (_holder(session, conversation) or NOBODY) if conversation.mode == "agent" else None


def open_tickets(session: Session, conversation_id: str) -> int:
    """How many tickets of the conversation the desk still owes something."""
    query = select(func.count()).where(TicketRow.conversation_id == conversation_id, TicketRow.status.in_(OPEN))
    return session.scalar(query) or 0


def _held(conversation: Conversation, ticket: TicketRow) -> bool:
    return conversation.mode == "agent" and conversation.held_by == ticket.number


def _holder(session: Session, conversation: Conversation) -> str | None:
    """The person of the desk whom the employee last saw."""
    query = select(Message.body).where(
        Message.conversation_id == conversation.id,
        (Message.sender == "agent") | (Message.type == "notice"),
    )
    for body in session.scalars(query.order_by(Message.seq.desc()).limit(10)):
        if name := body.get("agent_name"):
            return str(name)
    return None


def _next_steps(ticket: TicketRow, why: Why) -> list[dict[str, str]]:
    number = ticket.number
    if why == "resolved":
        return [
            {"label": "问题已解决", "choice": f"confirm:{number}"},
            {"label": "没有解决，重新打开", "choice": f"reopen:{number}"},
        ]
    if ticket.status not in OPEN or why not in ("asked", "silence"):
        return []
    go_on = {"label": "继续和人工说", "choice": f"talk:{number}"}
    return [go_on, {"label": "催办", "choice": f"urge:{number}"}] if why == "silence" else [go_on]


def _tell(session: Session, ticket: TicketRow, text: str, **extras: object) -> Message:
    message = say(session, ticket.conversation_id, "bot", "notice", text, extras={"number": ticket.number, **extras})
    deliver(session, message, key=f"notice:{message.id}")
    return message
