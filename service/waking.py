"""What waits in the database for the worker, and which of its jobs does it.

The jobs are safe to call twice and to lose: the front door asks again every few seconds, and each finds its own work.
"""

from __future__ import annotations

from collections.abc import Callable

import dramatiq
import structlog

from connectors import staff_notices, webhook_sender
from core import events, outbox
from core.clock import now
from core.database import Database
from core.settings import Settings
from handoff import talk
from handoff.clocks import checking
from handoff.lifecycle import any_due
from handoff.quality import keeping
from handoff.routing import emergency
from kb.curation import again, runs
from kb.ingest import jobs
from kb.release import preview
from service import worker
from service.bootstrap import silence_of
from service.insight import keeping as insight

log = structlog.get_logger()

_JOBS: tuple[tuple[Callable[[Database], object], dramatiq.Actor], ...] = (
    (emergency.waiting, worker.call_on_call),
    (outbox.anything_due, worker.bring_messages),
    (staff_notices.waiting, worker.tell_staff),
    (checking.waiting, worker.check_clocks),
    (events.undelivered, worker.relay_events),
    (webhook_sender.waiting, worker.send_webhooks),
    (keeping.waiting, worker.keep_quality),
    (jobs.waiting, worker.run_imports),
    (preview.waiting, worker.prepare_release),
    (runs.waiting, worker.curate),
    (again.waiting, worker.follow_curation),
    (insight.waiting, worker.count_insight),
)


def wake(database: Database, settings: Settings) -> None:
    """Ask the worker for every job that has something to do. One that cannot be asked for does not keep the others."""
    for waits, job in (
        *_JOBS,
        (lambda database: _to_close(database, settings), worker.close_tickets),
        (lambda database: talk.silent(database, silence_of(settings), now(), 1), worker.end_silences),
    ):
        try:
            if waits(database):
                job.send()
        except Exception as error:
            log.error("worker_not_woken", job=job.actor_name, error=repr(error)[:300])


def sweep() -> None:
    """Tickets of absent people, and people whom tickets wait for, are looked for all the time."""
    worker.sweep_tickets.send()


def _to_close(database: Database, settings: Settings) -> bool:
    with database.read() as session:
        return any_due(session, now(), settings.close_after_days)
