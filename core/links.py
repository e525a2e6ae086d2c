"""Signed links: what an address says cannot be changed, and holds for a time. Whoever has the address has what it opens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from core.errors import NotFound

_MOST = 1000


class LinkInvalid(NotFound):
    """No link of ours, or one for something else."""

    code = "link_invalid"

    def __init__(self) -> None:
        super().__init__("这个链接无效，请从消息里重新打开。")


class LinkExpired(NotFound):
    status = 410
    code = "link_expired"

    def __init__(self) -> None:
        super().__init__("这个链接已经过期。")


def signed(key: str, purpose: str, value: dict[str, Any], until: datetime) -> str:
    """A token of letters, digits, `-`, `_` and one dot that holds `value` until then, for this purpose only."""
    said = json.dumps([int(until.timestamp()), value], separators=(",", ":"), ensure_ascii=False).encode()
    body = _text(said)
    return f"{body}.{_mac(key, purpose, body)}"


def opened(key: str, purpose: str, token: str, moment: datetime) -> dict[str, Any]:
    """What `signed` put into it. Raises LinkInvalid and LinkExpired."""
    body, _, mac = token.partition(".")
    if len(token) > _MOST or not token.isascii() or not hmac.compare_digest(_mac(key, purpose, body), mac):
        raise LinkInvalid
    try:
        until, value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError) as error:
        raise LinkInvalid from error
    if datetime.fromtimestamp(until, UTC) <= moment:
        raise LinkExpired
    return value


def _mac(key: str, purpose: str, body: str) -> str:
    return _text(hmac.new(key.encode(), f"{purpose}:{body}".encode(), hashlib.sha256).digest()[:18])


def _text(said: bytes) -> str:
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()
