"""What the console talks to: sign-in, tickets and the test page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Query, Response
from pydantic import BaseModel, Field

from handoff.tickets import (
    BUSINESS_TYPES,
    OTHER,
    Status,
    Urgency,
)
from kb.entries import Viewer
from service.api.deps import COOKIE, ConsoleUser, DeskDep, from_our_page
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
