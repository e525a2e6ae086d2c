"""One kept-alive HTTP session for all action calls of a loop, instead of a session and a connection for each."""

from __future__ import annotations

import asyncio
import functools

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.utils.endpoints:EndpointConfig.session", "344e3afe8c9a0cbf"),
    Expectation("rasa.utils.endpoints:EndpointConfig.request", "8472a3652cf5ff4c"),
)

_sessions: dict = {}


def bind() -> None:
    """Replace the maker of sessions by one that lends a session that stays open."""
    from rasa.utils.endpoints import EndpointConfig

    stock = EndpointConfig.session

    @functools.wraps(stock)
    def session(self):
        key = (id(asyncio.get_running_loop()), id(self))
        kept = _sessions.get(key)
        if kept is None or kept[1].closed:
            kept = (self, stock(self))
            _sessions[key] = kept
        return _Lent(kept[1])

    EndpointConfig.session = session


class _Lent:
    """A session as a context manager that does not close it on the way out."""

    def __init__(self, session) -> None:
        self._session = session

    async def __aenter__(self):
        return self._session

    async def __aexit__(self, *error) -> None:
        return None


async def close() -> None:
    """Close the sessions that were kept."""
    for _, session in _sessions.values():
        await session.close()
    _sessions.clear()
