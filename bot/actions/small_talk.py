"""Greetings, thanks, goodbyes and chatter: short and polite, unless a question hides in them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.questions import heard
from bot.actions.saying import context_of, intent_of, previous_of, say, text_of
from bot.answering import FILE_TICKET, HANDOFF, Answering
from bot.refusal import bare
from bot.turns import Option, Reply
from kb.search import Band

# An amount beside words is about a matter, whatever it was taken for: 垫付6000, not 88.
_AMOUNT = re.compile(r"(?=.*\d{2})(?=(?:.*[\u4e00-\u9fff]){2})")
_REFUSING = ("deny", "skip", "cancel", "unhelpful")
Run = Callable[[CollectingDispatcher, Tracker, dict[str, Any]], Awaitable[list[dict[str, Any]]]]

_REPLIES = {
    "thanks": Reply("不客气，有问题随时问我。"),
    "goodbye": Reply("再见，祝您工作顺利。"),
    "chitchat": Reply(
        "我是财务共享中心的智能客服，可以解答报销、借款、发票、付款、税务、资金和费用系统操作方面的问题；"
        "答不上来的，我会帮您转给共享中心的同事。"
    ),
    "affirm": Reply("好的。还有什么可以帮您？直接输入问题就行。"),
    "deny": Reply("好的，请换个说法描述一下您的问题，我再为您查找。", options=(HANDOFF,)),
    "cancel": Reply(
        "现在没有需要取消的操作。要撤销已提交的工单，请说“撤回工单”。", options=(Option("我的工单", "my_tickets"),)
    ),
    "skip": Reply("好的。您可以直接输入下一个问题。"),
    "correct": Reply(
        "现在没有正在填写的工单。要修改已提交的工单，请转人工说明工单号和要改的内容。", options=(HANDOFF,)
    ),
    "helpful": Reply("太好了，有问题随时问我。"),
    "unhelpful": Reply(
        "抱歉没能帮到您。您可以换个说法再问，或者交给共享中心的同事处理。", options=(FILE_TICKET, HANDOFF)
    ),
}
SMALL = tuple(_REPLIES)


class Greet:
    """A greeting with the hot questions of the page and node."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if events := await _answered(self._answering, dispatcher, tracker):
            return events
        say(dispatcher, await to_thread.run_sync(self._answering.greet, context_of(tracker)))
        return []


class SmallTalk:
    """`answer` is for what looks like a refusal and is about a matter: 到账没有."""

    def __init__(self, answering: Answering, answer: Run) -> None:
        self._answering = answering
        self._answer = answer

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        intent, text = intent_of(tracker), text_of(tracker)
        refuses = intent in _REFUSING and bare(text)
        matter = intent in _REFUSING and not refuses
        another = not refuses and await self._answering.continues(text, context_of(tracker), previous_of(tracker))
        if another or (matter and intent != "unhelpful"):
            return await self._answer(dispatcher, tracker, domain)
        if refuses:
            say(dispatcher, _REPLIES[intent])
            return []
        bands = (Band.ANSWER, Band.CLARIFY) if matter or _AMOUNT.match(text) else (Band.ANSWER,)
        if events := await _answered(self._answering, dispatcher, tracker, bands):
            return events
        say(dispatcher, _REPLIES[intent])
        return []


async def _answered(
    answering: Answering,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    bands: tuple[Band, ...] = (Band.ANSWER,),
) -> list[dict[str, Any]]:
    """Answer the question that hides in a text, if the knowledge base has it in one of `bands`."""
    text, context = text_of(tracker), context_of(tracker)
    result = await answering.found(text, context)
    if result.band not in bands:
        return []
    reply, outcome = answering.reply_to(text, result, context)
    say(dispatcher, reply, outcome)
    return heard(outcome, 0)
