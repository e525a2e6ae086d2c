"""Brings waiting webhook deliveries to their addresses: at least once, again after a failure, never by two at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import structlog
from sqlalchemy import ColumnElement, Select, delete, or_, select, update

from connectors.webhooks import WebhookDeliveryRow, WebhookRow, secret_of, signature
from core.clock import now
from core.database import Database

log = structlog.get_logger()

PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600))
"""Before the second try, the third …; about two days in all, then a delivery has failed and waits for a person."""
_CLAIM = timedelta(seconds=60)
_PATIENCE = 10.0
_KEPT = timedelta(days=30)
_GONE = 410


def waiting(database: Database) -> bool:
    """Whether any delivery is due."""
    with database.read() as session:
        return session.scalar(_due().limit(1)) is not None


def send_due(database: Database, derive: Callable[[str], str], limit: int = 200) -> int:
    """Try the due deliveries, oldest first for each webhook, several webhooks at once; return how many arrived."""
    with database.read() as session:
        found = session.execute(
            _due().add_columns(WebhookDeliveryRow.webhook).order_by(WebhookDeliveryRow.at).limit(limit)
        ).all()
    by_webhook: dict[str, list[str]] = defaultdict(list)
    for delivery, webhook in found:
        by_webhook[webhook].append(delivery)

    def bring(ids: list[str]) -> int:
        with httpx.Client(timeout=_PATIENCE, follow_redirects=False) as client:
            return sum(_send(database, client, derive, one) for one in ids)

    if not by_webhook:
        return 0
    with ThreadPoolExecutor(min(4, len(by_webhook))) as pool:
        return sum(pool.map(bring, by_webhook.values()))


def forget_old(database: Database) -> None:
    """Deliveries that arrived a month ago need not be kept."""
    with database.write() as session:
        session.execute(
            delete(WebhookDeliveryRow).where(WebhookDeliveryRow.state == "sent", WebhookDeliveryRow.at < now() - _KEPT)
        )


def _due() -> Select[tuple[str]]:
    return (
        select(WebhookDeliveryRow.id)
        .join(WebhookRow, WebhookRow.id == WebhookDeliveryRow.webhook)
        .where(*_ready(), WebhookRow.active)
    )


def _ready() -> tuple[ColumnElement[bool], ...]:
    return (
        WebhookDeliveryRow.state == "waiting",
        WebhookDeliveryRow.next_at <= now(),
        or_(WebhookDeliveryRow.claimed_until.is_(None), WebhookDeliveryRow.claimed_until < now()),
    )


def _send(database: Database, client: httpx.Client, derive: Callable[[str], str], delivery_id: str) -> bool:
    with database.write() as session:
        claimed = session.execute(
            update(WebhookDeliveryRow)
            .where(WebhookDeliveryRow.id == delivery_id, *_ready())
            .values(claimed_until=now() + _CLAIM, attempts=WebhookDeliveryRow.attempts + 1)
        )
        if claimed.rowcount != 1:
            return False
        row = session.get_one(WebhookDeliveryRow, delivery_id)
        webhook = session.get_one(WebhookRow, row.webhook)
        if not webhook.active:  # Switched off by the answer to the delivery before.
            row.claimed_until, row.attempts = None, row.attempts - 1
            return False
        url, body, secret = webhook.url, row.body, secret_of(webhook, derive)
    timestamp = int(time.time())
    try:
        answer = client.post(
            url,
            content=body.encode(),
            headers={
                "Content-Type": "application/json",
                "User-Agent": "fssc-desk",
                "webhook-id": delivery_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(secret, delivery_id, timestamp, body),
            },
        )
        arrived, said, gone = answer.is_success, f"HTTP {answer.status_code}", answer.status_code == _GONE
    except httpx.HTTPError as error:
        arrived, said, gone = False, f"{type(error).__name__}: {error}", False
    with database.write() as session:
        row = session.get(WebhookDeliveryRow, delivery_id)
        if row is None:
            return arrived
        row.answer, row.claimed_until = said[:300], None
        if arrived:
            row.state = "sent"
        elif gone or row.attempts > len(PAUSES):
            row.state = "failed"
        else:
            row.next_at = now() + PAUSES[row.attempts - 1]
        if gone:
            webhook = session.get_one(WebhookRow, row.webhook)
            webhook.active, webhook.problem = False, "对方返回 410，表示不再接收，已停用。"
    if not arrived:
        log.warning("webhook_not_delivered", delivery=delivery_id, answer=said[:200])
    return arrived
