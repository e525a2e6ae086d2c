"""The audit log, for auditors: they read it and see whether its chain holds."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import func, or_, select

from core.audit import AuditRow, head, verify
from handoff.timeline import altered
from service.api.deps import Auditor, DeskDep, Page, PageSize
from service.api.ticket_body import names_of

router = APIRouter(prefix="/api/v1/console", tags=["audit"])

_KINDS = ("entry", "policy", "table", "release", "import", "user", "staff", "group")
"""What stands before the colon of subjects that people know by the rest."""

Words = Annotated[str, Query(max_length=160, pattern=r"^[^\x00]*$")]


@router.get("/audit")
def get_audit(
    desk: DeskDep, user: Auditor, q: Words = "", action: Words = "", page: Page = 1, page_size: PageSize = 50
) -> dict[str, Any]:
    """Entries, newest first: those of the subject or person `q`, and of the actions that begin with `action`. A subject is
    also found without its kind: `travel-001` for `entry:travel-001`."""
    with desk.database.read() as session:
        query = select(AuditRow)
        if wanted := q.strip():
            subjects = [wanted, *(f"{kind}:{wanted}" for kind in _KINDS)]
            query = query.where(or_(AuditRow.subject.in_(subjects), AuditRow.actor == wanted))
        if action:
            query = query.where(AuditRow.action.startswith(action, autoescape=True))
        total = (
            session.scalar(select(func.count()).select_from(query.subquery())) if wanted or action else head(session)[0]
        )
        rows = session.scalars(query.order_by(AuditRow.id.desc()).offset((page - 1) * page_size).limit(page_size)).all()
        names = names_of(session, {row.actor for row in rows})
        return {"items": [_entry(row, names) for row in rows], "total": total or 0}


@router.get("/audit/verification")
def get_verification(desk: DeskDep, user: Auditor) -> dict[str, Any]:
    """Whether the chain holds: the first entry that does not, the first event on a timeline that is not what was logged,
    how many entries there are and the newest one's hash."""
    with desk.database.read() as session:
        broken = verify(session)
        changed = altered(session)
        entries, newest = head(session)
    return {"holds": broken is None and changed is None, "broken": broken, "altered": changed} | {
        "entries": entries,
        "head": newest,
    }


def _entry(row: AuditRow, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "actor_name": "系统" if row.actor == "system" else names.get(row.actor, row.actor),
        "action": row.action,
        "subject": row.subject,
        "detail": json.loads(row.detail),
        "hash": row.hash,
    }
