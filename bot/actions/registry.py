"""The actions that the dialogue engine may call, in one executor that the front door serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from bot.actions import questions, small_talk, tickets
from bot.actions.form import TicketFormActions
from bot.answering import Answering
from bot.filing import Filing

Events = list[dict[str, Any]]
Run = Callable[[CollectingDispatcher, Tracker, dict[str, Any]], Awaitable[Events]]


def action_executor(answering: Answering, filing: Filing) -> ActionExecutor:
    """An executor that knows every action of `bot/domain.yml`."""
    form = TicketFormActions(answering, filing)
    answer = questions.Answer(answering, filing)
    actions: dict[str, Run] = {
        "action_answer": answer,
        "action_open_entry": questions.OpenEntry(answering),
        "action_none_of_these": questions.NoneOfThese(answering, answer),
        "action_greet": small_talk.Greet(answering),
        "action_small_talk": small_talk.SmallTalk(answering, answer),
        "action_handoff": tickets.Handoff(answer, answering, filing),
        "action_my_tickets": tickets.MyTickets(filing),
        "action_ticket_status": tickets.TicketStatus(filing),
        "action_finish_ticket": form.finish,
        "validate_ticket_form": form.hear,
        **{f"action_ask_{field}": form.asks(field) for field in (*form.FIELDS, "confirmed")},
    }
    executor = ActionExecutor()
    for name, run in actions.items():
        executor.register_function(name, run)
    return executor
