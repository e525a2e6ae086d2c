"""The console's entries."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select

from core.errors import NotFound
from core.text import normalize
from kb.store import EntryRow, EntryVersionRow, find_entries
from service.api.deps import ConsoleUser, DeskDep, Filter, Page, PageSize

router = APIRouter(prefix="/api/v1/console", tags=["entries"])


@router.get("/kb/entries")
def get_entries(
    desk: DeskDep,
    user: ConsoleUser,
    q: Annotated[str, Query(max_length=200)] = "",
    business_type: Filter = "",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """The newest version of every entry that matches."""
    with desk.database.read() as session:
        rows, total = find_entries(
            session, text=normalize(q), business_type=business_type, page=page, page_size=page_size
        )
    return {
        "items": [
            {
                "id": row.id,
                "question": row.question,
                "business_type": row.business_type,
                "owner": row.owner,
                "version": row.version,
                "similar_count": len(row.body["similar"]),
                **{name: row.body[name] for name in ("scenes", "audience", "effective_from", "effective_to")},
            }
            for row in rows
        ],
        "total": total,
    }


@router.get("/kb/entries/{entry_id}")
def get_entry(desk: DeskDep, user: ConsoleUser, entry_id: str) -> dict[str, Any]:
    """One entry, whole, with the questions of its follow-ups."""
    with desk.database.read() as session:
        row = session.get(EntryRow, entry_id)
        if row is None or row.deleted:
            raise NotFound(f"没有知识条目 {entry_id}。")
        related = session.execute(
            select(EntryRow.id, EntryRow.question).where(EntryRow.id.in_(row.body["related"]))
        ).all()
        versions = session.execute(
            select(EntryVersionRow.version, EntryVersionRow.author, EntryVersionRow.at)
            .where(EntryVersionRow.entry_id == entry_id)
            .order_by(EntryVersionRow.version.desc())
        ).all()
    titles = {one: question for one, question in related}
    return {
        **row.body,
        "related": [{"id": one, "question": titles.get(one, one)} for one in row.body["related"]],
        "versions": [{"version": v.version, "author": v.author, "at": v.at.isoformat()} for v in versions],
        "updated_at": row.updated_at.isoformat(),
    }
