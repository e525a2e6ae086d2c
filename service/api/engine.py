"""The action endpoint for a dialogue engine that runs elsewhere; one of our own calls the action process."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header

from bot.actions.serving import carried_out, shown
from service.api.deps import DeskDep
from service.bootstrap import ACTIONS_PURPOSE

router = APIRouter(tags=["engine"])


@router.post("/engine/actions", include_in_schema=False)
async def run_action(
    desk: DeskDep, call: Annotated[dict[str, Any], Body()], authorization: Annotated[str, Header()] = ""
) -> dict[str, Any]:
    """One action call; only the engine knows the token."""
    shown(authorization, desk.settings.internal_token(ACTIONS_PURPOSE))
    return await carried_out(desk.executor, call)
