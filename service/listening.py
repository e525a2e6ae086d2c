"""Hearing from other processes that something has arrived, so that nobody waits for the next look."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

ARRIVED = "fssc:arrived"
"""The Redis channel; what is said there is the name of a channel that has stored something."""
_PATIENCE = 30.0


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
