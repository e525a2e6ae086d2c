"""Background work, on dramatiq over Redis: `python -m dramatiq service.worker`."""

from __future__ import annotations

from functools import cache

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from connectors import webhook_sender
from core.database import Database
from core.events import EventRelay
from core.logs import configure_logs
from core.settings import Settings
from kb.ingest.jobs import run_waiting
from kb.ingest.kinds import KINDS
from kb.preview import make
from kb.publish import Publisher
from service.bootstrap import encoder_of, event_relay

settings = Settings()
configure_logs(settings.log_level)
dramatiq.set_broker(RedisBroker(url=settings.redis_url or "redis://127.0.0.1:6379/0", namespace="fssc-tasks"))


@cache
def _database() -> Database:
    return Database(settings.database)


@cache
def _relay() -> EventRelay:
    return event_relay(_database())


@dramatiq.actor(max_retries=0, time_limit=60_000)
def relay_events() -> None:
    """Hand waiting domain events to their subscribers. Lost calls do no harm: events wait in the database."""
    while _relay().deliver():
        pass


@cache
def _publisher() -> tuple[Database, Publisher]:
    """Kept for the worker's life: the next release is made from the one in memory."""
    database = Database(settings.database)
    return database, Publisher(database, settings.home, encoder_of(settings))


@dramatiq.actor(max_retries=0, time_limit=4 * 3_600_000)
def prepare_release() -> None:
    """Prepare the next release for people to look at. Lost calls do no harm: the preview waits in the database."""
    database, publisher = _publisher()
    make(database, publisher, settings.wrong_rate)


@dramatiq.actor(max_retries=0, time_limit=3_600_000)
def run_imports() -> None:
    """Read new imports and apply confirmed ones. Lost calls do no harm: imports wait in the database."""
    run_waiting(_database(), KINDS)


@dramatiq.actor(max_retries=0, time_limit=600_000)
def send_webhooks() -> None:
    """Bring waiting webhook deliveries to their addresses. Lost calls do no harm: deliveries wait in the database."""
    webhook_sender.send_due(_database(), settings.internal_token)
    webhook_sender.forget_old(_database())
