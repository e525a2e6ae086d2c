"""The desk page: how many tickets, how fast, whether promises were kept, and what their requesters thought of it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import case, func, literal, or_, select
from sqlalchemy.orm import Session

from handoff.clocks.policies import PolicyRow
from handoff.quality.documents import document
from handoff.quality.satisfaction import SCORES
from handoff.staff import GroupRow
from service.insight.asking import Filter, narrowed
from service.insight.calendar import each_day
from service.insight.figures import Figure, share, shown
from service.insight.quantiles import month, quantiles
from service.insight.store import OriginRow
from service.insight.store import TicketFactRow as Fact

FIGURES = (
    Figure("filed", "新增工单", "这段时间提交的工单，不论后来怎样。", records="filed"),
    Figure("solved", "解决工单", "这段时间最后一次解决、现在没有重开的工单。", records="solved"),
    Figure("backlog", "积压", "期末那天结束时，已提交而没有解决、取消或合并的工单。", "count", "open", "down"),
    Figure(
        "first_kept",
        "首次响应达成率",
        "这段时间提交、有首次响应承诺且已见分晓的工单中，按时响应的占比；时间按工作日历算，等员工补充时暂停。",
        "share",
        "late_first",
        "up",
    ),
    Figure(
        "resolve_kept",
        "解决达成率",
        "这段时间提交、有解决承诺且已见分晓的工单中，按时解决的占比；重开后的每一轮都要做到。",
        "share",
        "late_resolve",
        "up",
    ),
    Figure(
        "first_median",
        "首次响应（中位）",
        "半数工单从提交到人工第一次回复不超过这么久（工作时间）。",
        "minutes",
        "filed",
        "down",
    ),
    Figure("first_p90", "首次响应（九成）", "九成工单的首次响应不超过这么久。", "minutes", "filed", "down"),
    Figure(
        "resolve_median",
        "解决用时（中位）",
        "这段时间解决的工单，半数不超过这么久（工作时间，不含等员工补充；重开的各轮相加）。",
        "minutes",
        "solved",
        "down",
    ),
    Figure("resolve_p90", "解决用时（九成）", "九成工单的解决用时不超过这么久。", "minutes", "solved", "down"),
    Figure("escalated", "升级率", "这段时间提交的工单中，升级到专家的占比。", "share", "escalated", "down"),
    Figure("reopened", "重开率", "这段时间提交的工单中，解决后又重开的占比。", "share", "reopened", "down"),
    Figure(
        "once",
        "一次解决率",
        "这段时间解决的工单中，没有重开、转派、升级，也没有让员工再补充材料的占比。",
        "share",
        "not_once",
        "up",
    ),
    Figure("satisfaction", "满意度", "这段时间解决的工单收到的评分（1–5 分）的平均值。", "score", "rated", "up"),
    Figure(
        "quality",
        "质检平均分",
        "这段时间解决、已质检的工单的平均分（0–100）；申诉中的先不算。",
        "score",
        "inspected",
        "up",
    ),
)


def page(session: Session, asked: Filter) -> dict[str, Any]:
    """Everything on the page; see docs/insight.md for the definitions."""
    now, past = _figures(session, asked), _figures(session, asked.before())
    return {
        "figures": shown(FIGURES, now, past if past["filed"] or past["solved"] else None),
        "by_day": _days(session, asked),
        "by_month": _months(session, asked) if asked.days > 45 else [],
        "policies": _policies(session, asked),
        "by": {
            "group": _parts(
                session, asked, Fact.group_id, dict(session.execute(select(GroupRow.id, GroupRow.name)).all())
            ),
            "business_type": _parts(session, asked, Fact.business_type, {}),
        },
        **_ratings(session, asked),
    }


def _sum(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_OF_FILED = {
    "filed": func.count(),
    "first_due": _sum(Fact.first_kept.is_not(None)),
    "first_in": _sum(Fact.first_kept == 1),
    "resolve_due": _sum(Fact.resolve_kept.is_not(None)),
    "resolve_in": _sum(Fact.resolve_kept == 1),
    "escalated": _sum(Fact.escalated > 0),
    "reopened": _sum(Fact.reopened > 0),
}
_OF_SOLVED = {
    "solved": func.count(),
    "once": _sum(Fact.once == 1),
    "rated": func.count(Fact.score),
    "score": func.avg(Fact.score),
    "inspected": func.count(Fact.quality),
    "quality": func.avg(Fact.quality),
}


def _filed(asked: Filter) -> list[Any]:
    return narrowed(Fact, Fact.filed_day, asked)


def _solved(asked: Filter) -> list[Any]:
    return narrowed(Fact, Fact.solved_day, asked)


def _figures(session: Session, asked: Filter) -> dict[str, Any]:
    first = quantiles(session, Fact.first_min, _filed(asked)).get(None, (0, None, None))
    resolve = quantiles(session, Fact.resolve_min, _solved(asked)).get(None, (0, None, None))
    return {
        **shares_of(session, asked)[None],
        "backlog": _backlog(session, asked, asked.until),
        "first_median": first[1],
        "first_p90": first[2],
        "resolve_median": resolve[1],
        "resolve_p90": resolve[2],
    }


def _shares(filed: Any, solved: Any) -> dict[str, Any]:
    return {
        "filed": filed["filed"],
        "solved": solved["solved"],
        "first_kept": share(filed["first_in"], filed["first_due"]),
        "resolve_kept": share(filed["resolve_in"], filed["resolve_due"]),
        "escalated": share(filed["escalated"], filed["filed"]),
        "reopened": share(filed["reopened"], filed["filed"]),
        "once": share(solved["once"], solved["solved"]),
        "satisfaction": _mean(solved["score"]),
        "quality": _mean(solved["quality"]),
    }


def _mean(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)


def _backlog(session: Session, asked: Filter, day: date) -> int:
    """Tickets that were anybody's work when `day` ended."""
    inside = narrowed(Fact, Fact.filed_day, asked)[2:]
    query = select(func.count()).where(
        *inside, Fact.filed_day <= day, or_(Fact.left_day.is_(None), Fact.left_day > day)
    )
    return session.scalar(query) or 0


