"""Background work, on dramatiq over Redis: `python -m dramatiq service.worker`."""

from __future__ import annotations

from functools import cache, partial

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from connectors import staff_notices, webhook_sender
from connectors.connected import Connected
from connectors.delivery import Deliverer
from core.clock import now
from core.database import Database
from core.events import EventRelay
from core.logs import configure_logs
from core.privacy import mask_people
from core.settings import Settings
from handoff.clocks import check
from handoff.lifecycle import close_due
from handoff.quality.keeping import keep
from handoff.routing.absence import sweep
from handoff.routing.emergency import climb_due
from handoff.talk import end_silence, silent
from kb.encoder import Encoder
from kb.ingest.jobs import run_waiting
from kb.ingest.kinds import KINDS
from kb.release.live import LiveKnowledge
from kb.release.preview import make
from kb.release.publish import Publisher
from service.bootstrap import encoder_of, event_relay, silence_of
from service.connecting import connected_of
from service.curating import Curating, writer_of
from service.insight.keeping import keep_due
from service.ticket_links import ticket_address

settings = Settings()
configure_logs(settings.log_level)
dramatiq.set_broker(RedisBroker(url=settings.redis_url or "redis://127.0.0.1:6379/0", namespace="fssc-tasks"))


@cache
def _database() -> Database:
    return Database(settings.database)


@cache
def _relay() -> EventRelay:
    mask_people("我是王明")  # What it reads the first time takes seconds: not in a transaction, which others wait for.
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
    return database, Publisher(database, settings.home, _encoder())


@cache
def _encoder() -> Encoder:
    return encoder_of(settings)


@dramatiq.actor(max_retries=0, time_limit=4 * 3_600_000)
def prepare_release() -> None:
    """Prepare the next release for people to look at. Lost calls do no harm: the preview waits in the database."""
    database, publisher = _publisher()
    make(database, publisher, settings.wrong_rate)


@cache
def _curating() -> Curating:
    knowledge = LiveKnowledge(_database(), settings.home, _encoder())
    return Curating(_database(), _encoder(), knowledge, writer_of(settings))


@dramatiq.actor(max_retries=0, time_limit=3_600_000)
def curate() -> None:
    """Gather and group what stayed open. Lost calls do no harm: a run that was asked for, or is due, waits."""
    _curating().run_waiting()


@dramatiq.actor(max_retries=0, time_limit=3_600_000)
def follow_curation() -> None:
    """Ask a new release what stayed open. Lost calls do no harm: it stays to be asked."""
    _curating().follow()


@dramatiq.actor(max_retries=0, time_limit=600_000)
def check_clocks() -> None:
    """Warn of promises, tell of broken ones, climb their chains. Lost calls do no harm: clocks stay due."""
    check(_database())


@dramatiq.actor(max_retries=0, time_limit=60_000)
def close_tickets() -> None:
    """Close what was resolved long enough ago. Lost calls do no harm: it stays due."""
    closed = True
    while closed:
        with _database().write() as session:
            closed = close_due(session, now(), settings.close_after_days) > 0


@dramatiq.actor(max_retries=0, time_limit=60_000)
def call_on_call() -> None:
    """Climb emergency calls that nobody acknowledged in time. Lost calls do no harm: they stay due."""
    climb_due(_database())


@dramatiq.actor(max_retries=0, time_limit=300_000)
def sweep_tickets() -> None:
    """Return what the absent hold, give out what waits. Lost calls do no harm: the next sweep finds it."""
    sweep(_database())


@dramatiq.actor(max_retries=0, time_limit=3_600_000)
def run_imports() -> None:
    """Read new imports and apply confirmed ones. Lost calls do no harm: imports wait in the database."""
    run_waiting(_database(), KINDS)


@cache
def _connected() -> Connected:
    return connected_of(settings, _database())


@cache
def _deliverer() -> Deliverer:
    return Deliverer(_database(), _connected().channels)


@dramatiq.actor(max_retries=0, time_limit=600_000)
def bring_messages() -> None:
    """Bring what was said to employees to their channels. Lost calls do no harm: it waits in the outbox."""
    _deliverer().run()


@dramatiq.actor(max_retries=0, time_limit=600_000)
def tell_staff() -> None:
    """Bring notices to the channels of the desk's people. Lost calls do no harm: notices wait in the database."""
    staff_notices.bring(_database(), _connected().all(), partial(ticket_address, settings))


@dramatiq.actor(max_retries=0, time_limit=60_000)
def end_silences() -> None:
    """Let the bot talk again where a person has been silent for too long."""
    silence = silence_of(settings)
    for number in silent(_database(), silence, now()):
        with _database().write() as session:
            end_silence(session, number, silence, now())


@dramatiq.actor(max_retries=0, time_limit=600_000)
def send_webhooks() -> None:
    """Bring waiting webhook deliveries to their addresses. Lost calls do no harm: deliveries wait in the database."""
    webhook_sender.send_due(_database(), settings.internal_token)
    webhook_sender.forget_old(_database())


@dramatiq.actor(max_retries=0, time_limit=600_000)
def keep_quality() -> None:
    """Remind, send, expire and draw what is due. Lost calls do no harm: what is due stays due."""
    keep(_database())


@dramatiq.actor(max_retries=0, time_limit=3_600_000)
def count_insight() -> None:
    """Let figures follow the records, draw the week's sample, make the reports that are due. Lost calls do no harm: what is
    left is done the next time."""
    keep_due(_database(), wrong_rate=settings.wrong_rate, link=settings.links_base)
