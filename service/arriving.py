"""What arrived over a channel becomes a turn of the dialogue, and its replies leave by the outbox."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from anyio import CapacityLimiter, from_thread, to_thread
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.dialogue import Begun, Dialogue, Inbound
from bot.turns import Place
from connectors import arrivals
from connectors.arrivals import Arrival
from connectors.connected import Connected
from connectors.delivery import Deliverer
from connectors.port import Connector, Received
from core.database import Database
from core.errors import InvalidInput, Unavailable
from core.outbox import deliver
from core.text import normalize
from core.transcript import current_conversation, current_options, locked, open_conversation, say
from service import apart, staff_choices

log = structlog.get_logger()

MOST_TEXT = 2000
_AT_ONCE, _MANY = 16, 12
_LOOK_EVERY = 2.0
_NUMBER = re.compile(r"[（(]?(\d{1,2})[)）.。、]?")
_SCORE = re.compile(r"rate:[^:]+:\d")
"""A score is said by itself: 5 is five points, not the fifth of the list."""


@dataclass(frozen=True)
class _Heard:
    """An arrival as it is understood; `options` are the choices that were shown last."""

    connector: Connector
    received: Received
    inbound: Inbound
    options: list[dict[str, Any]]


def _chosen(options: list[dict[str, Any]], text: str) -> str:
    """The choice that `text` means: its number in the list that was shown, or its very words."""
    number = _NUMBER.fullmatch(text)
    if number and 1 <= int(number[1]) <= len(options):
        choice = str(options[int(number[1]) - 1]["choice"])
        return "" if _SCORE.fullmatch(choice) else choice
    return next((str(one["choice"]) for one in options if normalize(one["label"]) == text), "")


class Arriving:
    """Works on arrivals: one at a time for each sender, several senders at once."""

    def __init__(
        self, database: Database, redis: Redis, dialogue: Dialogue, deliverer: Deliverer, connected: Connected,
        greeting_hours: int,
    ) -> None:  # fmt: skip
        self._database, self._redis, self._dialogue = database, redis, dialogue
        self._deliverer, self._connected = deliverer, connected
        self._greeting_seconds = greeting_hours * 3600
        self._woken = asyncio.Event()
        self._stopping = False
        self._delivering: set[asyncio.Task[int]] = set()
        self._deliverers = CapacityLimiter(100)

    def wake(self) -> None:
        """Something has arrived."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what was begun, and begin nothing more."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Work on what arrives, until stopped. What nobody woke us for is found all the same."""
        while not self._stopping:
            try:
                await self.work()
            except Exception as error:
                log.error("arrivals_not_looked_at", error=repr(error)[:300])
                await asyncio.sleep(1)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY)
        await asyncio.gather(*self._delivering, return_exceptions=True)

    async def work(self) -> None:
        """Work on everything that is due. What had no answer is written as done, and what is claimed next as claimed, for several
        together: while many are under way, a few have to end before others are claimed."""
        under_way: set[asyncio.Task[Arrival | None]] = set()
        done: list[Arrival] = []
        while True:
            self._woken.clear()
            most = 0 if self._stopping or len(under_way) > _MANY else _AT_ONCE - len(under_way)
            if done or most:
                for arrival in await to_thread.run_sync(self._claimed, done, most):
                    under_way.add(asyncio.create_task(self._one(arrival)))
            if not under_way:
                return
            woken = asyncio.create_task(self._woken.wait())
            ended, _ = await asyncio.wait([*under_way, woken], return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            ended.discard(woken)
            under_way -= ended
            done = [arrival for task in ended if (arrival := task.result())]

    def _claimed(self, done: list[Arrival], most: int) -> list[Arrival]:
        if done:
            return arrivals.go_on(self._database, done, most)
        due = arrivals.due(self._database, most)
        return arrivals.claim(self._database, due) if due else []

    async def _one(self, arrival: Arrival) -> Arrival | None:
        """The arrival when it was handled and is not yet written as done. One that failed comes again; where even that cannot be
        written its claim runs out."""
        try:
            begun = await to_thread.run_sync(self._begun, arrival)
            if begun:
                await self._dialogue.go_on(begun, partial(arrivals.end, arrivals=[arrival]))
        except Exception as error:
            log.error("arrival_failed", channel=arrival.channel, attempt=arrival.attempts, error=repr(error)[:300])
            try:
                await to_thread.run_sync(arrivals.failed, self._database, arrival, repr(error))
            except Exception as worse:
                log.error("arrival_left", arrival=arrival.id, error=repr(worse)[:300])
            return None
        self._deliver()
        return None if begun else arrival

    def _deliver(self) -> None:
        if self._deliverer.asked():
            return
        task = asyncio.create_task(to_thread.run_sync(self._deliverer.run, limiter=self._deliverers))
        self._delivering.add(task)
        task.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[int]) -> None:
        self._delivering.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("delivering_failed", error=repr(error)[:300])

    def _begun(self, arrival: Arrival) -> Begun | None:
        """The turn of the dialogue that an arrival is; None where nothing remains to be answered. Called in a thread."""
        heard = self._hear(arrival)
        if heard is None:
            return None
        inbound, received = heard.inbound, heard.received
        if received.kind == "text":
            return self._said(heard)
        if received.kind == "unreadable":
            return self._tell(
                inbound,
                f"暂时看不了{received.text}，请用一句话说明您的问题；需要提交附件时，可以先转人工，再在费用系统里上传。",
            )
        if received.kind == "opened":
            first = from_thread.run(self._first_today, inbound)
            return self._asked(replace(inbound, choice="greet")) if first else None
        return self._pressed(inbound, heard.connector, received)

    def _hear(self, arrival: Arrival) -> _Heard | None:
        """Who says what, and where it is answered; None where nobody is to be answered."""
        connector = self._connected.get(arrival.channel)
        if connector is None:
            raise Unavailable(f"the channel {arrival.channel} is off")
        received = connector.read(arrival.body)
        if not received.sender or received.kind == "nothing":
            return None
        identity = connector.identity(received)
        inbound = Inbound(arrival.channel, identity, arrival.key, Place(), thread=received.group)
        inbound, options = self._placed(inbound)
        if received.group:
            text = normalize(received.text)
            if moved := apart.alone(received, received.choice or _chosen(options, text), text):
                self._tell(inbound, apart.SAID)
                inbound = replace(inbound, identity=connector.identity(moved), thread="")
                received, (inbound, options) = moved, self._placed(inbound)
        return _Heard(connector, received, inbound, options)

    def _placed(self, inbound: Inbound, messages: int = 1) -> tuple[Inbound, list[dict[str, Any]]]:
        """`inbound` in its conversation, and the choices of the last `messages` there."""
        with self._database.read() as session:
            found, options = current_options(session, inbound.channel, inbound.identity, inbound.thread, messages)
        return replace(inbound, conversation_id=found), options

    def _said(self, heard: _Heard) -> Begun | None:
        inbound, text = heard.inbound, normalize(heard.received.text)
        if not text:
            return self._tell(inbound, "没有看到文字内容，请用一句话说明您的问题。")
        if len(text) > MOST_TEXT:
            return self._tell(inbound, f"内容太长了，请控制在 {MOST_TEXT} 字以内，说清楚最关键的问题就好。")
        if choice := _chosen(heard.options, text):
            return self._asked(replace(inbound, choice=choice))
        return self._asked(replace(inbound, text=text, said=heard.received.text.strip()))

    def _pressed(self, inbound: Inbound, connector: Connector, received: Received) -> Begun | None:
        choice = normalize(received.choice)
        if received.card:
            connector.clicked(received, self._label(inbound, choice))
        if choice.startswith(staff_choices.PREFIX) and connector.capabilities.updates:
            return self._tell(inbound, staff_choices.act(self._database, inbound.identity.employee_no or "", choice))
        try:
            return self._asked(replace(inbound, choice=choice))
        except InvalidInput:
            return self._asked(replace(inbound, text=choice))

    def _asked(self, inbound: Inbound) -> Begun | None:
        if inbound.conversation_id is None:
            inbound = replace(inbound, conversation_id=self._opened(inbound))
        try:
            return self._dialogue.begin(inbound)
        except InvalidInput as error:
            if inbound.choice:
                raise
            return self._tell(inbound, error.message)

    def _opened(self, inbound: Inbound) -> str:
        where = inbound.channel, inbound.identity, inbound.thread
        with self._database.write() as session:
            return (current_conversation(session, *where) or open_conversation(session, *where)).id

    def _label(self, inbound: Inbound, choice: str) -> str:
        """What stood on the button."""
        _, options = self._placed(inbound, messages=20)
        return next((str(one["label"]) for one in options if one["choice"] == choice), choice)

    def _tell(self, inbound: Inbound, text: str) -> None:
        """Say it, without a turn of the dialogue."""
        conversation = inbound.conversation_id or self._opened(inbound)
        with self._database.write() as session:
            locked(session, conversation)
            message = say(session, conversation, "bot", "text", text)
            deliver(session, message, key=f"arrival:{inbound.channel}:{inbound.client_message_id}")

    async def _first_today(self, inbound: Inbound) -> bool:
        """Whether this is the first time within the hours of FSSC_GREETING_HOURS; never when Redis cannot be asked."""
        try:
            key = f"fssc:greeted:{inbound.channel}:{inbound.identity.employee_no}"
            return bool(await self._redis.set(key, "1", nx=True, ex=self._greeting_seconds))
        except RedisError as error:
            log.warning("greeting_not_counted", error=str(error))
            return False
