"""A conversation's events, bounded: the last turns as they were, and before them just enough to restore the state.

A turn's cost grows with the events of its conversation: they are read, replayed, featurized and written back at each
message. What the rules and forms look at is the state and the states of the turn before it (a rule has one user message:
`restrict_rules` in config.yml, which Rasa checks in training); the rest is in the transcript.
"""

from __future__ import annotations

# A conversation may hold MAX_TURNS user messages; when it holds more, the last KEEP_TURNS stay as they were.
MAX_TURNS = 3
KEEP_TURNS = 2


def compact(tracker, max_turns: int = MAX_TURNS, keep_turns: int = KEEP_TURNS) -> list:
    """The tracker's events, or, with more than `max_turns` user messages in its session, fewer that lead to the same state.

    The cut is made where the conversation waits for the user. In place of what comes before stand: the start of the session;
    the slots that are set; for a form in progress the message that opened it, its start and its rejection if it was rejected;
    and the listening. All synthetic events bear the time of the cut, so that replaying by time cannot split them.
    A turn that was just taken back (`/back`) needs the turns before it: nothing is cut until it lies before the cut.
    """
    from rasa.shared.core.constants import ACTION_LISTEN_NAME
    from rasa.shared.core.events import ActionExecuted, ActionReverted, UserUtteranceReverted, UserUttered

    events = list(tracker.events)
    events = events[session_start(events) :]
    said = [i for i, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(said) <= max_turns:
        return events

    for turn in range(keep_turns, len(said)):
        cut = said[-turn]
        before = events[cut - 1] if cut else None
        if any(isinstance(event, (ActionReverted, UserUtteranceReverted)) for event in events[cut:]):
            return events
        if isinstance(before, ActionExecuted) and before.action_name == ACTION_LISTEN_NAME:
            return [*prefix(tracker, events[:cut], events[cut].timestamp), *events[cut:]]
    return events


def session_start(events: list) -> int:
    """The index at which the last session starts (its `action_session_start`), 0 when none does."""
    from rasa.shared.core.constants import ACTION_SESSION_START_NAME
    from rasa.shared.core.events import ActionExecuted, SessionStarted

    for i in range(len(events) - 1, -1, -1):
        if isinstance(events[i], SessionStarted):
            before = events[i - 1] if i else None
            started = isinstance(before, ActionExecuted) and before.action_name == ACTION_SESSION_START_NAME
            return i - 1 if started else i
    return 0


def prefix(tracker, past: list, at: float) -> list:
    """Events that lead from nothing to the state in which `past` leaves a tracker like this one, all at time `at`."""
    from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
    from rasa.shared.core.events import (
        ActionExecuted,
        ActionExecutionRejected,
        ActiveLoop,
        ConversationPaused,
        SessionStarted,
        SlotSet,
    )

    then = tracker.init_copy()
    for event in past:
        then.update(event)  # not apply_to: a turn that is taken back replays the events before it

    restored = [ActionExecuted(ACTION_SESSION_START_NAME, timestamp=at), SessionStarted(timestamp=at)]
    loop = then.active_loop
    if loop is not None and loop.name:
        opener = opening_message(past, loop.name)
        if opener is not None:
            restored += [ActionExecuted(ACTION_LISTEN_NAME, timestamp=at), at_time(opener, at)]
        restored += [ActionExecuted(loop.name, timestamp=at), ActiveLoop(loop.name, timestamp=at)]
    restored += [
        SlotSet(name, slot.value, timestamp=at) for name, slot in then.slots.items() if slot.value != slot.initial_value
    ]
    if loop is not None and loop.name and loop.rejected:
        restored.append(ActionExecutionRejected(loop.name, timestamp=at))
    if then.is_paused():
        restored.append(ConversationPaused(timestamp=at))
    restored.append(ActionExecuted(ACTION_LISTEN_NAME, timestamp=at))
    return restored


def opening_message(past: list, loop: str):
    """The user's message that opened the loop that is active at the end of `past`; None when it is not known."""
    from rasa.shared.core.events import ActiveLoop, UserUttered

    opened = next(
        (i for i in range(len(past) - 1, -1, -1) if isinstance(past[i], ActiveLoop) and past[i].name == loop), None
    )
    if opened is None:
        return None
    return next((past[i] for i in range(opened, -1, -1) if isinstance(past[i], UserUttered)), None)


def at_time(message, at: float):
    """The same user message at another time."""
    import copy

    twin = copy.copy(message)
    twin.timestamp = at
    return twin
