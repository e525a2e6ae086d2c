"""One action call of the dialogue engine, as rasa-sdk's own server would take it."""

from __future__ import annotations

import hmac
from typing import Any

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from core.errors import Conflict, NotFound, TokenInvalid
from core.metrics import step


def shown(authorization: str, token: str) -> None:
    """Only who knows `token` may call. Raises TokenInvalid."""
    if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise TokenInvalid


async def carried_out(executor: ActionExecutor, call: dict[str, Any]) -> dict[str, Any]:
    """What the action said and changed. Raises Conflict where it declines, NotFound where there is none of that name."""
    try:
        with step("action"):
            result = await executor.run(call)
    except ActionExecutionRejection as error:
        raise Conflict(str(error), code="action_rejected") from error
    except ActionNotFoundException as error:
        raise NotFound(str(error), code="action_not_found") from error
    return result.model_dump() if result else {"events": [], "responses": []}
