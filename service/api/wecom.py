"""Where WeChat Work calls back: verified, stored, acknowledged; the answer goes out by its API later."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse

from connectors.arrivals import Incoming
from connectors.wecom.app import WecomApp
from connectors.wecom.envelope import BadCallback
from connectors.wecom.incoming import parse, sealed_in
from core.errors import NotFound
from service.api.deps import DeskDep
from service.bootstrap import Desk

router = APIRouter(prefix="/api/v1/channels", tags=["channels"])

_Short = Annotated[str, Query(max_length=200)]


def _app(desk: Desk) -> WecomApp:
    app = desk.connected.get("wecom")
    if not isinstance(app, WecomApp):
        raise NotFound("企业微信渠道没有启用。", code="channel_off")
    return app


@router.get("/wecom/callback", response_class=PlainTextResponse)
def get_callback(
    desk: DeskDep,
    msg_signature: _Short,
    timestamp: _Short,
    nonce: _Short,
    echostr: Annotated[str, Query(max_length=2000)],
) -> PlainTextResponse:
    """The check when an administrator saves the address: what it holds, as it is."""
    # A proxy may have made spaces of the plus signs of base64.
    opened = _app(desk).envelope.open(msg_signature, timestamp, nonce, echostr.replace(" ", "+"))
    return PlainTextResponse(opened)


@router.post("/wecom/callback", response_class=PlainTextResponse)
async def post_callback(
    desk: DeskDep, request: Request, msg_signature: _Short, timestamp: _Short, nonce: _Short
) -> PlainTextResponse:
    """A message or an event: 200 with nothing in it once it is stored, whatever it is; 400 where it is not theirs."""
    body = await request.body()
    if await desk.intake.take(partial(_read, desk, msg_signature, timestamp, nonce, body)):
        desk.bell.ring("wecom")
    return PlainTextResponse("")


def _read(desk: Desk, signature: str, timestamp: str, nonce: str, body: bytes) -> Incoming:
    """Verify and decrypt."""
    app = _app(desk)
    incoming = parse(app.envelope.open(signature, timestamp, nonce, sealed_in(body)))
    if incoming.agent_id not in ("", app.agent_id):
        raise BadCallback
    if incoming.event == "change_contact" and incoming.member:
        app.directory.forget(incoming.member)
    return Incoming("wecom", incoming.key, incoming.user.lower() or "-", asdict(incoming))
