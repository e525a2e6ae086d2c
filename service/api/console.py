"""What the console talks to: sign-in, tickets and the test page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Query, Response
from pydantic import BaseModel, Field

from core.errors import NotFound
from core.text import normalize
from core.transcript import messages_of
from handoff.tickets import (
    BUSINESS_TYPES,
    OTHER,
    Status,
    TicketRow,
    Urgency,
    events_of,
    find_tickets,
    ticket_of,
)
from kb.entries import Viewer
from service.api.deps import COOKIE, ConsoleUser, DeskDep, Filter, Page, PageSize, from_our_page
from service.api.knowledge import candidate_of, find, thresholds_of
from service.users import UserRow, sign_in, sign_out

router = APIRouter(prefix="/api/v1/console", tags=["console"])


class SignIn(BaseModel):
    username: str = Field(max_length=64)
    password: str = Field(max_length=200)


def _user(user: UserRow) -> dict[str, Any]:
    return {"user": {"username": user.username, "name": user.name, "roles": user.roles}}


@router.post("/session", dependencies=[Depends(from_our_page)])
def post_session(desk: DeskDep, body: SignIn, response: Response) -> dict[str, Any]:
    """Sign in; the session is a cookie that scripts cannot read."""
    with desk.database.write() as session:
        token, user = sign_in(session, body.username, body.password, desk.settings.console_hours)
    response.set_cookie(
        COOKIE,
        token,
        max_age=desk.settings.console_hours * 3600,
        httponly=True,
        samesite="strict",
        secure=desk.settings.production,
        path="/api/v1/console",
    )
    return _user(user)


@router.get("/session")
def get_session(user: ConsoleUser) -> dict[str, Any]:
    """Who is signed in."""
    return _user(user)


@router.delete("/session", status_code=204, dependencies=[Depends(from_our_page)])
def delete_session(desk: DeskDep, fssc_session: Annotated[str | None, Cookie()] = None) -> Response:
    """Sign out."""
    with desk.database.write() as session:
        sign_out(session, fssc_session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/api/v1/console")
    return response


@router.get("/meta")
def get_meta(desk: DeskDep, user: ConsoleUser) -> dict[str, Any]:
    """What the filters offer."""
    entries = desk.knowledge.searcher.entries
    return {
        "business_types": [*BUSINESS_TYPES, OTHER],
        "urgencies": list(Urgency),
        "statuses": [{"value": status, "label": status.staff_label} for status in Status],
        "scenes": desk.knowledge.scenes,
        "groups": sorted({group for entry in entries for group in entry.audience.groups}),
        "companies": sorted({company for entry in entries for company in entry.audience.companies}),
    }


@router.get("/tickets")
def get_tickets(
    desk: DeskDep,
    user: ConsoleUser,
    status: Filter = "",
    urgency: Filter = "",
    business_type: Filter = "",
    q: Annotated[str, Query(max_length=200)] = "",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """Tickets, newest first; a filter may hold several values, separated by commas."""
    with desk.database.read() as session:
        rows, total = find_tickets(
            session,
            status=status,
            urgency=urgency,
            business_type=business_type,
            text=normalize(q),
            page=page,
            page_size=page_size,
        )
        return {"items": [_ticket(desk, row) for row in rows], "total": total}


@router.get("/tickets/{number}")
def get_ticket(desk: DeskDep, user: ConsoleUser, number: str) -> dict[str, Any]:
    """One ticket with its conversation, what the bot tried, and its timeline."""
    with desk.database.read() as session:
        row = ticket_of(session, number)
        if row is None:
            raise NotFound(f"没有工单 {number}，请核对编号。")
        return {
            **_ticket(desk, row),
            "contact": row.contact,
            "transcript": [message.to_dict() for message in messages_of(session, row.conversation_id)],
            "tried": row.tried,
            "events": [
                {"at": event.at.isoformat(), "kind": event.kind, "actor": event.actor, "text": event.text}
                for event in events_of(session, number)
            ],
        }


def _ticket(desk: DeskDep, row: TicketRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "status": row.status,
        "status_label": Status(row.status).staff_label,
        "business_type": row.business_type,
        "description": row.description,
        "urgency": row.urgency,
        "requester_name": row.requester.get("name"),
        "employee_no": row.employee_no,
        "company": row.requester.get("company"),
        "department": row.requester.get("department"),
        "page": row.page,
        "node": row.node,
        "place_label": desk.knowledge.place_label(row.page, row.node),
        "document_no": row.document_no,
        "handoff_reason": row.reason,
        "channel": row.channel,
        "created_at": row.created_at.isoformat(),
    }


@router.get("/kb/try")
def get_try(
    desk: DeskDep,
    user: ConsoleUser,
    q: Annotated[str, Query(max_length=2000)],
    page: str = "",
    node: str = "",
    groups: str = "",
    company: str = "",
    top_k: Annotated[int, Query(ge=1, le=50)] = 10,
) -> dict[str, Any]:
    """What anybody in these groups would get for a question, by the very scorer of the chat, with its features."""
    viewer = Viewer(company or None, frozenset(filter(None, groups.split(","))))
    result = find(desk, q, viewer, top_k, page, node)
    return {
        "band": result.band,
        "release": result.release,
        "thresholds": thresholds_of(result),
        "in_scope": result.in_scope,
        "candidates": [candidate_of(one) | {"features": one.features} for one in result.candidates],
    }
