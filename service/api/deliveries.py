"""Messages that have not reached an employee: who, why, and send again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from core.clock import now
from core.errors import Forbidden
from handoff.actors import Actor
from service import undelivered
from service.api.deps import ActorDep, DeskDep, Filter, Page, PageSize, RowId, Supervisor, from_our_page

router = APIRouter(prefix="/api/v1/console/deliveries", tags=["deliveries"])


def _looking(actor: ActorDep) -> Actor:
    if not actor.has("supervisor", "auditor"):
        raise Forbidden("查看投递记录需要主管或审计员角色，请联系管理员开通。", code="role_missing")
    return actor


Looking = Annotated[Actor, Depends(_looking)]


class SettleIn(BaseModel):
    words: str = Field("", max_length=200)


@router.get("")
def get_deliveries(
    desk: DeskDep,
    actor: Looking,
    kind: Filter = "open",
    channel: Filter = "",
    q: Filter = "",
    page: Page = 1,
    page_size: PageSize = 50,
) -> dict[str, Any]:
    """Messages given up, in doubt, or on their way for long; `counts` by kind."""
    moment = now()
    with desk.database.read() as session:
        rows, total = undelivered.undelivered(
            session, moment, kind=kind, channel=channel, words=q, page=page, page_size=page_size
        )
        items = [asdict(row) | {"at": row.at.isoformat(), "due_at": row.due_at.isoformat()} for row in rows]
        return {"items": items, "total": total, "counts": undelivered.counts(session, moment)}


@router.post("/{delivery_id}/again", status_code=204, dependencies=[Depends(from_our_page)])
def post_again(desk: DeskDep, actor: Supervisor, delivery_id: RowId) -> None:
    """Send it now."""
    with desk.database.write() as session:
        undelivered.send_again(session, actor, delivery_id)


@router.post("/{delivery_id}/settle", status_code=204, dependencies=[Depends(from_our_page)])
def post_settle(desk: DeskDep, actor: Supervisor, delivery_id: RowId, body: SettleIn) -> None:
    """The employee was told another way."""
    with desk.database.write() as session:
        undelivered.settle(session, actor, delivery_id, body.words)
