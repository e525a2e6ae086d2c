"""Quality inspection: samples, scores, appeals, the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import NotFound
from core.transcript import messages_of
from handoff.actors import Actor
from handoff.quality import inspections, reports
from handoff.quality.documents import document
from handoff.quality.inspections import DECISIONS, STATES, InspectionRow, InspectionRunRow
from handoff.quality.periods import days
from handoff.quality.sampling import RULES, checked_rules, draw
from handoff.tickets import TicketRow, events_of
from service.api.deps import ActorDep, DeskDep, Filter, Page, PageSize, RowId, from_our_page
from service.api.quality import day
from service.api.quality_scope import Day, Drawing, group_names, groups_seen, holders, named, sees_all
from service.api.ticket_body import names_of

router = APIRouter(prefix="/api/v1/console/quality", tags=["quality"])
_OURS = [Depends(from_our_page)]


class ItemPoints(BaseModel):
    points: int = Field(ge=0, le=100)
    comment: str = Field("", max_length=500)


class Scored(BaseModel):
    points: dict[Annotated[str, Field(max_length=30)], ItemPoints] = Field(max_length=20)
    vetoes: list[Annotated[str, Field(max_length=30)]] = Field([], max_length=20)
    comment: str = Field("", max_length=1000)

    def given(self) -> dict[str, dict[str, Any]]:
        return {name: one.model_dump() for name, one in self.points.items()}


class Appealed(BaseModel):
    words: str = Field(max_length=1000)


class Decided(BaseModel):
    """Without `points` the score is upheld."""

    words: str = Field(max_length=1000)
    points: dict[Annotated[str, Field(max_length=30)], ItemPoints] | None = None
    vetoes: list[Annotated[str, Field(max_length=30)]] = Field([], max_length=20)


class Drawn(BaseModel):
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    end: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    seed: int = Field(ge=0, le=2**31 - 1)
    rules: dict[str, Any]


def _visible(actor: Actor) -> Any:
    """Everybody sees what is about their own work; leaders that of their groups; inspectors, supervisors, auditors all."""
    if sees_all(actor):
        return true()
    own = InspectionRow.agent == actor.id
    return or_(own, InspectionRow.group_id.in_(sorted(actor.leads))) if actor.has("leader") else own


@router.get("/inspections")
def get_inspections(
    desk: DeskDep,
    actor: ActorDep,
    state: Literal["waiting", "scored", "appealed", "decided", "all"] = "all",
    agent: Filter = "",
    mine: bool = False,
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """Tickets that were drawn; `mine` are those whose agent the user is. An agent sees theirs once they are scored."""
    scope = [_visible(actor)]
    if mine:
        scope.append(InspectionRow.agent == actor.id)
    if agent:
        scope.append(InspectionRow.agent == agent)
    if mine or not (sees_all(actor) or actor.has("leader")):
        scope.append(InspectionRow.state != "waiting")
    with desk.database.read() as session:
        counted = dict(
            session.execute(select(InspectionRow.state, func.count()).where(*scope).group_by(InspectionRow.state)).all()
        )
        counts = {name: counted.get(name, 0) for name in STATES} | {"all": sum(counted.values())}
        query = select(InspectionRow).where(*scope)
        if state != "all":
            query = query.where(InspectionRow.state == state)
        rows = session.scalars(
            query.order_by(InspectionRow.sampled_at.desc(), InspectionRow.id.desc())
            .offset((page - 1) * page_size)
            .limit(page_size)
        ).all()
        return {
            "items": _rows(session, actor, rows),
            "total": counts[state],
            "counts": counts,
            "states": STATES,
            "rules": RULES,
        }


def _rows(session: Session, actor: Actor, rows: Sequence[InspectionRow]) -> list[dict[str, Any]]:
    names = names_of(session, [name for row in rows for name in (row.agent, row.inspector, row.decided_by)])
    groups = group_names(session)
    return [_row(actor, row, names, groups) for row in rows]


def _row(actor: Actor, row: InspectionRow, names: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    moment = now()
    return {
        "id": row.id,
        "ticket": row.ticket,
        "business_type": row.business_type,
        "agent": named(names, row.agent),
        "group": {"id": row.group_id, "name": groups.get(row.group_id, row.group_id)} if row.group_id else None,
        "rules": [{"id": rule, "label": RULES.get(rule, rule)} for rule in row.rules],
        "state": row.state,
        "state_label": STATES[row.state],
        "solved_at": row.solved_at.isoformat(),
        "sampled_at": row.sampled_at.isoformat(),
        "inspector": named(names, row.inspector),
        "points": row.points,
        "vetoes": row.vetoes,
        "total": row.total,
        "first_total": row.first_total,
        "comment": row.comment,
        "scored_at": _iso(row.scored_at),
        "appeal_until": _iso(row.appeal_until),
        "appeal": row.appeal,
        "appealed_at": _iso(row.appealed_at),
        "decision": row.decision,
        "decision_label": DECISIONS.get(row.decision or ""),
        "decision_words": row.decision_words,
        "decided_by": named(names, row.decided_by),
        "decided_at": _iso(row.decided_at),
        "may": [
            verb
            for verb, allowed in (
                ("score", row.state == "waiting" and inspections.judges(actor, row)),
                ("appeal", inspections.may_appeal(actor, row, moment)),
                ("decide", inspections.may_decide(actor, row)),
            )
            if allowed
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@router.get("/inspections/report")
def get_report(desk: DeskDep, actor: ActorDep, start: Day, end: Day) -> dict[str, Any]:
    """Inspections of tickets solved from day `start` to day `end`, by agent, group and item."""
    seen = groups_seen(actor)
    first, last = days(day(start), day(end))
    with desk.database.read() as session:
        report = reports.inspection_report(session, first, last, seen)
        names, groups = names_of(session, [line["agent"] for line in report["by_agent"]]), group_names(session)
        for line in report["by_agent"]:
            line["name"] = names.get(line["agent"], line["agent"])
        for line in report["by_group"]:
            line["name"] = groups.get(line["group_id"], line["group_id"] or "未分组")
        return report


@router.get("/inspections/runs")
def get_runs(desk: DeskDep, actor: ActorDep) -> list[dict[str, Any]]:
    """The last 50 samples that were drawn: period, rules, seed, how many."""
    groups_seen(actor)
    with desk.database.read() as session:
        rows = session.scalars(select(InspectionRunRow).order_by(InspectionRunRow.id.desc()).limit(50)).all()
        names = names_of(session, [row.author for row in rows])
        return [_run(row, names) for row in rows]


def _run(row: InspectionRunRow, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "rules": row.rules,
        "seed": row.seed,
        "candidates": row.candidates,
        "picked": row.picked,
        "author": named(names, row.author),
        "at": row.at.isoformat(),
    }


@router.post("/inspections/runs", status_code=201, dependencies=_OURS)
def post_run(desk: DeskDep, actor: Drawing, body: Drawn) -> dict[str, Any]:
    """Draw a sample now; what was inspected before is never drawn again."""
    first, last = days(day(body.start), day(body.end))
    with desk.database.write() as session:
        rules = checked_rules({"weekly": False, **body.rules})
        row = draw(session, rules, first, last, body.seed, actor.id, key=f"hand:{uuid4().hex}")
        if row is None:
            raise NotFound("没有抽到工单，请重试。")
        return _run(row, names_of(session, [row.author]))


@router.get("/inspections/{inspection_id}")
def get_inspection(desk: DeskDep, actor: ActorDep, inspection_id: RowId) -> dict[str, Any]:
    """One inspection with its rubric and the ticket that it judges."""
    with desk.database.read() as session:
        row = session.scalars(
            select(InspectionRow).where(InspectionRow.id == inspection_id, _visible(actor))
        ).one_or_none()
        if row is None or (row.state == "waiting" and row.agent == actor.id and not actor.has("leader")):
            raise NotFound("没有这条质检，或者您无权查看。")
        return _whole(session, actor, row)


def _whole(session: Session, actor: Actor, row: InspectionRow) -> dict[str, Any]:
    ticket = session.get_one(TicketRow, row.ticket)
    rubric = inspections.rubric_of(session, row) if row.state != "waiting" else document(session, "rubric")
    return _rows(session, actor, [row])[0] | {
        "rubric": rubric,
        "subject": {
            "number": ticket.number,
            "description": ticket.description,
            "urgency": ticket.urgency,
            "document_no": ticket.document_no,
            "requester_name": ticket.requester.get("name"),
            "company": ticket.company or ticket.requester.get("company"),
            "resolution": ticket.resolution,
            "rating": ticket.rating,
            "reopenings": ticket.reopenings,
            "created_at": ticket.created_at.isoformat(),
            "first_response_at": _iso(ticket.first_response_at),
            "resolved_at": _iso(ticket.resolved_at),
            "transcript": [message.to_dict() for message in messages_of(session, ticket.conversation_id)],
            "events": [
                {
                    "id": event.id,
                    "at": event.at.isoformat(),
                    "kind": event.kind,
                    "actor": event.actor,
                    "actor_name": event.actor_name or event.actor,
                    "text": event.text,
                    "public": event.public,
                }
                for event in events_of(session, ticket.number)
            ],
        },
    }


@router.post("/inspections/{inspection_id}/score", dependencies=_OURS)
def post_score(desk: DeskDep, actor: ActorDep, inspection_id: RowId, body: Scored) -> dict[str, Any]:
    """Score it by the newest rubric and tell the agent."""
    with desk.database.write() as session:
        row = inspections.score(session, inspection_id, actor, body.given(), body.vetoes, body.comment)
        return _whole(session, actor, row)


@router.post("/inspections/{inspection_id}/appeal", dependencies=_OURS)
def post_appeal(desk: DeskDep, actor: ActorDep, inspection_id: RowId, body: Appealed) -> dict[str, Any]:
    """The agent appeals, once and in time."""
    with desk.database.write() as session:
        deciders = holders(session, "inspector", "supervisor")
        row = inspections.appeal(session, inspection_id, actor, body.words, deciders=deciders)
        return _whole(session, actor, row)


@router.post("/inspections/{inspection_id}/decide", dependencies=_OURS)
def post_decide(desk: DeskDep, actor: ActorDep, inspection_id: RowId, body: Decided) -> dict[str, Any]:
    """Decide an appeal: with `points` the score is changed, without it is upheld."""
    points = None if body.points is None else {name: one.model_dump() for name, one in body.points.items()}
    with desk.database.write() as session:
        row = inspections.decide(session, inspection_id, actor, body.words, points=points, vetoes=body.vetoes)
        return _whole(session, actor, row)
