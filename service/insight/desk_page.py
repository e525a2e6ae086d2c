"""The desk page: how many tickets, how fast, whether promises were kept, and what their requesters thought of it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from handoff.clocks.policies import PolicyRow
from handoff.quality.documents import document
from handoff.quality.satisfaction import SCORES
from handoff.quality.satisfaction import SatisfactionRow as Rating
from handoff.staff import GroupRow
from service.insight import ratings
from service.insight.asking import Filter, narrowed
from service.insight.calendar import each_day
from service.insight.figures import Figure, share, shown
from service.insight.quantiles import Spread, spread
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
    Figure(
        "satisfaction", "满意度", "这段时间收到的评分（1–5 分）的平均值，不论工单后来是否重开。", "score", "rated", "up"
    ),
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
    filed = _counted(session, _FILED, _filed(asked), Fact.group_id, Fact.business_type, Fact.policy)
    solved = _counted(session, _SOLVED, _solved(asked), Fact.group_id, Fact.business_type)
    rated = _rated(session, asked, ratings.GROUP, Fact.business_type, Rating.score)
    first = spread(session, Fact.first_min, _filed(asked), Fact.filed_day)
    resolve = spread(session, Fact.resolve_min, _solved(asked), Fact.solved_day)
    now = _figures(session, asked, _shares(_added(filed), _added(solved), _added(rated)), first, resolve)
    groups = dict(session.execute(select(GroupRow.id, GroupRow.name)).all())
    return {
        "figures": shown(FIGURES, now, _before(session, asked.before())),
        "by_day": _days(session, asked, first.days, resolve.days, now["backlog"]),
        "by_month": _months(first, resolve) if asked.days > 45 else [],
        "policies": _policies(session, filed),
        "by": {
            "group": _parts((filed, solved, rated), "group_id", groups),
            "business_type": _parts((filed, solved, rated), "business_type", {}),
        },
        "scores": _scores(rated),
        "reasons": _reasons(session, asked),
    }


def _sum(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_FILED = {
    "filed": func.count(),
    "first_due": _sum(Fact.first_kept.is_not(None)),
    "first_in": _sum(Fact.first_kept == 1),
    "resolve_due": _sum(Fact.resolve_kept.is_not(None)),
    "resolve_in": _sum(Fact.resolve_kept == 1),
    "escalated": _sum(Fact.escalated > 0),
    "reopened": _sum(Fact.reopened > 0),
}
_SOLVED = {
    "solved": func.count(),
    "once": _sum(Fact.once == 1),
    "inspected": func.count(Fact.quality),
    "quality": func.coalesce(func.sum(Fact.quality), 0.0),
}
_NONE = (0, None, None)


def _filed(asked: Filter) -> list[Any]:
    return narrowed(Fact, Fact.filed_day, asked)


def _solved(asked: Filter) -> list[Any]:
    return narrowed(Fact, Fact.solved_day, asked)


def _counted(session: Session, counts: dict[str, Any], inside: list[Any], *by: Any) -> list[dict[str, Any]]:
    """Counts in one reading of the facts, by several columns at a time, to be added up along any of them."""
    query = select(*by, *(value.label(name) for name, value in counts.items())).where(*inside)
    if any(column.class_ is OriginRow for column in by):
        query = query.join(OriginRow, OriginRow.id == Fact.origin)
    return [dict(row) for row in session.execute(query.group_by(*by) if by else query).mappings()]


def _rated(session: Session, asked: Filter, *by: Any) -> list[dict[str, Any]]:
    """As `_counted`, of the ratings that were given."""
    query = ratings.given(select(*by, *(value.label(name) for name, value in ratings.COUNTS.items())), asked)
    if any(getattr(column, "class_", None) is OriginRow for column in by):
        query = query.join(OriginRow, OriginRow.id == Fact.origin)
    return [dict(row) for row in session.execute(query.group_by(*by) if by else query).mappings()]


def _added(rows: list[dict[str, Any]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for row in rows:
        for name in (*_FILED, *_SOLVED, *ratings.COUNTS):
            if name in row:
                total[name] = total.get(name, 0) + row[name]
    return total


def _along(rows: list[dict[str, Any]], column: str) -> dict[Any, dict[str, float]]:
    by: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        by.setdefault(row[column], []).append(row)
    return {key: _added(some) for key, some in by.items()}


def _shares(filed: dict[str, float], solved: dict[str, float], rated: dict[str, float]) -> dict[str, Any]:
    f, s = {**dict.fromkeys(_FILED, 0), **filed}, {**dict.fromkeys(_SOLVED, 0), **solved}
    r = {**dict.fromkeys(ratings.COUNTS, 0), **rated}
    return {
        "filed": f["filed"],
        "solved": s["solved"],
        "first_kept": share(f["first_in"], f["first_due"]),
        "resolve_kept": share(f["resolve_in"], f["resolve_due"]),
        "escalated": share(f["escalated"], f["filed"]),
        "reopened": share(f["reopened"], f["filed"]),
        "once": share(s["once"], s["solved"]),
        "satisfaction": round(r["scored"] / r["rated"], 2) if r["rated"] else None,
        "quality": round(s["quality"] / s["inspected"], 2) if s["inspected"] else None,
    }


def shares_of(session: Session, asked: Filter, column: Any = None) -> dict[Any, dict[str, Any]]:
    """Counts and shares of tickets by a column of the facts or of their origin; under None for all."""
    by = () if column is None else (column,)
    counted = (
        _counted(session, _FILED, _filed(asked), *by),
        _counted(session, _SOLVED, _solved(asked), *by),
        _rated(session, asked, *by),
    )
    if column is None:
        return {None: _shares(*map(_added, counted))}
    parts = [_along(rows, column.key) for rows in counted]
    return {key: _shares(*(part.get(key, {}) for part in parts)) for key in set().union(*parts)}


def _figures(session: Session, asked: Filter, shares: dict[str, Any], first: Spread, resolve: Spread) -> dict[str, Any]:
    _, first_median, first_p90 = first.all or _NONE
    _, resolve_median, resolve_p90 = resolve.all or _NONE
    return {
        **shares,
        "backlog": _backlog(session, asked, asked.until),
        "first_median": first_median,
        "first_p90": first_p90,
        "resolve_median": resolve_median,
        "resolve_p90": resolve_p90,
    }


def _before(session: Session, asked: Filter) -> dict[str, Any] | None:
    """The figures of the period before; None where there was nothing."""
    shares = shares_of(session, asked)[None]
    if not shares["filed"] and not shares["solved"] and shares["satisfaction"] is None:
        return None
    first = spread(session, Fact.first_min, _filed(asked), Fact.filed_day)
    resolve = spread(session, Fact.resolve_min, _solved(asked), Fact.solved_day)
    return _figures(session, asked, shares, first, resolve)


def _backlog(session: Session, asked: Filter, day: date) -> int:
    """Tickets that were anybody's work when `day` ended."""
    inside = narrowed(Fact, Fact.filed_day, asked)[2:]
    query = select(func.count()).where(
        *inside, Fact.filed_day <= day, or_(Fact.left_day.is_(None), Fact.left_day > day)
    )
    return session.scalar(query) or 0


