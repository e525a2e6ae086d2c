"""What an employee tells the desk rather than the bot: urge, reopen, withdraw or confirm a ticket, rate it, choose who talks.

An order is carried out in the transaction that completes its turn, so it happens once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import ratings
from bot.filing import FORM, Filing, owns
from bot.inbox import Inbound
from bot.ratings import Rating
from bot.ticket_form import Command, command
from bot.turns import Option, Reply, TurnContext
from core.errors import FSSCError
from core.transcript import Conversation, Message
from handoff import lifecycle, talk
from handoff.actors import employee
from handoff.locking import lock
from handoff.tickets import OPEN, Status, TicketRow, ticket_of, tickets_of_requester

_NUMBER = r"FW\d{8}-\d{4,}"
_CHOICE = re.compile(
    rf"(?P<verb>talk|urge|add|reopen|cancel|confirm|rate):(?P<number>{_NUMBER})(?::(?P<rest>.{{1,400}}))?|(?P<bot>bot)",
    re.S,
)
_PLEASE = r"(?:请|麻烦|帮我|帮忙|我要|我想|想|给我)*"
_END = r"(?:一下|一催|吧|啊|呀|了|[。!,~ ])*"
_BOT = re.compile(rf"{_PLEASE}(?:回到|返回|转回|转|换回|换|切换到|回)?(?:智能)?(?:机器人|智能客服){_END}")
_URGE = re.compile(
    rf"{_PLEASE}(?:催办|催单|催促|催)(?:一下|一催)?(?:我的)?(?:工单|进度)?\s*(?P<number>{_NUMBER})?{_END}", re.I
)
_REOPEN = re.compile(
    rf"{_PLEASE}(?:把)?(?:重新打开|重新开启|重开|再打开)(?:一下)?(?:我的|这个)?(?:工单)?\s*(?P<number>{_NUMBER})?{_END}",
    re.I,
)
_OWN = rf"(?:刚才|刚刚|上面|之前|那|这|个|张|我|提交|提|的)*工单\s*(?:{_NUMBER})?\s*"
_WITHDRAW = re.compile(
    rf"{_PLEASE}(?:把|将)?(?:{_OWN}(?:给|我|帮|要|想|请)*(?:取消|撤回|撤销|撤掉|作废|不要)|(?:取消|撤回|撤销|撤掉|作废)(?:一下)?{_OWN})掉?{_END}",
    re.I,
)
_UNSOLVED = rf"(?:问题|这个|还是|还|仍然|仍|依然|根本|并|都)*(?:(?:没有?|未)(?:被|给)?(?:解决|处理好|搞定|弄好)(?:问题)?|不行){_END}"
_UNSOLVED_AND_REOPEN = re.compile(rf"{_UNSOLVED}{_PLEASE}(?:重新打开|重新开启|重开|再打开)(?:工单)?{_END}")
_STILL_UNSOLVED = re.compile(_UNSOLVED)
_NOTHING = re.compile(r"(?:不用|不必|不补充|不需要|没有|算了|取消)(?:了|补充了)?[。!~ ]*")
_REASONS = ("问题没有解决", "处理结果有误", "又出现了同样的问题")


_REOPENED_FROM = (Status.RESOLVED, Status.CLOSED)
_MEANT = {"urge": (OPEN, "处理中"), "cancel": (OPEN, "可以撤销"), "reopen": (_REOPENED_FROM, "可以重新打开")}
"""In which states a ticket is that an order without a number may mean, and what the employee has none of otherwise."""


@dataclass(frozen=True)
class Order:
    """`number` is empty where the words named no ticket; `rest` is a reason, or a yes."""

    verb: str
    number: str = ""
    rest: str = ""
    rating: Rating | None = None


def pressed(choice: str) -> Order | None:
    """The order behind a button, if it is one."""
    found = _CHOICE.fullmatch(choice)
    if not found:
        return None
    if found["bot"]:
        return Order("bot")
    number, rest = found["number"], found["rest"] or ""
    return Order(found["verb"], number, rest, ratings.pressed(number, rest) if found["verb"] == "rate" else None)


def spoken(text: str, *, held: bool) -> Order | None:
    """The order in a short sentence that says nothing else. While a person talks, 机器人 calls the bot back."""
    if len(text) > 40:
        return None
    if held and _BOT.fullmatch(text):
        return Order("bot")
    if held and text.strip("。! ") == "我的工单":
        return Order("mine")
    for verb, words in (("urge", _URGE), ("reopen", _REOPEN)):
        if found := words.fullmatch(text):
            return Order(verb, (found["number"] or "").upper())
    return Order("reopen") if _UNSOLVED_AND_REOPEN.fullmatch(text) else None


def supplemented(session: Session, conversation_id: str) -> str:
    """The ticket that the next words are meant for, right after 补充说明 was pressed; "" for none."""
    said = next(_told(session, conversation_id), None)
    return str(said.body["number"]) if said is not None and said.type == "supplement" else ""


def reopening(session: Session, conversation_id: str) -> str:
    """The ticket that the employee was just asked why they reopen it; "" for none."""
    said = next(_told(session, conversation_id), None)
    return str(said.body.get("reopening", "")) if said is not None else ""


def resolved(session: Session, conversation_id: str) -> str:
    """The ticket whose resolution is the last matter that was talked about; "" where the bot answered or asked something since."""
    for said in _told(session, conversation_id):
        if said.type == "notice":
            ticket = ticket_of(session, str(said.body["number"]))
            return ticket.number if ticket and ticket.status in _REOPENED_FROM else ""
        if said.sender == "bot" and (
            said.type not in ("rating", "reasons", "thanks", "text") or said.body.get("offer")
        ):
            return ""
    return ""


def _told(session: Session, conversation_id: str) -> Iterator[Message]:
    """What the employee was told, the newest first."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.sender != "user")
    return iter(session.scalars(query.order_by(Message.seq.desc()).limit(12)))


