"""What an action is sent: the state, the last message, and a bounded window of events, not the conversation's whole history."""

from __future__ import annotations

import functools

from bot.engine.expectation import Expectation

# Enough for an action to look back over the last turns; what was said before is in the transcript.
WINDOW = 40

EXPECTS = (
    Expectation("rasa.core.actions.action:RemoteAction._action_call_format", "eb6b5667d432df53"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.current_state", "07d4cad2d3a8de0c"),
)


def bind() -> None:
    """Replace the call's format by one that sends the last `WINDOW` events and no domain."""
    import rasa
    from rasa.core.actions.action import RemoteAction
    from rasa.shared.core.trackers import EventVerbosity

    stock = RemoteAction._action_call_format

    @functools.wraps(stock)
    def call_format(self, tracker, domain):
        state = tracker.current_state(EventVerbosity.NONE)
        events = tracker.events
        first = max(0, len(events) - WINDOW)
        state["events"] = [events[i].as_dict() for i in range(first, len(events))]
        return {
            "next_action": self._name,
            "sender_id": tracker.sender_id,
            "tracker": state,
            "domain": domain_summary(domain),
            "version": rasa.__version__,
        }

    RemoteAction._action_call_format = call_format


_summary: tuple = (None, {})


def domain_summary(domain) -> dict:
    """The domain as the action server reads it, made once a domain: rebuilding and sending it all is a third of a call.

    Form validation asks it for its slots and forms, so those go; responses and intents stay here.
    """
    global _summary
    if _summary[0] is not domain:
        whole = domain.as_dict()
        _summary = (domain, {key: whole[key] for key in ("slots", "forms") if key in whole})
    return _summary[1]
