"""The channels of a process, and who is told when one of them needs an operator."""

from __future__ import annotations

from redis import Redis

from connectors.connected import Connected
from core.clock import now
from core.database import Database
from core.settings import Settings
from handoff.notices import notify
from service.users import users


def connected_of(settings: Settings, database: Database) -> Connected:
    """The channels as they are configured."""

    def alert(kind: str, advice: str) -> None:
        """Once an hour to every administrator."""
        with database.write() as session:
            people = [row.username for row in users(session) if "admin" in row.roles]
            notify(session, people, "channel", advice, key=f"{kind}:{now():%Y%m%d%H}", urgent=True)

    return Connected(database, settings, Redis.from_url(settings.redis_url, socket_timeout=5), alert)
