"""Tickets from a conversation: what the bot tried goes with them; employees see only their own."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from bot.turns import Option, Reply, TurnContext
from core.clock import local
from core.database import Database
from core.outbox import PULLED
from core.privacy import mask
from core.text import normalize
from core.transcript import Message, Turn
from handoff.filing import file_ticket
from handoff.routing.placing import rules_in_force
from handoff.routing.rules import Facts
from handoff.talk import answered_by_person
from handoff.tickets import (
    OPEN,
    UNDESCRIBED,
    Reason,
    Status,
    TicketDraft,
    TicketRow,
    Urgency,
    ticket_of,
    tickets_of_requester,
)

FORM = ("question", "summary")
"""The types of what the ticket form says."""


class Between(StrEnum):
    """What was said since the ticket form asked: a person came, or there was news of a ticket; or it asked whether to go on."""

    PERSON = "person"
    NEWS = "news"
    RESUMING = "resuming"


class Filing:
    def __init__(self, database: Database) -> None:
        self._database = database

    def file(self, context: TurnContext, values: dict[str, str], reason: Reason) -> TicketRow:
        """File what the form gathered, whatever there is; the same turn never files twice."""
        with self._database.write() as session:
            turns = session.scalars(
                select(Turn)
                .where(Turn.conversation_id == context.conversation_id, Turn.outcome.is_not(None))
                .order_by(Turn.at)
            ).all()
            outcomes = [turn.outcome or {} for turn in turns]
            return file_ticket(
                session,
                TicketDraft(
                    business_type=values["business_type"],
                    description=values["description"] or UNDESCRIBED,
                    urgency=Urgency(values.get("urgency") or Urgency.NORMAL),
                    document_no=values.get("document_no") or None,
                    contact=values.get("contact") or None,
                    conversation_id=context.conversation_id,
                    requester=context.identity,
                    reason=reason,
                    idempotency_key=context.turn_id,
                    channel=context.channel,
                    page=context.place.page,
                    node=context.place.node,
                    asked=_asked_about(values["description"], outcomes),
                    tried=_tried(outcomes),
                ),
            )

    def alarms(self, text: str) -> list[str]:
        """The desk's risk words in `text` for which a ticket would call whoever is on call."""
        with self._database.read() as session:
            rules = rules_in_force(session)
        return Facts("", "", text=text).risks(rules.risk_words(emergency=True)) if rules and text else []

    def between(self, context: TurnContext) -> Between | None:
        """What came between the form's last question and what is said now; None where that is simply its answer."""
        said = select(Message).where(Message.conversation_id == context.conversation_id, Message.sender != "user")
        with self._database.read() as session:
            asked = session.scalars(
                said.where(Message.type.in_(FORM)).order_by(Message.seq.desc()).limit(1)
            ).one_or_none()
            since = session.scalars(said.where(Message.seq > (asked.seq if asked else 0))).all()
        if any(one.sender == "agent" or one.body.get("mode") == "agent" for one in since):
            return Between.PERSON
        if any(one.type in ("notice", "rating") for one in since):
            return Between.NEWS
        return Between.RESUMING if asked and asked.body.get("resuming") else None

    def mine(self, context: TurnContext) -> Reply:
        """我的工单: the newest few, each a button."""
        with self._database.read() as session:
            tickets = tickets_of_requester(session, context.identity, context.conversation_id)
        if not tickets:
            return Reply("您还没有提交过工单。", options=(Option("提交工单", "file"),))
        lines = "\n".join(
            f"- **{one.number}** {Status(one.status).label}：{_short(one.description)}（{local(one.created_at)}）"
            for one in tickets
        )
        return Reply(
            f"您最近的工单：\n\n{lines}",
            options=tuple(
                Option(f"{one.number} {Status(one.status).label}", f"ticket:{one.number}") for one in tickets
            ),
        )

    def one(self, number: str, context: TurnContext) -> Reply:
        """A ticket's state. Somebody else's ticket and one that does not exist look the same."""
        with self._database.read() as session:
            ticket = ticket_of(session, number)
        if not ticket or not owns(ticket, context):
            return Reply(
                f"没有找到您名下的工单 {number}。请核对编号，或查看您的全部工单。",
                options=(Option("我的工单", "my_tickets"),),
            )
        return card(
            ticket,
            f"工单 **{ticket.number}** 当前状态：**{Status(ticket.status).label}**。",
            _next_steps(ticket, context),
        )

    def called(self, number: str, context: TurnContext) -> Reply | None:
        """To somebody who wants a person right after they filed; None where the desk is done with that ticket."""
        with self._database.read() as session:
            ticket = ticket_of(session, number)
        if ticket is None or ticket.status not in OPEN:
            return None
        comes = "正由同事处理" if answered_by_person(ticket) else "已提交，同事会尽快联系您"
        return Reply(
            f"您的工单 **{number}** {comes}。如果是新的问题，请直接说明。",
            options=(Option("查看工单进度", f"ticket:{number}"), *_next_steps(ticket, context)),
        )


