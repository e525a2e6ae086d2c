"""Weekly and monthly reports, the service statement and its price list."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from core import audit
from core.clock import now
from core.errors import Conflict, Forbidden
from handoff.actors import Actor
from handoff.quality.periods import bounds, month_of
from handoff.tickets import BUSINESS_TYPES, OTHER
from service.api.deps import ActorDep, DeskDep, RowId, Supervisor, from_our_page
from service.api.downloads import download
from service.api.insight import Reading
from service.insight import reports
from service.insight.keeping import locked
from service.insight.prices import KINDS, LEVELS, change_prices, price_list
from service.insight.statement import days_of, statement
from service.insight.store import ReportRow
from service.insight.workbook import write_report, write_statement

router = APIRouter(prefix="/api/v1/console/insight", tags=["insight"])

Month = Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")]


def _charging(actor: ActorDep) -> Actor:
    if not actor.has("supervisor", "auditor"):
        raise Forbidden("服务结算单由主管和审计员查看，请联系管理员开通。", code="role_missing")
    return actor


Charging = Annotated[Actor, Depends(_charging)]


class Item(BaseModel):
    id: str = Field("", max_length=40)
    name: str = Field(max_length=40)
    kind: str = Field(max_length=20)
    business_type: str = Field("", max_length=40)
    unit: str = Field(max_length=10)
    price: int


class Prices(BaseModel):
    version: int
    items: list[Item]
    levels: dict[str, float | None]


class Asked(BaseModel):
    kind: Literal["week", "month", "statement"]
    period: str = Field(pattern=r"^\d{4}-(W\d{2}|\d{2})$")


@router.get("/prices")
def get_prices(desk: DeskDep, actor: Charging) -> dict[str, Any]:
    """The price list (fen) and the service levels promised with it; version 0 is an example."""
    with desk.database.read() as session:
        version, body = price_list(session)
    return {
        "version": version,
        **body,
        "kinds": KINDS,
        "business_types": [*BUSINESS_TYPES, OTHER],
        "level_names": [{"id": name, "label": label, "unit": unit} for name, (label, unit) in LEVELS.items()],
        "sets_up": actor.has("supervisor"),
    }


@router.put("/prices", dependencies=[Depends(from_our_page)])
def put_prices(desk: DeskDep, actor: Supervisor, body: Prices) -> dict[str, int]:
    """Make a new version of the price list. 409 `version_conflict`."""
    given = {"items": [one.model_dump() for one in body.items], "levels": body.levels}
    with desk.database.write() as session:
        return {"version": change_prices(session, actor, given, version=body.version)}


@router.get("/statement")
def get_statement(desk: DeskDep, actor: Charging, month: Month) -> dict[str, Any]:
    """The statement of a month as it was made when the month was over, else as it stands now (`kept` is false)."""
    with desk.database.read() as session:
        return _statement(session, month)


def _statement(session: Any, month: str) -> dict[str, Any]:
    _, last = days_of(month)
    kept = session.query(ReportRow).filter_by(kind=reports.STATEMENT, period=month).one_or_none()
    body = kept.body if kept else statement(session, month)
    return {**body, "kept": kept is not None, "over": bounds(month)[1] <= now(), "now": month_of(now())}


@router.get("/statement.xlsx", response_class=FileResponse)
def get_statement_xlsx(desk: DeskDep, actor: Charging, month: Month) -> FileResponse:
    """The statement as a workbook; who took it is kept in the audit log."""
    with desk.database.read() as session:
        body = _statement(session, month)
        answer = download(f"服务结算单-{month}.xlsx", lambda path: write_statement(body, path))
    with desk.database.write() as session:
        audit.append(session, actor, "insight.exported", f"statement:{month}", {"amount": body["amount"]})
    return answer


@router.get("/reports")
def get_reports(desk: DeskDep, actor: Reading, kind: str = "") -> dict[str, Any]:
    """Reports that were made, the newest first."""
    with desk.database.read() as session:
        rows = [row for row in reports.listed(session, kind) if _may(actor, row)]
        return {"items": [_head(row) for row in rows], "makes": actor.has("supervisor")}


def _may(actor: Actor, row: ReportRow) -> bool:
    return row.kind != reports.STATEMENT or actor.has("supervisor", "auditor")


def _head(row: ReportRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "period": row.period,
        "label": reports.label_of(row.kind, row.period),
        "made_at": row.made_at.isoformat(),
        "by_hand": row.made_by != "system",
    }


@router.get("/reports/{report_id}")
def get_report(desk: DeskDep, actor: Reading, report_id: RowId) -> dict[str, Any]:
    """One report as it was made."""
    with desk.database.read() as session:
        row = _report(session, actor, report_id)
        return {**_head(row), "body": row.body}


def _report(session: Any, actor: Actor, report_id: int) -> ReportRow:
    row = reports.report_of(session, report_id)
    if not _may(actor, row):
        raise Forbidden("服务结算单由主管和审计员查看，请联系管理员开通。", code="role_missing")
    return row


@router.get("/reports/{report_id}/file.xlsx", response_class=FileResponse)
def get_report_xlsx(desk: DeskDep, actor: Reading, report_id: RowId) -> FileResponse:
    """The report as a workbook; who took it is kept in the audit log."""
    with desk.database.read() as session:
        row = _report(session, actor, report_id)
    write = write_statement if row.kind == reports.STATEMENT else write_report
    answer = download(f"{reports.KINDS[row.kind]}-{row.period}.xlsx", lambda path: write(row.body, path))
    with desk.database.write() as session:
        audit.append(session, actor, "insight.exported", f"{row.kind}:{row.period}", {})
    return answer


@router.post("/reports", status_code=201, dependencies=[Depends(from_our_page)])
def post_report(desk: DeskDep, actor: Supervisor, body: Asked) -> dict[str, Any]:
    """Make the report of an older period now and tell its readers; the one that there is where it was made. 409 `running`."""
    if bounds(body.period)[1] > now():
        raise Conflict("这一期还没结束，结束后会自动生成。", code="running")
    if (body.kind == "week") != ("W" in body.period):
        raise Conflict("周报选周，月报和结算单选月。", code="period")
    with desk.database.write() as session:
        locked(session)
        row = reports.make(
            session,
            body.kind,
            body.period,
            wrong_rate=desk.settings.wrong_rate,
            by=actor.id,
            link=desk.settings.links_base,
        )
        audit.append(session, actor, "insight.report", f"{row.kind}:{row.period}", {"id": row.id})
        return _head(row)
