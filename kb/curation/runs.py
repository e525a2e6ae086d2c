"""Runs: asked for by a person or by the night, done by one worker at a time, taken up again when it dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI, now
from core.database import Database
from core.errors import FSSCError
from kb.curation.store import OpenQuestionRow, RunRow
from kb.release.loading import Progress
from kb.release.releases import current_number

log = structlog.get_logger()

WAITING, WORKING, DONE, FAILED = "waiting", "working", "done", "failed"
NIGHT = time(2, 0)
"""When the nightly run is due, in Shanghai."""

CLAIM = timedelta(seconds=60)
"""A worker that was killed loses its run after so long; one that lives renews its claim every `BEAT` seconds."""

BEAT = 15.0
_ATTEMPTS = 3
NIGHTLY = "system"


def ask(session: Session, asked_by: str) -> RunRow:
    """Ask for a run; one that waits or works already will do."""
    row = session.scalars(select(RunRow).where(RunRow.state.in_((WAITING, WORKING))).limit(1)).one_or_none()
    if row is None:
        row = RunRow(asked_by=asked_by, state=WAITING, asked_at=now(), counts={})
        session.add(row)
        session.flush()
    return row


def newest(session: Session) -> RunRow | None:
    return session.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(1)).one_or_none()


def ungrouped(session: Session) -> int:
    """How many questions were gathered that no run has put into a cluster yet."""
    query = select(func.count()).select_from(OpenQuestionRow).where(OpenQuestionRow.cluster.is_(None))
    return session.scalar(query) or 0


def waiting(database: Database, moment: datetime | None = None) -> bool:
    """Whether a run was asked for that no living worker does, or last night's has not been."""
    moment = moment or now()
    with database.read() as session:
        row = newest(session)
        if current_number(session) is None:
            return False
        if row is not None and row.state in (WAITING, WORKING):
            return row.claimed_until is None or row.claimed_until <= moment
        return row is None or row.asked_at < last_night(moment)


def last_night(moment: datetime) -> datetime:
    """The newest moment not after `moment` at which a nightly run was due."""
    local = moment.astimezone(SHANGHAI)
    due = datetime.combine(local.date(), NIGHT, SHANGHAI)
    return due if due <= local else due - timedelta(days=1)


def run_waiting(database: Database, work: Callable[[datetime | None, Progress], dict[str, Any]]) -> bool:
    """Do the run that waits, or the nightly one that is due; return whether there was one. `work` gets the moment up to which
    the run before looked, and what it returns is kept."""
    claimed = _claim(database)
    if claimed is None:
        return False
    number, attempt, since, until = claimed

    def tell(text: str) -> None:
        _update(database, number, attempt, progress=text[:200], claimed_until=now() + CLAIM)

    try:
        with _heart(database, number, attempt):
            counts = work(since, tell)
        found: dict[str, Any] = {"state": DONE, "counts": counts, "until": until, "progress": ""}
    except FSSCError as error:
        found = {"state": FAILED, "error": error.message[:500]}
    except Exception as error:
        log.exception("curation_failed")
        found = {"state": FAILED, "error": f"归类时出错：{error!r}"[:500]}
    _update(database, number, attempt, **found, done_at=now(), claimed_until=None)
    return True


def _claim(database: Database) -> tuple[int, int, datetime | None, datetime] | None:
    moment = now()
    if not waiting(database, moment):
        return None
    with database.write() as session:
        row = session.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(1).with_for_update()).one_or_none()
        if row is None or row.state in (DONE, FAILED):
            row = ask(session, NIGHTLY)
        if row.claimed_until is not None and row.claimed_until > moment:
            return None
        if row.attempt >= _ATTEMPTS:
            row.state, row.error, row.done_at = FAILED, "归类多次中断，请查看 worker.log 后重试。", moment
            return None
        row.state, row.attempt, row.claimed_until = WORKING, row.attempt + 1, moment + CLAIM
        since = session.scalar(
            select(RunRow.until)
            .where(RunRow.state == DONE, RunRow.until.is_not(None))
            .order_by(RunRow.id.desc())
            .limit(1)
        )
        return row.id, row.attempt, since, moment


@contextmanager
def _heart(database: Database, number: int, attempt: int) -> Iterator[None]:
    """Renews the claim while the block works, however long a step of it takes."""
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(BEAT):
            try:
                _update(database, number, attempt, claimed_until=now() + CLAIM)
            except Exception:
                log.warning("curation_claim_not_renewed", run=number, exc_info=True)

    thread = threading.Thread(target=beat, name="curation-heart", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _update(database: Database, number: int, attempt: int, **columns: Any) -> None:
    """Only by the worker whose run it still is."""
    with database.write() as session:
        row = session.get_one(RunRow, number, with_for_update=True)
        if row.state == WORKING and row.attempt == attempt:
            for name, value in columns.items():
                setattr(row, name, value)


def shown(row: RunRow | None, moment: datetime | None = None) -> dict[str, Any] | None:
    """As the console tells it; `interrupted` is one whose worker was killed, and which another one is about to take up."""
    moment = moment or now()
    return row and {
        "id": row.id,
        "state": row.state,
        "interrupted": row.state == WORKING and (row.claimed_until is None or row.claimed_until <= moment),
        "asked_by": row.asked_by,
        "asked_at": row.asked_at.isoformat(),
        "done_at": row.done_at.isoformat() if row.done_at else None,
        "progress": row.progress,
        "counts": row.counts,
        "error": row.error,
    }
