"""An import: one uploaded file, its state, and what became of each of its rows.

reading → preview → applying → done, or failed, or cancelled. The bytes of the file lie in the database in pieces,
so that any replica's worker can take the import up; they are dropped when it ends.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from core.clock import now
from core.database import Base, Database, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from kb.ingest import guard

READING, PREVIEW, APPLYING = "reading", "preview", "applying"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)
_PIECE = 2**20


NOT_SAID = frozenset({"id", "version", "seen", "met", "reach"})
"""What is in the body of a row beside the fields of its entry."""


class ImportRow(Base):
    """`summary` is small and shown in lists; `body` is the kind's own; `claimed_by` and `claimed_until` are the worker's lease."""

    __tablename__ = "kb_import"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    format: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    author: Mapped[str] = mapped_column(String(64))
    policy_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, int]] = mapped_column(Json)
    summary: Mapped[dict[str, Any]] = mapped_column(Json)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    approve: Mapped[bool] = mapped_column(default=False)
    applied_by: Mapped[str | None] = mapped_column(String(64))
    claimed_by: Mapped[str | None] = mapped_column(String(36))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_kb_import_state", "state", "claimed_until"),)


class FileChunkRow(Base):
    """One piece of an uploaded file, at most 1 MiB."""

    __tablename__ = "kb_import_file"

    import_id: Mapped[str] = mapped_column(ForeignKey("kb_import.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class LineRow(Base):
    """One row of a FAQ file. `n` counts through all sheets, `line` is the row's number in its sheet.

    `body` is the entry it holds, with what was known of others when it was read (`NOT_SAID`); `entry_id` the entry it becomes or changes; `other_id` and `other_line` what it collides
    with: an entry, or a line of the same file.
    """

    __tablename__ = "kb_import_row"

    import_id: Mapped[str] = mapped_column(ForeignKey("kb_import.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    sheet: Mapped[str] = mapped_column(String(100))
    line: Mapped[int]
    action: Mapped[str] = mapped_column(String(10))
    resolution: Mapped[str | None] = mapped_column(String(10))
    outcome: Mapped[str | None] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[str | None] = mapped_column(String(64))
    other_id: Mapped[str | None] = mapped_column(String(64))
    other_question: Mapped[str | None] = mapped_column(Text)
    other_line: Mapped[int | None]
    body: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (Index("ix_kb_import_row_action", "import_id", "action", "resolution"),)


def create_import(
    session: Session, *, name: str, stream: BinaryIO, kind: str, author: str, policy_id: str | None = None
) -> ImportRow:
    """Keep an uploaded file for the worker to read; `kind` is `auto`, `faq` or `policy`.

    Raises InvalidInput when the file cannot be used, whatever it holds.
    """
    name = _file_name(name)
    with tempfile.TemporaryDirectory(prefix="fssc-import-") as directory:
        path = Path(directory) / f"file{Path(name).suffix.lower()}"
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _PIECE)
        form = guard.inspect(path, name)
        row = ImportRow(
            id=str(uuid.uuid4()),
            kind=_kind(kind, form, policy_id),
            format=form,
            state=READING,
            file_name=name,
            size=path.stat().st_size,
            author=author,
            policy_id=policy_id or None,
            created_at=now(),
            counts={},
            summary={},
            body={},
        )
        session.add(row)
        session.flush()
        with path.open("rb") as source:
            n = 0
            while piece := source.read(_PIECE):
                session.execute(FileChunkRow.__table__.insert(), {"import_id": row.id, "n": n, "data": piece})
                n += 1
    return row


def _file_name(name: str) -> str:
    """The last part of what a browser sends, short enough to store, with its extension."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "").strip() or "file"
    suffix = Path(name).suffix[:20]
    return name if len(name) <= 200 else name[: 200 - len(suffix)] + suffix


def _kind(kind: str, form: str, policy_id: str | None) -> str:
    of_form = "faq" if form in guard.SHEETS else "policy"
    if kind == "auto":
        kind = "policy" if policy_id else of_form
    if kind == "faq" and of_form != "faq":
        raise InvalidInput("问答请用 .xlsx 或 .csv 文件导入；Word、PDF、网页请作为制度导入。")
    if kind == "policy" and of_form != "policy":
        raise InvalidInput("制度请用 .docx、.pdf、.html、.md 或 .txt 文件导入；表格请作为问答导入。")
    if kind not in ("faq", "policy"):
        raise InvalidInput("导入类型只能是 auto、faq 或 policy。")
    return kind


