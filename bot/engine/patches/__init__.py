"""Patches: each replaces one function of Rasa 3.6.21 by a cheaper one that does the same.

A patch module has `EXPECTS` (what it expects of Rasa's code) and `bind()`. `bind()` here binds every patch whose expectations
hold; another is refused with an error in the log, and Rasa runs as it is: slower, never wrong.
"""

from __future__ import annotations

import logging
from types import ModuleType

from bot.engine.patches import (
    action_call,
    action_result,
    action_session,
    domain_empty,
    event_types,
    graph_run,
    rule_text,
    tracker_copy,
)

logger = logging.getLogger(__name__)

ALL: tuple[ModuleType, ...] = (
    action_result,
    action_call,
    action_session,
    domain_empty,
    event_types,
    graph_run,
    rule_text,
    tracker_copy,
)


def name(patch: ModuleType) -> str:
    """The patch's short name, as in the log."""
    return patch.__name__.rpartition(".")[2]


def bind() -> list[str]:
    """Bind what can be bound; the names of the patches that are bound."""
    bound = []
    for patch in ALL:
        broken = [e for e in patch.EXPECTS if not e.holds()]
        if broken:
            logger.error(
                "patch %s refused, Rasa runs without it: %s",
                name(patch),
                "; ".join(f"{e.target} is {e.found()}, expected {e.sha256}" for e in broken),
            )
            continue
        try:
            patch.bind()
        except Exception:
            logger.exception("patch %s could not be bound, Rasa runs without it", name(patch))
            continue
        bound.append(name(patch))
    return bound


async def close() -> None:
    """Let go of what the patches hold open."""
    await action_session.close()
