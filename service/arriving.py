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
from connectors.delivery import Deliverer
from connectors.wecom.app import WecomApp
from connectors.wecom.incoming import Incoming
from core.database import Database
from core.errors import InvalidInput
from core.identity import Identity
from core.outbox import deliver
from core.text import normalize
from core.transcript import Message, current_conversation, locked, open_conversation, say

log = structlog.get_logger()

MOST_TEXT = 2000
_AT_ONCE = 8
_LOOK_EVERY = 2.0
_NUMBER = re.compile(r"[（(]?(\d{1,2})[)）.。、]?")
_CANNOT_READ = {
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "location": "位置",
    "link": "链接",
    "file": "文件",
}


class Arriving:
    """Works on arrivals: one at a time for each sender, several senders at once."""

    def __init__(
        self, database: Database, redis: Redis, dialogue: Dialogue, deliverer: Deliverer, wecom: WecomApp | None,
        greeting_hours: int,
    ) -> None:  # fmt: skip
        self._database, self._redis, self._dialogue = database, redis, dialogue
        self._deliverer, self._wecom = deliverer, wecom
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
        if arrival.channel == "wecom" and self._wecom:
            await self._from_wecom(arrival, Incoming(**arrival.body), self._wecom)

    async def _from_wecom(self, arrival: Arrival, incoming: Incoming, app: WecomApp) -> None:
        if not incoming.user:
            return
        identity = await to_thread.run_sync(app.directory.identity, incoming.user)
        inbound = Inbound(arrival.channel, identity, arrival.key, Place())
        if incoming.kind == "text":
            await self._said(inbound, incoming.text)
        elif incoming.kind in _CANNOT_READ:
            thing = _CANNOT_READ[incoming.kind]
            await self._tell(
                inbound,
                f"暂时看不了{thing}，请用一句话说明您的问题；需要提交附件时，可以先转人工，再在费用系统里上传。",
            )
        elif incoming.event in ("enter_agent", "subscribe"):
            if await self._first_today(identity):
                await self._asked(replace(inbound, choice="greet"))
        elif incoming.event == "click" and incoming.event_key:
            await self._pressed(inbound, incoming.event_key)

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

    async def _pressed(self, inbound: Inbound, key: str) -> None:
        try:
            await self._asked(replace(inbound, choice=normalize(key)))
        except InvalidInput:
            await self._asked(replace(inbound, text=normalize(key)))

    async def _asked(self, inbound: Inbound) -> None:
        conversation = await to_thread.run_sync(self._current, inbound.channel, inbound.identity)
        try:
            await self._dialogue.receive(replace(inbound, conversation_id=conversation))
        except InvalidInput as error:
            if inbound.choice:
                raise
            await self._tell(inbound, error.message)

    def _current(self, channel: str, identity: Identity) -> str:
        with self._database.write() as session:
            found = current_conversation(session, channel, identity) or open_conversation(session, channel, identity)
            return found.id

    def _chosen(self, inbound: Inbound, text: str) -> str:
        """The choice that `text` means: its number in the last list that was shown, or its very words."""
        with self._database.read() as session:
            conversation = current_conversation(session, inbound.channel, inbound.identity)
            if conversation is None:
                return ""
            last = session.scalars(
                select(Message)
                .where(Message.conversation_id == conversation.id, Message.sender != "user")
                .order_by(Message.seq.desc())
                .limit(1)
            ).one_or_none()
        options: list[dict[str, Any]] = last.body.get("options", []) if last else []
        number = _NUMBER.fullmatch(text)
        if number and 1 <= int(number[1]) <= len(options):
            return str(options[int(number[1]) - 1]["choice"])
        return next((str(one["choice"]) for one in options if normalize(one["label"]) == text), "")

    async def _tell(self, inbound: Inbound, text: str) -> None:
        await to_thread.run_sync(self._say, inbound, text)

    def _say(self, inbound: Inbound, text: str) -> None:
        conversation = self._current(inbound.channel, inbound.identity)
        with self._database.write() as session:
            locked(session, conversation)
            message = say(session, conversation, "bot", "text", text)
            deliver(session, message, key=f"arrival:{inbound.channel}:{inbound.client_message_id}")

    async def _first_today(self, identity: Identity) -> bool:
        """Whether this is the first time within the hours of FSSC_GREETING_HOURS; never when Redis cannot be asked."""
        try:
            key = f"fssc:greeted:{identity.employee_no}"
            return bool(await self._redis.set(key, "1", nx=True, ex=self._greeting_seconds))
        except RedisError as error:
            log.warning("greeting_not_counted", error=str(error))
            return False
