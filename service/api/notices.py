"""What the desk tells its people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import func, select, update

from core.clock import now
from handoff.notices import NoticeRow, notices_of
from service.api.deps import ConsoleUser, DeskDep, from_our_page
from service.stream import notice_body

router = APIRouter(prefix="/api/v1/console", tags=["notices"])
_NoticeId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Read(BaseModel):
    """`ids`, or all where there are none."""

    ids: list[_NoticeId] = Field(default_factory=list, max_length=200)


@router.get("/notices")
def get_notices(desk: DeskDep, user: ConsoleUser) -> dict[str, Any]:
    """The newest notices and how many are unread."""
    with desk.database.read() as session:
        unread = select(func.count()).where(NoticeRow.username == user.username, NoticeRow.read_at.is_(None))
        rows = notices_of(session, user.username)
        return {"items": [notice_body(row) for row in rows], "unread": session.scalar(unread) or 0}


@router.post("/notices/read", status_code=204, dependencies=[Depends(from_our_page)])
def post_read(desk: DeskDep, user: ConsoleUser, body: Read) -> None:
    """Have read these, or all."""
    change = update(NoticeRow).where(NoticeRow.username == user.username, NoticeRow.read_at.is_(None))
    if body.ids:
        change = change.where(NoticeRow.id.in_(body.ids))
    with desk.database.write() as session:
        session.execute(change.values(read_at=now()))
