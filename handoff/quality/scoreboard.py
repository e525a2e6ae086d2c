"""The agents' scoreboard: five figures of a period, weighed by what the supervisor set, and the two lists.

A figure that an agent has no data for is left out and its weight shared by the others in proportion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from handoff.clocks.clock import ClockRow
from handoff.quality.inspections import InspectionRow
from handoff.quality.satisfaction import SatisfactionRow
from handoff.tickets import Status, TicketEventRow, TicketRow

FIGURES = {
    "volume": (
        "工作量",
        "本期解决的工单数除以同组坐席的平均数，乘以 100，最高 100 分。重开后还没解决的不算，合并和取消的不算。",
    ),
    "timeliness": (
        "时效",
        "本期解决的工单里，承诺的时限（首次响应、后续响应、解决）全部做到的占比；没有时限承诺的不算。",
    ),
    "first_contact": ("一次性解决率", "本期解决的工单里，没有重开、没有转派或升级、也没有让员工再补充材料的占比。"),
    "satisfaction": ("满意度", "本期解决的工单收到的评分（1–5 分）的平均值，乘以 20。没有评价的不算。"),
    "quality": ("质检", "本期解决的工单被质检的平均分；申诉中的先不算，裁定后按裁定的分数算。"),
}
"""Each figure's name and what it is, as the page shows it."""

LISTS = {"reward": "奖励名单", "warning": "预警名单"}


@dataclass
class Line:
    """One agent in one period. Counts are what the figures are made of; `scores` are 0 to 100 by figure, where there is
    data; `total` their weighted mean."""

    agent: str
    group: str | None = None
    solved: int = 0
    promised: int = 0
    kept: int = 0
    once: int = 0
    ratings: list[int] = field(default_factory=list)
    inspected: list[float] = field(default_factory=list)
    vetoed: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    total: float | None = None
    lists: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Solved:
    """One solved ticket as the figures see it; `kept` is None where nothing was promised."""

    number: str
    agent: str
    group: str | None
    business_type: str
    solved_at: datetime
    kept: bool | None
    once: bool
    rating: int | None
    inspected: float | None


def checked_scoreboard(body: Mapping[str, Any]) -> dict[str, Any]:
    """Weights and the marks of the lists as they are stored. Raises InvalidInput."""
    weights = {name: _mark((body.get("weights") or {}).get(name), f"{FIGURES[name][0]}的权重") for name in FIGURES}
    if (total := sum(weights.values())) != 100:
        raise InvalidInput(f"各项权重之和要等于 100，现在是 {total}。", code="weights")
    reward, warning = body.get("reward") or {}, body.get("warning") or {}
    return {
        "weights": weights,
        "least_volume": _mark(body.get("least_volume"), "上榜的最少工单数", 10_000),
        "reward": {"total": _mark(reward.get("total"), "奖励线"), "most": _mark(reward.get("most"), "奖励人数")},
        "warning": {
            name: _mark(warning.get(name), "预警线") for name in ("total", "timeliness", "satisfaction", "quality")
        },
    }


def _mark(value: Any, what: str, most: int = 100) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InvalidInput(f"{what}要填 0 到 {most} 的整数。", code="scoreboard")
    return value


def solved(session: Session, start: datetime, end: datetime, agent: str | None = None) -> list[Solved]:
    """The tickets behind the figures: solved from `start` to before `end` and not open again, the newest first."""
    inside = and_(
        TicketRow.resolved_at >= start,
        TicketRow.resolved_at < end,
        TicketRow.status.in_((Status.RESOLVED, Status.CLOSED)),
        TicketRow.assignee.is_not(None) if agent is None else TicketRow.assignee == agent,
    )
    handed = set(
        session.scalars(
            select(TicketEventRow.ticket)
            .join(TicketRow, TicketRow.number == TicketEventRow.ticket)
            .where(
                inside,
                or_(
                    TicketEventRow.kind.in_(("transferred", "escalated", "reopened")),
                    and_(TicketEventRow.kind == "replied", TicketEventRow.detail["then"].as_string() == "waiting"),
                ),
            )
        )
    )
    promised: dict[str, bool] = {}
    for number, breached_at in session.execute(
        select(ClockRow.ticket, ClockRow.breached_at)
        .join(TicketRow, TicketRow.number == ClockRow.ticket)
        .where(inside, ClockRow.promised_min.is_not(None))
    ):
        promised[number] = promised.get(number, True) and breached_at is None
    rows = session.execute(
        select(
            TicketRow.number,
            TicketRow.assignee,
            TicketRow.group_id,
            TicketRow.business_type,
            TicketRow.resolved_at,
            SatisfactionRow.score,
            InspectionRow.total,
            InspectionRow.state,
        )
        .outerjoin(
            SatisfactionRow,
            and_(
                SatisfactionRow.ticket == TicketRow.number,
                SatisfactionRow.resolution == TicketRow.reopenings + 1,
                SatisfactionRow.state == "rated",
            ),
        )
        .outerjoin(
            InspectionRow,
            and_(InspectionRow.ticket == TicketRow.number, InspectionRow.agent == TicketRow.assignee),
        )
        .where(inside)
        .order_by(TicketRow.resolved_at.desc(), TicketRow.number)
    )
    return [
        Solved(
            row.number,
            row.assignee,
            row.group_id,
            row.business_type,
            row.resolved_at,
            promised.get(row.number),
            row.number not in handed,
            row.score,
            row.total if row.state in ("scored", "decided") else None,
        )
        for row in rows
    ]


