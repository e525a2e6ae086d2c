"""Systems that call the open API and webhooks, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from connectors.api_clients import ApiClientRow, add_client, clients, revoke_client
from connectors.webhooks import (
    KINDS,
    WebhookDeliveryRow,
    WebhookRow,
    add_webhook,
    again,
    change_webhook,
    deliveries,
    ping,
    remove_webhook,
    secret_of,
    webhook_of,
    webhooks,
)
from core import audit
from service.api.deps import Admin, DeskDep, from_our_page
from service.bootstrap import Desk
from service.users import UserRow

router = APIRouter(prefix="/api/v1/console/integration", tags=["integration"])

_OURS = [Depends(from_our_page)]
Id = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9_]+$")]
Kinds = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=40)]
Url = Annotated[str, Field(max_length=600, pattern=r"^[^\x00]*$")]


class NewClient(BaseModel):
    name: str = Field(max_length=100)


class NewWebhook(BaseModel):
    url: Url
    kinds: Kinds = []


class ChangedWebhook(BaseModel):
    url: Url | None = None
    kinds: Kinds | None = None
    active: bool | None = None
    new_secret: bool = False


@router.get("/clients")
def get_clients(desk: DeskDep, user: Admin) -> list[dict[str, Any]]:
    """Systems with a key for the open API."""
    with desk.database.read() as session:
        return [_client(row) for row in clients(session)]


@router.post("/clients", status_code=201, dependencies=_OURS)
def post_client(desk: DeskDep, user: Admin, body: NewClient) -> dict[str, Any]:
    """A new system; its key is in this answer and nowhere else."""
    with desk.database.write() as session:
        row, key = add_client(session, body.name, user.username)
        _keep(session, user, "api_client_added", row.id, {"name": row.name})
        return {**_client(row), "key": key}


@router.post("/clients/{client_id}/revoke", dependencies=_OURS)
def post_revoke(desk: DeskDep, user: Admin, client_id: Id) -> dict[str, Any]:
    """Refuse a system's key from now on."""
    with desk.database.write() as session:
        row = revoke_client(session, client_id)
        _keep(session, user, "api_client_revoked", row.id, {"name": row.name})
        return _client(row)


@router.get("/webhooks")
def get_webhooks(desk: DeskDep, user: Admin) -> dict[str, Any]:
    """Every webhook, and the events that one may want."""
    with desk.database.read() as session:
        return {
            "items": [_webhook(row) for row in webhooks(session)],
            "kinds": [{"value": value, "label": label} for value, label in KINDS.items()],
        }


@router.post("/webhooks", status_code=201, dependencies=_OURS)
def post_webhook(desk: DeskDep, user: Admin, body: NewWebhook) -> dict[str, Any]:
    """A new webhook, with the secret that its signatures are checked with."""
    with desk.database.write() as session:
        row = add_webhook(session, body.url, body.kinds, user.username, production=desk.settings.production)
        _keep(session, user, "webhook_added", row.id, {"url": row.url, "kinds": row.kinds})
        return {**_webhook(row), "secret": _secret(desk, row)}


@router.patch("/webhooks/{webhook_id}", dependencies=_OURS)
def patch_webhook(desk: DeskDep, user: Admin, webhook_id: Id, body: ChangedWebhook) -> dict[str, Any]:
    """Another address, other events, on or off, or a new secret."""
    with desk.database.write() as session:
        row = change_webhook(session, webhook_id, production=desk.settings.production, **body.model_dump())
        _keep(session, user, "webhook_changed", row.id, body.model_dump(exclude_none=True))
        return {**_webhook(row), **({"secret": _secret(desk, row)} if body.new_secret else {})}


@router.delete("/webhooks/{webhook_id}", status_code=204, dependencies=_OURS)
def delete_webhook(desk: DeskDep, user: Admin, webhook_id: Id) -> Response:
    """Remove a webhook with its deliveries."""
    with desk.database.write() as session:
        _keep(session, user, "webhook_removed", webhook_id, {"url": webhook_of(session, webhook_id).url})
        remove_webhook(session, webhook_id)
    return Response(status_code=204)


@router.get("/webhooks/{webhook_id}/deliveries")
def get_deliveries(desk: DeskDep, user: Admin, webhook_id: Id) -> list[dict[str, Any]]:
    """The newest deliveries, and how they went."""
    with desk.database.read() as session:
        return [_delivery(row) for row in deliveries(session, webhook_of(session, webhook_id).id)]


@router.post("/webhooks/{webhook_id}/ping", status_code=201, dependencies=_OURS)
def post_ping(desk: DeskDep, user: Admin, webhook_id: Id) -> dict[str, Any]:
    """Send an empty event, to try the address."""
    with desk.database.write() as session:
        return _delivery(ping(session, webhook_id))


@router.post("/deliveries/{delivery_id}/again", dependencies=_OURS)
def post_again(desk: DeskDep, user: Admin, delivery_id: Id) -> dict[str, Any]:
    """Send a delivery once more."""
    with desk.database.write() as session:
        return _delivery(again(session, delivery_id))


def _keep(session: Session, user: UserRow, action: str, subject: str, detail: dict[str, Any]) -> None:
    audit.append(session, user.username, action, subject, detail)


def _secret(desk: Desk, row: WebhookRow) -> str:
    return secret_of(row, desk.settings.internal_token)


def _client(row: ApiClientRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }


def _webhook(row: WebhookRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "kinds": row.kinds,
        "active": row.active,
        "problem": row.problem,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
    }


def _delivery(row: WebhookDeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "attempts": row.attempts,
        "answer": row.answer,
        "next_at": row.next_at.isoformat() if row.state == "waiting" else None,
        "at": row.at.isoformat(),
        "body": row.body,
    }
