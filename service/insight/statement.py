"""The service statement of a month: what each company was served, by the price list, and how it was served."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from handoff.quality.periods import bounds
from service.insight.asking import Filter, sums
from service.insight.calendar import day_of
from service.insight.desk_page import shares_of
from service.insight.figures import share
from service.insight.prices import LEVELS, SELF_SERVICE, TICKET, price_list
from service.insight.store import DayRow, OriginRow, TicketFactRow

NOBODY = "（未登记公司）"


def days_of(month: str) -> tuple[date, date]:
    """First and last day of `2026-11`. Raises InvalidInput."""
    if "W" in month:
        raise InvalidInput("结算单按月出，请选择月份。", code="period")
    start, end = bounds(month)
    return day_of(start), day_of(end) - timedelta(days=1)


def statement(session: Session, month: str) -> dict[str, Any]:
    """`{month, version, companies: [{company, lines, amount, levels}], items, amount}`; prices and amounts in fen. A visit or
    ticket counts under the item of its business type, else under the one for all others; without either it costs nothing."""
    first, last = days_of(month)
    version, prices = price_list(session)
    volumes = _volumes(session, first, last, prices["items"])
    levels = _levels(session, Filter(first, last))
    companies = []
    for company in sorted(volumes.keys() | (levels.keys() - {None})):
        lines = [
            {
                "item": item["id"],
                "name": item["name"],
                "unit": item["unit"],
                "price": item["price"],
                "volume": volumes[company][item["id"]],
                "amount": volumes[company][item["id"]] * item["price"],
            }
            for item in prices["items"]
        ]
        companies.append(
            {
                "company": company or NOBODY,
                "lines": lines,
                "unpriced": volumes[company][""],
                "amount": sum(line["amount"] for line in lines),
                "levels": _kept(prices["levels"], levels.get(company, {})),
            }
        )
    return {
        "month": month,
        "since": first.isoformat(),
        "until": last.isoformat(),
        "version": version,
        "items": prices["items"],
        "companies": companies,
        "amount": sum(one["amount"] for one in companies),
        "levels": _kept(prices["levels"], levels[None]),
    }


def _volumes(session: Session, first: date, last: date, items: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """How often each company was served each item; what no item counts lies under an empty id."""
    by_key = {(item["kind"], item["business_type"]): item["id"] for item in items}

    def item_of(kind: str, business_type: str) -> str:
        return by_key.get((kind, business_type)) or by_key.get((kind, "")) or ""

    found: dict[str, Counter[str]] = defaultdict(Counter)
    helped = session.execute(
        select(DayRow.a, DayRow.b, func.sum(DayRow.resolved))
        .where(DayRow.by == "company+business_type", DayRow.day >= first, DayRow.day <= last)
        .group_by(DayRow.a, DayRow.b)
    )
    for company, business_type, count in helped:
        found[company][item_of(SELF_SERVICE, business_type)] += int(count)
    solved = session.execute(
        select(OriginRow.company, TicketFactRow.business_type, func.count())
        .join(OriginRow, OriginRow.id == TicketFactRow.origin)
        .where(TicketFactRow.solved_day >= first, TicketFactRow.solved_day <= last)
        .group_by(OriginRow.company, TicketFactRow.business_type)
    )
    for company, business_type, count in solved:
        found[company][item_of(TICKET, business_type)] += int(count)
    return found


def _levels(session: Session, asked: Filter) -> dict[str | None, dict[str, Any]]:
    """The levels that were reached, by company, under None for all."""
    visits = {**sums(session, asked, "company"), None: sums(session, asked).get(None, {})}
    desk = {**shares_of(session, asked, OriginRow.company), None: shares_of(session, asked).get(None, {})}
    return {
        company: {
            **{name: desk.get(company, {}).get(name) for name in ("first_kept", "resolve_kept", "satisfaction")},
            "automation": share(visits.get(company, {}).get("resolved"), visits.get(company, {}).get("matter")),
        }
        for company in (visits.keys() | desk.keys())
    }


def _kept(promised: dict[str, float], reached: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "label": label,
            "unit": unit,
            "promised": promised.get(name),
            "reached": reached.get(name),
            "kept": None
            if promised.get(name) is None or reached.get(name) is None
            else reached[name] >= promised[name] - 1e-9,
        }
        for name, (label, unit) in LEVELS.items()
    ]


def month_before(day: date) -> str:
    return (day.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
