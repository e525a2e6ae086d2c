"""A tracker is copied by its state, not by replaying its events: each action of a turn starts with a copy."""

from __future__ import annotations

import copy as copying
import dataclasses
import functools

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.copy", "7d155a6c870a737b"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.travel_back_in_time", "52569ebd74b77328"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.init_copy", "5be2ef789ecc7ecf"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.__init__", "8d424aecbb063228"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.update", "76dd9da6c83ca4d3"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker._reset", "a5fdb9694fd2d41e"),
)


def bind() -> None:
    """Replace `copy`. The copy shares events and values with the original, as the stock copy does, and no container."""
    from rasa.shared.core.trackers import DialogueStateTracker

    stock = DialogueStateTracker.copy

    @functools.wraps(stock)
    def copy(self):
        twin = self.init_copy()
        twin.slots = {name: copying.copy(slot) for name, slot in self.slots.items()}
        twin.events = self._create_events(self.events)
        twin._paused = self._paused
        twin.followup_action = self.followup_action
        twin.latest_action = self.latest_action
        twin.latest_message = self.latest_message
        twin.latest_bot_utterance = self.latest_bot_utterance
        twin.active_loop = None if self.active_loop is None else dataclasses.replace(self.active_loop)
        return twin

    DialogueStateTracker.copy = copy
