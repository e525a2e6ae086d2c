"""The signature of HTTP callbacks. Source: the documentation's page receive-message.

It covers the time and nothing of the body: whoever has seen one header pair could send other bodies with it for an hour.
Therefore the robot and the enterprise are looked at too, the address is HTTPS only, and a message id is taken once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from core.errors import InvalidInput

WINDOW = timedelta(hours=1)


class BadCallback(InvalidInput):
    """Not from DingTalk, or not for us. It says nothing of why: whoever sends forgeries learns nothing."""

    code = "bad_callback"

    def __init__(self) -> None:
        super().__init__("无法识别的回调。")


def signature(timestamp: str, secret: str) -> str:
    """What DingTalk puts into the header `sign` at `timestamp`, milliseconds as text; base64, not quoted for addresses."""
    made = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(made.digest()).decode()


def verify(timestamp: str, sign: str, secret: str, moment: datetime) -> None:
    """Raises BadCallback unless it was signed with the secret, not more than an hour from `moment`."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15 and sign.isascii()):
        raise BadCallback
    if not hmac.compare_digest(signature(timestamp, secret), sign):
        raise BadCallback
    if abs(moment.timestamp() - int(timestamp) / 1000) > WINDOW.total_seconds():
        raise BadCallback
