"""Rating over a signed link: a page for one question, without signing in, used once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from connectors.connected import LINKS_PURPOSE
from connectors.rating_links import PURPOSE
from core.clock import now
from core.errors import Conflict
from core.identity import Identity
from core.links import LinkExpired, LinkInvalid, opened
from handoff.actors import employee
from handoff.locking import lock
from handoff.quality import satisfaction
from handoff.quality.documents import document
from handoff.tickets import ticket_of
from service.api.deps import DeskDep

router = APIRouter(tags=["chat"])
Token = Annotated[str, InPath(max_length=1000, pattern=r"^[A-Za-z0-9_.-]+$")]
Reason = Annotated[str, Field(max_length=100)]

_PAGE = Path(__file__).parent / "rating.html"
ALONE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        "frame-ancestors 'none'"
    ),
}


class Rating(BaseModel):
    """`reasons` as they are offered, `class:words`."""

    score: int = Field(ge=1, le=5)
    reasons: list[Reason] = Field([], max_length=20)
    words: str = Field("", max_length=satisfaction.MOST_WORDS)


@router.get("/rate/{token}", response_class=FileResponse)
def get_page(token: Token) -> FileResponse:
    """The page that a rating link opens; what it shows, it asks for itself."""
    return FileResponse(_PAGE, media_type="text/html; charset=utf-8", headers=ALONE)


@router.get("/api/v1/ratings/{token}")
def get_rating(desk: DeskDep, token: Token) -> dict[str, Any]:
    """What is asked: the ticket, the scores, the reasons for a low and a high one; `rated` where the link is used up."""
    claims = _claims(desk.settings.internal_token(LINKS_PURPOSE), token)
    with desk.database.read() as session:
        return _body(session, claims)


@router.post("/api/v1/ratings/{token}")
def post_rating(desk: DeskDep, token: Token, body: Rating) -> dict[str, Any]:
    """Rate, once."""
    claims = _claims(desk.settings.internal_token(LINKS_PURPOSE), token)
    with desk.database.write() as session:
        if ticket_of(session, claims["t"]) is None:
            raise LinkInvalid
        (ticket,) = lock(session, claims["t"])
        standing = _standing(session, claims)
        if standing["state"] == "rated":
            raise Conflict("您已经评价过了，谢谢。", code="already_rated")
        actor = employee(Identity(claims["e"]), ticket.conversation_id)
        satisfaction.rate(session, ticket.number, actor, body.score, body.reasons, body.words)
        return _body(session, claims)


def _claims(key: str, token: str) -> dict[str, str]:
    found = opened(key, PURPOSE, token, now())
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("t", "e", "u")):
        raise LinkInvalid
    return found


def _standing(session: Session, claims: dict[str, str]) -> dict[str, Any]:
    """How the very question stands that the link was made for. Raises LinkExpired where a newer one has taken its place."""
    standing = satisfaction.standing(session, claims["t"])
    if standing is None or datetime.fromisoformat(standing["expires_at"]) != datetime.fromisoformat(claims["u"]):
        raise LinkExpired
    if standing["state"] in ("expired", "withdrawn"):
        raise LinkExpired
    return standing


def _body(session: Session, claims: dict[str, str]) -> dict[str, Any]:
    ticket = ticket_of(session, claims["t"])
    if ticket is None or ticket.employee_no != claims["e"]:
        raise LinkInvalid
    standing = _standing(session, claims)
    settings = document(session, "satisfaction")
    return {
        "ticket": ticket.number,
        "business_type": ticket.business_type,
        "rated": standing["state"] == "rated",
        "score": standing["score"],
        "labels": {str(score): label for score, label in satisfaction.SCORES.items()},
        "reasons": {side: satisfaction.reasons_of(settings, side) for side in ("low", "high")},
    }
