"""Service records as a workbook: tickets, and what happened to each. Text only, safe to open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO

from openpyxl import Workbook

from core.clock import local
from handoff.tickets import Status, TicketEventRow, TicketRow
from kb.ingest.workbooks import new_sheet, text_cells

_TICKETS = (
    ("工单编号", lambda one, name: one.number),
    ("业务类型", lambda one, name: one.business_type),
    ("问题描述", lambda one, name: one.description),
    ("紧急程度", lambda one, name: one.urgency),
    ("单据编号", lambda one, name: one.document_no or ""),
    ("状态", lambda one, name: Status(one.status).label),
    ("处理人", lambda one, name: name(one.assignee)),
    ("提交时间", lambda one, name: local(one.created_at)),
    ("首次响应", lambda one, name: local(one.first_response_at) if one.first_response_at else ""),
    ("解决时间", lambda one, name: local(one.resolved_at) if one.resolved_at else ""),
    ("关闭时间", lambda one, name: local(one.closed_at) if one.closed_at else ""),
    ("解决说明", lambda one, name: one.resolution),
    ("重开次数", lambda one, name: str(one.reopenings)),
    ("满意度", lambda one, name: str(one.rating) if one.rating else ""),
)
_EVENTS = ("工单编号", "时间", "谁", "内容")
_WIDTHS = {"工单编号": 20, "问题描述": 50, "解决说明": 50, "内容": 80, "时间": 18}
_MOST_IN_CELL = 32_000


def told(events: Iterable[TicketEventRow]) -> Iterator[tuple[TicketEventRow, str]]:
    """Events in order with what they say to the requester. 发送并解决 leaves a reply and a resolution of the same words: the
    reply says them, the resolution that it is one."""
    replied: dict[str, str] = {}
    for event in events:
        again = event.kind == "resolved" and replied.get(event.ticket) == event.text
        yield event, "问题已解决" if again else event.text
        if event.kind == "replied":
            replied[event.ticket] = event.text


def workbook(
    tickets: Iterable[TicketRow], events: Iterable[TicketEventRow], names: Mapping[str, str], requester: str = "员工"
) -> bytes:
    """`.xlsx` with a sheet of tickets and one of their timelines. `names` are people of the desk by username."""
    book = Workbook(write_only=True)
    sheet = new_sheet(book, "工单", [label for label, _ in _TICKETS], _WIDTHS)

    def name(username: str | None) -> str:
        return names.get(username, username) if username else ""

    for one in tickets:
        sheet.append(text_cells(sheet, [value(one, name)[:_MOST_IN_CELL] for _, value in _TICKETS]))
    sheet = new_sheet(book, "服务记录", _EVENTS, _WIDTHS)
    for event, text in told(events):
        who = {"employee": requester, "system": "系统"}.get(event.actor_kind, event.actor_name or name(event.actor))
        sheet.append(text_cells(sheet, [event.ticket, local(event.at), who, text[:_MOST_IN_CELL]]))
    out = BytesIO()
    book.save(out)
    return out.getvalue()
