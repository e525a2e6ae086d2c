"""Imports at work: claimed by one worker at a time, taken up again when it dies, stopped when somebody cancels.

A worker holds a lease that every report of progress renews. Reading may be done again from the beginning; what is
confirmed is applied in one transaction that also ends the import, so it happens once or not at all.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, FSSCError
from kb.ingest import guard
from kb.ingest.imports import (
    APPLYING,
    DONE,
    FAILED,
    PREVIEW,
    READING,
    ImportRow,
    begin_applying,
    end,
    file_of,
    in_preview,
    lock_import,
)

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 3
_REPORT_EVERY_S = 0.5
_MOST_PREPARATIONS = 5

Progress = Callable[[int, int], None]


class Stopped(Exception):
    """The import was cancelled, or another worker has taken it over: leave it alone."""


class Outdated(Exception):
    """The knowledge base has changed between `prepare` and `apply`: prepare again."""


@dataclass(frozen=True)
class About:
    """What an ingester needs to know of the import that it works on."""

    id: str
    kind: str
    format: str
    file_name: str
    author: str
    policy_id: str | None
    approve: bool
    applied_by: str | None


@dataclass(frozen=True)
class Preview:
    """What reading found: figures, what lists show of it, and whatever the kind wants to keep."""

    counts: dict[str, int]
    summary: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


class Task:
    """One piece of work on an import; `path` is the file while reading."""

    def __init__(
        self, database: Database, about: About, claim: str, path: Path | None, heard: Progress | None = None
    ) -> None:
        self.database = database
        self.about = about
        self._claim = claim
        self._path = path
        self._heard = heard
        self._told = 0.0

    @property
    def path(self) -> Path:
        if self._path is None:
            raise ValueError("there is no file after reading")
        return self._path

    def progress(self, done: int, total: int) -> None:
        """Say how far it is; call it often. Raises Stopped when the import is no longer ours."""
        if self._heard:
            self._heard(done, total)
        moment = time.monotonic()
        if moment - self._told < _REPORT_EVERY_S:
            return
        self._told = moment
        with self.database.write() as session:
            mine = session.execute(
                update(ImportRow)
                .where(ImportRow.id == self.about.id, ImportRow.claimed_by == self._claim)
                .values(progress_done=done, progress_total=max(done, total), claimed_until=now() + LEASE)
            )
        if not mine.rowcount:
            raise Stopped


class Ingester(Protocol):
    """One kind of import, such as questions and answers in a sheet."""

    kind: str

    def read(self, task: Task) -> Preview:
        """Read the file, outside any transaction; may be run again. Raises InvalidInput for a file of no use."""
        ...

    def check(self, session: Session, row: ImportRow) -> None:
        """Raises Conflict when a person has still something to decide."""
        ...

    def prepare(self, task: Task) -> Any:
        """Everything slow before applying, outside any transaction."""
        ...

    def apply(self, session: Session, row: ImportRow, plan: Any) -> dict[str, int]:
        """Write it all, in the transaction that ends the import; return the figures.

        Raises FSSCError to write nothing, Outdated when something has changed since `prepare`.
        """
        ...


def confirm(
    session: Session, kinds: Mapping[str, Ingester], import_id: str, *, by: str, approve: bool, admin: bool = False
) -> ImportRow:
    """Let the worker apply what was previewed; with `approve` it counts as reviewed by `by`.

    Raises Conflict when it cannot be applied yet, Forbidden `own_draft` for one's own file, except an administrator's.
    """
    row = in_preview(lock_import(session, import_id))
    if approve and row.author == by and not admin:
        raise Forbidden("不能审核自己上传的文件，请提交审核，或请另一位审核人确认。", code="own_draft")
    row.applied_by, row.approve = by, approve
    kinds[row.kind].check(session, row)
    begin_applying(row)
    return row


def waiting(database: Database) -> bool:
    """Whether an import waits for a worker: new, confirmed, or left behind by a dead one."""
    with database.read() as session:
        return session.scalar(_waiting().limit(1)) is not None


def _waiting():
    unclaimed = or_(ImportRow.claimed_until.is_(None), ImportRow.claimed_until < now())
    return (
        select(ImportRow.id).where(ImportRow.state.in_((READING, APPLYING)), unclaimed).order_by(ImportRow.created_at)
    )


def run_waiting(database: Database, kinds: Mapping[str, Ingester]) -> int:
    """Work on every import that waits, oldest first; return how many."""
    done = 0
    while (claimed := _claim(database)) is not None:
        _work(database, kinds, *claimed, None)
        done += 1
    return done


def lease(row: ImportRow) -> str:
    """Claim an import in the transaction that holds it; what `run_leased` wants."""
    row.attempts += 1
    row.claimed_by, row.claimed_until = str(uuid.uuid4()), now() + LEASE
    return row.claimed_by


def run_leased(
    database: Database, kinds: Mapping[str, Ingester], row: ImportRow, claim: str, heard: Progress | None = None
) -> None:
    """Read or apply an import that is leased to us, here and now; `heard` is told every step."""
    _work(database, kinds, row, claim, heard)


def _claim(database: Database) -> tuple[ImportRow, str] | None:
    """The oldest import that waits, leased to us; one that killed its workers ends here."""
    while True:
        with database.write() as session:
            found = session.scalar(_waiting().with_for_update(skip_locked=True).limit(1))
            if found is None:
                return None
            row = session.get_one(ImportRow, found)
            if row.attempts < MOST_ATTEMPTS:
                return row, lease(row)
            end(session, row, FAILED, "处理这个文件时服务多次中断，请拆分文件后重试，或联系管理员。")


def _work(
    database: Database, kinds: Mapping[str, Ingester], row: ImportRow, claim: str, heard: Progress | None
) -> None:
    kind = kinds[row.kind]
    about = About(row.id, row.kind, row.format, row.file_name, row.author, row.policy_id, row.approve, row.applied_by)
    try:
        if row.state == READING:
            with file_of(database, row) as path:
                guard.inspect(path, row.file_name)
                preview = kind.read(Task(database, about, claim, path, heard))
            _show(database, about.id, claim, preview)
        else:
            _apply(database, kind, Task(database, about, claim, None, heard), claim)
    except Stopped:
        log.info("import_stopped", import_id=about.id)
    except FSSCError as error:
        _fail(database, about.id, claim, error.message)
    except OperationalError as error:
        # The database is away or busy, which is no fault of the file: when the lease runs out it is tried again.
        log.warning("import_interrupted", import_id=about.id, error=str(error))
    except Exception as error:
        log.exception("import_failed", import_id=about.id, exc_info=error)
        _fail(database, about.id, claim, "读取文件时出错，什么都没有写入。请另存为新文件后重试；仍不行请联系管理员。")


def _mine(session: Session, import_id: str, claim: str) -> ImportRow:
    row = lock_import(session, import_id)
    if row.claimed_by != claim:
        raise Stopped
    return row


def _show(database: Database, import_id: str, claim: str, preview: Preview) -> None:
    with database.write() as session:
        row = _mine(session, import_id, claim)
        row.state, row.counts, row.summary, row.body = PREVIEW, preview.counts, preview.summary, preview.body
        row.claimed_by = row.claimed_until = None
        row.progress_done = row.progress_total = max(row.progress_total, 1)


def _apply(database: Database, kind: Ingester, task: Task, claim: str) -> None:
    for _ in range(_MOST_PREPARATIONS):
        plan = kind.prepare(task)
        try:
            with database.write() as session:
                row = _mine(session, task.about.id, claim)
                row.counts = kind.apply(session, row, plan)
                row.progress_done = row.progress_total = max(row.progress_total, 1)
                end(session, row, DONE)
            return
        except Outdated:
            log.info("import_prepared_again", import_id=task.about.id)
    raise Conflict("知识库正被频繁修改，什么都没有写入，请稍后重新导入。")


def _fail(database: Database, import_id: str, claim: str, message: str) -> None:
    with database.write() as session:
        row = lock_import(session, import_id)
        if row.claimed_by == claim:
            end(session, row, FAILED, message)
