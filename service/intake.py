"""What channels call back with is stored before it is acknowledged: what comes while something is being written, is written together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread

from connectors import arrivals
from connectors.arrivals import Incoming
from core.database import Database


class Intake:
    """Takes callbacks in, in one event loop. One transaction at a time: under load it holds many, so that it waits for others who
    write once, and not once for each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Incoming, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._readers, self._writer = CapacityLimiter(2), CapacityLimiter(1)

    async def take(self, read: Callable[[], Incoming]) -> bool:
        """Store what `read` (called in a thread, since it verifies and decrypts) returns; False where it had arrived before.
        Raises what `read` and the database raise: only what is stored may be acknowledged."""
        incoming = await to_thread.run_sync(read, limiter=self._readers)
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                await self._written(together)
        finally:
            self._writing = None

    async def _written(self, together: list[tuple[Incoming, asyncio.Future[bool]]]) -> None:
        incoming = [one for one, _ in together]
        try:
            new = await to_thread.run_sync(arrivals.store_all, self._database, incoming, limiter=self._writer)
        except Exception as error:
            if len(together) > 1:  # What cannot be stored keeps nobody else from it.
                for one in together:
                    await self._written([one])
            elif not together[0][1].done():
                together[0][1].set_exception(error)
            return
        for (_, stored), one in zip(together, new, strict=True):
            if not stored.done():  # Who called may have hung up.
                stored.set_result(one)
