"""Time: aware, UTC in the store, Asia/Shanghai for people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The civil date in Shanghai, by which validity windows and ticket numbers go."""
    return datetime.now(SHANGHAI).date()


def local(moment: datetime) -> str:
    """`2026-11-21 09:30`, as employees and agents read it."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
