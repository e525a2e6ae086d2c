"""Attachments: kept under made-up names outside the web root; type judged by content, not by name."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment
from core.errors import Conflict, InvalidInput, NotFound
from handoff.actors import Actor
from handoff.file_types import file_type
from handoff.locking import begin
from handoff.permissions import is_requester, may
from handoff.tickets import TicketRow
from handoff.timeline import record

MOST_BYTES = 20 * 2**20
MOST_FILES = 50
"""So many a ticket."""


class AttachmentRow(Base):
    """`sent` once a public reply has carried it; before that only the desk, and whoever brought it, see it."""

    __tablename__ = "ticket_attachment"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"))
    name: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    public: Mapped[bool]
    by: Mapped[str] = mapped_column(String(64))
    by_kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(Moment)
    sent: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("ix_ticket_attachment_ticket", "ticket", "at"),)

    def to_dict(self) -> dict[str, Any]:
        """`{id, name, size, type}`; size in bytes."""
        return {"id": self.id, "name": self.name, "size": self.size, "type": self.type}


def attach(
    session: Session,
    home: Path,
    number: str,
    actor: Actor,
    name: str,
    stream: BinaryIO,
    *,
    public: bool,
    version: int | None = None,
) -> AttachmentRow:
    """Keep a file with the ticket. A public one reaches the requester with the reply that names it; an employee's own is
    always public. Raises InvalidInput for a type that is not accepted, an empty or too large file."""
    ticket = begin(session, number, actor, "attach" if public else "note", version)
    count = session.scalar(select(func.count()).select_from(AttachmentRow).where(AttachmentRow.ticket == ticket.number))
    if (count or 0) >= MOST_FILES:
        raise Conflict(f"一张工单最多 {MOST_FILES} 个附件，请合并文件后再上传。", code="too_many_files")
    made = str(uuid.uuid4())
    path = path_of(home, made)
    size, digest = _store(stream, path)
    try:
        shown = safe_name(name)
        kind = file_type(path, shown)
        row = AttachmentRow(
            id=made,
            ticket=ticket.number,
            name=shown,
            type=kind,
            size=size,
            sha256=digest,
            public=public,
            by=actor.id,
            by_kind=actor.kind,
            at=now(),
            sent=False,
        )
        session.add(row)
        session.flush()
        record(
            session,
            ticket,
            actor,
            "attached",
            f"上传附件 {shown}",
            public=actor.kind == "employee",
            detail={"attachment": made, "sha256": digest, "size": size, "public": public},
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return row


def path_of(home: Path, attachment_id: str) -> Path:
    return home / "attachments" / attachment_id[:2] / attachment_id


def _store(stream: BinaryIO, path: Path) -> tuple[int, str]:
    """Size in bytes and sha256 of what was written. Raises InvalidInput, and leaves nothing, for nothing or too much."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size, digest = 0, hashlib.sha256()
    stream.seek(0)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            while piece := stream.read(1 << 20):
                size += len(piece)
                if size > MOST_BYTES:
                    raise InvalidInput(
                        f"附件不能超过 {MOST_BYTES >> 20} MB，请压缩图片或拆分后再上传。", code="file_too_large"
                    )
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if not size:
            raise InvalidInput("这个文件是空的，请重新选择。", code="file_empty")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


_FORBIDDEN = re.compile(r'(?:[\\/:*?"<>|]|%22|%0[AD])+', re.I)
"""Also as browsers write them in a form's file names."""


def safe_name(name: str) -> str:
    """The file's own name without folders, control and direction characters, at most 100 characters, ending kept."""
    name = unicodedata.normalize("NFKC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    name = _FORBIDDEN.sub("_", " ".join(name.split())).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if dot and stem and len(ending) <= 8:
        return f"{stem[:91].rstrip()}.{ending}"
    return name[:100] or "附件"


def attached(session: Session, ticket: TicketRow, ids: Sequence[str], *, public: bool) -> list[dict[str, Any]]:
    """The attachments of `ticket` that a reply, note or word carries, as `{id, name, size, type}`; they count as sent.

    Raises NotFound for another ticket's, Conflict where an internal file would go out with a public reply.
    """
    found = []
    for one in dict.fromkeys(ids):
        row = session.get(AttachmentRow, one)
        if row is None or row.ticket != ticket.number:
            raise NotFound("没有找到这个附件，请重新上传。", code="attachment_not_found")
        if public and not row.public:
            raise Conflict(
                f"附件 {row.name} 是内部附件，不能随回复发给员工；确需发送请作为公开附件重新上传。",
                code="internal_attachment",
            )
        if public:
            row.sent = True
        found.append(row.to_dict())
    return found


def attachments_of(session: Session, number: str) -> list[AttachmentRow]:
    """Oldest first."""
    return list(
        session.scalars(
            select(AttachmentRow).where(AttachmentRow.ticket == number).order_by(AttachmentRow.at, AttachmentRow.id)
        )
    )


def attachment_for(session: Session, actor: Actor, ticket: TicketRow, attachment_id: str) -> AttachmentRow:
    """The attachment, where `actor` may read it: the requester only what they brought or were sent. Raises NotFound."""
    row = session.get(AttachmentRow, attachment_id)
    allowed = row is not None and row.ticket == ticket.number and may(actor, "read", ticket)
    if allowed and row is not None and is_requester(actor, ticket):
        allowed = row.by_kind == "employee" or (row.public and row.sent)
    if row is None or not allowed:
        raise NotFound("没有找到这个附件，可能没有权限查看。", code="attachment_not_found")
    return row
