"""An employee's own tickets: see, add, urge, reopen, withdraw, confirm, rate, keep a copy. Never anybody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.inbox import Inbound
from bot.turns import Place
from core.clock import now, today
from core.errors import InvalidInput, NotFound
from core.identity import Identity
from core.text import normalize
from core.transcript import conversation_of, unread_by_number
from handoff import lifecycle
from handoff.actors import Actor, employee
from handoff.attachments import MOST_BYTES, attach, attachment_for, attachments_of, path_of
from handoff.lifecycle.employee import URGE_EVERY
from handoff.permissions import verbs
from handoff.quality import satisfaction
from handoff.quality.documents import document
from handoff.staff import StaffRow
from handoff.states import REOPEN_WITHIN
from handoff.tickets import OPEN, TICKET_NO, Status, TicketEventRow, TicketRow, tickets_of_requester
from service.api.chat import MAX_TEXT, ConversationId, printable, within_limits
from service.api.deps import DeskDep, Visitor
from service.bootstrap import Desk
from service.records import told, workbook
from service.users import UserRow

router = APIRouter(prefix="/api/v1/chat/tickets", tags=["chat"])

MOST_LISTED, MOST_EXPORTED = 50, 2000
MOST_UPLOAD = MOST_BYTES + 64 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Number = Annotated[str, Path(max_length=20, pattern=TICKET_NO.pattern)]


def requester(
    desk: DeskDep, visitor: Visitor, conversation_id: Annotated[ConversationId | None, Query()] = None
) -> tuple[Identity, str]:
    """Whose tickets: an employee's by number; an anonymous visitor's are those of the conversation that they know."""
    if conversation_id:
        with desk.database.read() as session:
            conversation_of(session, conversation_id, visitor)
    return visitor, conversation_id or ""


Requester = Annotated[tuple[Identity, str], Depends(requester)]


class Say(BaseModel):
    client_message_id: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    text: str = ""
    attachments: list[ConversationId] = Field(default_factory=list, max_length=10)


class Reason(BaseModel):
    reason: str = Field("", max_length=500)


class Rating(BaseModel):
    score: int = Field(ge=1, le=5)
    reasons: list[str] = Field(default_factory=list, max_length=20)
    words: str = Field("", max_length=500)


@router.get("")
def get_tickets(desk: DeskDep, who: Requester) -> dict[str, Any]:
    """The newest of the employee's own tickets; how many are open, and how many have news."""
    with desk.database.read() as session:
        rows = tickets_of_requester(session, *who, limit=MOST_LISTED)
        names = _names(session, rows)
        news = {at: unread_by_number(session, at) for at in {one.conversation_id for one in rows}}
        items = [_row(one, names, news[one.conversation_id]) for one in rows]
    return {
        "items": items,
        "open": sum(item["open"] for item in items),
        "unread": sum(item["unread"] > 0 for item in items),
    }


@router.get("/export")
def get_export(desk: DeskDep, who: Requester) -> Response:
    """The employee's own service records as `.xlsx`: tickets and what happened to each, internal notes left out."""
    with desk.database.read() as session:
        rows = tickets_of_requester(session, *who, limit=MOST_EXPORTED)
        events = session.scalars(
            select(TicketEventRow)
            .where(TicketEventRow.ticket.in_([one.number for one in rows]), TicketEventRow.public)
            .order_by(TicketEventRow.ticket.desc(), TicketEventRow.id)
        ).all()
        made = workbook(rows, events, _names(session, rows), requester="我")
    name = quote(f"我的服务记录-{today():%Y%m%d}.xlsx")
    return Response(
        made,
        media_type=XLSX,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "X-Content-Type-Options": "nosniff"},
    )


@router.get("/{number}")
def get_ticket(desk: DeskDep, who: Requester, number: Number) -> dict[str, Any]:
    """One of the employee's own, with its public timeline, attachments, and what can be done now."""
    with desk.database.read() as session:
        return _body(session, _own(session, who, number), who)


