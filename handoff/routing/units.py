"""VIP units: companies, or single departments of them, whose employees are served first."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.text import normalize
from handoff.routing import versions
from handoff.tickets import ServiceTier

MOST_UNITS = 1000


def vip_units(session: Session) -> frozenset[tuple[str, str]]:
    """(company, department); an empty department stands for the whole company, an empty company for any."""
    row = versions.in_force(session, versions.UNITS)
    return frozenset((one["company"], one["department"]) for one in (row.body["units"] if row else ()))


def service_tier(units: frozenset[tuple[str, str]], company: str | None, department: str | None) -> ServiceTier:
    company, department = normalize(company or ""), normalize(department or "")
    asked = {(company, department), (company, ""), ("", department)} - {("", "")}
    return ServiceTier.VIP if asked & units else ServiceTier.STANDARD


def units_body(units: list[dict[str, Any]]) -> dict[str, Any]:
    """What is stored for `units`. Raises InvalidInput."""
    found = []
    for number, unit in enumerate(units, 1):
        company, department = (normalize(str(unit.get(name) or ""))[:100] for name in ("company", "department"))
        if not company and not department:
            raise InvalidInput(f"第 {number} 行请填写公司或部门。", code="units_invalid")
        found.append(
            {"company": company, "department": department, "note": normalize(str(unit.get("note") or ""))[:200]}
        )
    if len(found) > MOST_UNITS:
        raise InvalidInput(f"重点单位最多 {MOST_UNITS} 个。", code="units_invalid")
    if len({(one["company"], one["department"]) for one in found}) < len(found):
        raise InvalidInput("有重复的单位，请删除重复的一行。", code="units_invalid")
    return {"units": found}
