"""How an action reads the turn and says its replies: the bridge between Rasa's tracker and our types."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.follow_up import Previous
from bot.turns import Outcome, Reply, TurnContext


def context_of(tracker: Tracker) -> TurnContext:
    return TurnContext.from_dict(tracker.latest_message["metadata"]["turn"])


def text_of(tracker: Tracker) -> str:
    return tracker.latest_message.get("text") or ""


def intent_of(tracker: Tracker) -> str:
    return (tracker.latest_message.get("intent") or {}).get("name") or ""


def confidence_of(tracker: Tracker) -> float:
    return (tracker.latest_message.get("intent") or {}).get("confidence") or 0.0


def entity_of(tracker: Tracker, name: str) -> str | None:
    return next(tracker.get_latest_entity_values(name), None)


def previous_of(tracker: Tracker) -> Previous | None:
    """The question before this one; None where it found nothing."""
    question = tracker.get_slot("last_question")
    found = question and not tracker.get_slot("misses")
    return Previous(question, tracker.get_slot("last_entry") or "") if found else None


def say(dispatcher: CollectingDispatcher, reply: Reply, outcome: Outcome | None = None) -> None:
    dispatcher.utter_message(json_message={"reply": reply.to_dict(), "outcome": outcome.to_dict() if outcome else None})
