"""Webhooks: other systems are told when a ticket changes, signed as https://www.standardwebhooks.com describes.

A delivery is stored with the event that caused it, once for each webhook; `connectors.webhook_sender` brings it there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from core.errors import InvalidInput, NotFound

KINDS = {
    "filed": "提交",
    "assigned": "派工",
    "claimed": "领取",
    "accepted": "受理",
    "returned": "退回",
    "transferred": "转派",
    "escalated": "升级",
    "replied": "回复",
    "waiting": "待员工补充",
    "resolved": "解决",
    "closed": "关闭",
    "reopened": "重开",
    "cancelled": "取消",
    "merged": "合并",
    "urged": "催办",
    "breached": "超时",
    "emergency_called": "应急呼叫",
    "emergency_climbed": "应急升级",
    "emergency_acknowledged": "应急确认",
}
"""What may be subscribed to; everything else that happens to a ticket stays inside."""

_MOST = 20


class WebhookRow(Base):
    """`kinds` empty means all of `KINDS`; the signing secret follows from our own key and `salt`, so none is stored."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    kinds: Mapped[list[str]] = mapped_column(Json)
    salt: Mapped[str] = mapped_column(String(32))
    active: Mapped[bool] = mapped_column(default=True)
    problem: Mapped[str] = mapped_column(String(300), default="")
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)


class WebhookDeliveryRow(Base):
    """One event for one webhook. `id` is the receiver's key against doubles."""

    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhook.id"))
    event: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(Moment)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    answer: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("webhook", "event"),
        Index("ix_webhook_delivery_due", "state", "next_at"),
        Index("ix_webhook_delivery_webhook_at", "webhook", "at"),
    )


def add_webhook(session: Session, url: str, kinds: list[str], author: str, *, production: bool) -> WebhookRow:
    """Raises InvalidInput for an address or a kind that cannot be used."""
    row = WebhookRow(
        id=secrets.token_hex(6),
        url=_usable(url, production),
        kinds=_known(kinds),
        salt=secrets.token_hex(8),
        created_by=author,
        created_at=now(),
    )
    if len(webhooks(session)) >= _MOST:
        raise InvalidInput(f"最多配置 {_MOST} 个 webhook，请先删除不用的。", code="too_many_webhooks")
    session.add(row)
    session.flush()
    return row


def change_webhook(
    session: Session,
    webhook_id: str,
    *,
    production: bool,
    url: str | None = None,
    kinds: list[str] | None = None,
    active: bool | None = None,
    new_secret: bool = False,
) -> WebhookRow:
    """Change what is given. Raises NotFound and InvalidInput."""
    row = webhook_of(session, webhook_id)
    if url is not None:
        row.url = _usable(url, production)
    if kinds is not None:
        row.kinds = _known(kinds)
    if active is not None:
        row.active, row.problem = active, ""
    if new_secret:
        row.salt = secrets.token_hex(8)
    return row


def remove_webhook(session: Session, webhook_id: str) -> None:
    """With its deliveries."""
    row = webhook_of(session, webhook_id)
    session.execute(delete(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook == row.id))
    session.delete(row)


def webhooks(session: Session) -> list[WebhookRow]:
    return list(session.scalars(select(WebhookRow).order_by(WebhookRow.created_at)))


def webhook_of(session: Session, webhook_id: str) -> WebhookRow:
    row = session.get(WebhookRow, webhook_id)
    if row is None:
        raise NotFound("没有这个 webhook。", code="webhook_not_found")
    return row


def queue(session: Session, event: str, kind: str, data: dict[str, Any]) -> None:
    """Have every webhook that wants `kind` told of `data`; the same `event` (at most 40 characters) is told once."""
    if kind not in KINDS:
        return
    known = set(session.scalars(select(WebhookDeliveryRow.webhook).where(WebhookDeliveryRow.event == event)))
    for webhook in webhooks(session):
        if webhook.active and webhook.id not in known and (not webhook.kinds or kind in webhook.kinds):
            session.add(_delivery(webhook, event, f"ticket.{kind}", data))


def ping(session: Session, webhook_id: str) -> WebhookDeliveryRow:
    """A delivery that says nothing, to try the address."""
    made = _delivery(webhook_of(session, webhook_id), f"ping:{secrets.token_hex(8)}", "ping", {})
    session.add(made)
    return made


def again(session: Session, delivery_id: str) -> WebhookDeliveryRow:
    """Send a delivery once more, under the same id. Raises NotFound."""
    row = session.get(WebhookDeliveryRow, delivery_id)
    if row is None:
        raise NotFound("没有这条推送记录。", code="delivery_not_found")
    row.state, row.attempts, row.next_at, row.claimed_until = "waiting", 0, now(), None
    return row


def deliveries(session: Session, webhook_id: str, limit: int = 50) -> list[WebhookDeliveryRow]:
    """The newest."""
    query = select(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook == webhook_id)
    return list(session.scalars(query.order_by(WebhookDeliveryRow.at.desc(), WebhookDeliveryRow.id).limit(limit)))


def secret_of(row: WebhookRow, derive: Callable[[str], str]) -> str:
    """`whsec_…`; `derive` makes a hexadecimal token for a purpose, as `Settings.internal_token` does."""
    return "whsec_" + base64.b64encode(bytes.fromhex(derive(f"webhook:{row.id}:{row.salt}"))).decode()


def signature(secret: str, delivery_id: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`; `timestamp` in seconds of the epoch."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{delivery_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def _delivery(webhook: WebhookRow, event: str, kind: str, data: dict[str, Any]) -> WebhookDeliveryRow:
    at = now()
    body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)
    return WebhookDeliveryRow(
        id=f"msg_{secrets.token_hex(12)}",
        webhook=webhook.id,
        event=event,
        kind=kind,
        body=body,
        state="waiting",
        next_at=at,
        at=at,
    )


def _usable(url: str, production: bool) -> str:
    url = url.strip()
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for a port that is none
    except ValueError:
        parts = urlsplit("")
    if len(url) > 500 or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise InvalidInput("请填写完整的地址，例如 https://expense.example.com/hooks/fssc。", code="webhook_url")
    if production and parts.scheme != "https":
        raise InvalidInput("生产环境只能推送到 https 地址。", code="webhook_url")
    return url


def _known(kinds: list[str]) -> list[str]:
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InvalidInput(f"没有事件 {'、'.join(unknown)}；可选：{'、'.join(KINDS)}。", code="webhook_kind")
    return [kind for kind in KINDS if kind in kinds]
