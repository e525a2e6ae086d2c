"""Answers what arrives over the channels: `python -m service.channel_process`.

Apart from the front door, so that what a platform calls back with is acknowledged at once however much there is to answer.
Any number of these processes may run: an arrival is claimed before it is worked on. Messages stored by the front door or by
the stream process are heard of over Redis, or found at the next look.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial

import uvloop

from core.logs import configure_logs
from core.settings import Settings
from service.arriving import Arriving
from service.bootstrap import Desk, build_desk
from service.listening import listen
from service.repeating import every


async def _answer(desk: Desk) -> None:
    arriving = Arriving(
        desk.database, desk.redis, desk.dialogue, desk.deliverer, desk.connected, desk.settings.greeting_hours
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, arriving.stop)
    beside = [
        asyncio.create_task(every(seconds, job))
        for seconds, job in ((1.0, desk.knowledge.refresh_async), (1.0, partial(listen, desk.redis, arriving.wake)))
    ]
    try:
        await arriving.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await desk.close()


def main() -> None:
    """Answer until told to stop; started by the supervisor."""
    settings = Settings()
    configure_logs(settings.log_level)
    uvloop.run(_answer(build_desk(settings)))


if __name__ == "__main__":
    main()
