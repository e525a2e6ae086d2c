"""Signed links that open a ticket in the console, for messages to the desk's people."""

from __future__ import annotations

from datetime import timedelta

from connectors.connected import LINKS_PURPOSE
from core.clock import now
from core.links import opened, signed
from core.settings import Settings

_TICKET = "ticket"
_LASTS = timedelta(days=30)


def ticket_address(settings: Settings, number: str) -> str:
    """The link; "" where it is not known how people reach us."""
    if not settings.links_base:
        return ""
    token = signed(settings.internal_token(LINKS_PURPOSE), _TICKET, {"t": number}, now() + _LASTS)
    return f"{settings.links_base}/t/{token}"


def ticket_in(settings: Settings, token: str) -> str:
    """The number that a link was made for. Raises LinkInvalid and LinkExpired."""
    return str(opened(settings.internal_token(LINKS_PURPOSE), _TICKET, token, now())["t"])
