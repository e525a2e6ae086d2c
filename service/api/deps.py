"""What routes are given: the desk, the visitor, the console's user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Cookie, Depends, Header, Path, Query, Request

from connectors.widget import identity_of
from core.errors import Forbidden, TokenInvalid
from core.identity import Identity
from handoff.actors import Actor
from handoff.staff import staff_actor
from service.bootstrap import Desk
from service.users import UserRow, user_of

COOKIE = "fssc_session"

Page = Annotated[int, Query(ge=1, le=100_000)]
Filter = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
EntryPath = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]
RowId = Annotated[int, Path(ge=0, le=2**31 - 1)]
PageSize = Annotated[int, Query(ge=1, le=100)]


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


def actor_of(desk: DeskDep, user: ConsoleUser) -> Actor:
    """The console's user as somebody who does something to tickets, with the groups that they work in and lead."""
    with desk.database.read() as session:
        return staff_actor(session, user.username, user.name, user.roles)


ActorDep = Annotated[Actor, Depends(actor_of)]


def _allowed_to(role: str, doing: str) -> Callable[..., UserRow]:
    def user(user: ConsoleUser) -> UserRow:
        if not {role, "admin"} & set(user.roles):
            raise Forbidden(f"您没有{doing}的权限，请联系管理员开通。", code="role_missing")
        return user

    return user


Editor = Annotated[UserRow, Depends(_allowed_to("editor", "编辑知识"))]
Reviewer = Annotated[UserRow, Depends(_allowed_to("reviewer", "审核知识"))]
Publisher = Annotated[UserRow, Depends(_allowed_to("publisher", "发布知识"))]
Auditor = Annotated[UserRow, Depends(_allowed_to("auditor", "查看审计日志"))]
Admin = Annotated[UserRow, Depends(_allowed_to("admin", "管理用户"))]


DESK_ROLES = ("agent", "expert", "leader", "supervisor", "inspector", "auditor")


def _of_the_desk(actor: ActorDep) -> Actor:
    if not actor.has(*DESK_ROLES):
        raise Forbidden("您没有查看服务台的权限，请联系管理员开通。", code="role_missing")
    return actor


def _supervisor(actor: ActorDep) -> Actor:
    if not actor.has("supervisor"):
        raise Forbidden("只有主管可以修改，请联系主管。", code="role_missing")
    return actor


OfTheDesk = Annotated[Actor, Depends(_of_the_desk)]
Supervisor = Annotated[Actor, Depends(_supervisor)]


def from_our_page(x_requested_with: Annotated[str | None, Header()] = None) -> None:
    """Another site's form cannot set a header of its own."""
    if x_requested_with != "fssc":
        raise Forbidden("请从管理台页面操作。", code="csrf")
