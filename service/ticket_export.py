"""Tickets as a workbook for those who run the desk: any filter of the queue, one row a ticket."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI, local
from core.errors import InvalidInput
from handoff.actors import Actor
from handoff.queue import Asked, each
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import Status, TicketRow
from kb.ingest.workbooks import new_sheet, text_cells

_HEADER = (
    "工单编号", "状态", "业务类型", "业务子类", "紧急程度", "优先级", "服务级别", "应急", "级次", "受理组", "处理人",
    "问题描述", "单据编号", "提交人", "工号", "公司", "部门", "渠道", "页面", "节点", "转人工原因", "风险词",
    "提交时间", "首次响应", "解决时间", "关闭时间", "曾超时", "重开次数", "满意度", "解决说明", "并入",
)  # fmt: skip
_WIDTHS = {
    "工单编号": 18,
    "问题描述": 50,
    "解决说明": 50,
    "提交时间": 17,
    "首次响应": 17,
    "解决时间": 17,
    "关闭时间": 17,
}
_MOST_IN_CELL = 32_000
MOST = 1_048_575
"""Rows below the header that a sheet takes."""


def export(
    session: Session, actor: Actor, asked: Asked, path: Path, since: date | None = None, until: date | None = None
) -> int:
    """Write what `actor` may see of what is `asked` to `path`, filed on the days `since` to `until` inclusive, oldest
    first; return how many. Raises InvalidInput for more than a sheet holds."""
    groups = dict(session.execute(select(GroupRow.id, GroupRow.name)).all())
    people = dict(session.execute(select(StaffRow.username, StaffRow.name)).all())
    book = Workbook(write_only=True)
    sheet = new_sheet(book, "工单", _HEADER, _WIDTHS)
    count = 0
    for ticket in each(session, actor, asked, _midnight(since), _midnight(until and until + timedelta(days=1))):
        count += 1
        if count > MOST:
            raise InvalidInput(f"超过 {MOST} 张工单，一个工作表放不下：请缩小日期范围。", code="too_many_tickets")
        sheet.append(text_cells(sheet, [text[:_MOST_IN_CELL] for text in _row(ticket, groups, people)]))
        session.expunge(ticket)
    book.save(path)
    return count


def _row(one: TicketRow, groups: dict[str, str], people: dict[str, str]) -> list[str]:
    return [
        one.number,
        Status(one.status).staff_label,
        one.business_type,
        one.subtype,
        one.urgency,
        f"P{one.priority}",
        "VIP" if one.service_tier == "vip" else "标准",
        "是" if one.emergency else "",
        f"{one.tier} 级",
        groups.get(one.group_id or "", one.group_id or ""),
        people.get(one.assignee or "", one.assignee or ""),
        one.description,
        one.document_no or "",
        one.requester.get("name") or "",
        one.employee_no or "匿名",
        one.company or "",
        one.department or "",
        one.channel,
        one.page,
        one.node,
        one.reason,
        "、".join(one.risk_words),
        local(one.created_at),
        _when(one.first_response_at),
        _when(one.resolved_at),
        _when(one.closed_at),
        "是" if one.breached else "",
        str(one.reopenings or ""),
        str(one.rating or ""),
        one.resolution,
        one.merged_into or "",
    ]


def _when(moment: datetime | None) -> str:
    return local(moment) if moment else ""


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), SHANGHAI) if day else None
