"""The console's drafts: write, submit, approve, reject, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from core import audit
from core.clock import today
from core.errors import Conflict, FSSCError, InvalidInput, NotFound
from kb.care import drafts
from kb.care.checks import Finding, findings, known
from kb.care.drafts import DraftRow
from kb.care.versions import version_of
from kb.entries import Entry
from kb.ingest.policies.references import as_of
from kb.store import EntryRow, entry_from_dict, entry_to_dict
from service.api.deps import DeskDep, Editor, EntryPath, Reviewer, from_our_page
from service.api.entry_body import EntryBody
from service.bootstrap import Desk
from service.likeness import nearest
from service.users import UserRow

router = APIRouter(prefix="/api/v1/console", tags=["drafts"])
MOST_BYTES = 2**22
"""The largest entry that is read."""

_OURS = [Depends(from_our_page)]
Comment = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class NewDraft(BaseModel):
    body: EntryBody


class ChangedDraft(BaseModel):
    body: EntryBody
    base_version: int = Field(ge=0, lt=2**31)


class Approval(BaseModel):
    """`revision` is that of the draft that the reviewer has read."""

    revision: int | None = Field(None, ge=0, lt=2**31)


class Approvals(BaseModel):
    """`revisions` by id are those that the reviewer has seen."""

    ids: list[Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]] = Field(max_length=500)
    revisions: dict[str, Annotated[int, Field(ge=0, lt=2**31)]] = Field({}, max_length=500)


class Discards(BaseModel):
    ids: list[Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]] = Field(max_length=500)


class Rejection(BaseModel):
    comment: Comment


class Restoration(BaseModel):
    version: int = Field(ge=1, lt=2**31)


def draft_out(row: DraftRow) -> dict[str, Any]:
    return {
        "entry_id": row.entry_id,
        "base_version": row.base_version,
        "revision": row.revision,
        "body": row.body,
        "author": row.author,
        "state": row.state,
        "deletes": row.deletes,
        "comment": row.comment,
        "reviewer": row.reviewer,
        "updated_at": row.updated_at.isoformat(),
        "findings": row.findings,
    }


def findings_of(desk: Desk, entry: Entry) -> list[Finding]:
    """Before anything is written: looking for what is alike takes longer than a database should be held."""
    with desk.database.read() as session:
        against = known(session)
    return findings(entry, against, today(), nearest(desk.knowledge))


@router.post("/kb/check", dependencies=_OURS)
def post_check(desk: DeskDep, user: Editor, body: NewDraft) -> dict[str, Any]:
    """What would be found when this entry is saved; nothing is stored."""
    return {"findings": findings_of(desk, body.body.entry(body.body.id))}


@router.post("/kb/drafts", status_code=201, dependencies=_OURS)
def post_draft(desk: DeskDep, user: Editor, body: NewDraft) -> dict[str, Any]:
    """A draft of a new entry."""
    entry = body.body.entry(body.body.id or drafts.new_id())
    found = findings_of(desk, entry)
    with desk.database.write() as session:
        stored = session.get(EntryRow, entry.id)
        if (stored and not stored.deleted) or session.get(DraftRow, entry.id):
            raise Conflict(f"编号 {entry.id} 已被使用，请换一个编号，或留空由系统生成。", code="entry_exists")
        return _saved(session, entry, user, found)


@router.put("/kb/drafts/{entry_id}", dependencies=_OURS)
def put_draft(desk: DeskDep, user: Editor, entry_id: EntryPath, body: ChangedDraft) -> dict[str, Any]:
    """Save a draft of an entry; 409 `version_conflict` or `draft_by_other` when somebody was quicker."""
    if body.body.id not in ("", entry_id):
        raise InvalidInput("编号不能修改；需要新编号时请新建一条知识。", code="id_changed")
    entry = body.body.entry(entry_id)
    found = findings_of(desk, entry)
    with desk.database.write() as session:
        if session.get(EntryRow, entry_id) is None and session.get(DraftRow, entry_id) is None:
            raise NotFound(f"没有知识条目 {entry_id}。")
        return _saved(session, entry, user, found, base_version=body.base_version)


@router.delete("/kb/drafts/{entry_id}", status_code=204, dependencies=_OURS)
def delete_draft(desk: DeskDep, user: Editor, entry_id: EntryPath) -> Response:
    """Throw a draft away: one's own, or, for administrators, anybody's."""
    with desk.database.write() as session:
        drafts.withdraw(session, entry_id, user.username, admin=_admin(user))
        _log(session, user, "withdrawn", entry_id)
    return Response(status_code=204)


@router.post("/kb/drafts/{entry_id}/submit", dependencies=_OURS)
def post_submit(desk: DeskDep, user: Editor, entry_id: EntryPath) -> dict[str, Any]:
    """Ask for review; 400 `findings` while something is wrong with the draft."""
    with desk.database.read() as session:
        seen = session.get(DraftRow, entry_id)
    found = findings_of(desk, entry_from_dict(seen.body)) if seen and not seen.deletes else []
    with desk.database.write() as session:
        row = drafts.submit(session, entry_id, user.username, found)
        if seen is None or seen.revision != row.revision:
            raise Conflict("草稿刚刚又保存过，请重新提交。", code="draft_changed")
        _log(session, user, "submitted", entry_id)
        return draft_out(row)


@router.post("/kb/drafts/{entry_id}/approve", dependencies=_OURS)
def post_approve(desk: DeskDep, user: Reviewer, entry_id: EntryPath, body: Approval | None = None) -> dict[str, Any]:
    """Make a submitted draft the entry's newest version; the entry as it now is."""
    body = body or Approval()
    with desk.database.write() as session:
        entry = drafts.approve(session, entry_id, user.username, admin=_admin(user), revision=body.revision)
        _log(session, user, "approved", entry_id)
    return entry_to_dict(entry)


