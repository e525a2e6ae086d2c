"""Routing rules and VIP units: edit a draft, try it on past tickets, let it take effect."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from handoff.clocks.policies import all_policies
from handoff.routing import versions
from handoff.routing.dispatching import loads
from handoff.routing.placing import rules_in_force
from handoff.routing.rules import RuleSet, rules_from
from handoff.routing.shifts import Roster
from handoff.routing.trying import Place, Trial, try_out
from handoff.routing.units import units_body
from handoff.routing.versions import RULES, UNITS, DispatchVersionRow
from handoff.staff import groups, staff
from handoff.tickets import TicketRow
from service.api.deps import DeskDep, OfTheDesk, Supervisor, from_our_page

router = APIRouter(prefix="/api/v1/console/routing", tags=["routing"])

_OURS = [Depends(from_our_page)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]
Comment = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Body = Annotated[dict[str, Any], Field(max_length=10)]


class Rules(BaseModel):
    rules: Annotated[list[Body], Field(max_length=200)]
    default: Body


class Draft(Rules):
    """`revision` is the draft's that was edited, 0 for a new one."""

    comment: Comment = ""
    revision: Revision = 0


class Trying(Rules):
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Activation(BaseModel):
    revision: Revision


class Units(BaseModel):
    units: Annotated[list[Body], Field(max_length=1000)]
    number: Revision


@router.get("/rules")
def get_rules(desk: DeskDep, actor: OfTheDesk) -> dict[str, Any]:
    """The rules in force, the draft, every version, and what the editor offers."""
    with desk.database.read() as session:
        return {
            "active": _version(versions.in_force(session, RULES)),
            "draft": _version(versions.draft_of(session, RULES)),
            "versions": [_heading(row) for row in versions.versions(session, RULES)],
            "offers": _offers(session),
        }


@router.get("/rules/{number}")
def get_version(desk: DeskDep, actor: OfTheDesk, number: Number) -> dict[str, Any]:
    """One version of the rules."""
    with desk.database.read() as session:
        found = _version(versions.version(session, RULES, number))
        assert found
        return found


@router.put("/rules", dependencies=_OURS)
def put_rules(desk: DeskDep, actor: Supervisor, body: Draft) -> dict[str, Any] | None:
    """Save the draft; nothing changes for tickets yet."""
    with desk.database.write() as session:
        checked = _checked(session, body)
        return _version(
            versions.save_draft(
                session, RULES, checked.to_dict(), actor, comment=body.comment.strip(), revision=body.revision
            )
        )


@router.delete("/rules", status_code=204, dependencies=_OURS)
def delete_rules(desk: DeskDep, actor: Supervisor) -> Response:
    """Throw the draft away."""
    with desk.database.write() as session:
        versions.drop_draft(session, RULES, actor)
    return Response(status_code=204)


@router.post("/rules/activate", dependencies=_OURS)
def post_activate(desk: DeskDep, actor: Supervisor, body: Activation) -> dict[str, Any] | None:
    """Let the draft take effect for tickets that are filed from now on. 409 `version_conflict`, `no_draft`."""
    with desk.database.write() as session:
        if draft := versions.draft_of(session, RULES):
            rules_from(draft.body, _tiers(session))
        return _version(versions.activate(session, RULES, actor, revision=body.revision))


@router.post("/try", dependencies=_OURS)
def post_try(desk: DeskDep, actor: Supervisor, body: Trying) -> dict[str, Any]:
    """Where the tickets of the past `days` would go by these rules, beside the rules in force."""
    with desk.database.read() as session:
        return _trial(try_out(session, rules_in_force(session), _checked(session, body), now(), days=body.days))


@router.get("/units")
def get_units(desk: DeskDep, actor: OfTheDesk) -> dict[str, Any]:
    """VIP units: companies, or departments of them."""
    with desk.database.read() as session:
        row = versions.in_force(session, UNITS)
        return {
            "number": row.number if row else 0,
            "units": row.body["units"] if row else [],
            "known": [{"company": company, "department": department} for company, department in _places(session)],
            "versions": [_heading(one) for one in versions.versions(session, UNITS)],
        }


