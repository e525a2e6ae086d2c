"""What ratings and inspections come to, counted for the pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from handoff.quality.defaults import CLASSES
from handoff.quality.documents import document
from handoff.quality.inspections import InspectionRow, rubric_of
from handoff.quality.periods import week_of
from handoff.quality.satisfaction import SCORES, SatisfactionRow


def mean(values: Sequence[float], digits: int = 2) -> float | None:
    return round(sum(values) / len(values), digits) if values else None


def _within(start: datetime, end: datetime, groups: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [
        SatisfactionRow.invited_at >= start,
        SatisfactionRow.invited_at < end,
        true() if groups is None else SatisfactionRow.group_id.in_(sorted(groups)),
    ]


def satisfaction_report(
    session: Session, start: datetime, end: datetime, groups: Collection[str] | None = None
) -> dict[str, Any]:
    """Of resolutions from `start` to before `end`, in `groups` or all: `{asked, rated, mean, satisfied, by_score, reasons,
    by_week, by_group}`; `satisfied` is the share of 4 and 5 among the rated."""
    rows = session.execute(
        select(
            SatisfactionRow.state,
            SatisfactionRow.score,
            SatisfactionRow.reasons,
            SatisfactionRow.invited_at,
            SatisfactionRow.group_id,
        ).where(*_within(start, end, groups), SatisfactionRow.state != "withdrawn")
    ).all()
    rated = [row for row in rows if row.score is not None]
    low = document(session, "satisfaction")["low_score"]
    reasons: dict[str, Counter[str]] = {"low": Counter(), "high": Counter()}
    weeks: dict[str, list[int]] = defaultdict(list)
    by_group: dict[str | None, list[int]] = defaultdict(list)
    for row in rated:
        if row.score <= low or row.score > 3:
            reasons["low" if row.score <= low else "high"].update(row.reasons)
        weeks[week_of(row.invited_at)].append(row.score)
        by_group[row.group_id].append(row.score)
    scores = [row.score for row in rated]
    return {
        "asked": len(rows),
        "rated": len(rated),
        "mean": mean(scores),
        "satisfied": round(sum(score >= 4 for score in scores) / len(scores), 4) if scores else None,
        "by_score": [{"score": score, "label": label, "count": scores.count(score)} for score, label in SCORES.items()],
        "reasons": {side: _by_class(counted) for side, counted in reasons.items()},
        "by_week": [
            {"week": week, "mean": mean(values), "rated": len(values)} for week, values in sorted(weeks.items())
        ],
        "by_group": [
            {"group": group, "mean": mean(values), "rated": len(values)}
            for group, values in sorted(by_group.items(), key=lambda one: str(one[0]))
        ],
    }


def _by_class(counted: Counter[str]) -> list[dict[str, Any]]:
    return [
        {
            "class": name,
            "count": sum(count for reason, count in counted.items() if reason.startswith(f"{name}:")),
            "reasons": [
                {"text": reason.split(":", 1)[1], "count": count}
                for reason, count in counted.most_common()
                if reason.startswith(f"{name}:")
            ],
        }
        for name in CLASSES
    ]


def ratings(
    session: Session,
    start: datetime,
    end: datetime,
    *,
    groups: Collection[str] | None = None,
    scores: Collection[int] = (),
    agent: str = "",
    page: int = 1,
    page_size: int = 20,
) -> tuple[list[SatisfactionRow], int]:
    """What was rated, the newest first, and how many there are in all."""
    query = select(SatisfactionRow).where(*_within(start, end, groups), SatisfactionRow.state == "rated")
    if scores:
        query = query.where(SatisfactionRow.score.in_(scores))
    if agent:
        query = query.where(SatisfactionRow.agent == agent)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.scalars(
        query.order_by(SatisfactionRow.rated_at.desc(), SatisfactionRow.id.desc())
        .offset((page - 1) * page_size)
        .limit(page_size)
    )
    return list(rows), total


def inspection_report(
    session: Session, start: datetime, end: datetime, groups: Collection[str] | None = None
) -> dict[str, Any]:
    """Of inspected tickets solved in the period: `{drawn, scored, appealed, changed, mean, passed, by_agent, by_group,
    by_item, vetoes}`. Items are those of the newest rubric; points of earlier ones count by their id."""
    rows = session.scalars(
        select(InspectionRow).where(
            InspectionRow.solved_at >= start,
            InspectionRow.solved_at < end,
            true() if groups is None else InspectionRow.group_id.in_(sorted(groups)),
        )
    ).all()
    scored = [row for row in rows if row.total is not None]
    passing = {row.id: row.total >= rubric_of(session, row)["pass"] for row in scored}
    rubric = document(session, "rubric")

    def lines(of: str) -> list[dict[str, Any]]:
        found: dict[str | None, list[InspectionRow]] = defaultdict(list)
        for row in scored:
            found[getattr(row, of)].append(row)
        made = [
            {
                of: key,
                "scored": len(some),
                "mean": mean([row.total for row in some], 1),
                "passed": sum(passing[row.id] for row in some),
                "vetoed": sum(bool(row.vetoes) for row in some),
            }
            for key, some in found.items()
        ]
        return sorted(made, key=lambda line: (line["mean"], str(line[of])))

    vetoes = Counter(veto for row in scored for veto in row.vetoes)
    return {
        "drawn": len(rows),
        "scored": len(scored),
        "appealed": sum(row.appealed_at is not None for row in rows),
        "changed": sum(row.decision == "changed" for row in rows),
        "mean": mean([row.total for row in scored], 1),
        "passed": sum(passing.values()),
        "by_agent": lines("agent"),
        "by_group": lines("group_id"),
        "by_item": [
            {
                "id": item["id"],
                "name": item["name"],
                "weight": item["weight"],
                "mean": mean([row.points[item["id"]]["points"] for row in scored if item["id"] in row.points], 1),
            }
            for item in rubric["items"]
        ],
        "vetoes": [{"id": veto["id"], "name": veto["name"], "count": vetoes[veto["id"]]} for veto in rubric["vetoes"]],
    }
