"""One message of a conversation at a time: in order within an engine, one engine at a time across engines.

Rasa's ticket lock polls once a second, reads and writes Redis seven times a turn, and its tickets are not atomic.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rasa.core.lock_store import LockError, LockStore

KEY = "fssc:turn:"
# A turn that takes longer has lost its right to the conversation: its engine is dead or stuck.
LIFETIME_S = 60.0
WAIT_S = 30.0
POLL_S = 0.02

_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


def lock_store(redis_url: str | None) -> LockStore:
    """The lock store for `redis_url`; within this process without one."""
    return RedisTurns(redis_url) if redis_url else Turns()


class Turns(LockStore):
    """Turns within one engine: a waiter is woken when the turn before it ends, first come first served."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = LIFETIME_S, wait_time_in_seconds: float = POLL_S
    ) -> AsyncIterator[None]:
        """Hold the conversation; LockError after `WAIT_S` seconds of waiting."""
        turn, users = self._turns.get(conversation_id, (None, 0))
        turn = turn or asyncio.Lock()
        self._turns[conversation_id] = (turn, users + 1)
        try:
            try:
                await asyncio.wait_for(turn.acquire(), WAIT_S) if turn.locked() else await turn.acquire()
            except TimeoutError:
                raise LockError(f"The conversation {conversation_id} is still busy after {WAIT_S:.0f} s.") from None
            try:
                async with self._across_engines(conversation_id, lock_lifetime):
                    yield None
            finally:
                turn.release()
        finally:
            turn, users = self._turns[conversation_id]
            if users == 1:
                del self._turns[conversation_id]
            else:
                self._turns[conversation_id] = (turn, users - 1)

    @asynccontextmanager
    async def _across_engines(self, conversation_id: str, lifetime_s: float) -> AsyncIterator[None]:
        yield None


class RedisTurns(Turns):
    """The same, and the conversation is held in Redis too, for the engines beside this one."""

    def __init__(self, url: str) -> None:
        import redis

        super().__init__()
        self._redis = redis.Redis.from_url(url, socket_timeout=5.0, health_check_interval=30)
        self._release = self._redis.register_script(_RELEASE)

    @asynccontextmanager
    async def _across_engines(self, conversation_id: str, lifetime_s: float) -> AsyncIterator[None]:
        key, mine = KEY + conversation_id, uuid.uuid4().hex
        gives_up = time.monotonic() + WAIT_S
        while not self._redis.set(key, mine, nx=True, px=int(lifetime_s * 1000)):
            if time.monotonic() > gives_up:
                raise LockError(f"The conversation {conversation_id} is still busy after {WAIT_S:.0f} s.")
            await asyncio.sleep(POLL_S)
        try:
            yield None
        finally:
            self._release(keys=[key], args=[mine])
