"""Dialogue engines that say what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.engine_client import EngineClient
from core.errors import Unavailable


class ScriptedEngine(EngineClient):
    """Answers each message with what `answer` makes of it; down without one."""

    def __init__(self, answer: Callable[[str], str] | None = None) -> None:
        super().__init__("http://127.0.0.1:9", "t", 1)
        self._answer = answer

    async def talk(self, sender: str, message: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        if self._answer is None:
            raise Unavailable("down", code="engine_unavailable")
        return [{"text": self._answer(message)}]