def _days(session: Session, asked: Filter) -> list[dict[str, Any]]:
    """Filed, solved and what was left, day by day."""

    def counted(column: Any) -> dict[date, int]:
        query = select(column, func.count()).where(*narrowed(Fact, column, asked)).group_by(column)
        return dict(session.execute(query).all())

    filed, solved, left = (counted(column) for column in (Fact.filed_day, Fact.solved_day, Fact.left_day))
    backlog = _backlog(session, asked, asked.until) - sum(filed.values()) + sum(left.values())
    days = []
    for day in each_day(asked.since, asked.until):
        backlog += filed.get(day, 0) - left.get(day, 0)
        days.append(
            {"day": day.isoformat(), "filed": filed.get(day, 0), "solved": solved.get(day, 0), "backlog": backlog}
        )
    return days


def _months(session: Session, asked: Filter) -> list[dict[str, Any]]:
    first = quantiles(session, Fact.first_min, _filed(asked), month(session, Fact.filed_day))
    resolve = quantiles(session, Fact.resolve_min, _solved(asked), month(session, Fact.solved_day))
    none = (0, None, None)
    return [
        {
            "month": one,
            "first_median": first.get(one, none)[1],
            "first_p90": first.get(one, none)[2],
            "resolve_median": resolve.get(one, none)[1],
            "resolve_p90": resolve.get(one, none)[2],
        }
        for one in sorted(first.keys() | resolve.keys())
    ]


def _policies(session: Session, asked: Filter) -> list[dict[str, Any]]:
    """What each policy promised, and how much of it was kept."""
    names = dict(session.execute(select(PolicyRow.id, PolicyRow.name)).all())
    counts = [_OF_FILED[name].label(name) for name in ("filed", "first_due", "first_in", "resolve_due", "resolve_in")]
    rows = session.execute(
        select(Fact.policy, *counts)
        .where(*_filed(asked), Fact.policy != "")
        .group_by(Fact.policy)
        .order_by(func.count().desc(), Fact.policy)
    )
    return [
        {
            "id": row.policy,
            "name": names.get(row.policy, row.policy),
            "filed": row.filed,
            "first_due": row.first_due,
            "first_kept": share(row.first_in, row.first_due),
            "resolve_due": row.resolve_due,
            "resolve_kept": share(row.resolve_in, row.resolve_due),
        }
        for row in rows
    ]


def shares_of(session: Session, asked: Filter, column: Any = None) -> dict[Any, dict[str, Any]]:
    """The counts and shares of tickets, by a column of the facts or of their origin; under None for all."""
    by = column if column is not None else literal(None)
    filed, solved = (
        {row["key"]: row for row in session.execute(_grouped(by, counts, inside, column)).mappings()}
        for counts, inside in ((_OF_FILED, _filed(asked)), (_OF_SOLVED, _solved(asked)))
    )
    none_filed = dict.fromkeys(_OF_FILED, 0)
    none_solved = {**dict.fromkeys(_OF_SOLVED, 0), "score": None, "quality": None}
    return {
        key: _shares(filed.get(key, none_filed), solved.get(key, none_solved)) for key in filed.keys() | solved.keys()
    }


def _grouped(by: Any, counts: dict[str, Any], inside: list[Any], column: Any) -> Any:
    query = select(by.label("key"), *(value.label(name) for name, value in counts.items())).where(*inside)
    if column is None:
        return query
    if column.class_ is OriginRow:
        query = query.join(OriginRow, OriginRow.id == Fact.origin)
    return query.group_by(by)


def _parts(session: Session, asked: Filter, column: Any, names: dict[str, str]) -> list[dict[str, Any]]:
    parts = [
        {"value": key, "name": names.get(key, key) or "（未分组）", **shares}
        for key, shares in shares_of(session, asked, column).items()
    ]
    return sorted(parts, key=lambda one: (-one["filed"], one["value"]))[:30]


def _ratings(session: Session, asked: Filter) -> dict[str, Any]:
    """How often each score was given, and why the low ones were."""
    scores = dict(
        session.execute(
            select(Fact.score, func.count()).where(*_solved(asked), Fact.score.is_not(None)).group_by(Fact.score)
        ).all()
    )
    low = document(session, "satisfaction")["low_score"]
    reasons: Counter[str] = Counter()
    for given in session.scalars(select(Fact.reasons).where(*_solved(asked), Fact.score <= low)):
        reasons.update(given)
    return {
        "scores": [{"score": one, "label": label, "count": scores.get(one, 0)} for one, label in SCORES.items()],
        "reasons": [{"reason": reason, "count": count} for reason, count in reasons.most_common(12)],
    }
