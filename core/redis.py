"""Redis: locks and counters that several processes share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import LockError, RedisError

log = structlog.get_logger()


@asynccontextmanager
async def exclusive(redis: Redis, name: str, *, hold: float, wait: float) -> AsyncIterator[bool]:
    """Hold the lock `name` for at most `hold` seconds, waiting `wait` for it.

    Yields False, and goes on without it, when Redis is down: the database's claims still keep a message
    from being answered twice, only the order of two messages sent at once is then not sure.
    Raises TimeoutError when somebody else keeps the lock.
    """
    lock = redis.lock(f"fssc:lock:{name}", timeout=hold, blocking_timeout=wait, sleep=0.02)
    try:
        if not await lock.acquire():
            raise TimeoutError(name)
    except RedisError as error:
        log.warning("redis_unavailable", error=str(error))
        yield False
        return
    try:
        yield True
    finally:
        try:
            await lock.release()
        except (LockError, RedisError) as error:
            log.warning("lock_not_released", name=name, error=str(error))


async def within_rate(redis: Redis, key: str, limit: int, seconds: int = 60) -> bool:
    """Count one use of `key`; False when it was used more than `limit` times in this window. True if Redis is down."""
    name = f"fssc:rate:{key}"
    try:
        async with redis.pipeline(transaction=True) as pipe:
            used, _ = await pipe.incr(name).expire(name, seconds, nx=True).execute()
    except RedisError:
        return True
    return int(used) <= limit
