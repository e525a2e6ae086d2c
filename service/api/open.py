"""The open API: the expense system, or another one that is trusted, opens tickets for its users and asks how they stand."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.filing import card
from connectors.api_clients import ApiClientRow, ApiRequestRow, client_of
from connectors.ticket_facts import facts
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotSignedIn, TooMany
from core.identity import Identity
from core.redis import within_rate
from core.text import normalize
from core.transcript import current_conversation, locked, open_conversation, say
from handoff.filing import file_ticket, joined
from handoff.tickets import BUSINESS_TYPES, OTHER, Reason, TicketDraft, TicketRow, Urgency
from service.api.deps import DeskDep

router = APIRouter(prefix="/api/v1/open", tags=["open API"])

REQUESTS_A_MINUTE = 600
_Id = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]


async def client(desk: DeskDep, authorization: Annotated[str | None, Header()] = None) -> ApiClientRow:
    """The system whose key is in `Authorization: Bearer …`."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotSignedIn("请在 Authorization 头中以 Bearer 方式携带接口密钥。", code="api_key_missing")
    with desk.database.write() as session:
        found = client_of(session, key.strip())
    if not await within_rate(desk.redis, f"api:{found.id}", REQUESTS_A_MINUTE):
        raise TooMany(f"每分钟最多调用 {REQUESTS_A_MINUTE} 次，请稍后重试。")
    return found


Client = Annotated[ApiClientRow, Depends(client)]


class Requester(BaseModel):
    employee_no: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")
    name: _Id = ""
    company: _Id = ""
    department: _Id = ""
    groups: list[_Id] = Field(default_factory=list, max_length=50)


class NewTicket(BaseModel):
    requester: Requester
    description: str = Field(min_length=1, max_length=2000)
    business_type: str = Field(OTHER, max_length=40)
    urgency: Urgency = Urgency.NORMAL
    document_no: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")
    page: str = Field("", max_length=100, pattern=r"^[A-Za-z0-9_.-]*$")
    node: str = Field("", max_length=100, pattern=r"^[A-Za-z0-9_.-]*$")
    contact: _Id = ""
    reference: _Id = ""
    reason: Reason = Reason.SYSTEM


@router.post("/tickets", status_code=201)
def post_ticket(
    desk: DeskDep,
    client: Client,
    body: NewTicket,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=64)] = None,
) -> dict[str, Any]:
    """Open a ticket for an employee. The same `Idempotency-Key` again answers 200 with the ticket that it made."""
    if not idempotency_key or not idempotency_key.isascii() or not idempotency_key.isprintable():
        raise InvalidInput(
            "请在 Idempotency-Key 头中携带本次请求的唯一编号（64 个字符以内），重试时保持不变。",
            code="idempotency_key_missing",
        )
    if body.business_type not in (*BUSINESS_TYPES, OTHER):
        raise InvalidInput(f"没有业务类型 {body.business_type}；可选：{'、'.join((*BUSINESS_TYPES, OTHER))}。")
    description = "".join(c for c in body.description if c.isprintable() or c in "\n\t").strip()
    if not normalize(description):
        raise InvalidInput("请在 description 中写明问题。", code="empty_description")
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    with desk.database.write() as session:
        session.get_one(ApiClientRow, client.id, with_for_update=True)
        known = _request(session, client.id, idempotency_key)
        if known:
            if known.fingerprint != fingerprint:
                raise Conflict(
                    "这个 Idempotency-Key 已用于另一条内容不同的请求，请换一个。", code="idempotency_key_reused"
                )
            response.status_code = 200
            return facts(session, session.get_one(TicketRow, known.ticket), known.reference)
        ticket = _file(session, client, idempotency_key, body, description)
        session.add(
            ApiRequestRow(
                client=client.id,
                key=idempotency_key,
                fingerprint=fingerprint,
                ticket=ticket.number,
                reference=body.reference,
                at=now(),
            )
        )
        return facts(session, ticket, body.reference)


@router.get("/tickets/{number}")
def get_ticket(desk: DeskDep, client: Client, number: str) -> dict[str, Any]:
    """How a ticket stands that this system opened."""
    with desk.database.read() as session:
        request = session.scalars(
            select(ApiRequestRow).where(ApiRequestRow.ticket == number, ApiRequestRow.client == client.id).limit(1)
        ).one_or_none()
        if request is None:
            raise NotFound(f"没有由本系统提交的工单 {number}。", code="ticket_not_found")
        return facts(session, session.get_one(TicketRow, number), request.reference)


@router.get("/tickets")
def get_tickets(
    desk: DeskDep,
    client: Client,
    document_no: Annotated[str, Query(max_length=64)] = "",
    employee_no: Annotated[str, Query(max_length=64)] = "",
    reference: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Tickets that this system opened, newest first, of a document, an employee or a reference."""
    query = (
        select(TicketRow, ApiRequestRow.reference)
        .join(ApiRequestRow, ApiRequestRow.ticket == TicketRow.number)
        .where(ApiRequestRow.client == client.id)
        .order_by(ApiRequestRow.id.desc())
    )
    for column, value in (
        (TicketRow.document_no, document_no),
        (TicketRow.employee_no, employee_no),
        (ApiRequestRow.reference, reference),
    ):
        if value:
            query = query.where(column == value)
    with desk.database.read() as session:
        return {"items": [facts(session, ticket, named) for ticket, named in session.execute(query.limit(limit))]}


def _request(session: Session, client_id: str, key: str) -> ApiRequestRow | None:
    query = select(ApiRequestRow).where(ApiRequestRow.client == client_id, ApiRequestRow.key == key)
    return session.scalars(query).one_or_none()


def _file(session: Session, client: ApiClientRow, key: str, body: NewTicket, description: str) -> TicketRow:
    """In the employee's own conversation, where they read what is answered."""
    who = body.requester
    identity = Identity(
        who.employee_no, who.name or None, who.company or None, who.department or None, tuple(who.groups)
    )
    conversation = current_conversation(session, "widget", identity) or open_conversation(session, "widget", identity)
    draft = TicketDraft(
        business_type=body.business_type,
        description=description,
        conversation_id=conversation.id,
        requester=identity,
        reason=body.reason,
        idempotency_key=f"api:{client.id}:" + hashlib.sha256(key.encode()).hexdigest()[:32],
        channel="api",
        urgency=body.urgency,
        document_no=body.document_no or None,
        contact=body.contact or None,
        page=body.page,
        node=body.node,
        asked=description,
    )
    ticket = file_ticket(session, draft)
    came = "您补充的内容已并入工单" if joined(ticket, draft) else f"{client.name}已为您提交工单"
    reply = card(ticket, f"{came} **{ticket.number}**，处理结果会在这里回复您。")
    locked(session, conversation.id)
    say(session, conversation.id, "bot", reply.type, reply.text, extras={**reply.extras, "options": []})
    return ticket
