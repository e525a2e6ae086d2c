"""What routes are given: the desk, the visitor, the console's user."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie, Depends, Header, Request

from connectors.widget import identity_of
from core.errors import Forbidden, TokenInvalid
from core.identity import Identity
from service.bootstrap import Desk
from service.users import UserRow, user_of

COOKIE = "fssc_session"


def desk_of(request: Request) -> Desk:
    return request.app.state.desk


DeskDep = Annotated[Desk, Depends(desk_of)]


def visitor(desk: DeskDep, authorization: Annotated[str | None, Header()] = None) -> Identity:
    """The employee whom the token names; anonymous without one. A header that is no bearer token is refused."""
    if authorization is None:
        return identity_of(None, "", "")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid
    return identity_of(token.strip(), desk.settings.widget_key, desk.settings.widget_issuer)


Visitor = Annotated[Identity, Depends(visitor)]


def console_user(desk: DeskDep, fssc_session: Annotated[str | None, Cookie()] = None) -> UserRow:
    with desk.database.read() as session:
        return user_of(session, fssc_session)


ConsoleUser = Annotated[UserRow, Depends(console_user)]


def from_our_page(x_requested_with: Annotated[str | None, Header()] = None) -> None:
    """Another site's form cannot set a header of its own."""
    if x_requested_with != "fssc":
        raise Forbidden("请从管理台页面操作。", code="csrf")