@router.post("/{number}/say")
async def post_say(desk: DeskDep, who: Requester, number: Number, body: Say) -> dict[str, Any]:
    """Add words, and attachments that were uploaded before. The same `client_message_id` again adds nothing."""
    visitor, _ = who
    await within_limits(desk, visitor, who[1])
    text = normalize(body.text)
    if not text and not body.attachments:
        raise InvalidInput("请写下要补充的内容，或选择附件。", code="empty_text")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"内容太长了，请控制在 {MAX_TEXT} 字以内。", code="text_too_long")
    ticket = await to_thread.run_sync(_find, desk, who, number)
    if "say_to_ticket" not in verbs(_actor(who), ticket):
        label = Status(ticket.status).label
        raise InvalidInput(
            f"工单 {number}{label}，不能再补充；问题还在的话请重新打开或提交新工单。", code="wrong_state"
        )
    await desk.dialogue.receive(
        Inbound(
            channel="widget",
            identity=visitor,
            client_message_id=body.client_message_id,
            place=Place(),
            conversation_id=ticket.conversation_id,
            text=text or "补充附件",
            said=printable(body.text) if text else "",
            ticket=ticket.number,
            attachments=tuple(body.attachments),
        )
    )
    return await to_thread.run_sync(_shown, desk, who, number)


@router.post("/{number}/urge")
def post_urge(desk: DeskDep, who: Requester, number: Number) -> dict[str, Any]:
    """催办: once an hour, 429 before."""
    with desk.database.write() as session:
        lifecycle.urge(session, _own(session, who, number).number, _actor(who))
    return _shown(desk, who, number)


@router.post("/{number}/reopen")
def post_reopen(desk: DeskDep, who: Requester, number: Number, body: Reason) -> dict[str, Any]:
    """Within 7 days of its resolution, with the reason."""
    with desk.database.write() as session:
        lifecycle.reopen(session, _own(session, who, number).number, _actor(who), body.reason)
    return _shown(desk, who, number)


@router.post("/{number}/cancel")
def post_cancel(desk: DeskDep, who: Requester, number: Number, body: Reason) -> dict[str, Any]:
    """Withdraw an open ticket."""
    with desk.database.write() as session:
        lifecycle.cancel(session, _own(session, who, number).number, _actor(who), body.reason or "员工撤销")
    return _shown(desk, who, number)


@router.post("/{number}/confirm")
def post_confirm(desk: DeskDep, who: Requester, number: Number) -> dict[str, Any]:
    """It is settled: the ticket is closed."""
    with desk.database.write() as session:
        lifecycle.close(session, _own(session, who, number).number, _actor(who))
    return _shown(desk, who, number)


@router.post("/{number}/rate")
def post_rate(desk: DeskDep, who: Requester, number: Number, body: Rating) -> dict[str, Any]:
    """1 to 5 with reasons and words; again within the time, the last word counts."""
    with desk.database.write() as session:
        own = _own(session, who, number)
        satisfaction.rate(session, own.number, _actor(who), body.score, body.reasons, normalize(body.words))
    return _shown(desk, who, number)


@router.post("/{number}/attachments", status_code=201)
def post_attachment(desk: DeskDep, who: Requester, number: Number, file: UploadFile) -> dict[str, Any]:
    """Upload a file; it goes out with the next words that name it."""
    with desk.database.write() as session:
        own = _own(session, who, number)
        row = attach(
            session, desk.settings.home, own.number, _actor(who), file.filename or "附件", file.file, public=True
        )
        return row.to_dict()


@router.get("/{number}/attachments/{attachment_id}")
def get_attachment(desk: DeskDep, who: Requester, number: Number, attachment_id: ConversationId) -> FileResponse:
    """A file that the employee brought or was sent, to be saved, never opened in the page."""
    with desk.database.read() as session:
        own = _own(session, who, number)
        row = attachment_for(session, _actor(who), own, attachment_id)
    return FileResponse(
        path_of(desk.settings.home, row.id),
        media_type=row.type,
        filename=row.name,
        headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"},
    )


def _actor(who: tuple[Identity, str]) -> Actor:
    return employee(*who)


