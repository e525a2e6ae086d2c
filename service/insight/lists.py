"""What is behind the figures that count neither visits nor tickets: entries, articles, open questions, decisions, gaps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.clock import today
from kb.care import health
from kb.curation.figures import WITHIN
from kb.curation.gaps import OUTCOMES
from kb.curation.store import ClusterRow, DecisionRow, GapRow, OpenQuestionRow
from kb.store import EntryRow
from service.insight.asking import Filter
from service.insight.calendar import midnight
from service.insight.citing import articles, citing
from service.insight.entries import article_labels, article_of, counts, titles_of

Line = dict[str, Any]
"""`{text, note, count, at, tag, tone, link, records}`: `link` is a path of the console, `records` asks for the visits behind it."""

DECISIONS = {
    "similar": "并入已有条目",
    "entry": "新建条目",
    "gap": "制度缺口",
    "dismiss": "不归我们",
    "split": "拆分",
    "merge": "合并",
    "snooze": "暂缓",
}
_DRAFTS = {"drafted": "待审核", "approved": "待发布", "rejected": "被退回", "live": "已上线"}
_CLOSED = {"answered": "新版本已能答", "not_ours": "不归我们", "gap_closed": "制度负责人已答复"}
ENTRIES, POLICIES = "/knowledge/entries", "/knowledge/policies"
CLUSTERS, GAPS = "/knowledge/curation", "/knowledge/curation/gaps"


def _line(text: str, **given: Any) -> Line:
    usual = {"note": "", "count": None, "at": None, "tag": "", "tone": "info", "link": "", "records": None}
    return {"text": text, **usual, **given}


def _place_of(entry: str) -> str:
    if "#" not in entry:
        return f"{ENTRIES}/{entry}"
    policy, article = article_of(entry)
    return f"{POLICIES}/{policy}#article-{article}"


def used(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    """Entries that answered, the most asked first."""
    found = list(counts(session, asked).items())[skip : skip + most]
    titles = titles_of(session, [entry for entry, _ in found])
    return [
        _line(
            titles.get(entry, entry),
            note=f"评了没用 {bad} 次" if bad else "",
            count=times,
            link=_place_of(entry),
            records={"which": "visits", "entry_ids": entry},
        )
        for entry, (times, bad) in found
    ]


def cold_entries(session: Session, answered: set[str]) -> list[Any]:
    """Rows of `id, question, updated_at` of entries that may answer today and are not in `answered`, the longest untouched first."""
    day = today()
    rows = session.execute(
        select(EntryRow.id, EntryRow.question, EntryRow.updated_at)
        .where(
            EntryRow.deleted.is_(False),
            (EntryRow.effective_from.is_(None)) | (EntryRow.effective_from <= day),
            (EntryRow.effective_to.is_(None)) | (EntryRow.effective_to >= day),
        )
        .order_by(EntryRow.updated_at, EntryRow.id)
    )
    return [row for row in rows if row.id not in answered]


def cold(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    """Entries that might have answered and did not; `at` is when they were changed last."""
    found = cold_entries(session, set(counts(session, asked)))[skip : skip + most]
    return [_line(row.question, at=row.updated_at.isoformat(), link=f"{ENTRIES}/{row.id}") for row in found]


def stale(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    """Entries that ran out or are due for review, as of today."""
    day = today()
    expired, due = health.condition("expired", day), health.condition("review_due", day)
    rows = session.execute(
        select(EntryRow.id, EntryRow.question, EntryRow.updated_at, expired.label("expired"))
        .where(EntryRow.deleted.is_(False), expired | due)
        .order_by(EntryRow.id)
        .offset(skip)
        .limit(most)
    )
    return [
        _line(
            row.question,
            at=row.updated_at.isoformat(),
            tag="已失效" if row.expired else "到复审日",
            tone="danger" if row.expired else "warning",
            link=f"{ENTRIES}/{row.id}",
        )
        for row in rows
    ]


def asked_articles(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    """Articles that were asked about, the most asked first."""
    found = counts(session, asked)
    labels = article_labels(session)
    them = list(articles(citing(session, found), found).items())[skip : skip + most]
    return [
        _line(
            labels.get((policy, number), f"{policy} 第 {number} 条"),
            count=one.times,
            link=f"{POLICIES}/{policy}#article-{number}",
            records={"which": "cited", "policy": policy, "article": number},
        )
        for (policy, number), one in them
    ]


def open_questions(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    """Questions that were left open for the first time in the period, the newest first, and what became of each. Of the whole
    center, as the figure is."""
    query = (
        select(OpenQuestionRow, ClusterRow.name, ClusterRow.state)
        .outerjoin(ClusterRow, ClusterRow.id == OpenQuestionRow.cluster)
        .order_by(OpenQuestionRow.first_at.desc(), OpenQuestionRow.id.desc())
    )
    found: list[Line] = []
    for row, name, _state in session.execute(_in_period(query, OpenQuestionRow.first_at, asked, skip, most)):
        words, tone = "还没办结", "warning"
        if row.closed_as and row.closed_at:
            in_time = row.closed_at - row.first_at <= WITHIN
            words, tone = ("7 天内办结", "success") if in_time else ("办结超过 7 天", "danger")
        said = (_CLOSED.get(row.closed_as or "", ""), " ".join(filter(None, (row.company, row.department))))
        found.append(
            _line(
                row.text,
                note=" · ".join(filter(None, (*said, f"归在“{name}”" if name and name != row.text else ""))),
                at=row.first_at.isoformat(),
                tag=words,
                tone=tone,
                link=f"{CLUSTERS}?cluster={row.cluster}" if row.cluster else "",
            )
        )
    return found


def decisions(kind: str) -> Callable[[Session, Filter, int, int], list[Line]]:
    """The list of what curators decided in the period, of one kind."""

    def found(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
        query = (
            select(DecisionRow, ClusterRow.name)
            .join(ClusterRow, ClusterRow.id == DecisionRow.cluster)
            .where(DecisionRow.kind == kind)
            .order_by(DecisionRow.at.desc(), DecisionRow.id.desc())
        )
        return [
            _line(
                name,
                note=" · ".join(filter(None, (row.by, f"{row.questions} 个问法", row.detail.get("reason", "")))),
                at=row.at.isoformat(),
                tag=_DRAFTS.get(row.state, ""),
                tone="success" if row.state == "live" else "info",
                link=f"{CLUSTERS}?cluster={row.cluster}",
            )
            for row, name in session.execute(_in_period(query, DecisionRow.at, asked, skip, most))
        ]

    return found


def _gaps_opened(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    query = select(GapRow).order_by(GapRow.opened_at.desc(), GapRow.id.desc())
    return _gaps(session, _in_period(query, GapRow.opened_at, asked, skip, most))


def _gaps_closed(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    query = select(GapRow).order_by(GapRow.closed_at.desc(), GapRow.id.desc())
    return _gaps(session, _in_period(query, GapRow.closed_at, asked, skip, most))


def _gaps_open(session: Session, asked: Filter, skip: int, most: int) -> list[Line]:
    query = select(GapRow).where(GapRow.state == "open").order_by(GapRow.opened_at, GapRow.id)
    return _gaps(session, query.offset(skip).limit(most))


def _gaps(session: Session, query: Select[Any]) -> list[Line]:
    return [
        _line(
            row.question,
            note=" · ".join(filter(None, (row.policy or "没有相关制度", row.owner, row.missing))),
            at=row.opened_at.isoformat(),
            tag="待办" if row.state == "open" else OUTCOMES.get(row.outcome, "已办结"),
            tone="warning" if row.state == "open" else "success",
            link=f"{GAPS}?state={row.state}",
        )
        for row in session.scalars(query)
    ]


def _in_period(query: Select[Any], column: Any, asked: Filter, skip: int, most: int) -> Select[Any]:
    start, end = midnight(asked.since), midnight(asked.until + timedelta(days=1))
    return query.where(column >= start, column < end).offset(skip).limit(most)


LISTS: dict[str, tuple[str, Callable[[Session, Filter, int, int], list[Line]]]] = {
    "used": ("用到的知识", used),
    "cold": ("没用到的知识", cold),
    "stale": ("过期待复审的知识", stale),
    "articles": ("问到的条款", asked_articles),
    "open_questions": ("新出现的未解决问题", open_questions),
    "gaps_opened": ("新增的制度缺口", _gaps_opened),
    "gaps_closed": ("办结的制度缺口", _gaps_closed),
    "gaps_open": ("待办的制度缺口", _gaps_open),
    **{f"decided_{kind}": (f"知识运营的决定：{label}", decisions(kind)) for kind, label in DECISIONS.items()},
}
"""What each list is called, and its lines from `skip` on, at most so many."""
