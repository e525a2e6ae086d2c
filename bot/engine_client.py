"""The client that talks to the dialogue engine: Rasa's REST channel on the loopback."""

from __future__ import annotations

from typing import Any

import httpx

from core.errors import Unavailable


class EngineClient:
    """`timeout` is in seconds. Raises Unavailable when the engine is down, slow or answers nonsense."""

    def __init__(self, url: str, token: str, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            params={"token": token},
            timeout=httpx.Timeout(timeout, connect=1.0),
            transport=transport,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        )

    async def talk(self, sender: str, message: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        """What the engine answers to one message, in order: `{"text": …}` or `{"custom": {…}}` each."""
        body = {"sender": sender, "message": message, "metadata": metadata}
        try:
            response = await self._client.post("/webhooks/rest/webhook", json=body)
            response.raise_for_status()
            answers = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"dialogue engine: {error!r}", code="engine_unavailable") from error
        if not isinstance(answers, list) or not answers:
            raise Unavailable("dialogue engine: no answer", code="engine_unavailable")
        return answers

    async def alive(self) -> bool:
        try:
            response = await self._client.get("/status", timeout=2.0)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        await self._client.aclose()
