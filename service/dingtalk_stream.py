"""DingTalk's Stream mode: one connection to its gateway, held by one process at a time: `python -m service.dingtalk_stream`.

Any number of these processes may run. The one that has the lease in Redis is connected; when it dies the lease runs out and
another takes over. A message is acknowledged once it is stored; what was not is sent again by DingTalk and known by its id,
so nothing is lost or doubled while they change places.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import structlog
from dingtalk_stream import AckMessage, Credential, DingTalkStreamClient
from dingtalk_stream.frames import CallbackMessage, Headers
from redis import Redis
from redis.exceptions import LockError, RedisError

from connectors.connected import Connected
from connectors.delivery import Busy, NotSent, Unsure
from connectors.dingtalk.app import STREAM, DingtalkConnector
from connectors.dingtalk.client import DingtalkError
from connectors.dingtalk.envelope import BadCallback
from service.listening import ARRIVED

log = structlog.get_logger()

LEASE = 6.0
_RENEW_EVERY, _LOOK_EVERY = 2.0, 1.0
_TOPIC = "/v1.0/im/bot/messages/get"
_STEADY = 5.0
"""Seconds between two reconnections without a pause: a gateway that throws us out at once is not called without end."""


class _Quiet(logging.Handler):
    """What the SDK logs, without its arguments: they hold messages and tickets."""

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log.warning("dingtalk_stream", said=str(record.msg).split(",")[0][:80], failed=failed)


def _logger() -> logging.Logger:
    made = logging.getLogger("fssc.dingtalk_stream")
    made.handlers, made.propagate = [_Quiet(logging.WARNING)], False
    return made


class StreamClient(DingTalkStreamClient):
    """The official client with three things of ours: frames are taken raw, the ticket is asked for by our client, and after a
    `disconnect` it is back at once. `stored` is called after each new message."""

    RECONNECT_MAX_DELAY_SECONDS = 15

    def __init__(self, robot: DingtalkConnector, stored: Callable[[], None]) -> None:
        super().__init__(Credential("", ""), logger=_logger())
        self._robot, self._stored = robot, stored
        self._in_order = asyncio.Lock()
        self._last_back = -_STEADY

    def open_connection(self) -> dict[str, Any] | None:
        try:
            found = self._robot.client.gateway()
            return {"endpoint": str(found["endpoint"]), "ticket": str(found["ticket"])}
        except DingtalkError as error:
            self._robot.alert(error)
        except (NotSent, Unsure, Busy, KeyError) as error:
            log.warning("dingtalk_gateway", failed=type(error).__name__)
        return None

    def _reconnect_delay(self, attempt: int) -> float:
        if attempt == 0 and time.monotonic() - self._last_back >= _STEADY:
            self._last_back = time.monotonic()
            return 0.0
        return super()._reconnect_delay(attempt)

    async def _dispatch_message(self, json_message: dict[str, Any]) -> tuple[str, AckMessage | None]:
        if json_message.get("type") != CallbackMessage.TYPE:
            return await super()._dispatch_message(json_message)
        headers = json_message.get("headers")
        headers = headers if isinstance(headers, dict) else {}
        if headers.get("topic") == _TOPIC:
            async with self._in_order:
                await asyncio.to_thread(self._take, json_message.get("data"))
        ack = AckMessage()
        ack.headers.message_id = headers.get("messageId")
        ack.headers.content_type = Headers.CONTENT_TYPE_APPLICATION_JSON
        ack.data = {"response": "OK"}
        return "", ack

    def _take(self, data: Any) -> None:
        """Whatever the database raises keeps it from being acknowledged."""
        try:
            if self._robot.take(self._robot.loaded(data), signed=False):
                self._stored()
        except BadCallback:
            log.warning("dingtalk_frame_ignored")


class StreamKeeper:
    """Holds the connection while the channel is on, in Stream mode, and the lease is ours."""

    def __init__(self, connected: Connected, redis: Redis) -> None:
        self._connected, self._redis = connected, redis

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            robot = await asyncio.to_thread(self._wanted)
            if robot is not None:
                lease = self._redis.lock(robot.lease, timeout=LEASE, thread_local=False)
                if await asyncio.to_thread(self._taken, lease):
                    await self._lead(robot, lease, stop)
                    continue
            await _pause(stop, _LOOK_EVERY)

    def _wanted(self) -> DingtalkConnector | None:
        try:
            found = self._connected.get("dingtalk")
        except Exception as error:
            log.warning("dingtalk_not_looked_at", failed=type(error).__name__)
            return None
        return found if isinstance(found, DingtalkConnector) and found.mode == STREAM else None

    async def _lead(self, robot: DingtalkConnector, lease: Any, stop: asyncio.Event) -> None:
        log.info("dingtalk_stream_leading", pid=os.getpid())
        client = StreamClient(robot, self._tell)
        connection = asyncio.create_task(client.start())
        try:
            while not stop.is_set() and not connection.done():
                await _pause(stop, _RENEW_EVERY)
                if not await asyncio.to_thread(self._renewed, lease):
                    break
                if await asyncio.to_thread(self._wanted) is not robot:
                    break
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
            await asyncio.to_thread(_given_up, lease)
            log.info("dingtalk_stream_left", pid=os.getpid())

    @staticmethod
    def _taken(lease: Any) -> bool:
        try:
            return bool(lease.acquire(blocking=False))
        except RedisError as error:
            log.warning("dingtalk_lease", failed=type(error).__name__)
            return False

    @staticmethod
    def _renewed(lease: Any) -> bool:
        """Whether it is still ours. While Redis cannot be asked nobody else can take it."""
        try:
            return bool(lease.extend(LEASE, replace_ttl=True))
        except LockError:
            return False
        except RedisError as error:
            log.warning("dingtalk_lease", failed=type(error).__name__)
            return True

    def _tell(self) -> None:
        try:
            self._redis.publish(ARRIVED, "dingtalk")
        except RedisError:
            return


def _given_up(lease: Any) -> None:
    try:
        lease.release()
    except (LockError, RedisError):
        return


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def main() -> None:
    """Keep the connection until told to stop; started by the supervisor."""
    from core.database import Database
    from core.logs import configure_logs
    from core.settings import Settings
    from service.connecting import connected_of

    settings = Settings()
    configure_logs(settings.log_level)
    database = Database(settings.database)
    keeper = StreamKeeper(connected_of(settings, database), Redis.from_url(settings.redis_url, socket_timeout=5))

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await keeper.run(stop)

    asyncio.run(run())
    database.close()


if __name__ == "__main__":
    main()
