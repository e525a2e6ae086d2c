"""The console's releases."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from kb.releases import ReleaseRow, current_number
from service.api.deps import ConsoleUser, DeskDep

router = APIRouter(prefix="/api/v1/console", tags=["releases"])


@router.get("/kb/releases")
def get_releases(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """The newest releases and what each promises."""
    with desk.database.read() as session:
        current = current_number(session)
        rows = session.execute(
            select(ReleaseRow.number, ReleaseRow.created_at, ReleaseRow.author, ReleaseRow.evaluation)
            .order_by(ReleaseRow.number.desc())
            .limit(50)
        ).all()
    return [
        {
            "number": row.number,
            "created_at": row.created_at.isoformat(),
            "author": row.author,
            "entries": row.evaluation["entries"],
            "current": row.number == current,
            "evaluation": row.evaluation,
        }
        for row in rows
    ]
