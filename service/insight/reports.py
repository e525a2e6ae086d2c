"""Weekly and monthly reports and statements: made once when their period is over, kept as they were sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import NotFound
from handoff.notices import notify
from handoff.quality.periods import bounds, month_of, week_of
from service.insight import desk_page, knowledge_page, policy_page, service_page
from service.insight.asking import Filter
from service.insight.calendar import day_of
from service.insight.figures import written
from service.insight.statement import statement
from service.insight.store import ReportRow, StateRow, TicketFactRow, VisitRow
from service.users import users

WEEK, MONTH, STATEMENT = "week", "month", "statement"
KINDS = {WEEK: "周报", MONTH: "月报", STATEMENT: "服务结算单"}

_READY = {WEEK: timedelta(hours=7), MONTH: timedelta(hours=7), STATEMENT: timedelta(hours=31)}
"""How long after its period one is made: reports at seven in the morning; statements a day later, when nothing of the month
can change any more."""

READERS = ("leader", "supervisor", "auditor", "admin")
CHARGERS = ("supervisor", "admin")


@dataclass(frozen=True)
class Due:
    kind: str
    period: str


def due(session: Session, moment: datetime) -> list[Due]:
    """What is ready to be made and was not: of the last week and the last month that are over and in which anything happened,
    never of older ones."""
    state = session.get(StateRow, "visits")
    if state is None:
        return []
    found = []
    for kind, ready in _READY.items():
        late = moment - ready
        period = week_of(late - timedelta(days=7)) if kind == WEEK else _last_month(late)
        if state.at < bounds(period)[1]:
            continue
        known = select(ReportRow.id).where(ReportRow.kind == kind, ReportRow.period == period)
        if session.scalar(known) is None and _anything(session, period):
            found.append(Due(kind, period))
    return found


def _anything(session: Session, period: str) -> bool:
    start, end = (day_of(one) for one in bounds(period))
    visits = select(VisitRow.id).where(VisitRow.day >= start, VisitRow.day < end)
    tickets = select(TicketFactRow.number).where(TicketFactRow.filed_day >= start, TicketFactRow.filed_day < end)
    return session.scalar(visits.limit(1)) is not None or session.scalar(tickets.limit(1)) is not None


def _last_month(moment: datetime) -> str:
    first, _ = bounds(month_of(moment))
    return month_of(first - timedelta(days=1))


def make(
    session: Session, kind: str, period: str, *, wrong_rate: float, by: str = "system", link: str = ""
) -> ReportRow:
    """Make and keep a report, and tell its readers; the one that there is where it was made before. `link` is what the
    console's address begins with."""
    known = session.scalars(select(ReportRow).where(ReportRow.kind == kind, ReportRow.period == period)).one_or_none()
    if known is not None:
        return known
    body = statement(session, period) if kind == STATEMENT else body_of(session, period, wrong_rate)
    row = ReportRow(kind=kind, period=period, body=body, made_at=now(), made_by=by)
    session.add(row)
    session.flush()
    wanted = CHARGERS if kind == STATEMENT else READERS
    readers = sorted(user.username for user in users(session) if {*wanted} & {*user.roles})
    words = f"{label_of(kind, period)}已生成：{_summary(kind, body)}。"
    words += f"查看：{link}/console/insight/reports/{row.id}"
    notify(session, readers, "report", words, key=f"report:{kind}:{period}")
    return row


def body_of(session: Session, period: str, wrong_rate: float) -> dict[str, Any]:
    """The figures of a week or month, as every page has them."""
    start, end = bounds(period)
    asked = Filter(day_of(start), day_of(end) - timedelta(days=1))
    return {
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "service": service_page.page(session, asked),
        "desk": desk_page.page(session, asked),
        "knowledge": knowledge_page.page(session, asked, wrong_rate),
        "policy": policy_page.page(session, asked),
    }


def label_of(kind: str, period: str) -> str:
    """`2026 年第 47 周周报`."""
    year, rest = period.split("-")
    when = f"{year} 年第 {int(rest[1:])} 周" if rest.startswith("W") else f"{year} 年 {int(rest)} 月"
    return f"{when}{KINDS[kind]}"


def _summary(kind: str, body: dict[str, Any]) -> str:
    if kind == STATEMENT:
        return f"{len(body['companies'])} 家公司，合计 {body['amount'] / 100:,.2f} 元"
    figures = {one["id"]: one for page in ("service", "desk") for one in body[page]["figures"]}
    return "，".join(
        f"{figures[name]['label']} {written(figures[name]['value'], figures[name]['unit'])}"
        for name in ("visits", "automation", "none_share", "filed", "resolve_kept")
    )


def listed(session: Session, kind: str = "", limit: int = 100) -> list[ReportRow]:
    """Reports, the newest first, without what they say."""
    query = select(ReportRow).order_by(ReportRow.made_at.desc(), ReportRow.id.desc()).limit(limit)
    return list(session.scalars(query.where(ReportRow.kind == kind) if kind else query))


def report_of(session: Session, report_id: int) -> ReportRow:
    """Raises NotFound."""
    row = session.get(ReportRow, report_id)
    if row is None:
        raise NotFound("没有找到这份报告，请刷新列表。")
    return row