def vetoed(session: Session, start: datetime, end: datetime) -> Counter[str]:
    """How many inspections of an agent's tickets of the period ended with a veto."""
    rows = session.execute(
        select(InspectionRow.agent, InspectionRow.vetoes).where(
            InspectionRow.solved_at >= start,
            InspectionRow.solved_at < end,
            InspectionRow.state.in_(("scored", "decided")),
        )
    )
    return Counter(agent for agent, vetoes in rows if vetoes)


def board(tickets: list[Solved], vetoes: Mapping[str, int], rules: Mapping[str, Any]) -> list[Line]:
    """A line for each agent who solved anything, the best total first, with the lists they are on and why."""
    lines: dict[str, Line] = {}
    groups: dict[str, Counter[str | None]] = {}
    for one in tickets:
        line = lines.setdefault(one.agent, Line(one.agent))
        groups.setdefault(one.agent, Counter())[one.group] += 1
        line.solved += 1
        line.promised += one.kept is not None
        line.kept += one.kept is True
        line.once += one.once
        if one.rating is not None:
            line.ratings.append(one.rating)
        if one.inspected is not None:
            line.inspected.append(one.inspected)
    for agent, line in lines.items():
        line.group = groups[agent].most_common(1)[0][0]
        line.vetoed = vetoes.get(agent, 0)
    by_group: dict[str | None, list[int]] = {}
    for line in lines.values():
        by_group.setdefault(line.group, []).append(line.solved)
    for line in lines.values():
        team = by_group[line.group]
        line.scores = _scores(line, sum(team) / len(team))
        line.total = weighed(line.scores, rules["weights"])
    ordered = sorted(lines.values(), key=lambda line: (-(line.total if line.total is not None else -1), line.agent))
    _enlist(ordered, rules)
    return ordered


def _scores(line: Line, average: float) -> dict[str, float]:
    scores = {"volume": min(100.0, 100 * line.solved / average), "first_contact": 100 * line.once / line.solved}
    if line.promised:
        scores["timeliness"] = 100 * line.kept / line.promised
    if line.ratings:
        scores["satisfaction"] = 20 * sum(line.ratings) / len(line.ratings)
    if line.inspected:
        scores["quality"] = sum(line.inspected) / len(line.inspected)
    return {name: round(scores[name], 1) for name in FIGURES if name in scores}


def weighed(scores: Mapping[str, float], weights: Mapping[str, int]) -> float | None:
    """The weighted mean of the figures that there are; None where none of them counts."""
    counted = sum(weights[name] for name in scores)
    if not counted:
        return None
    return round(sum(weights[name] * score for name, score in scores.items()) / counted, 1)


def _enlist(ordered: list[Line], rules: Mapping[str, Any]) -> None:
    rewarded = 0
    for line in ordered:
        if line.solved < rules["least_volume"] or line.total is None:
            continue
        if below := _below(line, rules["warning"]):
            line.lists["warning"] = below
        elif line.total >= rules["reward"]["total"] and not line.vetoed and rewarded < rules["reward"]["most"]:
            rewarded += 1
            line.lists["reward"] = [f"总分 {line.total:g}，不低于 {rules['reward']['total']}，且没有一票否决"]


def _below(line: Line, marks: Mapping[str, int]) -> list[str]:
    figures = {"total": line.total, **line.scores}
    found = []
    for name, mark in marks.items():
        score = figures.get(name)
        if score is not None and score < mark:
            label = "总分" if name == "total" else FIGURES[name][0]
            found.append(f"{label} {score:g}，低于 {mark}")
    if line.vetoed:
        found.append(f"质检一票否决 {line.vetoed} 次")
    return found
