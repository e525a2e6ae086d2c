"""DingTalk's stream gateway: single-use tickets, frames that are sent again until they are acknowledged, `ping`, `disconnect`."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import WebSocket, WebSocketDisconnect

ROBOT_TOPIC = "/v1.0/im/bot/messages/get"
_PATIENCE = 10.0


@dataclass(eq=False)
class Frame:
    data: str
    acknowledged: threading.Event = field(default_factory=threading.Event)
    sent_at: float = 0.0
    tries: int = 0


@dataclass(eq=False)
class Link:
    socket: WebSocket
    open: bool = True
    system: dict[str, str] = field(default_factory=dict)


class Gateway:
    """`redeliver_after`: seconds without an acknowledgement, about 60 in the original. `acks_lost`: how many acknowledgements
    will not arrive. `tickets_given` counts connections that were asked for."""

    def __init__(self, violations: list[str]) -> None:
        self.violations = violations
        self.redeliver_after = 60.0
        self.acks_lost = self.tickets_given = 0
        self._tickets: set[str] = set()
        self._links: list[Link] = []
        self._frames: dict[str, Frame] = {}
        self._waiting: list[Frame] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, server: uvicorn.Server) -> None:
        self._loop = asyncio.get_running_loop()
        again = asyncio.create_task(self._deliver_again())
        await server.serve()
        again.cancel()

    @property
    def connections(self) -> int:
        """How many would be given a message now."""
        return sum(link.open for link in self._links)

    def ticket(self, accept: str, body: dict[str, Any]) -> str:
        if "application/json" not in accept:
            self.violations.append("connections/open without Accept: application/json is answered with XML")
        if {"type": "CALLBACK", "topic": ROBOT_TOPIC} not in body.get("subscriptions", []):
            self.violations.append("connections/open does not subscribe to the robot's messages")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        self.tickets_given += 1
        return ticket

    async def connected(self, socket: WebSocket, ticket: str) -> None:
        if ticket not in self._tickets:
            self.violations.append("a ticket is for one connection")
            await socket.close(4401)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        link = Link(socket)
        self._links.append(link)
        try:
            while True:
                self._acknowledged(link, await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            link.open = False
            self._links.remove(link)

    def _acknowledged(self, link: Link, said: str) -> None:
        ack = json.loads(said)
        number = ack.get("headers", {}).get("messageId", "")
        if number in link.system:
            if ack.get("code") != 200 or json.loads(ack["data"]) != json.loads(link.system.pop(number)):
                self.violations.append(f"acknowledgement of a system frame: {said[:200]}")
            return
        frame = self._frames.get(number)
        if frame is None or ack.get("code") != 200 or ack["headers"].get("contentType") != "application/json":
            self.violations.append(f"acknowledgement: {said[:200]}")
        elif self.acks_lost > 0:
            self.acks_lost -= 1
        else:
            frame.acknowledged.set()

    def send(self, data: str) -> Frame:
        """To the newest connection; without one it waits."""
        frame = Frame(data)
        self._waiting.append(frame)
        self._run(self._push(frame))
        return frame

    async def _push(self, frame: Frame) -> None:
        """Whether a frame that is sent again keeps its id is not documented: here it gets a new one."""
        link = next((link for link in reversed(self._links) if link.open), None)
        if link is None:
            return
        number = secrets.token_hex(8)
        self._frames[number] = frame
        frame.sent_at, frame.tries = time.monotonic(), frame.tries + 1
        headers = {"topic": ROBOT_TOPIC, "messageId": number, "contentType": "application/json", "appId": "a"}
        await _to(link, {"specVersion": "1.0", "type": "CALLBACK", "headers": headers, "data": frame.data})

    async def _deliver_again(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self._waiting = [frame for frame in self._waiting if not frame.acknowledged.is_set()]
            for frame in self._waiting:
                if not frame.tries or time.monotonic() - frame.sent_at > self.redeliver_after:
                    await self._push(frame)

    def system(self, topic: str, data: dict[str, Any] | None = None) -> None:
        """A `ping`, or a `disconnect`, after which nothing more is brought over that connection."""
        self._run(self._system(topic, data or {"opaque": secrets.token_hex(4)}))

    async def _system(self, topic: str, data: dict[str, Any]) -> None:
        for link in [link for link in self._links if link.open]:
            number, said = secrets.token_hex(8), json.dumps(data)
            link.system[number] = said
            if topic == "disconnect":
                link.open = False
            headers = {"topic": topic, "messageId": number, "contentType": "application/json"}
            await _to(link, {"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": said})

    def raw(self, said: str) -> None:
        """Anything at all, over every connection."""

        async def send() -> None:
            for link in list(self._links):
                await link.socket.send_text(said)

        self._run(send())

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(what, self._loop).result(_PATIENCE)


async def _to(link: Link, frame: dict[str, Any]) -> None:
    try:
        await link.socket.send_text(json.dumps(frame, ensure_ascii=False))
    except (WebSocketDisconnect, RuntimeError):
        link.open = False
