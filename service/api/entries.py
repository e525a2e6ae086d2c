"""The console's entries: find them, read them and their versions, change many at once, and see how they fare."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from core import audit
from core.clock import today
from core.errors import NotFound
from core.text import normalize
from kb.care import flags, health, listing, versions
from kb.care.bulk import MOST, Change, bulk_edit
from kb.care.checks import findings, known
from kb.care.drafts import SUBMITTED, DraftRow
from kb.store import EntryRow, entry_from_dict
from service.api.deps import ConsoleUser, DeskDep, Editor, EntryPath, Filter, Page, PageSize, from_our_page
from service.api.drafts import draft_out, findings_of
from service.api.entry_body import ChangeBody

router = APIRouter(prefix="/api/v1/console", tags=["entries"])

State = Literal[
    "", "drafts", "submitted", "flagged", "hot", "cold", "never", "bad", "expired", "expiring", "review_due", "retired"
]


class BulkEdit(BaseModel):
    ids: list[Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]] = Field(min_length=1, max_length=MOST)
    change: ChangeBody


@router.get("/kb/entries")
def get_entries(
    desk: DeskDep,
    user: ConsoleUser,
    q: Annotated[str, Query(max_length=200)] = "",
    business_type: Filter = "",
    owner: Filter = "",
    scene: Filter = "",
    state: State = "",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """The newest approved version of every entry that matches; in the states `drafts` and `submitted` the drafts, in the state
    `retired` the entries that were taken out.

    `unapproved` tells how many new entries match that are drafts only."""
    wanted = {"text": normalize(q), "business_type": business_type, "owner": owner, "scene": scene}
    with desk.database.read() as session:
        items, total = listing.find(session, today(), state=state, **wanted, page=page, page_size=page_size)
        return {"items": items, "total": total, "unapproved": listing.unapproved(session, **wanted)}


@router.get("/kb/health")
def get_health(desk: DeskDep, user: ConsoleUser) -> dict[str, Any]:
    """How many entries are in each state, the hottest, and those rated badly."""
    with desk.database.read() as session:
        return {
            "counts": health.counts(session, today()),
            "hot": health.hottest(session, today()),
            "bad": health.badly_rated(session),
            "owners": listing.owners(session),
        }


@router.get("/kb/entries/{entry_id}")
def get_entry(desk: DeskDep, user: ConsoleUser, entry_id: EntryPath) -> dict[str, Any]:
    """One entry, whole, with its draft, versions, flags, hits and feedback. A new one's fields are those of its draft."""
    with desk.database.read() as session:
        row, draft = session.get(EntryRow, entry_id), session.get(DraftRow, entry_id)
        if row is None and draft is None:
            raise NotFound(f"没有知识条目 {entry_id}。")
        body = versions.whole(row.body) if row else {**draft.body, "version": 0}
        related = session.execute(
            select(EntryRow.id, EntryRow.question).where(EntryRow.id.in_(body["related"]), EntryRow.deleted.is_(False))
        ).all()
        titles = {one.id: one.question for one in related}
        told = {
            **body,
            "related": [{"id": one, "question": titles.get(one, one)} for one in body["related"]],
            "retired": bool(row and row.deleted),
            "versions": versions.versions_of(session, entry_id),
            "updated_at": (row or draft).updated_at.isoformat(),
            "draft": draft and draft_out(draft),
            "flags": flags.open_flags(session, [entry_id]).get(entry_id, []),
            "hits_30d": health.hits(session, [entry_id], today()).get(entry_id, 0),
            "feedback": health.feedback(session, entry_id),
        }
    if draft is not None and draft.state == SUBMITTED and not draft.deletes:
        # What an import brought was not yet held against questions that are merely alike.
        told["draft"]["findings"] = findings_of(desk, entry_from_dict(draft.body))
    return told


@router.get("/kb/entries/{entry_id}/versions/{version}")
def get_version(desk: DeskDep, user: ConsoleUser, entry_id: EntryPath, version: int) -> dict[str, Any]:
    """An entry as it was."""
    with desk.database.read() as session:
        row = versions.version_of(session, entry_id, version)
        return {
            "version": row.version,
            "author": row.author,
            "reviewer": row.reviewer,
            "retired": row.retired,
            "at": row.at.isoformat(),
            "body": versions.whole(row.body),
        }


@router.get("/kb/entries/{entry_id}/diff")
def get_diff(
    desk: DeskDep,
    user: ConsoleUser,
    entry_id: EntryPath,
    before: Annotated[str, Query(alias="from", pattern=r"^(\d{1,9}|draft)$")],
    after: Annotated[str, Query(alias="to", pattern=r"^([1-9]\d{0,8}|draft)$")],
) -> dict[str, Any]:
    """What differs between two versions, or a version and the draft; from 0 everything is new."""
    with desk.database.read() as session:
        new = versions.body_at(session, entry_id, after)
        assert new is not None
        return {"fields": versions.compare(versions.body_at(session, entry_id, before), new)}


@router.post("/kb/entries/bulk", dependencies=[Depends(from_our_page)])
def post_bulk(desk: DeskDep, user: Editor, body: BulkEdit) -> dict[str, Any]:
    """Change many entries: each gets a submitted draft and a result."""
    given: Any = {name: getattr(body.change, name) for name in body.change.model_fields_set}
    if "audience" in given:
        given["audience"] = given["audience"].audience()
    change: Change = given
    with desk.database.read() as session:
        everything, day = known(session), today()
    with desk.database.write() as session:
        results = bulk_edit(session, body.ids, change, user.username, lambda entry: findings(entry, everything, day))
        detail = {"entries": body.ids, "fields": sorted(body.change.model_fields_set)}
        audit.append(session, user.username, "entry.bulk", "entries", detail)
    return {"results": results}


@router.post("/kb/flags/{flag_id}/resolve", status_code=204, dependencies=[Depends(from_our_page)])
def post_resolve(desk: DeskDep, user: Editor, flag_id: int) -> Response:
    """Put a flag down."""
    with desk.database.write() as session:
        row = flags.resolve(session, flag_id if 0 < flag_id < 2**31 else 0, user.username)
        detail = {"flag": row.id, "detail": row.detail}
        audit.append(session, user.username, "entry.flag_resolved", f"entry:{row.entry_id}", detail)
    return Response(status_code=204)
