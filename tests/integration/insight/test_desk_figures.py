"""The desk's figures are what counting every ticket one by one gives."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from random import Random
from statistics import mean
from typing import Any

from pytest import approx
from sqlalchemy.orm import Session

from core.clock import SHANGHAI, now
from core.database import Database
from handoff.clocks.clock import ClockRow
from handoff.clocks.defaults import seed
from handoff.quality.inspections import InspectionRow, InspectionRunRow
from handoff.quality.satisfaction import SatisfactionRow
from handoff.tickets import TicketEventRow, TicketRow
from service.insight.asking import Filter
from service.insight.calendar import day_of
from service.insight.desk_page import page
from service.insight.keeping import refresh
from service.insight.records import find
from service.insight.store import StateRow, TicketFactRow
from tests.integration.insight.center import START, Center
from tests.integration.quality.desk import solved

DAYS = 70
FIRST = START.date()


def ticket(center: Center, session: Session, run: int) -> TicketRow:
    """A ticket to which anything may have happened."""
    dice = center.random
    at = START + timedelta(seconds=dice.randrange(DAYS * 86_400))
    row = center.file(dice.choice(center.conversations), at)
    row.business_type = dice.choice(["税务", "发票"])
    row.group_id, row.assignee, row.sla_policy = (
        dice.choice(["tax", "expense"]),
        "zhang",
        dice.choice(["p1", "p2", None]),
    )
    row.status = dice.choice(["new", "resolved", "closed", "closed", "cancelled", "merged", "waiting"])
    ended = at + timedelta(hours=dice.randrange(1, 200))
    if row.status in ("resolved", "closed"):
        row.resolved_at = ended
    kinds = [kind for kind in ("escalated", "transferred", "replied") if dice.random() < 0.15]
    row.reopenings = int(dice.random() < 0.2)
    kinds += ["reopened"] * row.reopenings + ([row.status] if row.status in ("cancelled", "merged") else [])
    for kind in kinds:
        detail = {"then": dice.choice(["waiting", "stay"])} if kind == "replied" else {}
        session.add(TicketEventRow(ticket=row.number, kind=kind, actor="", text="", at=ended, detail=detail))
    for kind in ("first_response", "resolution"):
        stopped = dice.random() < 0.8
        promised = dice.choice([None, 30])
        policy = dice.choice(["standard", "urgent"]) if promised else None
        broken = promised is not None and dice.random() < 0.3
        session.add(
            ClockRow(
                ticket=row.number,
                kind=kind,
                round=1,
                policy=policy,
                promised_min=promised,
                started_at=at,
                stopped_at=ended if stopped else None,
                actual_min=float(dice.randrange(100)) if stopped else None,
                breached_at=at if broken else None,
            )
        )
    for resolution in range(1, row.reopenings + 2):
        if dice.random() > 0.6:
            continue
        score = dice.randrange(1, 6)
        session.add(
            SatisfactionRow(
                ticket=row.number,
                resolution=resolution,
                conversation_id=row.conversation_id,
                agent="zhang",
                group_id=row.group_id,
                state="rated",
                invited_at=ended,
                remind_at=ended,
                expires_at=ended + timedelta(days=7),
                rated_at=ended + timedelta(hours=dice.randrange(7 * 24)),
                score=score,
                reasons=["时效:回复太慢"] if score < 3 else [],
            )
        )
    if row.resolved_at and dice.random() < 0.3:
        state = dice.choice(["scored", "appealed", "decided", "waiting"])
        session.add(
            InspectionRow(
                run_id=run,
                ticket=row.number,
                agent="zhang",
                business_type=row.business_type,
                solved_at=ended,
                rules=[],
                state=state,
                sampled_at=ended,
                total=float(dice.randrange(50, 100)) if state != "waiting" else None,
            )
        )
    session.flush()
    return row


def nearest(values: list[float], share: float) -> float | None:
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


def part(hits: float, of: float) -> float | None:
    return round(hits / of, 4) if of else None


def slow(session: Session, tickets: list[TicketRow], since: Any, until: Any) -> dict[str, Any]:
    def rows(table: Any, number: str) -> list[Any]:
        return session.query(table).filter_by(ticket=number).all()

    def clocks(number: str, kind: str) -> list[Any]:
        return [one for one in rows(ClockRow, number) if one.kind == kind]

    def kept(number: str, kind: str) -> bool | None:
        (clock,) = clocks(number, kind)
        if clock.promised_min is None or (clock.breached_at is None and clock.stopped_at is None):
            return None
        return clock.breached_at is None

    def minutes(some: list[TicketRow], kind: str) -> list[float]:
        return [took for one in some if (took := clocks(one.number, kind)[0].actual_min) is not None]

    def inside(moment: Any) -> bool:
        return moment is not None and since <= moment.astimezone(SHANGHAI).date() <= until

    def kinds(one: TicketRow) -> set[str]:
        return {
            event.kind if event.kind != "replied" or event.detail.get("then") == "waiting" else ""
            for event in rows(TicketEventRow, one.number)
        }

    filed = [one for one in tickets if inside(one.created_at)]
    solved = [one for one in tickets if inside(one.resolved_at)]
    scores = [one.score for t in tickets for one in rows(SatisfactionRow, t.number) if inside(one.rated_at)]
    judged = [one.total for t in solved for one in rows(InspectionRow, t.number) if one.state in ("scored", "decided")]
    ended = {one.number: one.resolved_at for one in tickets}
    for one in tickets:
        for event in rows(TicketEventRow, one.number):
            if event.kind in ("cancelled", "merged"):
                ended[one.number] = event.at
    backlog = [
        one
        for one in tickets
        if day_of(one.created_at) <= until and (ended[one.number] is None or day_of(ended[one.number]) > until)
    ]
    answers = {kind: [kept(one.number, kind) for one in filed] for kind in ("first_response", "resolution")}
    return {
        "filed": len(filed),
        "solved": len(solved),
        "backlog": len(backlog),
        **{
            name: part(answers[kind].count(True), len(filed) - answers[kind].count(None))
            for name, kind in (("first_kept", "first_response"), ("resolve_kept", "resolution"))
        },
        "first_median": nearest(minutes(filed, "first_response"), 0.5),
        "first_p90": nearest(minutes(filed, "first_response"), 0.9),
        "resolve_median": nearest(minutes(solved, "resolution"), 0.5),
        "resolve_p90": nearest(minutes(solved, "resolution"), 0.9),
        "escalated": part(sum("escalated" in kinds(one) for one in filed), len(filed)),
        "reopened": part(sum(one.reopenings > 0 for one in filed), len(filed)),
        "once": part(
            sum(not kinds(one) & {"escalated", "transferred", "reopened", "replied"} for one in solved), len(solved)
        ),
        "satisfaction": round(sum(scores) / len(scores), 2) if scores else None,
        "quality": round(sum(judged) / len(judged), 2) if judged else None,
    }


def levels(session: Session, tickets: list[TicketRow], since: date, until: date) -> Counter[str]:
    """How many tickets were promised each level; a clock says so, or the rule that named one."""
    found: Counter[str] = Counter()
    for one in tickets:
        by = {clock.kind: clock.policy for clock in session.query(ClockRow).filter_by(ticket=one.number)}
        level = by["resolution"] or by["first_response"] or one.sla_policy
        if level and since <= day_of(one.created_at) <= until:
            found[level] += 1
    return found


def test_a_level_that_was_matched_is_shown_also_for_facts_of_an_older_program(database: Database) -> None:
    with database.write() as session:
        seed(session)
        number = solved(session).number
    period = Filter(day_of(now()), day_of(now()))

    def shown() -> list[tuple[str, int, float]]:
        refresh(database, now())
        with database.read() as session:
            return [(one["name"], one["filed"], one["resolve_kept"]) for one in page(session, period)["policies"]]

    assert shown() == [("默认", 1, 1)]
    with database.write() as session:
        session.get_one(TicketFactRow, number).policy = ""
        session.get_one(StateRow, "tickets").body = {"event": 10_000}
    assert shown() == [("默认", 1, 1)]


def test_the_desks_figures_equal_a_count_of_every_ticket(database: Database) -> None:
    until = FIRST + timedelta(days=DAYS - 1)
    with database.write() as session:
        center = Center(session, Random(11))
        for n in range(6):
            center.converse(f"E{n}")
        run = InspectionRunRow(key="k", start=START, end=START, rules={}, seed=1, author="", at=START)
        session.add(run)
        session.flush()
        tickets = [ticket(center, session, run.id) for _ in range(80)]
    refresh(database, START + timedelta(days=DAYS))
    with database.read() as session:
        for since in (FIRST, FIRST + timedelta(days=30)):
            found = page(session, Filter(since, until))
            wanted = slow(session, tickets, since, until)
            assert {one["id"]: one["value"] for one in found["figures"]} == wanted
            assert sum(one["filed"] for one in found["by_day"]) == wanted["filed"]
            assert found["by_day"][-1]["backlog"] == wanted["backlog"]
            assert sum(one["filed"] for one in found["by"]["group"]) == wanted["filed"]
            assert {one["id"]: one["filed"] for one in found["policies"]} == levels(session, tickets, since, until)
            rated = sum(one["count"] for one in found["scores"])
            listed = find(session, "rated", Filter(since, until), size=500)["items"]
            assert rated == len(listed) and mean([one["score"] for one in listed]) == approx(
                wanted["satisfaction"], abs=0.01
            )
        whole = page(session, Filter(FIRST, until))
        for month in whole["by_month"]:
            mine = [one for one in tickets if f"{day_of(one.created_at):%Y-%m}" == month["month"]]
            took = [session.query(ClockRow).filter_by(ticket=one.number, kind="first_response").one() for one in mine]
            assert month["first_p90"] == nearest([one.actual_min for one in took if one.actual_min is not None], 0.9)
        part_of = page(session, Filter(FIRST, until, business_type="税务", channel="wecom"))
        some = [one for one in tickets if (one.business_type, one.channel) == ("税务", "wecom")]
        assert {one["id"]: one["value"] for one in part_of["figures"]} == slow(session, some, FIRST, until)
        low = Counter(one["reason"] for one in whole["reasons"] for _ in range(one["count"]))
        assert low["时效:回复太慢"] == sum(one["count"] for one in whole["scores"] if one["score"] < 3)