@router.post("/kb/drafts/{entry_id}/reject", dependencies=_OURS)
def post_reject(desk: DeskDep, user: Reviewer, entry_id: EntryPath, body: Rejection) -> dict[str, Any]:
    """Give a submitted draft back to its author, with the reason."""
    with desk.database.write() as session:
        row = drafts.reject(session, entry_id, user.username, body.comment, admin=_admin(user))
        _log(session, user, "rejected", entry_id)
        return draft_out(row)


@router.post("/kb/drafts/approve", dependencies=_OURS)
def post_approvals(desk: DeskDep, user: Reviewer, body: Approvals) -> list[dict[str, Any]]:
    """Approve many; a result for each."""

    def approve(session: Session, entry_id: str) -> None:
        drafts.approve(session, entry_id, user.username, admin=_admin(user), revision=body.revisions.get(entry_id))
        _log(session, user, "approved", entry_id)

    return _each(desk, body.ids, approve, "approved", "已通过。")


@router.post("/kb/drafts/discard", dependencies=_OURS)
def post_discards(desk: DeskDep, user: Editor, body: Discards) -> list[dict[str, Any]]:
    """Throw many drafts away; a result for each."""

    def discard(session: Session, entry_id: str) -> None:
        drafts.withdraw(session, entry_id, user.username, admin=_admin(user))
        _log(session, user, "withdrawn", entry_id)

    return _each(desk, body.ids, discard, "discarded", "草稿已放弃。")


@router.post("/kb/entries/{entry_id}/restore", dependencies=_OURS)
def post_restore(desk: DeskDep, user: Editor, entry_id: EntryPath, body: Restoration) -> dict[str, Any]:
    """A draft that says what an earlier version said, citing the articles that it cited by their numbers of today."""
    with desk.database.read() as session:
        row = version_of(session, entry_id, body.version)
        entry = as_of(session, entry_from_dict(row.body), row.at)
    found = findings_of(desk, entry)
    with desk.database.write() as session:
        return _saved(session, entry, user, found)


@router.post("/kb/entries/{entry_id}/retire", dependencies=_OURS)
def post_retire(desk: DeskDep, user: Editor, entry_id: EntryPath) -> dict[str, Any]:
    """A draft that takes the entry out of the next release."""
    with desk.database.write() as session:
        row = session.get(EntryRow, entry_id)
        if row is None or row.deleted:
            raise NotFound(f"没有知识条目 {entry_id}，可能已停用。")
        _log(session, user, "retiring", entry_id)
        return draft_out(drafts.propose(session, entry_from_dict(row.body), user.username, deletes=True))


def _saved(
    session: Session, entry: Entry, user: UserRow, found: list[Finding], base_version: int | None = None
) -> dict[str, Any]:
    row = drafts.propose(session, entry, user.username, base_version=base_version)
    row.findings = found
    _log(session, user, "drafted", entry.id)
    return draft_out(row)


def _each(
    desk: Desk, ids: list[str], act: Callable[[Session, str], None], outcome: str, told: str
) -> list[dict[str, Any]]:
    """Do one thing to many drafts; what cannot be done to one keeps none of the others."""
    results = []
    with desk.database.write() as session:
        for entry_id in dict.fromkeys(ids):
            try:
                with session.begin_nested():
                    act(session, entry_id)
                results.append({"id": entry_id, "outcome": outcome, "message": told})
            except FSSCError as error:
                results.append({"id": entry_id, "outcome": "failed", "message": error.message})
    return results


def _log(session: Session, user: UserRow, doing: str, entry_id: str) -> None:
    audit.append(session, user.username, f"entry.{doing}", f"entry:{entry_id}", {})


def _admin(user: UserRow) -> bool:
    return "admin" in user.roles
