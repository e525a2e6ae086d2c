"""Whether a domain is empty is found out once: each message asks, and the answer dumps and compares two whole domains."""

from __future__ import annotations

import functools

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.shared.core.domain:Domain.is_empty", "5c56c715d93a6a3b"),
    Expectation("rasa.core.processor:MessageProcessor._check_for_unseen_features", "efe3dd607f9f3a68"),
)


def bind() -> None:
    """Replace `Domain.is_empty` by one that remembers; a domain that is served does not change."""
    from rasa.shared.core.domain import Domain

    stock = Domain.is_empty

    @functools.wraps(stock)
    def is_empty(self) -> bool:
        known = self.__dict__.get("_fssc_empty")
        if known is None:
            known = self.__dict__["_fssc_empty"] = stock(self)
        return known

    Domain.is_empty = is_empty
