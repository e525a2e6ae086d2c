"""Signed links in messages to the desk's people. A link says where to go and nothing else: whoever opens it still signs in, so a
forwarded one gives nothing away, and a made-up one opens nothing."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from core.links import LinkExpired, LinkInvalid
from service.api.deps import DeskDep
from service.ticket_links import ticket_in

router = APIRouter(tags=["links"])

_SPENT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>链接已失效</title><body style="font:16px/1.8 sans-serif;margin:15vh auto;max-width:22em;padding:0 1em">
<p>这个链接无效或已经过期。</p><p><a href="/console/">打开管理台</a>，在工单列表里查找。</p>"""


@router.get("/t/{token}", response_class=HTMLResponse)
def get_ticket(desk: DeskDep, token: Annotated[str, Path(max_length=1000, pattern=r"^[A-Za-z0-9_.-]+$")]) -> Response:
    """Go to a ticket in the console."""
    try:
        number = ticket_in(desk.settings, token)
    except (LinkInvalid, LinkExpired) as error:
        return HTMLResponse(_SPENT, status_code=error.status)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(f"/console/tickets/{quote(number)}", status_code=302, headers=headers)
