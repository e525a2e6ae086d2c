"""What a process does again and again beside its work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger()


async def every(seconds: float, job: Callable[[], Awaitable[Any]]) -> None:
    """Do `job`, rest, and again, until cancelled. What it raises is logged."""
    while True:
        try:
            await job()
        except Exception as error:
            log.error("background_job_failed", job=getattr(job, "__qualname__", repr(job)), error=repr(error))
        await asyncio.sleep(seconds)
