"""转人工, 我的工单 and a ticket's number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot import ticket_form
from bot.actions.saying import context_of, entity_of, intent_of, previous_of, say, text_of
from bot.answering import Answering
from bot.filing import Filing
from bot.turns import TurnContext
from handoff.tickets import BUSINESS_TYPES, TICKET_NO, Reason, Urgency

# A shorter remark beside the order is no description.
_DESCRIBES = 6
Run = Callable[[CollectingDispatcher, Tracker, dict[str, Any]], Awaitable[list[dict[str, Any]]]]
_BUSINESS_OF_PAGE = {
    "expense.travel": "差旅报销",
    "expense.daily": "日常报销",
    "advance": "借款与冲销",
    "payment": "应付与付款",
    "invoice": "发票",
    "document": "影像与单据退回",
}


class Handoff:
    """Start the ticket form with what is known; a person who was already called is not called twice. What was only taken for
    an order, and the knowledge base answers, is a question: 请客人均多少, 让助理帮我填单."""

    def __init__(self, answer: Run, answering: Answering, filing: Filing) -> None:
        self._answer = answer
        self._answering = answering
        self._filing = filing

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        text = text_of(tracker)
        ordered = text.startswith("/") or ticket_form.beside_order(text) != text or ticket_form.wants_person(text)
        asks = not ordered and len(text) > 8 and ticket_form.looks_like_question(text)
        if not ordered and not asks:
            asks = await self._answering.is_question(text, context_of(tracker), previous_of(tracker))
        if asks:
            return await self._answer(dispatcher, tracker, domain)
        return await begin_ticket(dispatcher, tracker, self._filing)


async def begin_ticket(dispatcher: CollectingDispatcher, tracker: Tracker, filing: Filing) -> list[dict[str, Any]]:
    """The form, filled in as far as page and conversation tell; or where the ticket stands that was just filed."""
    text, context = text_of(tracker), context_of(tracker)
    said = "" if text.startswith("/") else ticket_form.beside_order(text)
    said = "" if ticket_form.calls_back(said) else said
    number = tracker.get_slot("filed_ticket")
    again = number and len(said) < _DESCRIBES and intent_of(tracker) != "file_ticket"
    if again and (called := await to_thread.run_sync(filing.called, number, context)):
        say(dispatcher, called)
        return []
    description, known = _known(tracker, context, said)
    urgent = await to_thread.run_sync(filing.alarms, description)
    return [*known, *([SlotSet("urgency", Urgency.EMERGENCY)] if urgent else []), FollowupAction("ticket_form")]


def _known(tracker: Tracker, context: TurnContext, said: str) -> tuple[str, list[dict[str, Any]]]:
    """The description, and the slots that are known with it."""
    shown = tracker.get_slot("last_shown") or []
    missed = int(tracker.get_slot("misses") or 0) > 0
    # A ticket that is asked for out of the blue is about something new; a person is called about what was just asked.
    asked = tracker.get_slot("last_question") if missed or intent_of(tracker) != "file_ticket" else None
    description = ticket_form.describing(said if len(said) >= _DESCRIBES else (asked or ""))
    document = ticket_form.DOCUMENT_NO.search(description)
    business = ticket_form.guess_business_type(description) if description else None
    if business is None and description and description == asked and not missed:
        business = _agreed(shown)
    if business is None:
        business = next((b for prefix, b in _BUSINESS_OF_PAGE.items() if context.place.page.startswith(prefix)), None)
    identity = context.identity
    known = None if identity.anonymous else f"{identity.name or ''}（{identity.employee_no}）"
    return description, [
        SlotSet("business_type", business if business in BUSINESS_TYPES else None),
        SlotSet("description", description or None),
        SlotSet("urgency", ticket_form.guess_urgency(said) if said else None),
        SlotSet("document_no", document[1].upper() if document else (context.place.document_no or None)),
        SlotSet("contact", ticket_form.phone_in(f"{text_of(tracker)} {description}") or known),
        SlotSet("confirmed", None),
        SlotSet("form_outcome", None),
        SlotSet("handoff_reason", Reason.MISSING_KNOWLEDGE if missed else Reason.CUSTOMER_REQUEST),
    ]


def _agreed(shown: list[dict[str, Any]]) -> str | None:
    """The business of what was found for a question, where the best few are of one."""
    found = {one.get("business_type") for one in shown[:3]}
    return found.pop() if len(found) == 1 else None


class MyTickets:
    def __init__(self, filing: Filing) -> None:
        self._filing = filing

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        context = context_of(tracker)
        if number := TICKET_NO.search(text_of(tracker)):
            say(dispatcher, await to_thread.run_sync(self._filing.one, number[0].upper(), context))
        else:
            say(dispatcher, await to_thread.run_sync(self._filing.mine, context))
        return []


class TicketStatus:
    """A ticket by its number, typed or pressed."""

    def __init__(self, filing: Filing) -> None:
        self._filing = filing

    async def __call__(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        context = context_of(tracker)
        number = TICKET_NO.search(entity_of(tracker, "ticket_number") or text_of(tracker))
        if number:
            say(dispatcher, await to_thread.run_sync(self._filing.one, number[0].upper(), context))
        else:
            say(dispatcher, await to_thread.run_sync(self._filing.mine, context))
        return []
