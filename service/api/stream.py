"""Live news for open consoles, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from service.api.deps import ActorDep
from service.stream import Hub

router = APIRouter(prefix="/api/v1/console", tags=["stream"])


@router.get("/stream", response_class=EventSourceResponse)
async def get_stream(
    request: Request, actor: ActorDep, last_event_id: Annotated[str, Header(max_length=40)] = ""
) -> AsyncIterator[ServerSentEvent]:
    """`tickets`: what happened to which tickets; `notice`: one for whoever listens. `Last-Event-ID` goes on after a break."""
    hub: Hub = request.app.state.hub
    async for told in hub.listen(actor, last_event_id):
        yield ServerSentEvent(data=told.data, event=told.event, id=told.last or None, retry=3000)
