"""Free questions, chosen entries, and choices that were all wrong."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.saying import (
    confidence_of,
    context_of,
    entity_of,
    intent_of,
    previous_of,
    say,
    text_of,
)
from bot.actions.tickets import begin_ticket
from bot.answering import FILE_TICKET, HANDOFF, Answering, doubted
from bot.filing import Filing
from bot.ticket_form import grumbles, wants_person
from bot.turns import Option, Outcome, Reply, TurnContext
from kb.search import Band, SearchResult

# Above this the language model's word that a question is none of ours is taken, if no entry answers it outright; an entry that
# does, by another question than this one (wifi密码 by 密码忘了), is offered and not told.
_SURELY_OUT_OF_SCOPE = 0.6
_THE_SAME = 0.85
OUT_OF_SCOPE = Reply(
    "这个问题不在我的服务范围内。我能解答报销、借款、发票、付款、税务、资金和费用系统操作方面的问题，您可以直接问我。"
)

SORRY = Reply(
    "很抱歉给您添麻烦了。请告诉我具体遇到了什么问题，我马上为您查；也可以直接交给共享中心的同事处理。",
    options=(HANDOFF, FILE_TICKET),
)


def heard(outcome: Outcome, misses: int) -> list[dict[str, Any]]:
    """What later turns need to know of this one."""
    return [
        SlotSet("last_question", outcome.question),
        SlotSet("last_shown", list(outcome.shown)),
        SlotSet("last_entry", outcome.entry_id),
        SlotSet("misses", misses),
        SlotSet("filed_ticket", None),
    ]


def alarm(words: list[str]) -> Reply:
    """The emergency path, for a text that holds the desk's risk words."""
    return Reply(
        f"您提到“{'、'.join(words)}”，这样的事需要马上有人处理：提交工单后会立即通知应急值班的同事，不用等知识库的答案。",
        options=(Option("马上提交应急工单", "handoff"),),
        extras={"offer": "handoff"},
    )


class Answer:
    """`kb.search` on a free question: answer, choices, or a plain no; and the emergency path where the desk's rules call for it."""

    def __init__(self, answering: Answering, filing: Filing) -> None:
        self._answering = answering
        self._filing = filing

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        text, context = text_of(tracker), context_of(tracker)
        if wants_person(text):
            return await begin_ticket(dispatcher, tracker, self._filing)
        previous = previous_of(tracker)
        if previous and (another := await to_thread.run_sync(self._answering.another_case, text, previous, context)):
            say(dispatcher, *another)
            return heard(another[1], 0)
        outside = intent_of(tracker) == "out_of_scope" and confidence_of(tracker) >= _SURELY_OUT_OF_SCOPE
        misses = int(tracker.get_slot("misses") or 0)
        result = await self._answering.found(text, context)
        if words := await to_thread.run_sync(self._filing.alarms, text):
            return self._alarmed(dispatcher, words, text, result, context)
        if outside and result.band is not Band.ANSWER:
            say(dispatcher, OUT_OF_SCOPE, Outcome(band=Band.NONE, release=result.release, question=text))
            return []
        if result.band is not Band.ANSWER and grumbles(text):
            say(dispatcher, SORRY)
            return []
        if outside and result.candidates[0].features.get("similarity", 0.0) < _THE_SAME:
            result = doubted(result)
        found = await self._answering.in_context(text, result, previous, context) if previous else result
        # What was asked stays what was typed: a ticket describes it, and it may have changed the subject.
        reply, outcome = self._answering.reply_to(text, found, context, misses)
        say(dispatcher, reply, outcome)
        # What is asked back about together with the question before still goes on from its answer.
        kept = [SlotSet("last_entry", previous.entry_id)] if previous and found is not result else []
        return [*heard(outcome, misses + 1 if found.band is Band.NONE else 0), *kept]

    def _alarmed(
        self,
        dispatcher: CollectingDispatcher,
        words: list[str],
        text: str,
        result: SearchResult,
        context: TurnContext,
    ) -> list[dict[str, Any]]:
        """An answer is given first, as the question may be about the rules; otherwise help comes before what was found."""
        reply, outcome = self._answering.reply_to(text, result, context)
        if result.band is Band.ANSWER:
            say(dispatcher, reply, outcome)
            say(dispatcher, alarm(words))
        elif result.band is Band.CLARIFY:
            say(dispatcher, alarm(words))
            say(dispatcher, reply, outcome)
        else:
            say(dispatcher, alarm(words), outcome)
        return heard(outcome, int(result.band is Band.NONE))


class OpenEntry:
    """A button opens exactly the entry that it names."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        entry_id = entity_of(tracker, "entry_id") or ""
        offered = [one.get("entry_id") for one in tracker.get_slot("last_shown") or ()]
        asked = str(tracker.get_slot("last_question") or "") if entry_id in offered else ""
        reply, outcome = await to_thread.run_sync(self._answering.open, entry_id, context_of(tracker), asked)
        say(dispatcher, reply, outcome)
        return heard(outcome, 0) if outcome.entry_id else []


class NoneOfThese:
    """都不是: the question is kept as unresolved, with the choices that were wrong. What was only taken for that, and the
    knowledge base answers, is a question: 表里没有我去的那个城市."""

    def __init__(self, answering: Answering, answer: Answer) -> None:
        self._answering = answering
        self._answer = answer

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        text = text_of(tracker)
        typed = not text.startswith("/")
        if typed and await self._answering.is_question(text, context_of(tracker), previous_of(tracker)):
            return await self._answer(dispatcher, tracker, domain)
        question = tracker.get_slot("last_question") or ""
        if not question:
            say(dispatcher, Reply("好的，请直接输入您的问题，我来为您查找。"))
            return []
        misses = int(tracker.get_slot("misses") or 0) + 1
        reply = Reply(
            "抱歉，没有找到您要的内容，这个问题我已记录下来。您可以补充细节再问一次，也可以交给共享中心的同事处理。",
            options=(FILE_TICKET, HANDOFF) if misses < 2 else (HANDOFF, FILE_TICKET),
            extras={"offer": "ticket"},
        )
        shown = tuple(tracker.get_slot("last_shown") or ())
        say(dispatcher, reply, Outcome(band=Band.NONE, question=question, shown=shown, unresolved="none_of_these"))
        return [SlotSet("misses", misses)]
