"""The next release before it is published: prepared in the background, kept in the database, then published as it was seen.

There is one preview at a time. A worker claims it for a short while and renews the claim as long as it lives; a claim
that ran out is taken up by whoever comes next.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Database, Json, Moment
from core.errors import Conflict, FSSCError
from kb.release.publish import Publisher, live_stamp, put_to_work
from kb.release.releases import PREPARED, ReleaseRow, accepted_wrong_rate

log = structlog.get_logger()

WORKING, READY, FAILED = "working", "ready", "failed"
CLAIM = timedelta(seconds=40)
_RENEW_S = 10.0
_ATTEMPTS = 3


class PreviewRow(Base):
    """`state` is working, ready or failed; the columns of `kb.release.releases.Prepared` are there when it is ready, and empty when
    the current release holds exactly this already. `stamp` tells what it was made of, or found to hold already."""

    __tablename__ = "kb_preview"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    author: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(Moment)
    refit: Mapped[bool]
    attempt: Mapped[int]
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    progress: Mapped[str] = mapped_column(String(200))
    error: Mapped[str | None] = mapped_column(String(500))
    stamp: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))
    encoder: Mapped[str | None] = mapped_column(String(200))
    base: Mapped[int | None]
    wrong_rate: Mapped[float | None]
    contents: Mapped[bytes | None] = mapped_column(LargeBinary)
    fitted: Mapped[bytes | None] = mapped_column(LargeBinary)
    fitted_in: Mapped[int | None]
    evaluation: Mapped[dict[str, Any] | None] = mapped_column(Json)
    changes: Mapped[dict[str, int] | None] = mapped_column(Json)
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)


def ask(session: Session, author: str, refit: bool = False) -> PreviewRow:
    """Ask for a preview of what a release made now would be; one that is being made goes on."""
    row = _locked(session)
    if row is not None and row.state == WORKING:
        return row
    if row is not None:
        session.delete(row)
        session.flush()
    row = PreviewRow(
        id=1, state=WORKING, author=author, started_at=now(), refit=refit, attempt=0, progress="等待后台任务开始"
    )
    session.add(row)
    session.flush()
    return row


def waiting(database: Database) -> bool:
    """Whether a preview was asked for that no living worker makes."""
    with database.read() as session:
        row = session.get(PreviewRow, 1)
        return row is not None and row.state == WORKING and not _claimed(row)


def make(database: Database, publisher: Publisher, default_wrong_rate: float) -> bool:
    """Make the preview that waits, if any; return whether there was one. What goes wrong stands in the preview."""
    attempt = _claim(database)
    if attempt is None:
        return False
    with database.read() as session:
        row = session.get_one(PreviewRow, 1)
        wrong_rate = accepted_wrong_rate(session, default_wrong_rate)
        stamp = live_stamp(session)
    with _kept_alive(database, attempt):
        try:
            candidate = publisher.prepare(wrong_rate, lambda text: _tell(database, attempt, text), row.refit)
            found: dict[str, Any] = {"state": READY, "progress": "", "error": None, "stamp": stamp}
            if candidate is not None:
                publisher.keep(candidate)
                found |= {**candidate.prepared, "stamp": candidate.stamp}
        except FSSCError as error:
            found = {"state": FAILED, "error": error.message}
        except Exception as error:
            log.exception("preview_failed")
            found = {"state": FAILED, "error": f"准备预览时出错：{error!r}"[:500]}
    _update(database, attempt, **found)
    return True


def view(session: Session) -> dict[str, Any]:
    """The preview as people see it. `state` is also `none` where none was asked for, and `stale` where what it was made of
    has changed since."""
    row = session.get(PreviewRow, 1)
    if row is None:
        return {"state": "none", "progress": "", "error": None, "started_at": None}
    state = row.state
    if state == READY and row.stamp is not None and row.stamp != live_stamp(session):
        state = "stale"
    found = {
        "state": state,
        "progress": row.progress,
        "error": row.error,
        "started_at": row.started_at.isoformat(),
        "author": row.author,
        "base": row.base,
        "nothing_changed": row.state == READY and row.digest is None,
    }
    if row.digest is not None and row.report is not None:
        found |= {**row.report, "after": row.evaluation, "counts": row.changes, "wrong_rate": row.wrong_rate}
    return found


def publish_preview(session: Session, author: str, override_reason: str | None) -> ReleaseRow:
    """Publish exactly what the preview shows. Raises Conflict: `preview_stale`, `nothing_changed` or `gate_refused`."""
    row = _locked(session)
    if row is None or row.state != READY:
        raise Conflict("请先生成预览，看过变化后再发布。", code="preview_stale")
    if row.digest is None and row.stamp == live_stamp(session):
        raise Conflict("线上版本已经包含全部知识，没有需要发布的变化。", code="nothing_changed")
    if row.digest is None:
        raise Conflict("预览之后知识又有变化，请重新预览后再发布。", code="preview_stale")
    prepared = {name: getattr(row, name) for name in PREPARED}
    released = put_to_work(session, prepared, author, override_reason, row.stamp or "")
    session.delete(row)
    return released


def _locked(session: Session) -> PreviewRow | None:
    return session.get(PreviewRow, 1, with_for_update=True)


def _claimed(row: PreviewRow) -> bool:
    return row.claimed_until is not None and row.claimed_until > now()


def _claim(database: Database) -> int | None:
    with database.write() as session:
        row = _locked(session)
        if row is None or row.state != WORKING or _claimed(row):
            return None
        if row.attempt >= _ATTEMPTS:
            row.state, row.error = FAILED, "准备预览的后台任务多次中断，请查看 worker.log 后重试。"
            return None
        row.attempt += 1
        row.claimed_until = now() + CLAIM
        return row.attempt


def _tell(database: Database, attempt: int, text: str) -> None:
    _update(database, attempt, progress=text[:200], claimed_until=now() + CLAIM)


def _update(database: Database, attempt: int, **columns: Any) -> None:
    """Only by the worker whose claim it is: one that was given up for dead must not write over its successor's."""
    with database.write() as session:
        row = _locked(session)
        if row is not None and row.state == WORKING and row.attempt == attempt:
            for name, value in columns.items():
                setattr(row, name, value)


@contextmanager
def _kept_alive(database: Database, attempt: int) -> Iterator[None]:
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_RENEW_S):
            with suppress(Exception):
                _update(database, attempt, claimed_until=now() + CLAIM)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
