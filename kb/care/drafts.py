"""Drafts: what an editor wants an entry to say, until a reviewer approves it.

draft ──submit──▸ submitted ──approve──▸ (gone; the entry has a new version, or is retired)
  ▴                   │
  └──── save ─────────┴──reject──▸ rejected

An entry has at most one draft, and a draft one author. Saving a submitted or rejected draft makes it a plain draft again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kb.care.flags import settle
from kb.entries import Entry, Source
from kb.store import EntryRow, entry_from_dict, entry_to_dict, retire_entry, save_entry, search_text

DRAFT, SUBMITTED, REJECTED = "draft", "submitted", "rejected"


class DraftRow(Base):
    """`base_version` is the version it started from, 0 for a new entry; `revision` counts how often it was saved."""

    __tablename__ = "kb_draft"

    entry_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    base_version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    deletes: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), index=True)
    revision: Mapped[int] = mapped_column(default=1)
    question: Mapped[str] = mapped_column(String(500))
    business_type: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str] = mapped_column(String(40))
    search_text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(64), index=True)
    reviewer: Mapped[str | None] = mapped_column(String(64))
    comment: Mapped[str] = mapped_column(String(500), default="")
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    updated_at: Mapped[datetime] = mapped_column(Moment)


def new_id() -> str:
    """An id for an entry that nobody has named."""
    return f"k-{secrets.token_hex(5)}"


def newest_version(session: Session, entry_id: str) -> int:
    """The newest approved version of an entry, a retired one's too; 0 where there is none."""
    row = session.get(EntryRow, entry_id)
    return row.version if row else 0


