"""The ticket form inside the dialogue engine: each message is heard, and what comes next is asked."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot import ticket_form
from bot.actions.saying import context_of, entity_of, intent_of, say, text_of
from bot.actions.small_talk import SMALL
from bot.answering import Answering
from bot.filing import Between, Filing, filed
from bot.ticket_form import FIELDS, Command, Unheard
from bot.turns import Outcome, Reply
from handoff.tickets import OTHER, TICKET_NO, Reason, Urgency
from kb.search import Band

Events = list[dict[str, Any]]
# A text this long that is no value is a piece of the story.
_TELLS_MORE = 8
_ACTION = {
    "greet": "action_greet",
    "handoff": "action_handoff",
    "file_ticket": "action_handoff",
    "open_entry": "action_open_entry",
    "none_of_these": "action_none_of_these",
    "my_tickets": "action_my_tickets",
    "ticket_status": "action_ticket_status",
    **dict.fromkeys(SMALL, "action_small_talk"),
}
"""What answers an intent outside the form, as in the rules; all others are questions."""


class TicketFormActions:
    FIELDS = FIELDS

    def __init__(self, answering: Answering, filing: Filing) -> None:
        self._answering = answering
        self._filing = filing

    async def hear(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """One message inside the form: an order, a correction, a value, or a question that is answered on the way."""
        asked = tracker.get_slot("requested_slot")
        if asked is None:
            return []  # The form has just begun: nothing was asked, so nothing was heard.
        values = {field: tracker.get_slot(field) for field in FIELDS}
        # Rasa has already put the raw message into the slot that was asked for.
        if asked in values:
            values[asked] = None
        text = text_of(tracker)
        between = await to_thread.run_sync(self._filing.between, context_of(tracker))
        if between is Between.PERSON:
            return _end("left", values)
        if text.startswith("/"):
            return await self._pressed(dispatcher, tracker, asked, values)
        order = (between is Between.RESUMING and ticket_form.resumes(text)) or ticket_form.command(text, asked)
        if order is Command.CANCEL:
            return _end("cancelled", values)
        if order is Command.HANDOFF:
            return _end("handed_off", values)
        if order is Command.RESUME:
            return _ask(asked, values)
        if between is Between.NEWS:
            say(dispatcher, ticket_form.resume(asked))
            return [*_ask(asked, values), _SAID]
        if order is Command.CONFIRM:
            return _end("confirmed", values)
        if ticket_form.grumbles(text):
            say(dispatcher, ticket_form.soothe(asked))
            return [*_ask(asked, values), _SAID]
        if ticket_form.asks_for_tickets(text) and (asked != "description" or text == "我的工单"):
            number = TICKET_NO.search(text)
            show = (self._filing.one, number[0].upper()) if number else (self._filing.mine,)
            say(dispatcher, await to_thread.run_sync(*show, context_of(tracker)))
            return _ask(asked, values)
        if change := ticket_form.correction(text) or ticket_form.value_of_another(text, asked):
            return self._correct(dispatcher, change, asked, values)
        if asked == "confirmed":
            return await self._heard_instead_of_yes(dispatcher, tracker, values)
        return await self._heard_value(dispatcher, tracker, asked, text, values)

    async def _pressed(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, asked: str, values: dict[str, Any]
    ) -> Events:
        """A button that is none of the form's: an older choice or a follow-up."""
        context, intent = context_of(tracker), intent_of(tracker)
        if intent == "handoff":
            return _end("handed_off", values)
        if intent == "open_entry":
            reply, outcome = await to_thread.run_sync(
                self._answering.open, entity_of(tracker, "entry_id") or "", context
            )
            say(dispatcher, reply, outcome)
        elif intent == "ticket_status":
            number = entity_of(tracker, "ticket_number") or ""
            say(dispatcher, await to_thread.run_sync(self._filing.one, number, context))
        elif intent == "my_tickets":
            say(dispatcher, await to_thread.run_sync(self._filing.mine, context))
        return _ask(asked, values)

    def _correct(
        self,
        dispatcher: CollectingDispatcher,
        change: ticket_form.Correction,
        asked: str,
        values: dict[str, Any],
    ) -> Events:
        if change.value is None:
            return _ask(change.field, values | {change.field: None})
        try:
            values[change.field] = ticket_form.hear(change.field, change.value)
        except Unheard as unheard:
            say(dispatcher, Reply(unheard.hint))
            return _ask(change.field, values | {change.field: None})
        return _ask(_next(values, asked if values.get(asked) is None else None), values)

    async def _heard_instead_of_yes(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, values: dict[str, Any]
    ) -> Events:
        """At the summary: a question is answered; anything else is shown the summary again."""
        text = text_of(tracker)
        if not await self._answered(dispatcher, tracker):
            if len(text) >= _TELLS_MORE:
                return await self._told_more(dispatcher, tracker, "confirmed", text, values)
            say(dispatcher, Reply("请点“提交”确认，或告诉我要修改哪一项，例如“修改描述”；不提了就点“取消”。"))
        return _ask("confirmed", values)

    async def _heard_value(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, asked: str, text: str, values: dict[str, Any]
    ) -> Events:
        asks = asked == "description" and ticket_form.looks_like_question(text) and not text.startswith("描述:")
        if asks and await self._answered(dispatcher, tracker, (Band.ANSWER,)):
            say(dispatcher, ticket_form.describe_again(text))
            return [SlotSet("description", None), SlotSet("requested_slot", "description"), _SAID]
        try:
            values[asked] = ticket_form.hear(asked, text)
            if asked == "description":
                await self._note(text, values)
        except Unheard as unheard:
            if len(text) > 3 and await self._answered(dispatcher, tracker):
                return _ask(asked, values)
            if len(text) >= _TELLS_MORE:
                return await self._told_more(dispatcher, tracker, asked, text, values)
            say(dispatcher, ticket_form.ask(asked, unheard.hint))
            return [*_slots(values), SlotSet("requested_slot", asked), _SAID]
        return _ask(_next(values), values)

    async def _told_more(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, asked: str, text: str, values: dict[str, Any]
    ) -> Events:
        """An impatient employee tells what happened whatever was asked: it goes to the description."""
        known = values.get("description")
        values["description"] = ticket_form.hear("description", f"{known}；{text}" if known else text)
        if asked == "business_type":
            values["business_type"] = await self._business_of(tracker)
        called = await self._note(text, values)
        say(dispatcher, Reply("已记到问题描述里，电话记为联系方式。" if called else "已记到问题描述里。"))
        return _ask(_next(values), values)

    async def _note(self, text: str, values: dict[str, Any]) -> bool:
        """What a story tells besides: a telephone number, and that it is an emergency. Whether there was a number."""
        number = ticket_form.phone_in(text)
        values["contact"] = number or values["contact"]
        if values["urgency"] is None and await to_thread.run_sync(self._filing.alarms, text):
            values["urgency"] = Urgency.EMERGENCY
        return number is not None

    async def _business_of(self, tracker: Tracker) -> str | None:
        text = text_of(tracker)
        if guessed := ticket_form.guess_business_type(text):
            return guessed
        result = await to_thread.run_sync(self._answering.search, text, context_of(tracker))
        return result.candidates[0].entry.business_type if result.candidates else None

    async def _answered(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        bands: tuple[Band, ...] | None = None,
    ) -> bool:
        """Answer a question in the middle; choices are offered only to what reads like a question."""
        text, context = text_of(tracker), context_of(tracker)
        if bands is None:
            bands = (Band.ANSWER, Band.CLARIFY) if ticket_form.looks_like_question(text) else (Band.ANSWER,)
        result = await to_thread.run_sync(self._answering.search, text, context)
        if result.band not in bands:
            return False
        reply, outcome = self._answering.reply_to(text, result, context)
        say(dispatcher, reply, outcome)
        return True

    def asks(self, field: str) -> Any:
        """The action that asks for `field`; silent when this turn has already asked for it in better words."""

        async def ask(dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
            if tracker.get_slot("form_outcome") == "said":
                return [SlotSet("form_outcome", None)]
            if field == "confirmed":
                say(dispatcher, ticket_form.summary({name: tracker.get_slot(name) for name in FIELDS}))
            else:
                say(dispatcher, ticket_form.ask(field))
            return []

        return ask

    async def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """File what was confirmed, or what is known when a person is wanted at once; say that nothing was filed; or, where a
        person came in between, answer what was said as if there had been no form."""
        outcome = tracker.get_slot("form_outcome")
        cleared = [SlotSet(name, None) for name in (*FIELDS, "confirmed", "form_outcome", "handoff_reason")]
        if outcome == "cancelled":
            say(dispatcher, Reply("好的，已取消，没有提交工单。有问题随时问我。"))
            return cleared
        if outcome == "left":
            return [*cleared, FollowupAction(_ACTION.get(intent_of(tracker), "action_answer"))]
        values = {field: tracker.get_slot(field) or "" for field in FIELDS}
        values["business_type"] = values["business_type"] or OTHER
        values["description"] = values["description"] or tracker.get_slot("last_question") or ""
        reason = Reason(tracker.get_slot("handoff_reason") or Reason.CUSTOMER_REQUEST)
        ticket = await to_thread.run_sync(self._filing.file, context_of(tracker), values, reason)
        say(dispatcher, filed(ticket, context_of(tracker)), Outcome())
        return [*cleared, SlotSet("filed_ticket", ticket.number), SlotSet("misses", 0)]


_SAID = SlotSet("form_outcome", "said")


def _slots(values: dict[str, Any]) -> Events:
    return [SlotSet(field, value) for field, value in values.items()]


def _next(values: dict[str, Any], prefer: str | None = None) -> str:
    """The next field to ask for: the preferred one, the first that is unknown, then the confirmation."""
    if prefer and prefer in values:
        return prefer
    return next((field for field in FIELDS if values[field] is None), "confirmed")


def _ask(field: str, values: dict[str, Any]) -> Events:
    return [*_slots(values), SlotSet("confirmed", None), SlotSet("requested_slot", field)]


def _end(outcome: str, values: dict[str, Any]) -> Events:
    return [*_slots(values), SlotSet("form_outcome", outcome), SlotSet("requested_slot", None)]
