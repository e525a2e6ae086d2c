"""The policy page, for whoever owns the policies: what is asked about them, what is returned by them, what they do not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.curation.store import GapRow
from service.insight.asking import Filter, narrowed, sums
from service.insight.calendar import midnight
from service.insight.citing import articles, citing
from service.insight.entries import article_labels, counts, top
from service.insight.figures import Figure, share, shown
from service.insight.store import TicketFactRow

RETURNED = "影像与单据退回"
"""The business type of questions about documents that were sent back."""

FIGURES = (
    Figure("asked", "问到制度的次数", "机器人给出的答案里，引用了制度条款的，或直接给出制度原文的。", records="cited"),
    Figure("articles", "问到的条款", "这段时间至少被问到一次的制度条款。", records="articles"),
    Figure(
        "verbatim",
        "原文作答占比",
        "没有现成问答、只能给出制度原文的答案 ÷ 问到制度的次数：多，说明条款还缺好懂的问答。",
        "share",
        "verbatim",
        "down",
    ),
    Figure("returned", "问退单的会话", f"业务类型为“{RETURNED}”的有诉求会话。", "count", "matter", "down"),
    Figure(
        "gaps_opened",
        "新增制度缺口",
        "这段时间交给制度负责人的缺口：员工问到，而制度没有说。不随公司等筛选变。",
        records="gaps_opened",
    ),
    Figure(
        "gaps_closed",
        "办结制度缺口",
        "这段时间办结的缺口：修订了制度、作了解释，或说明不予规定。不随公司等筛选变。",
        "count",
        "gaps_closed",
        "up",
    ),
    Figure("gaps_open", "待办制度缺口", "现在还没办结的缺口，今天的数。", "count", "gaps_open", "down"),
)
_MOST = 20


def page(session: Session, asked: Filter) -> dict[str, Any]:
    """Everything on the page; see docs/insight.md for the definitions."""
    start, end = midnight(asked.since), midnight(asked.until + timedelta(days=1))
    them, total, verbatim = _articles(session, asked)
    returned = replace(asked, business_type=RETURNED)
    returns = sums(session, returned, names=("matter",)).get(None)
    gaps = _gap_counts(session, start, end)
    now = {
        "asked": total,
        "articles": len(them),
        "verbatim": share(verbatim, total),
        "returned": returns["matter"] if returns else 0,
        **gaps,
    }
    policies: dict[str, dict[str, Any]] = {}
    for one in them:
        policy = policies.setdefault(
            one["policy"], {"policy": one["policy"], "title": one["title"], "asked": 0, "articles": 0}
        )
        policy["asked"] += one["asked"]
        policy["articles"] += 1
    return {
        "figures": shown(FIGURES, now),
        "articles": them[:_MOST],
        "policies": sorted(policies.values(), key=lambda one: -one["asked"])[:_MOST],
        "returned": {
            "business_type": RETURNED,
            "by": {name: _along(session, returned, name) for name in ("page", "company", "department")},
            "top": top(session, counts(session, returned)),
            "tickets": _tickets(session, returned),
        },
        "gaps": _gaps(session),
    }


def _articles(session: Session, asked: Filter) -> tuple[list[dict[str, Any]], int, int]:
    """Articles by how often an answer came from them, most first; how many such answers, and how many were the text itself."""
    found = counts(session, asked)
    labels = article_labels(session)
    cited = citing(session, found)
    return (
        [
            {
                "policy": policy,
                "article": number,
                "label": labels.get((policy, number), f"{policy} 第 {number} 条"),
                "title": labels.get((policy, number), policy).partition("》")[0].removeprefix("《"),
                "asked": one.times,
            }
            for (policy, number), one in articles(cited, found).items()
        ],
        sum(found[entry][0] for entry in cited.by_entry),
        sum(found[entry][0] for entry in cited.passages),
    )


def _along(session: Session, asked: Filter, name: str) -> list[dict[str, Any]]:
    if name in asked.chosen or (name == "department" and not asked.company):
        return []
    summed = sums(session, asked, name, ("matter", "involved", "resolved"))
    found = sorted(summed.items(), key=lambda one: (-one[1]["matter"], one[0]))
    return [
        {"value": value, "matter": one["matter"], "resolution": share(one["resolved"], one["involved"])}
        for value, one in found[:_MOST]
        if one["matter"]
    ]


def _tickets(session: Session, asked: Filter) -> int:
    query = select(func.count()).where(*narrowed(TicketFactRow, TicketFactRow.filed_day, asked))
    return session.scalar(query) or 0


def _gap_counts(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    def counted(*conditions: Any) -> int:
        return session.scalar(select(func.count(GapRow.id)).where(*conditions)) or 0

    return {
        "gaps_opened": counted(GapRow.opened_at >= start, GapRow.opened_at < end),
        "gaps_closed": counted(GapRow.closed_at >= start, GapRow.closed_at < end),
        "gaps_open": counted(GapRow.state == "open"),
    }


def _gaps(session: Session) -> list[dict[str, Any]]:
    """Gaps that are open, the oldest first, then those closed last."""
    rows = session.scalars(
        select(GapRow).order_by(GapRow.state.desc(), GapRow.closed_at.desc().nulls_last(), GapRow.opened_at).limit(30)
    )
    return [
        {
            "id": row.id,
            "question": row.question,
            "policy": row.policy,
            "owner": row.owner,
            "state": row.state,
            "outcome": row.outcome,
            "people": (row.evidence or {}).get("people"),
            "opened_at": row.opened_at.isoformat(),
            "closed_at": row.closed_at and row.closed_at.isoformat(),
        }
        for row in rows
    ]
