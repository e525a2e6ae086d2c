"""The client that talks to the dialogue engine: Rasa's REST channel on the loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from core.errors import Unavailable

_JSON = {"Content-Type": "application/json"}


class EngineClient:
    """`timeout` is in seconds. Raises Unavailable when the engine is down, slow or answers nonsense."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout

        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def _http(self) -> aiohttp.ClientSession:
        """Made where it is used first: a session belongs to its event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop, self._session = (
                loop,
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=30),
                    timeout=aiohttp.ClientTimeout(self._timeout, sock_connect=1.0),
                    cookie_jar=aiohttp.DummyCookieJar(),
                ),
            )
        return self._session

    async def talk(self, sender: str, message: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        """What the engine answers to one message, in order: `{"text": …}` or `{"custom": {…}}` each."""
        body = json.dumps({"sender": sender, "message": message, "metadata": metadata}).encode()
        try:
            async with self._http.post(
                f"{self._url}/webhooks/rest/webhook", params={"token": self._token}, data=body, headers=_JSON
            ) as response:
                response.raise_for_status()
                answers = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"dialogue engine: {type(error).__name__}", code="engine_unavailable") from error
        if not isinstance(answers, list) or not answers:
            raise Unavailable("dialogue engine: no answer", code="engine_unavailable")
        return answers

    async def alive(self) -> bool:
        patience = aiohttp.ClientTimeout(2.0)
        try:
            async with self._http.get(
                f"{self._url}/status", params={"token": self._token}, timeout=patience
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def close(self) -> None:
        if self._session and self._loop is asyncio.get_running_loop():
            await self._session.close()
