"""Telling other processes, and hearing from them, that something has arrived, so that nobody waits for the next look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

ARRIVED = "fssc:arrived"
"""The Redis channel; what is said there is the name of a channel that has stored something."""
_PATIENCE = 30.0
_TOGETHER = 0.02
"""Seconds: what arrives in a burst is told together."""


class Bell:
    """Tells the processes that answer. Whoever rings does not wait, and nobody is the worse when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ringing: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def ring(self, channel: str) -> None:
        """`channel` has stored something. To be called in the event loop."""
        if channel in self._ringing:
            self._again.add(channel)
        else:
            self._ringing[channel] = asyncio.create_task(self._ring(channel))

    async def _ring(self, channel: str) -> None:
        try:
            while True:
                self._again.discard(channel)
                await self._redis.publish(ARRIVED, channel)
                await asyncio.sleep(_TOGETHER)
                if channel not in self._again:
                    return
        except RedisError as error:
            log.warning("bell_not_heard", failed=type(error).__name__)
        finally:
            del self._ringing[channel]


async def listen(redis: Redis, wake: Callable[[], None]) -> None:
    """Call `wake` for everything that is told, until Redis is gone. Lost words do no harm: arrivals wait in the database."""
    try:
        async with redis.pubsub() as heard:
            await heard.subscribe(ARRIVED)
            while True:
                if await heard.get_message(ignore_subscribe_messages=True, timeout=_PATIENCE):
                    wake()
    except RedisError as error:
        log.warning("not_listening", failed=type(error).__name__)
