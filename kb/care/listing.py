"""The list of entries that managers work with: filters, states, and for each row its draft, flags and hits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kb.care.drafts import DRAFT, REJECTED, SUBMITTED, DraftRow
from kb.care.flags import open_flags
from kb.care.health import RETIRED, condition, hits, most_hits_first
from kb.store import EntryRow, find_entries, matching

_DRAFTS = {"drafts": (DRAFT, REJECTED), "submitted": (SUBMITTED,)}
_ORDERS: dict[str, Callable[[date], ColumnElement[Any]]] = {
    "hot": most_hits_first,
    RETIRED: lambda _: EntryRow.updated_at.desc(),
}


def find(
    session: Session,
    today: date,
    *,
    state: str = "",
    text: str = "",
    business_type: str = "",
    owner: str = "",
    scene: str = "",
    page: int = 1,
    page_size: int = 20,
) -> tuple[list[dict[str, Any]], int]:
    """A page of rows and how many there are in all. In the states `drafts` and `submitted` a row tells what the draft says;
    its version is 0 where the entry is new. Entries that were taken out are in the state `retired` alone, the last first."""
    if state in _DRAFTS:
        query = matching(select(DraftRow), DraftRow, text, business_type, owner, scene)
        query = query.where(DraftRow.state.in_(_DRAFTS[state]))
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        ordered = query.order_by(DraftRow.updated_at.desc(), DraftRow.entry_id)
        found: list[Any] = list(session.scalars(ordered.offset((page - 1) * page_size).limit(page_size)))
        drafts = {row.entry_id: row for row in found}
    else:
        found, total = find_entries(
            session,
            text=text,
            business_type=business_type,
            owner=owner,
            scene=scene,
            where=condition(state, today) if state and state != RETIRED else None,
            order=_ORDERS[state](today) if state in _ORDERS else None,
            retired=state == RETIRED,
            page=page,
            page_size=page_size,
        )
        wanted = [row.id for row in found]
        drafts = {row.entry_id: row for row in session.scalars(select(DraftRow).where(DraftRow.entry_id.in_(wanted)))}
    ids = [_id(row) for row in found]
    flags, hit = open_flags(session, ids), hits(session, ids, today)
    return [_row(row, drafts.get(_id(row)), flags.get(_id(row), []), hit.get(_id(row), 0)) for row in found], total


def unapproved(
    session: Session, *, text: str = "", business_type: str = "", owner: str = "", scene: str = ""
) -> dict[str, int]:
    """How many new entries match that are drafts only, by the state (`drafts`, `submitted`) in which `find` lists them."""
    query = matching(select(DraftRow.state, func.count()), DraftRow, text, business_type, owner, scene)
    found = dict(session.execute(query.where(DraftRow.base_version == 0).group_by(DraftRow.state)).all())
    return {state: sum(found.get(one, 0) for one in held) for state, held in _DRAFTS.items()}


def _id(row: EntryRow | DraftRow) -> str:
    return row.id if isinstance(row, EntryRow) else row.entry_id


def _row(
    row: EntryRow | DraftRow, draft: DraftRow | None, flags: list[dict[str, Any]], hits_30d: int
) -> dict[str, Any]:
    return {
        "id": _id(row),
        "question": row.question,
        "business_type": row.business_type,
        "owner": row.owner,
        "version": row.version if isinstance(row, EntryRow) else row.base_version,
        "retired": isinstance(row, EntryRow) and row.deleted,
        "similar_count": len(row.body["similar"]),
        **{name: row.body[name] for name in ("scenes", "audience", "effective_from", "effective_to")},
        "review_on": row.body.get("review_on"),
        "updated_at": row.updated_at.isoformat(),
        "draft": draft
        and {
            "state": draft.state,
            "author": draft.author,
            "deletes": draft.deletes,
            "revision": draft.revision,
            "findings": len(draft.findings),
            "updated_at": draft.updated_at.isoformat(),
        },
        "flags": sorted({flag["kind"] for flag in flags}),
        "hits_30d": hits_30d,
    }


def owners(session: Session) -> list[str]:
    """Every owner of a live entry, for filters."""
    return list(
        session.scalars(
            select(EntryRow.owner)
            .where(EntryRow.deleted.is_(False), EntryRow.owner != "")
            .distinct()
            .order_by(EntryRow.owner)
        )
    )
