"""Where DingTalk calls back in HTTP mode: verified, stored, acknowledged; the answer goes out later."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Request

from connectors.dingtalk.app import DingtalkConnector
from core.errors import NotFound
from service.api.deps import DeskDep
from service.bootstrap import Desk

router = APIRouter(prefix="/api/v1/channels", tags=["channels"])

_EMPTY = {"msgtype": "empty"}


def _robot(desk: Desk) -> DingtalkConnector:
    found = desk.connected.get("dingtalk")
    if not isinstance(found, DingtalkConnector):
        raise NotFound("钉钉渠道没有启用。", code="channel_off")
    return found


@router.post("/dingtalk/callback")
async def post_callback(
    desk: DeskDep, request: Request, timestamp: Annotated[str, Header()] = "", sign: Annotated[str, Header()] = ""
) -> dict[str, str]:
    """A message to the robot: 200 and nothing to say once it is stored, whatever it is; 400 where it is not theirs."""
    body = await request.body()
    if await to_thread.run_sync(_taken, desk, timestamp, sign, body):
        desk.bell.ring("dingtalk")
    return _EMPTY


def _taken(desk: Desk, timestamp: str, sign: str, body: bytes) -> bool:
    """Verify and store; whether it is new."""
    robot = _robot(desk)
    return robot.take(robot.verify(timestamp, sign, body))