@router.put("/units", dependencies=_OURS)
def put_units(desk: DeskDep, actor: Supervisor, body: Units) -> dict[str, Any]:
    """Other VIP units, for tickets that are filed from now on. 409 `version_conflict`."""
    with desk.database.write() as session:
        row = versions.put(session, UNITS, units_body(body.units), actor, number=body.number)
        return {"number": row.number, "units": row.body["units"]}


@router.get("/targets")
def get_targets(desk: DeskDep, actor: OfTheDesk) -> list[dict[str, Any]]:
    """Where a ticket can be handed to: active groups and the people in them, who is there first, least loaded first."""
    with desk.database.read() as session:
        rows = staff(session)
        roster, carried = Roster(session, now()), loads(session, [row.username for row in rows])
        people = [
            {
                "username": row.username,
                "name": row.name,
                "available": roster.available(row),
                "load": carried[row.username],
                "capacity": row.capacity,
                "skills": row.skills,
                "groups": row.groups,
            }
            for row in rows
        ]
        people.sort(key=lambda one: (not one["available"], one["load"], one["name"]))
        return [
            {
                "id": group.id,
                "name": group.name,
                "tier": group.tier,
                "dispatch": group.dispatch,
                "people": [
                    {name: value for name, value in one.items() if name != "groups"}
                    for one in people
                    if group.id in one["groups"]
                ],
            }
            for group in groups(session, active=True)
        ]


def _checked(session: Session, body: Rules) -> RuleSet:
    return rules_from({"rules": body.rules, "default": body.default}, _tiers(session))


def _tiers(session: Session) -> dict[str, int]:
    return {row.id: row.tier for row in groups(session, active=True)}


def _offers(session: Session) -> dict[str, Any]:
    return {
        "groups": [{"id": row.id, "name": row.name, "tier": row.tier} for row in groups(session, active=True)],
        "skills": sorted({skill for row in staff(session) for skill in row.skills}),
        "policies": [{"id": one.id, "name": one.name} for one in all_policies(session)],
        "companies": list(dict.fromkeys(company for company, _ in _places(session))),
        "departments": sorted({department for _, department in _places(session) if department}),
    }


def _places(session: Session) -> list[tuple[str, str | None]]:
    """Companies and departments that asked lately."""
    lately = select(TicketRow.company, TicketRow.department).order_by(TicketRow.number.desc()).limit(5000).subquery()
    found = session.execute(select(lately).where(lately.c.company.is_not(None)).distinct()).all()
    return sorted(((company, department) for company, department in found), key=lambda one: (one[0], one[1] or ""))


def _heading(row: DispatchVersionRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state,
        "comment": row.comment,
        "author": row.author,
        "saved_at": row.saved_at.isoformat(),
        "revision": row.revision,
        "activated_by": row.activated_by,
        "activated_at": row.activated_at.isoformat() if row.activated_at else None,
    }


def _version(row: DispatchVersionRow | None) -> dict[str, Any] | None:
    return {**_heading(row), **row.body} if row else None


def _trial(trial: Trial) -> dict[str, Any]:
    named = sorted({*trial.groups_before, *trial.groups_after}, key=lambda one: -trial.groups_after[one])
    return {
        "found": trial.found,
        "tickets": trial.tickets,
        "moved": trial.moved,
        "groups": [{"id": one, "before": trial.groups_before[one], "after": trial.groups_after[one]} for one in named],
        "emergencies": {"before": trial.emergencies_before, "after": trial.emergencies_after},
        "rules": [{"id": rule_id, "tickets": count} for rule_id, count in trial.by_rule.most_common()],
        "moves": [
            {
                "number": move.number,
                "description": move.description,
                "business_type": move.business_type,
                "created_at": move.created_at.isoformat(),
                "before": _place(move.before),
                "after": _place(move.after),
            }
            for move in trial.moves
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "group": place.group,
        "priority": place.priority,
        "emergency": place.emergency,
        "sla_policy": place.sla_policy,
        "rule": place.rule,
    }
