"""What arrived over a channel becomes a turn of the dialogue, and its replies leave by the outbox."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from anyio import to_thread
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select

from bot.dialogue import Dialogue, Inbound
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
from core.transcript import Message, current_conversation, locked, open_conversation, say
from service import apart, staff_choices

log = structlog.get_logger()

MOST_TEXT = 2000
_AT_ONCE = 8
_LOOK_EVERY = 2.0
_NUMBER = re.compile(r"[（(]?(\d{1,2})[)）.。、]?")
_SCORE = re.compile(r"rate:[^:]+:\d")
"""A score is said by itself: 5 is five points, not the fifth of the list."""


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

    def wake(self) -> None:
        """Something has arrived."""
        self._woken.set()

    async def run(self) -> None:
        """Work on what arrives, until cancelled. What nobody woke us for, such as another process's, is found all the same."""
        while True:
            await self.work()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY)

    async def work(self) -> None:
        """Work on everything that is due."""
        under_way: dict[int, asyncio.Task[None]] = {}
        while True:
            self._woken.clear()
            due = await to_thread.run_sync(arrivals.due, self._database)
            for arrival_id in due[: _AT_ONCE - len(under_way)]:
                if arrival_id not in under_way:
                    under_way[arrival_id] = asyncio.create_task(self._one(arrival_id))
            if not under_way:
                return
            woken = asyncio.create_task(self._woken.wait())
            await asyncio.wait([*under_way.values(), woken], return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            under_way = {arrival_id: task for arrival_id, task in under_way.items() if not task.done()}

    async def _one(self, arrival_id: int) -> None:
        try:
            arrival = await to_thread.run_sync(arrivals.claim, self._database, arrival_id)
            if arrival is None:
                return
            try:
                await self._handle(arrival)
            except Exception as error:
                log.error("arrival_failed", channel=arrival.channel, attempt=arrival.attempts, error=repr(error)[:300])
                await to_thread.run_sync(arrivals.failed, self._database, arrival, repr(error))
                return
            await to_thread.run_sync(arrivals.done, self._database, arrival)
            await to_thread.run_sync(self._deliverer.run)
        except Exception as error:
            # The claim runs out, and it is worked on again.
            log.error("arrival_left", arrival=arrival_id, error=repr(error)[:300])

    async def _handle(self, arrival: Arrival) -> None:
        connector = await to_thread.run_sync(self._connected.get, arrival.channel)
        if connector is None:
            raise Unavailable(f"the channel {arrival.channel} is off")
        received = connector.read(arrival.body)
        if not received.sender or received.kind == "nothing":
            return
        identity = await to_thread.run_sync(connector.identity, received)
        inbound = Inbound(arrival.channel, identity, arrival.key, Place(), thread=received.group)
        if received.group and (moved := await to_thread.run_sync(self._moved, inbound, received)):
            await self._tell(inbound, apart.SAID)
            received, identity = moved, await to_thread.run_sync(connector.identity, moved)
            inbound = replace(inbound, identity=identity, thread="")
        if received.kind == "text":
            await self._said(inbound, received.text)
        elif received.kind == "unreadable":
            await self._tell(
                inbound,
                f"暂时看不了{received.text}，请用一句话说明您的问题；需要提交附件时，可以先转人工，再在费用系统里上传。",
            )
        elif received.kind == "opened":
            if await self._first_today(inbound):
                await self._asked(replace(inbound, choice="greet"))
        else:
            await self._pressed(inbound, connector, received)

    def _moved(self, inbound: Inbound, received: Received) -> Received | None:
        """What was said in a group and goes on alone with the bot; None where it may stay."""
        text = normalize(received.text)
        return apart.alone(received, received.choice or self._chosen(inbound, text), text)

    async def _said(self, inbound: Inbound, said: str) -> None:
        text = normalize(said)
        if not text:
            await self._tell(inbound, "没有看到文字内容，请用一句话说明您的问题。")
        elif len(text) > MOST_TEXT:
            await self._tell(inbound, f"内容太长了，请控制在 {MOST_TEXT} 字以内，说清楚最关键的问题就好。")
        elif choice := await to_thread.run_sync(self._chosen, inbound, text):
            await self._asked(replace(inbound, choice=choice))
        else:
            await self._asked(replace(inbound, text=text, said=said.strip()))

    async def _pressed(self, inbound: Inbound, connector: Connector, received: Received) -> None:
        choice = normalize(received.choice)
        if received.card:
            label = await to_thread.run_sync(self._label, inbound, choice)
            await to_thread.run_sync(connector.clicked, received, label)
        if choice.startswith(staff_choices.PREFIX):
            said = staff_choices.act, self._database, inbound.identity.employee_no or "", choice
            await self._tell(inbound, await to_thread.run_sync(*said))
            return
        try:
            await self._asked(replace(inbound, choice=choice))
        except InvalidInput:
            await self._asked(replace(inbound, text=choice))

    async def _asked(self, inbound: Inbound) -> None:
        conversation = await to_thread.run_sync(self._current, inbound)
        try:
            await self._dialogue.receive(replace(inbound, conversation_id=conversation))
        except InvalidInput as error:
            if inbound.choice:
                raise
            await self._tell(inbound, error.message)

    def _current(self, inbound: Inbound) -> str:
        where = inbound.channel, inbound.identity, inbound.thread
        with self._database.write() as session:
            return (current_conversation(session, *where) or open_conversation(session, *where)).id

    def _shown(self, inbound: Inbound, most: int) -> list[dict[str, Any]]:
        """The choices of the last `most` messages that were said to this person here, the newest first."""
        with self._database.read() as session:
            conversation = current_conversation(session, inbound.channel, inbound.identity, inbound.thread)
            if conversation is None:
                return []
            bodies = session.scalars(
                select(Message.body)
                .where(Message.conversation_id == conversation.id, Message.sender != "user")
                .order_by(Message.seq.desc())
                .limit(most)
            )
            return [option for body in bodies for option in body.get("options", [])]

    def _chosen(self, inbound: Inbound, text: str) -> str:
        """The choice that `text` means: its number in the last list that was shown, or its very words."""
        options = self._shown(inbound, 1)
        number = _NUMBER.fullmatch(text)
        if number and 1 <= int(number[1]) <= len(options):
            choice = str(options[int(number[1]) - 1]["choice"])
            return "" if _SCORE.fullmatch(choice) else choice
        return next((str(one["choice"]) for one in options if normalize(one["label"]) == text), "")

    def _label(self, inbound: Inbound, choice: str) -> str:
        """What stood on the button."""
        return next((str(one["label"]) for one in self._shown(inbound, 20) if one["choice"] == choice), choice)

    async def _tell(self, inbound: Inbound, text: str) -> None:
        await to_thread.run_sync(self._say, inbound, text)

    def _say(self, inbound: Inbound, text: str) -> None:
        conversation = self._current(inbound)
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
