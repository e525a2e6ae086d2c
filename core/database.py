"""The database: SQLite for one machine, PostgreSQL for many; the same tables and sessions on both."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import IO, Any

from sqlalchemy import JSON, DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


Json = JSON().with_variant(JSONB(), "postgresql")


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must know its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _sqlite_connection(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a read that turns into a write would fail with 'database is locked'."""
    mode = "" if connection.get_execution_options().get("readonly") else " IMMEDIATE"
    connection.exec_driver_sql("BEGIN" + mode)


_PATIENCE = 10.0


class _Turn:
    """Whose turn it is to write to a SQLite database, among the threads and processes of this machine."""

    def __init__(self, path: str | None) -> None:
        self._queue, self._among_threads = threading.Lock(), threading.Lock()
        self._path = f"{path}.turn" if path and path != ":memory:" else ""
        self._file: IO[bytes] | None = None

    @contextmanager
    def taken(self, urgent: bool) -> Iterator[None]:
        """Those who are urgent wait for one writer at most, the others queue first."""
        # Who waits in vain goes on: SQLite then says what is wrong.
        queued = not urgent and self._queue.acquire(timeout=_PATIENCE)
        mine = self._among_threads.acquire(timeout=_PATIENCE)
        if queued:
            self._queue.release()
        if not mine:
            yield
            return
        try:
            if self._path and not self._file:
                self._file = open(self._path, "ab")  # noqa: SIM115 - kept open, to be locked again
            if self._file:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            yield
        finally:
            if self._file:
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._among_threads.release()

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


class Database:
    """`write()` commits what its block did, or nothing; `read()` never takes a write lock.

    SQLite has one writer at a time, and one that waits sleeps longer and longer: writers wait here instead, those of one
    process for its lock and those of all processes for a locked file, and go on the moment the one before is done.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        sqlite = url.startswith("sqlite")
        # As many connections as threads ask at once stay open: opening one anew costs more than a question.
        options: dict[str, Any] = {"pool_size": 20, "max_overflow": 20} | ({} if sqlite else {"pool_pre_ping": True})
        self.engine: Engine = create_engine(url, **options)
        if sqlite:
            event.listen(self.engine, "connect", _sqlite_connection)
            event.listen(self.engine, "begin", _begin_immediate)
        self._turn = _Turn(self.engine.url.database) if sqlite else None
        self._writer = sessionmaker(self.engine, expire_on_commit=False)
        self._reader = sessionmaker(self.engine.execution_options(readonly=True), expire_on_commit=False)

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Session]:
        """`urgent`, for a few rows that somebody waits for: before other writers of this process."""
        with self._turn.taken(urgent) if self._turn else nullcontext(), self._writer.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._reader() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()
        if self._turn:
            self._turn.close()
