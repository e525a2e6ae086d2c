"""Tickets as a workbook."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from fastapi.responses import FileResponse

from core import audit
from core.clock import today
from core.errors import Forbidden
from service.api.deps import ActorDep, DeskDep
from service.api.downloads import download
from service.api.ticket_filter import AskedDep
from service.ticket_export import export

router = APIRouter(prefix="/api/v1/console", tags=["queue"])

_MAY = ("leader", "supervisor", "inspector", "auditor")


@router.get("/exports/tickets.xlsx", response_class=FileResponse)
def get_tickets_xlsx(
    desk: DeskDep, actor: ActorDep, asked: AskedDep, since: date | None = None, until: date | None = None
) -> FileResponse:
    """What the queue would list, in full, filed on the days `since` to `until`; who took it is kept in the audit log."""
    if not actor.has(*_MAY):
        raise Forbidden("导出工单需要组长、主管、质检员或审计员角色，请联系管理员开通。", code="role_missing")
    with desk.database.read() as session:
        made: list[int] = []
        answer = download(
            f"工单-{today():%Y%m%d}.xlsx",
            lambda path: made.append(export(session, actor, asked, path, since, until)),
        )
    filters = {name: value for name, value in vars(asked).items() if value}
    with desk.database.write() as session:
        audit.append(
            session,
            actor,
            "tickets.exported",
            "tickets",
            {"rows": made[0], "filters": filters, "since": str(since or ""), "until": str(until or "")},
        )
    return answer
