"""The action endpoint: the dialogue engine calls our actions here, in this very process."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Header
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from core.errors import Conflict, NotFound, TokenInvalid
from core.metrics import step
from service.api.deps import DeskDep
from service.bootstrap import ACTIONS_PURPOSE

router = APIRouter(tags=["engine"])
log = structlog.get_logger()


@router.post("/engine/actions", include_in_schema=False)
async def run_action(
    desk: DeskDep, call: Annotated[dict[str, Any], Body()], authorization: Annotated[str, Header()] = ""
) -> dict[str, Any]:
    """One action call as rasa-sdk's own server would take it; only the engine knows the token."""
    expected = f"Bearer {desk.settings.internal_token(ACTIONS_PURPOSE)}"
    if not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise TokenInvalid
    try:
        with step("action"):
            result = await desk.executor.run(call)
    except ActionExecutionRejection as error:
        raise Conflict(str(error), code="action_rejected") from error
    except ActionNotFoundException as error:
        raise NotFound(str(error), code="action_not_found") from error
    return result.model_dump() if result else {"events": [], "responses": []}
