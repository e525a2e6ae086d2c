"""The agents' scoreboard."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from core.clock import now
from core.errors import Forbidden
from handoff.actors import Actor
from handoff.quality import scoreboard
from handoff.quality.documents import document, newest
from handoff.quality.periods import bounds, month_of, week_of
from handoff.quality.scoreboard import FIGURES, LISTS, Line, Solved
from service.api.deps import ActorDep, DeskDep
from service.api.quality_scope import group_names, sees_all
from service.api.ticket_body import names_of

router = APIRouter(prefix="/api/v1/console/quality", tags=["quality"])
Period = Annotated[str, Query(pattern=r"^\d{4}-(W\d{2}|\d{2})$")]
Agent = Annotated[str, Query(max_length=64, pattern=r"^[^\x00]+$")]


def _shown(actor: Actor, line: Line) -> bool:
    """Agents see their own line, leaders those of their groups."""
    return sees_all(actor) or line.agent == actor.id or (actor.has("leader") and line.group in actor.leads)


@router.get("/scoreboard")
def get_scoreboard(desk: DeskDep, actor: ActorDep, period: Period) -> dict[str, Any]:
    """Every agent's figures of a week (`2026-W47`) or month (`2026-11`), what each means, and the two lists."""
    start, end = bounds(period)
    with desk.database.read() as session:
        stored = newest(session, "scoreboard")
        rules = document(session, "scoreboard")
        lines = scoreboard.board(scoreboard.solved(session, start, end), scoreboard.vetoed(session, start, end), rules)
        shown = [line for line in lines if _shown(actor, line)]
        names, groups = names_of(session, [line.agent for line in shown]), group_names(session)
        return {
            "period": period,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "over": end <= now(),
            "now": {"week": week_of(now()), "month": month_of(now())},
            "rules": rules,
            "rules_version": stored.version if stored else 0,
            "sets_up": actor.has("supervisor"),
            "definitions": [{"id": name, "label": label, "means": means} for name, (label, means) in FIGURES.items()],
            "lists": LISTS,
            "lines": [_line(line, lines.index(line) + 1, names, groups) for line in shown],
        }


def _line(line: Line, rank: int, names: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    return {
        "rank": rank,
        "agent": line.agent,
        "name": names.get(line.agent, line.agent),
        "group": groups.get(line.group, line.group) if line.group else None,
        "total": line.total,
        "scores": line.scores,
        "basis": {
            "volume": f"{line.solved} 件",
            "timeliness": f"{line.kept}/{line.promised} 件按时" if line.promised else "没有时限承诺",
            "first_contact": f"{line.once}/{line.solved} 件",
            "satisfaction": f"{sum(line.ratings) / len(line.ratings):.2f} 分（{len(line.ratings)} 次评价）"
            if line.ratings
            else "没有评价",
            "quality": f"{len(line.inspected)} 件质检" + (f"，否决 {line.vetoed} 次" if line.vetoed else "")
            if line.inspected
            else "没有质检",
        },
        "lists": line.lists,
    }


@router.get("/scoreboard/tickets")
def get_scoreboard_tickets(desk: DeskDep, actor: ActorDep, period: Period, agent: Agent) -> list[dict[str, Any]]:
    """The tickets behind one agent's figures, the newest first."""
    start, end = bounds(period)
    with desk.database.read() as session:
        tickets = scoreboard.solved(session, start, end, agent)
        lines = scoreboard.board(tickets, {}, document(session, "scoreboard"))
        if not (sees_all(actor) or actor.id == agent) and not any(_shown(actor, line) for line in lines):
            raise Forbidden("只能查看自己或本组坐席的评分明细。", code="role_missing")
        return [_ticket(one) for one in tickets]


def _ticket(one: Solved) -> dict[str, Any]:
    return {
        "number": one.number,
        "business_type": one.business_type,
        "solved_at": one.solved_at.isoformat(),
        "timeliness": one.kept,
        "first_contact": one.once,
        "satisfaction": one.rating,
        "quality": one.inspected,
    }