def draft_of(session: Session, entry_id: str) -> DraftRow:
    """Raises NotFound."""
    row = session.get(DraftRow, entry_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("这条知识没有草稿，可能已被审核或撤销，请刷新页面。", code="no_draft")
    return row


def propose(
    session: Session, entry: Entry, author: str, *, base_version: int | None = None, deletes: bool = False
) -> DraftRow:
    """Save `entry` as `author`'s draft; `deletes` proposes to retire it.

    `base_version` is the version that the author has seen (None: whatever is newest). Raises Conflict:
    `version_conflict` when there is a newer one by now, `draft_by_other` when somebody else has a draft of this entry.
    """
    newest = newest_version(session, entry.id)
    if base_version is not None and base_version != newest:
        raise Conflict("这条知识刚被更新过，请重新打开后在最新版本上修改。", code="version_conflict")
    row = session.get(DraftRow, entry.id, with_for_update=True, populate_existing=True)
    if row is not None and row.author != author:
        raise Conflict(_by_other(row), code="draft_by_other")
    if row is None:
        row = DraftRow(entry_id=entry.id, author=author, revision=0, findings=[])
        session.add(row)
    for name, value in (_values(entry, newest) | {"state": DRAFT, "deletes": deletes}).items():
        setattr(row, name, value)
    row.revision += 1
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("另一位同事刚刚开始修改这条知识，请刷新后再看。", code="draft_by_other") from error
    return row


def blocking(findings: Iterable[dict[str, Any]]) -> list[str]:
    """What has to be mended before a draft is submitted."""
    return [found["message"] for found in findings if found["severity"] == "error"]


def submit_drafts(
    session: Session,
    entries: Iterable[Entry],
    author: str,
    findings: Mapping[str, list[dict[str, Any]]] | None = None,
) -> dict[str, str]:
    """Make each entry a submitted draft of `author`, over one of their own; return why not, by the ids of those that somebody
    else has a draft of. `findings` by entry are kept with it; one of severity `error` leaves it a plain draft."""
    findings = findings or {}
    session.flush()
    unique = list({entry.id: entry for entry in entries}.values())
    refused: dict[str, str] = {}
    for start in range(0, len(unique), 500):
        some = unique[start : start + 500]
        wanted = [entry.id for entry in some]
        newest = _newest_versions(session, wanted)
        drafts = {row.entry_id: row for row in session.scalars(select(DraftRow).where(DraftRow.entry_id.in_(wanted)))}
        new: list[dict[str, Any]] = []
        for entry in some:
            row = drafts.get(entry.id)
            if row is not None and row.author != author:
                refused[entry.id] = _by_other(row)
                continue
            found = findings.get(entry.id, [])
            state = DRAFT if blocking(found) else SUBMITTED
            values = _values(entry, newest.get(entry.id, 0)) | {"state": state, "deletes": False, "findings": found}
            if row is None:
                new.append({**values, "entry_id": entry.id, "author": author, "revision": 1})
            else:
                for name, value in values.items():
                    setattr(row, name, value)
                row.revision += 1
        if new:
            session.execute(insert(DraftRow.__table__), new)
        session.flush()
    return refused


def submit(session: Session, entry_id: str, author: str, findings: Sequence[dict[str, Any]] = ()) -> DraftRow:
    """Ask for review. `findings` are kept for the reviewer; one of severity `error` refuses (InvalidInput `findings`)."""
    row = draft_of(session, entry_id)
    if row.author != author:
        raise Forbidden("只有草稿的作者可以提交审核。", code="not_the_author")
    row.findings = list(findings)
    if not row.deletes and (wrong := blocking(findings)):
        raise InvalidInput("请先处理这些问题再提交：" + "；".join(wrong), code="findings")
    row.state, row.reviewer, row.comment, row.updated_at = SUBMITTED, None, "", now()
    return row


def approve(
    session: Session,
    entry_id: str,
    reviewer: str,
    *,
    admin: bool = False,
    revision: int | None = None,
) -> Entry:
    """Make a submitted draft the entry's newest version, or retire it; return the entry.

    `revision` is the one that the reviewer has seen. Only an administrator may approve a draft of their own. A draft that
    says otherwise than the entry did, in its answer or by its sources, answers the flags that were up when it was submitted.
    Raises Conflict `not_submitted`, `draft_changed` or `version_conflict`, Forbidden `own_draft`.
    """
    row = draft_of(session, entry_id)
    _reviewable(row, reviewer, admin)
    if revision is not None and revision != row.revision:
        raise Conflict("作者刚修改过这份草稿，请重新查看后再审核。", code="draft_changed")
    stored = session.get(EntryRow, entry_id, with_for_update=True, populate_existing=True)
    if (stored.version if stored else 0) != row.base_version:
        raise Conflict("这条知识已有更新的版本，请退回草稿，让作者在最新版本上修改。", code="version_conflict")
    entry = entry_from_dict(row.body)
    if row.deletes or stored is None or _told(entry_from_dict(stored.body)) != _told(entry):
        settle(session, entry_id, reviewer, row.updated_at)
    if row.deletes:
        retire_entry(session, entry_id, row.author, reviewer)
    else:
        save_entry(session, entry, row.author, reviewer)
    session.delete(row)
    session.flush()
    return replace(entry, version=newest_version(session, entry_id))


def reject(session: Session, entry_id: str, reviewer: str, comment: str, *, admin: bool = False) -> DraftRow:
    """Give a submitted draft back to its author with what is wrong. Raises like `approve`, InvalidInput without a comment."""
    if not comment.strip():
        raise InvalidInput("请写明退回的原因，作者才知道怎么改。", code="comment_missing")
    row = draft_of(session, entry_id)
    _reviewable(row, reviewer, admin)
    row.state, row.reviewer, row.comment, row.updated_at = REJECTED, reviewer, comment.strip()[:500], now()
    return row


def withdraw(session: Session, entry_id: str, user: str, *, admin: bool = False) -> None:
    """Throw a draft away. Raises Forbidden `not_the_author` for anybody but its author and administrators."""
    row = draft_of(session, entry_id)
    if row.author != user and not admin:
        raise Forbidden("只有草稿的作者或管理员可以撤销它。", code="not_the_author")
    session.delete(row)


def _newest_versions(session: Session, ids: Sequence[str]) -> dict[str, int]:
    rows = session.execute(select(EntryRow.id, EntryRow.version).where(EntryRow.id.in_(ids)))
    return {row.id: row.version for row in rows}


def _values(entry: Entry, newest: int) -> dict[str, Any]:
    return {
        "base_version": newest,
        "body": entry_to_dict(replace(entry, version=newest)),
        "question": entry.question,
        "business_type": entry.business_type,
        "owner": entry.owner,
        "search_text": search_text(entry),
        "reviewer": None,
        "comment": "",
        "findings": [],
        "updated_at": now(),
    }


def _told(entry: Entry) -> tuple[str, tuple[Source, ...]]:
    return entry.answer, entry.sources


def _by_other(row: DraftRow) -> str:
    return f"{row.author} 正在修改这条知识，请等这份草稿审核或撤销后再改。"


def _reviewable(row: DraftRow, reviewer: str, admin: bool) -> None:
    if row.state != SUBMITTED:
        raise Conflict("这份草稿还没有提交审核，或已被处理，请刷新页面。", code="not_submitted")
    if row.author == reviewer and not admin:
        raise Forbidden("不能审核自己写的草稿，请交给另一位审核人。", code="own_draft")
