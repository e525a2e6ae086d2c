"""What the demo's expense system would do on its own server: know its employees and sign their tokens."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from connectors.widget import sign_token
from core.errors import NotFound
from core.identity import Identity
from service.api.deps import DeskDep

router = APIRouter(prefix="/demo/api", tags=["demo"])

EMPLOYEES = {
    employee.employee_no: employee
    for employee in (
        Identity("E1001", "李晓雯", "华晟销售公司", "销售一部"),
        Identity("E1002", "王建国", "华晟制造公司", "采购部"),
        Identity("E2001", "陈思远", "华晟集团总部", "集团财务部", ("finance",)),
    )
}


def _shown(employee: Identity) -> dict[str, Any]:
    return {
        "no": employee.employee_no,
        "name": employee.name,
        "company": employee.company,
        "department": employee.department,
        "groups": list(employee.groups),
    }


@router.get("/employees")
def employees() -> list[dict[str, Any]]:
    return [_shown(employee) for employee in EMPLOYEES.values()]


@router.get("/token")
def token(desk: DeskDep, employee: str) -> dict[str, Any]:
    """A token for a made-up employee. Off in production."""
    if employee not in EMPLOYEES:
        raise NotFound("演示系统里没有这个员工。")
    who = EMPLOYEES[employee]
    return {
        "token": sign_token(who, desk.settings.widget_key, desk.settings.widget_issuer),
        "employee": _shown(who),
    }
