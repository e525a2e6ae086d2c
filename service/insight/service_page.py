"""The service page: how many came, when and from where, and how much of it the bot settled by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from service.insight.asking import Filter, people, spreads, sums
from service.insight.calendar import each_day
from service.insight.entries import counts, rising, top
from service.insight.figures import Figure, share, shown
from service.insight.waits import quantile

FIGURES = (
    Figure(
        "visits",
        "会话",
        "同一个人在同一渠道里连续说的话算一次会话：中间停顿超过 30 分钟，或过了零点，就算下一次。",
        records="visits",
    ),
    Figure("people", "人数", "这段时间里来过的不同的人；匿名访客按会话计。", records="visits"),
    Figure(
        "involvement",
        "介入率",
        "机器人回答过问题的会话 ÷ 有诉求的会话。有诉求，指问了问题或提交了工单；只打招呼、查进度、评分、补充工单的不算。",
        "share",
        "involved",
        "up",
    ),
    Figure(
        "resolution",
        "解决率",
        "介入的会话里，同时满足四条的占比：最后一个问题答上了；会话中和之后 24 小时没有提交工单；"
        "24 小时内没有再问同一条知识；没有点“没用”。",
        "share",
        "resolved",
        "up",
    ),
    Figure(
        "automation",
        "自助率",
        "介入率 × 解决率，也就是：机器人独立解决的会话 ÷ 有诉求的会话。只挑容易的问题回答，这个数不会变好看。",
        "share",
        "resolved",
        "up",
    ),
    Figure("none_share", "未答占比", "机器人答不上来的问题 ÷ 全部问题。", "share", "nones", "down"),
    Figure(
        "wait_median",
        "回答用时（中位）",
        "会话第一个问题，从收到到回答，半数会话不超过这个时间。按宽度 10% 的档位统计，误差不超过 5%。",
        "ms",
        "visits",
        "down",
    ),
    Figure("wait_p90", "回答用时（九成）", "九成会话的第一个问题，回答不超过这个时间。", "ms", "visits", "down"),
)

REASONS = (
    ("unanswered", "没答上", "最后一个问题没有答上。"),
    ("handed", "转了工单", "会话中或之后 24 小时提交了工单。"),
    ("again", "又来问", "24 小时内又问到同一条知识。"),
    ("bad", "评了没用", "点了“没用”。"),
)


def page(session: Session, asked: Filter) -> dict[str, Any]:
    """Everything on the page; see docs/insight.md for the definitions."""
    by_day = sums(session, asked, "day")
    total, before = _added(by_day), _added(sums(session, asked.before()))
    hours, waits = spreads(session, asked)
    now = {**_rates(total), "people": people(session, asked)}
    now |= {"wait_median": quantile(waits, 0.5), "wait_p90": quantile(waits, 0.9)}
    past = {**_rates(before), "people": people(session, asked.before())} if before["visits"] else None
    given = counts(session, asked)
    return {
        "figures": shown(FIGURES, now, past),
        "total": total,
        "reasons": [
            {"id": name, "label": label, "means": means, "count": _reason(total, name)}
            for name, label, means in REASONS
        ],
        "by_day": [_day(day, by_day.get(day)) for day in each_day(asked.since, asked.until)],
        "hours": [hours.get(hour, 0) for hour in range(24)],
        "by": {name: _parts(session, asked, name) for name in ("channel", "company", "business_type", "page")},
        "top": top(session, given),
        "rising": rising(session, given, counts(session, asked.before())) if before["visits"] else [],
    }


_SHOWN = ("visits", "matter", "involved", "resolved", "questions", "nones")
"""What the rates of a part are reckoned from."""


def _added(sums: dict[Any, dict[str, int]]) -> dict[str, int]:
    names = ("visits", "matter", "involved", "answered", "handed", "again", "bad", "resolved", "questions", "answers")
    return {name: sum(one[name] for one in sums.values()) for name in (*names, "clarified", "nones", "filed")}


def _rates(total: dict[str, int]) -> dict[str, Any]:
    return {
        "visits": total["visits"],
        "involvement": share(total["involved"], total["matter"]),
        "resolution": share(total["resolved"], total["involved"]),
        "automation": share(total["resolved"], total["matter"]),
        "none_share": share(total["nones"], total["questions"]),
    }


def _reason(total: dict[str, int], name: str) -> int:
    return total["involved"] - total["answered"] if name == "unanswered" else total[name]


def _day(day: date, total: dict[str, int] | None) -> dict[str, Any]:
    if total is None:
        return {
            "day": day.isoformat(),
            "visits": 0,
            "matter": 0,
            "resolved": 0,
            "nones": 0,
            "questions": 0,
        } | dict.fromkeys(("involvement", "resolution", "automation", "none_share"))
    counts = {name: total[name] for name in ("visits", "matter", "resolved", "nones", "questions")}
    return {"day": day.isoformat(), **counts, **{k: v for k, v in _rates(total).items() if k != "visits"}}


def _parts(session: Session, asked: Filter, name: str) -> list[dict[str, Any]]:
    """The same figures by channel, company …, most visits first."""
    if name in asked.chosen:
        return []
    parts = sorted(sums(session, asked, name, _SHOWN).items(), key=lambda one: (-one[1]["visits"], one[0]))
    return [{"value": value, **_rates(total), "matter": total["matter"]} for value, total in parts[:30]]
