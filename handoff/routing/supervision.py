"""What a supervisor watches: who is there, what they carry, what is late or about to be, what nobody has."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from handoff.routing.dispatching import LOAD
from handoff.routing.shifts import Roster
from handoff.staff import GroupRow, StaffRow, groups, staff
from handoff.tickets import OPEN, Status, TicketRow

SOON = timedelta(minutes=30)
MOST_SHOWN = 50


@dataclass(frozen=True)
class PersonNow:
    """`load` counts what they work on, `waiting` what waits for requesters."""

    person: StaffRow
    available: bool
    at_work: bool
    load: int
    waiting: int
    breached: int


@dataclass(frozen=True)
class GroupNow:
    group: GroupRow
    people: int
    available: int
    open: int
    pool: int
    breached: int
    soon: int


@dataclass(frozen=True)
class View:
    """Tickets as numbers: `late` past their promise, `soon` due within `SOON`, `pooled` with nobody; each the most pressing
    first and at most `MOST_SHOWN`, beside how many there are."""

    groups: list[GroupNow]
    people: list[PersonNow]
    counts: dict[str, int]
    late: list[TicketRow]
    soon: list[TicketRow]
    pooled: list[TicketRow]


def view(session: Session, moment: datetime, only: frozenset[str] | None = None) -> View:
    """The desk at `moment`, or only these groups of it."""
    shown = [row for row in groups(session, active=True) if only is None or row.id in only]
    ids = [row.id for row in shown]
    open_here: ColumnElement[bool] = TicketRow.status.in_(OPEN)
    if only is not None:
        open_here = and_(open_here, TicketRow.group_id.in_(ids))
    late = and_(open_here, TicketRow.due_at.is_not(None), TicketRow.due_at <= moment)
    soon = and_(open_here, TicketRow.due_at > moment, TicketRow.due_at <= moment + SOON)
    pooled = and_(open_here, TicketRow.assignee.is_(None))
    figures = session.execute(
        select(
            TicketRow.group_id,
            TicketRow.assignee,
            func.sum(case((TicketRow.status.in_(LOAD), 1), else_=0)),
            func.sum(case((TicketRow.status == Status.WAITING, 1), else_=0)),
            func.sum(case((late, 1), else_=0)),
            func.sum(case((soon, 1), else_=0)),
        )
        .where(open_here)
        .group_by(TicketRow.group_id, TicketRow.assignee)
    ).all()
    by_group: dict[str | None, Counter[str]] = defaultdict(Counter)
    by_person: dict[str | None, Counter[str]] = defaultdict(Counter)
    for group_id, assignee, working, waiting, breached, due_soon in figures:
        facts = Counter(load=working, waiting=waiting, late=breached, soon=due_soon, open=working + waiting)
        by_person[assignee] += facts
        by_group[group_id] += facts
        if assignee is None:
            by_group[group_id]["pool"] += working + waiting
    roster = Roster(session, moment)
    people = [row for row in staff(session) if only is None or only & {*row.groups, *row.leads}]
    nows = [
        PersonNow(
            person,
            roster.available(person),
            roster.at_work(person),
            *(by_person[person.username][name] for name in ("load", "waiting", "late")),
        )
        for person in people
    ]
    return View(
        [
            GroupNow(
                group,
                sum(group.id in one.person.groups for one in nows),
                sum(group.id in one.person.groups and one.available for one in nows),
                *(by_group[group.id][name] for name in ("open", "pool", "late", "soon")),
            )
            for group in shown
        ],
        nows,
        {name: sum(facts[name] for facts in by_group.values()) for name in ("open", "pool", "late", "soon", "waiting")},
        _pressing(session, late),
        _pressing(session, soon),
        _pressing(session, pooled),
    )


def _pressing(session: Session, where: ColumnElement[bool]) -> list[TicketRow]:
    query = select(TicketRow).where(where)
    return list(
        session.scalars(query.order_by(TicketRow.priority, TicketRow.due_at, TicketRow.number).limit(MOST_SHOWN))
    )
