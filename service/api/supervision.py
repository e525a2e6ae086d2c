"""The supervisor's view: who is there, what they carry, what is late or about to be, what nobody has."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from core.clock import now
from core.errors import Forbidden
from handoff.routing.supervision import view
from service.api.deps import ActorDep, DeskDep
from service.api.staff import group_body
from service.api.ticket_body import row_bodies

router = APIRouter(prefix="/api/v1/console", tags=["supervision"])


@router.get("/supervision")
def get_supervision(desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
    """The desk now: for supervisors all of it, for leaders their groups."""
    all_of_it = actor.has("supervisor", "auditor", "inspector")
    if not all_of_it and "leader" not in actor.roles:
        raise Forbidden("只有组长和主管可以查看主管看板。", code="role_missing")
    with desk.database.read() as session:
        moment = now()
        found = view(session, moment, None if all_of_it else actor.leads)
        return {
            "at": moment.isoformat(),
            "counts": found.counts,
            "groups": [
                {
                    **group_body(one.group),
                    "people": one.people,
                    "available": one.available,
                    "open": one.open,
                    "pool": one.pool,
                    "breached": one.breached,
                    "soon": one.soon,
                }
                for one in found.groups
            ],
            "people": [
                {
                    "username": one.person.username,
                    "name": one.person.name,
                    "groups": one.person.groups,
                    "leads": one.person.leads,
                    "capacity": one.person.capacity,
                    "on_duty": one.person.on_duty,
                    "duty_changed_at": one.person.duty_changed_at.isoformat() if one.person.duty_changed_at else None,
                    "at_work": one.at_work,
                    "available": one.available,
                    "load": one.load,
                    "waiting": one.waiting,
                    "breached": one.breached,
                }
                for one in found.people
            ],
            "late": row_bodies(desk, session, found.late),
            "soon": row_bodies(desk, session, found.soon),
            "pool": row_bodies(desk, session, found.pooled),
        }