def _days(
    session: Session, asked: Filter, filed: dict[date, int], solved: dict[date, int], backlog: int
) -> list[dict[str, Any]]:
    """Filed, solved and what was left, day by day; `backlog` is what the last day ended with."""
    counted = select(Fact.left_day, func.count()).where(*narrowed(Fact, Fact.left_day, asked)).group_by(Fact.left_day)
    left = dict(session.execute(counted).all())
    backlog += sum(left.values()) - sum(filed.values())
    days = []
    for day in each_day(asked.since, asked.until):
        backlog += filed.get(day, 0) - left.get(day, 0)
        days.append(
            {"day": day.isoformat(), "filed": filed.get(day, 0), "solved": solved.get(day, 0), "backlog": backlog}
        )
    return days


def _months(first: Spread, resolve: Spread) -> list[dict[str, Any]]:
    found = []
    for one in sorted(first.months.keys() | resolve.months.keys()):
        of_first, of_resolve = first.months.get(one, _NONE), resolve.months.get(one, _NONE)
        found.append(
            {
                "month": one,
                "first_median": of_first[1],
                "first_p90": of_first[2],
                "resolve_median": of_resolve[1],
                "resolve_p90": of_resolve[2],
            }
        )
    return found


def _policies(session: Session, filed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each policy promised, and how much of it was kept."""
    names = dict(session.execute(select(PolicyRow.id, PolicyRow.name)).all())
    found = [
        {
            "id": policy,
            "name": names.get(policy, policy),
            "filed": one["filed"],
            "first_due": one["first_due"],
            "first_kept": share(one["first_in"], one["first_due"]),
            "resolve_due": one["resolve_due"],
            "resolve_kept": share(one["resolve_in"], one["resolve_due"]),
        }
        for policy, one in _along(filed, "policy").items()
        if policy
    ]
    return sorted(found, key=lambda one: (-one["filed"], one["id"]))


def _parts(counted: tuple[list[dict[str, Any]], ...], column: str, names: dict[str, str]) -> list[dict[str, Any]]:
    by = [_along(rows, column) for rows in counted]
    parts = [
        {
            "value": key,
            "name": names.get(key, key) or "（未分组）",
            **_shares(*(one.get(key, {}) for one in by)),
        }
        for key in set().union(*by)
    ]
    return sorted(parts, key=lambda one: (-one["filed"], one["value"]))[:30]


def _scores(rated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    given = _along(rated, "score")
    return [
        {"score": one, "label": label, "count": given.get(one, {}).get("rated", 0)} for one, label in SCORES.items()
    ]


def _reasons(session: Session, asked: Filter) -> list[dict[str, Any]]:
    """Why low scores were given, the most frequent first."""
    low = document(session, "satisfaction")["low_score"]
    reasons: Counter[str] = Counter()
    query = (
        ratings.given(select(Rating.reasons, func.count()), asked).where(Rating.score <= low).group_by(Rating.reasons)
    )
    for given, count in session.execute(query):
        for reason in given:
            reasons[reason] += count
    return [{"reason": reason, "count": count} for reason, count in reasons.most_common(12)]
