"""The knowledge page: how much the bot covers, how often it is wrong, what is used, what is old, what curation closes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import today
from kb.care import health
from kb.care.flags import FlagRow
from kb.curation.figures import closed_within
from kb.curation.store import DecisionRow
from kb.release.releases import ReleaseRow, accepted_wrong_rate
from kb.store import EntryRow
from service.insight import samples
from service.insight.asking import Filter, sums
from service.insight.calendar import each_day, midnight
from service.insight.entries import counts, titles_of
from service.insight.figures import Figure, share, shown
from service.insight.lists import DECISIONS, cold_entries
from service.insight.store import ReleaseDayRow

FIGURES = (
    Figure("coverage", "覆盖率", "机器人给出答案的问题 ÷ 全部问题。", "share", "involved", "up"),
    Figure("clarify_share", "反问占比", "请员工从几个问题中选一个的问题 ÷ 全部问题。", "share", "clarified"),
    Figure("none_share", "未答占比", "机器人答不上来的问题 ÷ 全部问题。", "share", "nones", "down"),
    Figure(
        "wrong_rate",
        "答错率",
        "抽样评审中判为“错误”的 ÷ 已评审的。下面是 95% 置信区间（Wilson）和样本数：样本越多，区间越窄。不随公司等筛选变。",
        "share",
        "/insight/samples",
        "down",
    ),
    Figure("bad_share", "没用占比", "员工点了“没用”的答案 ÷ 给出的答案。", "share", "bad", "down"),
    Figure("used", "用到的知识", "这段时间至少给出过一次答案的条目。", "count", "used", "up"),
    Figure("cold", "没用到的知识", "现行条目里，这段时间一次都没给出过答案的。", "count", "cold", "down"),
    Figure("stale", "过期待复审", "已失效的和到了复审日的条目，今天的数。", "count", "stale", "down"),
    Figure(
        "contradicted",
        "依据有变",
        "引用的制度条款或标准已修改、还没有处理的条目，今天的数。",
        "count",
        "/knowledge/entries?state=flagged",
        "down",
    ),
    Figure(
        "closed_share",
        "7 天闭环率",
        "这段时间新出现的未解决问题里，7 天内办结的占比；办结，指新版本能答了、不归我们管，或制度负责人答复了。不随公司等筛选变。",
        "share",
        "open_questions",
        "up",
    ),
)

_COLD_SHOWN = 20


def page(session: Session, asked: Filter, wrong_rate: float) -> dict[str, Any]:
    """Everything on the page. `wrong_rate` is what the product accepts where the manager set nothing."""
    start, end = midnight(asked.since), midnight(asked.until + timedelta(days=1))
    by_day = sums(session, asked, "day")
    weeks = samples.weeks(session, start, end)
    wrong = samples.together(weeks)
    used = counts(session, asked)
    standing = _standing(session)
    closed = closed_within(session, start, end)
    cold = cold_entries(session, set(used))
    now = {
        **_rates(by_day.values()),
        "wrong_rate": wrong["rate"],
        "bad_share": share(sum(bad for _, bad in used.values()), sum(asked for asked, _ in used.values())),
        "used": len(used),
        "cold": len(cold),
        **standing,
        "closed_share": round(closed.share, 4) if closed.share is not None else None,
    }
    before = _rates(sums(session, asked.before(), "day").values())
    hot = list(used.items())[:15]
    titles = titles_of(session, [one for one, _ in hot])
    figures = shown(FIGURES, now, before)
    if wrong["rate"] is not None:
        rate = next(one for one in figures if one["id"] == "wrong_rate")
        rate["note"] = f"{wrong['low']:.1%} – {wrong['high']:.1%}，{wrong['reviewed']} 条"
    return {
        "figures": figures,
        "wrong": {**wrong, "accepted": accepted_wrong_rate(session, wrong_rate)},
        "weeks": weeks,
        "by_day": [{"day": day.isoformat(), **_rates([by_day[day]] if day in by_day else [])} for day in _days(asked)],
        "hot": [
            {"entry_id": one, "question": titles.get(one, one), "asked": asked, "bad": bad} for one, (asked, bad) in hot
        ],
        "cold": [{"entry_id": one.id, "question": one.question} for one in cold[:_COLD_SHOWN]],
        "stale": _stale(session),
        "curation": _curation(session, start, end) | {"volume": closed.volume, "closed": closed.closed},
        "releases": _releases(session, asked),
    }


def _days(asked: Filter) -> Any:
    return each_day(asked.since, asked.until)


def _rates(sums: Any) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for one in sums:
        total.update({name: one[name] for name in ("questions", "answers", "clarified", "nones")})
    return {
        "questions": total["questions"],
        "coverage": share(total["answers"], total["questions"]),
        "clarify_share": share(total["clarified"], total["questions"]),
        "none_share": share(total["nones"], total["questions"]),
    }


def _standing(session: Session) -> dict[str, int]:
    """Today's entries that are out of date, or whose sources changed."""

    def counted(*conditions: Any) -> int:
        return session.scalar(select(func.count(EntryRow.id)).where(EntryRow.deleted.is_(False), *conditions)) or 0

    day = today()
    stale = health.condition("expired", day) | health.condition("review_due", day)
    return {"stale": counted(stale), "contradicted": counted(health.condition("flagged", day))}


