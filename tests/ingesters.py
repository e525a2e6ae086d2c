"""What every kind of import keeps, whatever it reads: a class of tests to inherit, and files made by hand to refuse."""

from __future__ import annotations

import io
import os
import zipfile
from abc import abstractmethod
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import service.tables  # noqa: F401  every table
from core.clock import now
from core.database import Database
from core.errors import Conflict, InvalidInput
from kb.care.drafts import DraftRow
from kb.ingest import jobs
from kb.ingest.imports import (
    APPLYING,
    CANCELLED,
    DONE,
    FAILED,
    PREVIEW,
    READING,
    FileChunkRow,
    ImportRow,
    cancel,
    create_import,
    import_of,
    lock_import,
)
from kb.ingest.kinds import KINDS
from kb.store import DocumentRow, EntryRow, EntryVersionRow


def upload(database: Database, name: str, data: bytes, author: str = "li", kind: str = "auto") -> str:
    """Bring a file in; its import's id."""
    with database.write() as session:
        return create_import(session, name=name, stream=io.BytesIO(data), kind=kind, author=author).id


def work(database: Database) -> int:
    """What a worker does when it is woken."""
    return jobs.run_waiting(database, KINDS)


def seen(database: Database, import_id: str) -> ImportRow:
    with database.read() as session:
        return import_of(session, import_id)


def confirm(database: Database, import_id: str, by: str = "wang", approve: bool = True) -> None:
    with database.write() as session:
        jobs.confirm(session, KINDS, import_id, by=by, approve=approve)


def read(database: Database, name: str, data: bytes, kind: str = "auto") -> ImportRow:
    """The import of a file once it has been read."""
    import_id = upload(database, name, data, kind=kind)
    work(database)
    return seen(database, import_id)


class Killed(BaseException):
    """A worker that goes away in the middle, as with SIGKILL: nobody catches it."""


def expire(database: Database, import_id: str) -> None:
    with database.write() as session:
        session.execute(
            update(ImportRow).where(ImportRow.id == import_id).values(claimed_until=now() - timedelta(seconds=1))
        )


def knowledge(database: Database) -> dict[str, int]:
    """How much there is of everything that an import may write."""
    with database.read() as session:
        return {
            table.__tablename__: _count(session, table) for table in (EntryRow, EntryVersionRow, DocumentRow, DraftRow)
        }


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _pieces(database: Database) -> int:
    with database.read() as session:
        return _count(session, FileChunkRow)


