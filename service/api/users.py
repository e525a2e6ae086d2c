"""The console's users and their roles, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from handoff.routing.absence import sweep
from service.api.deps import ActorDep, Admin, DeskDep, from_our_page
from service.users import UserRow, add_user, change_user, remove_user, users

router = APIRouter(prefix="/api/v1/console", tags=["users"])

_OURS = [Depends(from_our_page)]
Username = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]
Name = Annotated[str, Field(max_length=64)]
Password = Annotated[str, Field(max_length=200)]
Roles = Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=10)]


class NewUser(BaseModel):
    username: Name
    name: Name = ""
    password: Password
    roles: Roles = []


class ChangedUser(BaseModel):
    name: Name | None = None
    roles: Roles | None = None
    password: Password | None = None


def _out(user: UserRow) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.name,
        "roles": user.roles,
        "created_at": user.created_at.isoformat(),
    }


@router.get("/users")
def get_users(desk: DeskDep, user: Admin) -> list[dict[str, Any]]:
    """Everybody who may sign in."""
    with desk.database.read() as session:
        return [_out(one) for one in users(session)]


@router.post("/users", status_code=201, dependencies=_OURS)
def post_user(desk: DeskDep, user: Admin, actor: ActorDep, body: NewUser) -> dict[str, Any]:
    """A new user."""
    with desk.database.write() as session:
        return _out(add_user(session, body.username, body.name, body.password, body.roles, by=actor))


@router.patch("/users/{username}", dependencies=_OURS)
def patch_user(desk: DeskDep, user: Admin, actor: ActorDep, username: Username, body: ChangedUser) -> dict[str, Any]:
    """Another name, other roles or a new password; the latter two end the user's sessions."""
    with desk.database.write() as session:
        changed = _out(
            change_user(session, username, name=body.name, roles=body.roles, password=body.password, by=actor)
        )
    sweep(desk.database, of=username)
    return changed


@router.delete("/users/{username}", status_code=204, dependencies=_OURS)
def delete_user(desk: DeskDep, user: Admin, actor: ActorDep, username: Username) -> Response:
    """Remove a user; not the last administrator. Their open tickets return to their groups."""
    with desk.database.write() as session:
        remove_user(session, username, by=actor)
    sweep(desk.database, of=username)
    return Response(status_code=204)