def _own(session: Session, who: tuple[Identity, str], number: str) -> TicketRow:
    """Somebody else's ticket and one that does not exist look the same."""
    ticket = session.get(TicketRow, number.upper())
    identity, conversation_id = who
    own = ticket is not None and (
        ticket.employee_no is None and ticket.conversation_id == conversation_id
        if identity.anonymous
        else ticket.employee_no == identity.employee_no
    )
    if ticket is None or not own:
        raise NotFound(f"没有找到您名下的工单 {number}，请核对编号。", code="ticket_not_found")
    return ticket


def _find(desk: Desk, who: tuple[Identity, str], number: str) -> TicketRow:
    with desk.database.read() as session:
        own = _own(session, who, number)
        return session.get_one(TicketRow, lifecycle.survivor(session, own.number))


def _shown(desk: Desk, who: tuple[Identity, str], number: str) -> dict[str, Any]:
    with desk.database.read() as session:
        return _body(session, _own(session, who, number), who)


def _names(session: Session, tickets: Iterable[TicketRow]) -> dict[str, str]:
    people = {one.assignee for one in tickets if one.assignee}
    users = session.execute(select(UserRow.username, UserRow.name).where(UserRow.username.in_(people)))
    staff = session.execute(select(StaffRow.username, StaffRow.name).where(StaffRow.username.in_(people)))
    return {username: name for username, name in [*users, *staff]}


def _row(ticket: TicketRow, names: dict[str, str], news: Counter[str]) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": Status(ticket.status).label,
        "open": ticket.status in OPEN,
        "business_type": ticket.business_type,
        "urgency": ticket.urgency,
        "description": ticket.description,
        "document_no": ticket.document_no,
        "created_at": ticket.created_at.isoformat(),
        "updated_at": ticket.updated_at.isoformat(),
        "agent": names.get(ticket.assignee, "") if ticket.assignee else "",
        "merged_into": ticket.merged_into,
        "rating": ticket.rating,
        "unread": news[ticket.number],
    }


def _body(session: Session, ticket: TicketRow, who: tuple[Identity, str]) -> dict[str, Any]:
    actor = _actor(who)
    files = attachments_of(session, ticket.number)
    events = session.scalars(
        select(TicketEventRow)
        .where(TicketEventRow.ticket == ticket.number, TicketEventRow.public)
        .order_by(TicketEventRow.id)
    )
    standing = _standing(session, ticket.number)
    allowed = set(verbs(actor, ticket))
    if ticket.resolved_at and now() - ticket.resolved_at > REOPEN_WITHIN:
        allowed.discard("reopen")
    urge_at: datetime | None = ticket.urged_at + URGE_EVERY if ticket.urged_at else None
    return {
        **_row(ticket, _names(session, [ticket]), unread_by_number(session, ticket.conversation_id)),
        "resolution": ticket.resolution,
        "resolved_at": ticket.resolved_at.isoformat() if ticket.resolved_at else None,
        "events": [
            {
                "at": event.at.isoformat(),
                "kind": event.kind,
                "by": {"employee": "我", "system": "系统"}.get(event.actor_kind, event.actor_name or "客服"),
                "mine": event.actor_kind == "employee",
                "text": text,
                "attachments": event.detail.get("attachments") or [],
            }
            for event, text in told(events)
        ],
        "attachments": [
            {**row.to_dict(), "mine": row.by_kind == "employee"}
            for row in files
            if row.by_kind == "employee" or (row.public and row.sent)
        ],
        "can": {
            "say": "say_to_ticket" in allowed,
            "attach": "attach" in allowed,
            "urge": "urge" in allowed,
            "reopen": "reopen" in allowed,
            "cancel": "cancel" in allowed,
            "confirm": "close" in allowed,
            "rate": bool(standing and standing["state"] in ("open", "rated")),
        },
        "urge_at": urge_at.isoformat() if urge_at and urge_at > now() else None,
        "satisfaction": standing,
    }


def _standing(session: Session, number: str) -> dict[str, Any] | None:
    """How the question about the ticket stands, and what reasons may be given."""
    known = satisfaction.standing(session, number)
    if known is None:
        return None
    settings = document(session, "satisfaction")
    offered = {side: satisfaction.reasons_of(settings, side) for side in ("low", "high")}
    return {**known, "low": settings["low_score"], "offered": offered}