class IngesterContract:
    """Inherit, and give `good`: a file that can be confirmed as it is, and `suffix`."""

    suffix: str

    @abstractmethod
    def good(self) -> tuple[str, bytes]:
        """Name and content of a file that brings something new in."""

    def _read(self, database: Database) -> str:
        row = read(database, *self.good())
        assert row.state == PREVIEW, row.error
        return row.id

    def test_reading_shows_and_writes_nothing(self, database: Database) -> None:
        before = knowledge(database)
        import_id = upload(database, *self.good())
        assert seen(database, import_id).state == READING
        work(database)
        row = seen(database, import_id)
        assert row.state == PREVIEW and row.error is None
        assert row.progress_done == row.progress_total > 0
        assert knowledge(database) == before

    def test_confirmed_it_is_written_once(self, database: Database) -> None:
        before = knowledge(database)
        import_id = self._read(database)
        confirm(database, import_id)
        assert seen(database, import_id).state == APPLYING
        work(database)
        row = seen(database, import_id)
        assert (row.state, row.error) == (DONE, None)
        after = knowledge(database)
        assert after != before
        assert _pieces(database) == 0, "the file stays after its import"
        assert work(database) == 0 and knowledge(database) == after
        with pytest.raises(Conflict):
            confirm(database, import_id)

    def test_cancelled_while_it_waits_to_be_read(self, database: Database) -> None:
        import_id = upload(database, *self.good())
        with database.write() as session:
            cancel(session, import_id)
        assert work(database) == 0
        assert seen(database, import_id).state == CANCELLED and _pieces(database) == 0

    def test_cancelled_while_a_worker_reads_it(self, database: Database) -> None:
        import_id = upload(database, *self.good())
        with database.write() as session:
            row = lock_import(session, import_id)
            claim = jobs.lease(row)
            cancel(session, import_id)
        jobs.run_leased(database, KINDS, row, claim)
        assert seen(database, import_id).state == CANCELLED

    def test_cancelled_in_preview(self, database: Database) -> None:
        before = knowledge(database)
        import_id = self._read(database)
        with database.write() as session:
            cancel(session, import_id)
            cancel(session, import_id)
        with pytest.raises(Conflict):
            confirm(database, import_id)
        assert work(database) == 0 and knowledge(database) == before

    def test_cancelled_before_the_worker_writes(self, database: Database) -> None:
        before = knowledge(database)
        import_id = self._read(database)
        confirm(database, import_id)
        with database.write() as session:
            row = lock_import(session, import_id)
            claim = jobs.lease(row)
        with database.write() as session:
            cancel(session, import_id)
        jobs.run_leased(database, KINDS, row, claim)
        assert seen(database, import_id).state == CANCELLED and knowledge(database) == before

    def test_what_is_done_cannot_be_cancelled(self, database: Database) -> None:
        import_id = self._read(database)
        confirm(database, import_id)
        work(database)
        with pytest.raises(Conflict), database.write() as session:
            cancel(session, import_id)
        assert seen(database, import_id).state == DONE

    def _die(self, database: Database, import_id: str, doing: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker takes the import up and dies at the end of its work; its lease then runs out."""
        kind = type(KINDS[seen(database, import_id).kind])
        with monkeypatch.context() as patch:
            patch.setattr(kind, doing, _done_then_killed(getattr(kind, doing)))
            with pytest.raises(Killed):
                work(database)
        assert work(database) == 0, "an import is taken from a worker that may still live"
        expire(database, import_id)

    def test_a_worker_killed_while_reading(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        before = knowledge(database)
        import_id = upload(database, *self.good())
        self._die(database, import_id, "read", monkeypatch)
        assert work(database) == 1
        assert seen(database, import_id).state == PREVIEW and knowledge(database) == before

    def test_a_worker_killed_while_writing(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        before = knowledge(database)
        import_id = self._read(database)
        confirm(database, import_id)
        self._die(database, import_id, "apply", monkeypatch)
        assert knowledge(database) == before, "half of an import was written"
        assert work(database) == 1
        assert seen(database, import_id).state == DONE and knowledge(database) != before

    def test_an_import_that_kills_every_worker_fails_in_the_end(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = upload(database, *self.good())
        for _ in range(jobs.MOST_ATTEMPTS):
            self._die(database, import_id, "read", monkeypatch)
        work(database)
        row = seen(database, import_id)
        assert row.state == FAILED and row.error and "中断" in row.error

    def test_nobody_approves_their_own_file(self, database: Database) -> None:
        import_id = self._read(database)
        with pytest.raises(Exception, match="自己上传"):
            confirm(database, import_id, by="li", approve=True)

    def test_what_cannot_be_used_is_refused_and_kept_nowhere(self, database: Database) -> None:
        for name, (data, words) in unusable(self.suffix).items():
            with pytest.raises(InvalidInput, match=words):
                upload(database, f"{name}{self.suffix}", data)
        assert _pieces(database) == 0


def _done_then_killed(doing):
    def killed(*args):
        doing(*args)
        raise Killed

    return killed


def unusable(suffix: str) -> dict[str, tuple[bytes, str]]:
    """Files that no kind of import takes under this extension, and a word of the reason."""
    from kb.ingest.guard import MOST_BYTES

    other = b"%PDF-1.7\n" if suffix != ".pdf" else package({"xl/workbook.xml": b"<workbook/>"})
    return {
        "empty": (b"", "空"),
        "large": (b"x" * (MOST_BYTES + 1), "50 MB"),
        "encrypted": (ole("EncryptedPackage"), "密码"),
        "garbage": (os.urandom(4096).replace(b"PK", b"..").replace(b"%PDF", b"...."), "损坏|不符|不是可读的文本"),
        "program": (b"\x7fELF\x02\x01\x01" + bytes(500), "损坏|不符|不是可读的文本"),
        "other_name": (other, "不符"),
    }


def ole(stream: str) -> bytes:
    """The beginning of Office's old container, with the name of one stream where its directory would be."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + stream.encode("utf-16-le") + bytes(512)


def package(parts: dict[str, bytes]) -> bytes:
    """A ZIP file of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return made.getvalue()