class Orders:
    def __init__(self, filing: Filing) -> None:
        self._filing = filing
        self._verbs: dict[str, Callable[[Session, TurnContext, TicketRow, str], Reply | Message]] = {
            "bot": self._bot,
            "urge": self._urge,
            "reopen": self._reopen,
            "cancel": self._cancel,
            "confirm": self._confirm,
            "add": self._add,
            "talk": self._talk,
        }

    def of(self, session: Session, inbound: Inbound, conversation: Conversation) -> Order | None:
        """The order that a message is, given who talks in its conversation."""
        if inbound.ticket:
            return None
        held = conversation.mode == "agent"
        if inbound.choice:
            kind, _, value = inbound.choice.partition(":")
            if held and kind in ("my_tickets", "ticket"):
                return Order("show" if value else "mine", value.upper())
            return pressed(inbound.choice)
        if order := spoken(inbound.text, held=held):
            return order
        if not held and (order := self._about_withdrawing(session, inbound.text, conversation)):
            return order
        if rating := ratings.spoken(session, conversation.id, inbound.text):
            return Order("rate", rating.number, rating=rating)
        if number := supplemented(session, conversation.id):
            return Order("drop" if _NOTHING.fullmatch(inbound.text) else "said", number)
        return self._about_reopening(session, inbound.text, conversation)

    def _about_withdrawing(self, session: Session, text: str, conversation: Conversation) -> Order | None:
        """A ticket that is to be withdrawn, or the yes to it. While the ticket form asks, 取消工单 is the form's."""
        said = next(_told(session, conversation.id), None)
        if (
            said is not None
            and (number := said.body.get("withdrawing"))
            and command(text, "confirmed") is Command.CONFIRM
        ):
            return Order("cancel", str(number), "yes")
        if len(text) > 40 or not _WITHDRAW.fullmatch(text) or (said is not None and said.type in FORM):
            return None
        found = re.search(_NUMBER, text, re.I)
        return Order("cancel", found[0].upper() if found else "")

    def _about_reopening(self, session: Session, text: str, conversation: Conversation) -> Order | None:
        """Why a ticket is opened again, in the employee's own words; or that what was just resolved is not."""
        if number := reopening(session, conversation.id):
            if _NOTHING.fullmatch(text):
                return Order("keep", number)
            return None if text == "我的工单" else Order("reopen", number, text)
        if _STILL_UNSOLVED.fullmatch(text) and (number := resolved(session, conversation.id)):
            return Order("reopen", number)
        return None

    def aim(self, session: Session, context: TurnContext, order: Order) -> TicketRow | Reply | None:
        """The employee's own ticket that the order is about, locked; what to ask back or say where there is none. None for
        an order that is about no ticket."""
        if order.verb in ("mine", "show"):
            return None
        if order.verb == "drop":
            return Reply("好的，没有补充。还有什么可以帮您？")
        if order.verb == "keep":
            return Reply("好的，没有重新打开。还有什么可以帮您？")
        number = order.number
        if order.verb == "bot":
            conversation = session.get_one(Conversation, context.conversation_id)
            number = (conversation.held_by or "") if conversation.mode == "agent" else ""
            if not number:
                return Reply("智能客服一直在，请直接输入您的问题。")
        if not number:
            return self._meant(session, context, order)
        if ticket_of(session, number) is None:
            return self._filing.one(number, context)
        (ticket,) = lock(session, number)
        return ticket if owns(ticket, context) else self._filing.one(number, context)

    def _meant(self, session: Session, context: TurnContext, order: Order) -> TicketRow | Reply:
        """The only ticket that they can mean."""
        states, what = _MEANT[order.verb]
        own = tickets_of_requester(session, context.identity, context.conversation_id, limit=20)
        fitting = [ticket for ticket in own if ticket.status in states]
        if len(fitting) == 1:
            return lock(session, fitting[0].number)[0]
        if not fitting:
            return Reply(f"您目前没有{what}的工单。", options=(Option("我的工单", "my_tickets"),))
        return Reply(
            "您说的是哪一张工单？",
            "choices",
            tuple(Option(f"{one.number} {one.description[:16]}", f"{order.verb}:{one.number}") for one in fitting[:5]),
        )

    def carry_out(
        self, session: Session, context: TurnContext, order: Order, ticket: TicketRow | None
    ) -> Reply | Message:
        """Do what was ordered; what the employee is told. A refusal is told like an answer, and leaves no trace."""
        if ticket is None:
            return self._filing.mine(context) if order.verb == "mine" else self._filing.one(order.number, context)
        try:
            with session.begin_nested():
                if order.verb == "rate":
                    return ratings.rate(session, context, order.rating) if order.rating else Reply("请点 1 到 5 分。")
                return self._verbs[order.verb](session, context, ticket, order.rest)
        except FSSCError as error:
            return Reply(error.message, options=(Option("我的工单", "my_tickets"),))

    def _bot(self, session: Session, context: TurnContext, ticket: TicketRow, _: str) -> Reply | Message:
        return talk.release(session, ticket, "asked") or Reply("智能客服一直在，请直接输入您的问题。")

    def _talk(self, session: Session, context: TurnContext, ticket: TicketRow, _: str) -> Reply | Message:
        if talk.answered_by_person(ticket):
            return talk.take_up(session, ticket) or Reply("人工客服已经在这里了，请直接说。")
        if ticket.status in OPEN:
            return Reply(
                f"工单 **{ticket.number}** 还没有同事接手，接手后会在这里联系您。",
                options=(Option("催办", f"urge:{ticket.number}"),),
            )
        return Reply(f"工单 **{ticket.number}** {Status(ticket.status).label}，没有同事在处理。")

    def _urge(self, session: Session, context: TurnContext, ticket: TicketRow, _: str) -> Reply:
        urged = lifecycle.urge(session, ticket.number, employee(context.identity, context.conversation_id))
        if urged.assignee:
            told = "已提醒负责的同事"
        else:
            told = "还没有同事接手，" + (
                "已提醒服务组尽快认领" if lifecycle.urged(session, urged) else "已记下您的催办"
            )
        return Reply(f"已为您催办工单 **{urged.number}**，{told}。一小时内可以催办一次。")

    def _reopen(self, session: Session, context: TurnContext, ticket: TicketRow, reason: str) -> Reply:
        if not reason:
            return Reply(
                f"重新打开工单 **{ticket.number}**，是因为？点一个原因，或直接输入；不重新打开就说“不用了”。",
                "choices",
                tuple(Option(one, f"reopen:{ticket.number}:{one}") for one in _REASONS),
                {"reopening": ticket.number},
            )
        actor = employee(context.identity, context.conversation_id)
        lifecycle.reopen(session, ticket.number, actor, reason)
        return Reply(f"工单 **{ticket.number}** 已重新打开，同事会继续处理，回复会出现在这里。")

    def _cancel(self, session: Session, context: TurnContext, ticket: TicketRow, sure: str) -> Reply:
        if not sure:
            return Reply(
                f"确定撤销工单 **{ticket.number}** 吗？撤销后同事不再处理。",
                "choices",
                (Option("确定撤销", f"cancel:{ticket.number}:yes"),),
                {"withdrawing": ticket.number},
            )
        actor = employee(context.identity, context.conversation_id)
        lifecycle.cancel(session, ticket.number, actor, "员工撤销")
        return Reply(f"已撤销工单 **{ticket.number}**。有新的问题随时问我。")

    def _confirm(self, session: Session, context: TurnContext, ticket: TicketRow, _: str) -> Reply:
        if ticket.status == Status.CLOSED:
            return Reply(f"工单 **{ticket.number}** 已经关闭，不用再确认了。")
        lifecycle.close(session, ticket.number, employee(context.identity, context.conversation_id))
        return Reply(f"好的，工单 **{ticket.number}** 已关闭，感谢您的确认。")

    def _add(self, session: Session, context: TurnContext, ticket: TicketRow, _: str) -> Reply:
        return Reply(
            f"请直接发送要补充的内容，我会转给处理工单 **{ticket.number}** 的同事；不补充了就说“不用了”。",
            "supplement",
            extras={"number": ticket.number},
        )
