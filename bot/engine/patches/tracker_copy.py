"""A tracker is copied by its state, not by replaying its events: each action of a turn starts with a copy."""

from __future__ import annotations

import functools
from typing import Any

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.copy", "7d155a6c870a737b"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.travel_back_in_time", "52569ebd74b77328"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.init_copy", "5be2ef789ecc7ecf"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.__init__", "8d424aecbb063228"),
    Expectation("rasa.shared.core.trackers:TrackerActiveLoop", "e1a0da31eeaaa106"),
    Expectation("rasa.shared.core.slots:Slot.__init__", "765fae3eb7547028"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker.update", "76dd9da6c83ca4d3"),
    Expectation("rasa.shared.core.trackers:DialogueStateTracker._reset", "a5fdb9694fd2d41e"),
)


def bind() -> None:
    """Replace `copy`. The copy shares events and values with the original, as the stock copy does, and no container."""
    from rasa.shared.constants import DEFAULT_SENDER_ID
    from rasa.shared.core.trackers import DialogueStateTracker

    stock = DialogueStateTracker.copy

    @functools.wraps(stock)
    def copy(self):
        twin = _twin(self)
        twin.slots = {name: _twin(slot) for name, slot in self.slots.items()}
        twin.events = self._create_events(self.events)
        twin.active_loop = None if self.active_loop is None else _twin(self.active_loop)
        twin.sender_id = self.sender_id or DEFAULT_SENDER_ID
        twin.sender_source = twin.model_id = twin.assistant_id = None
        return twin

    DialogueStateTracker.copy = copy


def _twin(original: Any) -> Any:
    """An object with the same attributes: `copy.copy` without its detours, for classes that have no way of their own."""
    twin = object.__new__(type(original))
    twin.__dict__.update(original.__dict__)
    return twin
