"""Which tickets are inspected: those that went wrong, some of every agent, some at random; never one twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import exists, func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import InvalidInput
from handoff.quality.documents import document
from handoff.quality.inspections import InspectionRow, InspectionRunRow
from handoff.quality.periods import bounds, week_of
from handoff.quality.promises import broken
from handoff.tickets import Status, TicketRow

RULES = {
    "low_rating": "低分",
    "reopened": "重开",
    "breached": "超时",
    "per_agent": "每人定量",
    "random": "随机",
    "chosen": "指定",
}
_WRONG = ("low_rating", "reopened", "breached")
MOST = 1000


@dataclass(frozen=True)
class Candidate:
    """A solved ticket that was never inspected."""

    number: str
    agent: str
    low_rating: bool = False
    reopened: bool = False
    breached: bool = False


def checked_rules(body: Mapping[str, Any]) -> dict[str, Any]:
    """Sampling rules as they are stored. Raises InvalidInput."""
    rules: dict[str, Any] = {name: bool(body.get(name)) for name in ("weekly", *_WRONG)}
    for name, most in (("per_agent", 50), ("random", MOST), ("most", MOST)):
        value = body.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise InvalidInput(f"抽样数量要填 0 到 {most} 的整数。", code="sampling")
        rules[name] = value
    if rules["most"] == 0:
        raise InvalidInput("每次最多抽检的数量至少为 1。", code="sampling")
    return rules


def pick(candidates: Sequence[Candidate], rules: Mapping[str, Any], seed: int) -> dict[str, list[str]]:
    """Numbers to inspect, with the rules that chose each; the same candidates, rules and seed choose the same.

    What went wrong first, then of every agent, then of the rest, until `most` are chosen.
    """
    random = Random(seed)
    ordered = sorted(candidates, key=lambda one: one.number)
    random.shuffle(ordered)
    chosen: dict[str, list[str]] = {}
    for one in ordered:
        if why := [name for name in _WRONG if rules[name] and getattr(one, name)]:
            chosen[one.number] = why
    by_agent: dict[str, int] = {}
    for one in ordered:
        if one.number not in chosen and by_agent.get(one.agent, 0) < rules["per_agent"]:
            by_agent[one.agent] = by_agent.get(one.agent, 0) + 1
            chosen[one.number] = ["per_agent"]
    rest = [one for one in ordered if one.number not in chosen]
    chosen |= {one.number: ["random"] for one in rest[: rules["random"]]}
    return dict(list(chosen.items())[: rules["most"]])


def candidates(session: Session, start: datetime, end: datetime) -> dict[str, tuple[Candidate, TicketRow]]:
    """Tickets solved from `start` to before `end` by somebody, and never inspected."""
    settings = document(session, "satisfaction")
    rows = session.scalars(
        select(TicketRow).where(
            TicketRow.resolved_at >= start,
            TicketRow.resolved_at < end,
            TicketRow.status.in_((Status.RESOLVED, Status.CLOSED)),
            TicketRow.assignee.is_not(None),
            ~exists().where(InspectionRow.ticket == TicketRow.number),
        )
    ).all()
    late = broken(session, [row.number for row in rows])
    return {
        row.number: (
            Candidate(
                row.number,
                row.assignee or "",
                row.rating is not None and row.rating <= settings["low_score"],
                row.reopenings > 0,
                row.number in late,
            ),
            row,
        )
        for row in rows
    }


def draw(
    session: Session,
    rules: Mapping[str, Any],
    start: datetime,
    end: datetime,
    seed: int,
    author: str,
    *,
    key: str,
    moment: datetime | None = None,
) -> InspectionRunRow | None:
    """Draw a sample into inspections that wait for an inspector; None where `key` was drawn before."""
    moment = moment or now()
    if end <= start:
        raise InvalidInput("结束日期不能早于开始日期。", code="period")
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    insert_run = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    run_id = session.scalar(
        insert_run(InspectionRunRow)
        .values(
            key=key,
            start=start,
            end=end,
            rules=dict(rules),
            seed=seed,
            candidates=0,
            picked=0,
            author=author,
            at=moment,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(InspectionRunRow.id)
    )
    if run_id is None:
        return None
    found = candidates(session, start, end)
    chosen = pick([one for one, _ in found.values()], rules, seed)
    run = session.get_one(InspectionRunRow, run_id)
    run.candidates, run.picked = len(found), len(chosen)
    if chosen:
        session.execute(
            insert(InspectionRow), [_waiting(run, found[number][1], why, moment) for number, why in chosen.items()]
        )
    detail = {"run": run.id, "seed": seed, "candidates": run.candidates, "picked": run.picked}
    audit.append(session, author, "inspection.drawn", key, detail)
    return run


_LOCK = 7_340_033
"""PostgreSQL's advisory lock of drawing: two runs never draw the same ticket."""


def _waiting(run: InspectionRunRow, ticket: TicketRow, why: list[str], moment: datetime) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "ticket": ticket.number,
        "agent": ticket.assignee,
        "group_id": ticket.group_id,
        "business_type": ticket.business_type,
        "solved_at": ticket.resolved_at,
        "rules": why,
        "state": "waiting",
        "sampled_at": moment,
        "points": {},
        "vetoes": [],
        "comment": "",
        "appeal": "",
        "decision_words": "",
    }


def to_draw(session: Session, moment: datetime) -> str | None:
    """The week before `moment`, where the rules have it drawn and nobody has."""
    week = week_of(moment - timedelta(days=7))
    if not document(session, "sampling")["weekly"]:
        return None
    drawn = session.scalar(select(InspectionRunRow.id).where(InspectionRunRow.key == f"week:{week}"))
    return None if drawn else week


def draw_due(session: Session, moment: datetime) -> int:
    """Draw last week's sample, once; how many tickets."""
    week = to_draw(session, moment)
    if week is None:
        return 0
    start, end = bounds(week)
    rules, seed = document(session, "sampling"), int(week.replace("-W", ""))
    run = draw(session, rules, start, end, seed, "system", key=f"week:{week}", moment=moment)
    return run.picked if run else 0