def owns(ticket: TicketRow, context: TurnContext) -> bool:
    """Whether the ticket is this employee's own; an anonymous visitor's is that of their conversation."""
    if context.identity.anonymous:
        return ticket.conversation_id == context.conversation_id
    return ticket.employee_no == context.identity.employee_no


def _next_steps(ticket: TicketRow, context: TurnContext) -> tuple[Option, ...]:
    number = ticket.number
    if ticket.status in OPEN:
        go_on = (Option("和人工说", f"talk:{number}"),) if answered_by_person(ticket) else ()
        return (*go_on, Option("催办", f"urge:{number}"), *_supplement(ticket, context))
    if ticket.status == Status.RESOLVED:
        return (Option("问题已解决", f"confirm:{number}"), Option("没有解决，重新打开", f"reopen:{number}"))
    return ()


def _supplement(ticket: TicketRow, context: TurnContext) -> tuple[Option, ...]:
    """The widget has a place of its own for it."""
    return () if context.channel in PULLED else (Option("补充说明", f"add:{ticket.number}"),)


def card(ticket: TicketRow, heading: str, options: tuple[Option, ...] = ()) -> Reply:
    """The ticket card; `heading` says what has just happened or how things stand."""
    return Reply(
        heading,
        "ticket",
        options,
        {
            "number": ticket.number,
            "status": ticket.status,
            "status_label": Status(ticket.status).label,
            "business_type": ticket.business_type,
            "urgency": ticket.urgency,
            "description": ticket.description,
            "document_no": ticket.document_no,
            "created_at": ticket.created_at.isoformat(),
        },
    )


def filed(ticket: TicketRow, context: TurnContext) -> Reply:
    """What the employee is told; also that what they said joined a ticket that they already have."""
    if ticket.idempotency_key != context.turn_id:
        return card(
            ticket,
            f"您已有一张同一单据、同一问题的工单 **{ticket.number}** 正在处理，刚才的内容已补充进去，没有另建新工单，"
            "处理结果会在这里回复您。",
            _next_steps(ticket, context),
        )
    return card(
        ticket,
        f"已提交工单 **{ticket.number}**，对话记录已一并转给负责“{ticket.business_type}”的同事，处理结果会在这里回复您。"
        "随时输入“我的工单”查看进度。",
        ()
        if context.channel in PULLED
        else (
            Option("查看进度", f"ticket:{ticket.number}"),
            Option("催办", f"urge:{ticket.number}"),
            *_supplement(ticket, context),
        ),
    )


def _asked_about(description: str, outcomes: list[dict[str, Any]]) -> str:
    """The last question that was asked, where the ticket is about that: what was answered before may be another matter."""
    asked = next((one["question"] for one in reversed(outcomes) if one.get("question")), "")
    question, told = _words(asked), _words(mask(description))
    return asked if question in told or (told and told in question) else ""


def _words(text: str) -> str:
    return re.sub(r"[\W_]+", "", normalize(text)).casefold()


def _tried(outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**shown, "band": outcome["band"], "asked": outcome.get("question", "")}
        for outcome in outcomes
        if outcome.get("band") and outcome.get("unresolved") != "none_of_these"
        for shown in (outcome.get("shown") or [])[:5]
    ][-20:]


def _short(text: str, length: int = 24) -> str:
    return text if len(text) <= length else text[:length] + "…"