def _stale(session: Session) -> list[dict[str, Any]]:
    """What the owners should look at first: sources that changed, then what ran out, then what is due for review."""
    day = today()
    found: dict[str, dict[str, Any]] = {}
    flagged = session.execute(
        select(FlagRow.entry_id, EntryRow.question, FlagRow.detail)
        .join(EntryRow, EntryRow.id == FlagRow.entry_id)
        .where(FlagRow.resolved_at.is_(None), EntryRow.deleted.is_(False))
        .order_by(FlagRow.at)
        .limit(20)
    )
    for row in flagged:
        found[row.entry_id] = {"entry_id": row.entry_id, "question": row.question, "why": row.detail or "依据有变"}
    for state, why in (("expired", "已失效"), ("review_due", "到复审日")):
        rows = session.execute(
            select(EntryRow.id, EntryRow.question)
            .where(EntryRow.deleted.is_(False), health.condition(state, day))
            .order_by(EntryRow.id)
            .limit(20)
        )
        for row in rows:
            found.setdefault(row.id, {"entry_id": row.id, "question": row.question, "why": why})
    return list(found.values())[:20]


def _curation(session: Session, start: Any, end: Any) -> dict[str, Any]:
    """Decisions of the period by kind, and by person."""
    rows = session.execute(
        select(DecisionRow.kind, DecisionRow.by, func.count())
        .where(DecisionRow.at >= start, DecisionRow.at < end, DecisionRow.kind.in_(DECISIONS))
        .group_by(DecisionRow.kind, DecisionRow.by)
    ).all()
    kinds, people = Counter(), Counter()
    for kind, by, count in rows:
        kinds[kind] += count
        people[by] += count
    return {
        "kinds": [{"kind": kind, "label": label, "count": kinds[kind]} for kind, label in DECISIONS.items()],
        "people": [{"person": person, "count": count} for person, count in people.most_common(10)],
    }


def _releases(session: Session, asked: Filter) -> list[dict[str, Any]]:
    """Each release that answered anything in the period, newest first: what it changed, and how it answered."""
    names = ("questions", "answers", "clarified", "nones", "bad")
    sums = [func.sum(getattr(ReleaseDayRow, name)).label(name) for name in names]
    rows = session.execute(
        select(ReleaseDayRow.release, func.min(ReleaseDayRow.day).label("first"), *sums)
        .where(ReleaseDayRow.day >= asked.since, ReleaseDayRow.day <= asked.until)
        .group_by(ReleaseDayRow.release)
        .order_by(ReleaseDayRow.release.desc())
        .limit(20)
    ).all()
    known = {
        row.number: row
        for row in session.execute(
            select(ReleaseRow.number, ReleaseRow.author, ReleaseRow.created_at, ReleaseRow.changes).where(
                ReleaseRow.number.in_([row.release for row in rows])
            )
        )
    }
    return [
        {
            "number": row.release,
            "author": known[row.release].author if row.release in known else None,
            "created_at": known[row.release].created_at.isoformat() if row.release in known else None,
            "changes": known[row.release].changes if row.release in known else {},
            "questions": int(row.questions),
            "coverage": share(int(row.answers), int(row.questions)),
            "none_share": share(int(row.nones), int(row.questions)),
            "bad_share": share(int(row.bad), int(row.answers)),
        }
        for row in rows
    ]
