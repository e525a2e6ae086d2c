"""The price list of the service statement, and the service levels promised with it: data, versioned, on the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.text import normalize
from handoff.actors import Actor
from handoff.tickets import BUSINESS_TYPES, OTHER
from service.insight.store import PriceListRow

SELF_SERVICE, TICKET = "self_service", "ticket"
KINDS = {SELF_SERVICE: "机器人独立解决的会话", TICKET: "人工解决的工单"}

LEVELS = {
    "automation": ("自助率", "share"),
    "first_kept": ("首次响应达成率", "share"),
    "resolve_kept": ("解决达成率", "share"),
    "satisfaction": ("满意度", "score"),
}
"""Service levels that may be promised: a share, or a score of 1 to 5."""

DEFAULT: dict[str, Any] = {
    "items": [
        {"id": "self", "name": "智能问答", "kind": SELF_SERVICE, "business_type": "", "unit": "次", "price": 100},
        {"id": "ticket", "name": "人工服务", "kind": TICKET, "business_type": "", "unit": "件", "price": 1500},
    ],
    "levels": {"automation": 0.5, "first_kept": 0.95, "resolve_kept": 0.9, "satisfaction": 4.5},
}
"""What there is until somebody sets prices: they are examples, and the page says so."""

_MOST_ITEMS = 50
_MOST_PRICE = 100_000_000


def price_list(session: Session) -> tuple[int, dict[str, Any]]:
    """The newest version, 0 where nobody has set any, and what it says."""
    row = session.scalars(select(PriceListRow).order_by(PriceListRow.version.desc()).limit(1)).first()
    return (row.version, row.body) if row else (0, DEFAULT)


def change_prices(session: Session, actor: Actor, body: Mapping[str, Any], *, version: int) -> int:
    """Make `body` the newest version; `version` is the one that was looked at. Raises InvalidInput, Conflict."""
    before, held = price_list(session)
    if before != version:
        raise Conflict("刚刚有人改过价目，请刷新后再改。", code="version_conflict")
    made = checked(body)
    session.add(PriceListRow(version=before + 1, body=made, author=actor.id, at=now()))
    audit.append(session, actor, "insight.prices", "price-list", {"version": before + 1, "before": held, "after": made})
    return before + 1


def checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The price list as it is stored: prices in fen, no two items counting the same. Raises InvalidInput."""
    items = [_item(one) for one in body.get("items") or []]
    if not 1 <= len(items) <= _MOST_ITEMS:
        raise InvalidInput(f"价目至少一项，最多 {_MOST_ITEMS} 项。", code="prices")
    for what, keys in (
        ("编号", [one["id"] for one in items]),
        ("计量口径", [(one["kind"], one["business_type"]) for one in items]),
    ):
        if len(set(keys)) != len(keys):
            raise InvalidInput(f"有两项的{what}相同，会重复计费，请改。", code="prices")
    levels = {}
    for name, (label, unit) in LEVELS.items():
        value, most = (body.get("levels") or {}).get(name), 1 if unit == "share" else 5
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise InvalidInput(f"{label}的承诺要填 0 到 {'100%' if unit == 'share' else '5'}。", code="prices")
        levels[name] = float(value)
    return {"items": items, "levels": levels}


def _item(given: Mapping[str, Any]) -> dict[str, Any]:
    name, unit = normalize(str(given.get("name") or "")), normalize(str(given.get("unit") or ""))
    kind, business_type, price = given.get("kind"), given.get("business_type") or "", given.get("price")
    if not 0 < len(name) <= 40 or not 0 < len(unit) <= 10:
        raise InvalidInput("每项要有名称（40 字以内）和计量单位（10 字以内）。", code="prices")
    if kind not in KINDS or (business_type and business_type not in (*BUSINESS_TYPES, OTHER)):
        raise InvalidInput(f"“{name}”的计量口径不对，请重新选择。", code="prices")
    if isinstance(price, bool) or not isinstance(price, int) or not 0 <= price <= _MOST_PRICE:
        raise InvalidInput(f"“{name}”的单价要填 0 到 100 万元，最多两位小数。", code="prices")
    made_id = normalize(str(given.get("id") or name))[:40]
    return {"id": made_id, "name": name, "kind": kind, "business_type": business_type, "unit": unit, "price": price}