@contextmanager
def file_of(database: Database, row: ImportRow) -> Iterator[Path]:
    """The uploaded file, on this machine's disk for as long as the block runs. Raises InvalidInput when it is gone."""
    suffix = Path(row.file_name).suffix.lower()
    with tempfile.TemporaryDirectory(prefix="fssc-import-") as directory:
        path = Path(directory) / f"file{suffix}"
        with path.open("wb") as copy:
            n = 0
            while (piece := _piece(database, row.id, n)) is not None:
                copy.write(piece)
                n += 1
        if path.stat().st_size != row.size:
            raise InvalidInput("上传的文件已不完整，请重新上传。")
        yield path


def _piece(database: Database, import_id: str, n: int) -> bytes | None:
    with database.read() as session:
        return session.scalar(select(FileChunkRow.data).where(FileChunkRow.import_id == import_id, FileChunkRow.n == n))


def import_of(session: Session, import_id: str) -> ImportRow:
    row = session.get(ImportRow, import_id)
    if row is None:
        raise NotFound("没有找到这次导入，请刷新列表。")
    return row


def lock_import(session: Session, import_id: str) -> ImportRow:
    """The import, held against the worker and other editors until the transaction ends."""
    row = session.get(ImportRow, import_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("没有找到这次导入，请刷新列表。")
    return row


def in_preview(row: ImportRow) -> ImportRow:
    """`row`, if it waits for a person. Raises Conflict."""
    if row.state != PREVIEW:
        reason = {READING: "文件还在读取，请稍候。", APPLYING: "正在写入知识库，不能再修改。"}
        raise Conflict(reason.get(row.state, "这次导入已经结束，请重新上传文件。"), code="not_in_preview")
    return row


def begin_applying(row: ImportRow) -> None:
    """What was seen is to be done; a worker takes it from here."""
    row.state = APPLYING
    row.progress_done = row.progress_total = row.attempts = 0
    row.claimed_by = row.claimed_until = None


def cancel(session: Session, import_id: str) -> ImportRow:
    """End an import before it is done; cancelling twice is no error. Raises Conflict when it has ended otherwise."""
    row = lock_import(session, import_id)
    if row.state in (DONE, FAILED):
        raise Conflict("这次导入已经结束，不能再取消。", code="already_done")
    if row.state != CANCELLED:
        end(session, row, CANCELLED)
    return row


def end(session: Session, row: ImportRow, state: str, error: str | None = None) -> None:
    """The import is over: its file goes, its rows stay to be read."""
    row.state, row.error, row.finished_at = state, error, now()
    row.claimed_by = row.claimed_until = None
    session.execute(delete(FileChunkRow).where(FileChunkRow.import_id == row.id))


def forget(session: Session, before: datetime) -> int:
    """Delete the imports that ended before then, and those that nobody confirmed since; entries stay. Return how many."""
    old = select(ImportRow.id).where(
        ImportRow.state.in_((*ENDED, PREVIEW)), func.coalesce(ImportRow.finished_at, ImportRow.created_at) < before
    )
    ids = list(session.scalars(old.with_for_update(skip_locked=True)))
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        for table in (LineRow, FileChunkRow):
            session.execute(delete(table).where(table.import_id.in_(some)))
        session.execute(delete(ImportRow).where(ImportRow.id.in_(some)))
    return len(ids)


def find_imports(session: Session, page: int = 1, page_size: int = 20) -> tuple[list[ImportRow], int]:
    """Imports, newest first, and how many there are."""
    total = session.scalar(select(func.count()).select_from(ImportRow)) or 0
    query = select(ImportRow).options(defer(ImportRow.body)).order_by(ImportRow.created_at.desc(), ImportRow.id)
    return list(session.scalars(query.offset((page - 1) * page_size).limit(page_size))), total


def import_to_dict(row: ImportRow) -> dict[str, Any]:
    """What lists and the page of an import show, as JSON values."""
    return {
        "id": row.id,
        "kind": row.kind,
        "format": row.format,
        "file_name": row.file_name,
        "size": row.size,
        "author": row.author,
        "policy_id": row.policy_id,
        "created_at": row.created_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "state": row.state,
        "progress": {"done": row.progress_done, "total": row.progress_total},
        "error": row.error,
        "counts": row.counts,
        "summary": row.summary,
        "approve": row.approve,
        "applied_by": row.applied_by,
    }
