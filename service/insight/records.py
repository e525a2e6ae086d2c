"""The records behind the figures: visits with their questions, and tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.privacy import mask
from core.transcript import Message, Turn
from handoff.quality.documents import document
from handoff.quality.satisfaction import SatisfactionRow
from handoff.tickets import Status, TicketRow
from service.insight.asking import Filter, narrowed
from service.insight.citing import citing
from service.insight.entries import counts, titles_of
from service.insight.lists import LISTS
from service.insight.ratings import GROUP, given
from service.insight.store import OriginRow, QuestionRow, ReleaseDayRow, TicketFactRow, VisitRow
from service.insight.visits import AGAIN, GAP, refuses

VISITS: dict[str, tuple[str, tuple[ColumnElement[bool], ...]]] = {
    "visits": ("会话", ()),
    "matter": ("有诉求的会话", (VisitRow.matter == 1,)),
    "involved": ("机器人介入的会话", (VisitRow.involved == 1,)),
    "resolved": ("机器人独立解决的会话", (VisitRow.resolved == 1,)),
    "unresolved": ("介入但没有解决的会话", (VisitRow.involved == 1, VisitRow.resolved == 0)),
    "unanswered": ("最后一个问题没答上的会话", (VisitRow.involved == 1, VisitRow.answered == 0)),
    "handed": ("转了工单的会话", (VisitRow.handed == 1,)),
    "again": ("24 小时内又来问的会话", (VisitRow.again == 1,)),
    "bad": ("点了“没用”的会话", (VisitRow.bad == 1,)),
    "nones": ("有问题没答上的会话", (VisitRow.nones > 0,)),
    "clarified": ("反问过员工的会话", (VisitRow.clarified > 0,)),
    "cited": ("问到制度的会话", ()),
    "verbatim": ("用制度原文作答的会话", ()),
}

_DAYS = (4, 40)

_SOLVED = TicketFactRow.solved_day
_FILED = TicketFactRow.filed_day

TICKETS: dict[str, tuple[str, Any, tuple[ColumnElement[bool], ...]]] = {
    "filed": ("提交的工单", _FILED, ()),
    "solved": ("解决的工单", _SOLVED, ()),
    "open": ("期末还没办完的工单", None, ()),
    "late_first": ("首次响应超时的工单", _FILED, (TicketFactRow.first_kept == 0,)),
    "late_resolve": ("解决超时的工单", _FILED, (TicketFactRow.resolve_kept == 0,)),
    "due_first": ("首次响应已见分晓的工单", _FILED, (TicketFactRow.first_kept.is_not(None),)),
    "due_resolve": ("解决已见分晓的工单", _FILED, (TicketFactRow.resolve_kept.is_not(None),)),
    "escalated": ("升级过的工单", _FILED, (TicketFactRow.escalated == 1,)),
    "reopened": ("重开过的工单", _FILED, (TicketFactRow.reopened > 0,)),
    "once": ("一次解决的工单", _SOLVED, (TicketFactRow.once == 1,)),
    "not_once": ("不是一次解决的工单", _SOLVED, (TicketFactRow.once == 0,)),
    "inspected": ("质检过的工单", _SOLVED, (TicketFactRow.quality.is_not(None),)),
}
"""What each list is called, the day that its period goes by, and which tickets are on it."""

RATINGS: dict[str, tuple[str, tuple[ColumnElement[bool], ...]]] = {
    "rated": ("有评价的工单", ()),
    "low": ("低分的工单", ()),
    **{f"score_{n}": (f"{n} 分的工单", (SatisfactionRow.score == n,)) for n in range(1, 6)},
}
"""Lists of tickets by what their requesters said in the period: one that was rated twice stands there twice."""


@dataclass(frozen=True)
class Closer:
    """What narrows a list further than the page's filters do: visits that an entry answered, that rest on an article, were
    answered by a release or began in an hour; tickets of a group or with a promise (`sla`); neither of the types in `without`."""

    entries: Sequence[str] = ()
    policy: str = ""
    article: int | None = None
    release: int | None = None
    hour: int | None = None
    group: str | None = None
    sla: str = ""
    without: Sequence[str] = ()


def find(
    session: Session, which: str, asked: Filter, closer: Closer | None = None, *, page: int = 1, size: int = 20
) -> dict[str, Any]:
    """`{title, kind, items, more}`, newest first; `kind` is visits, tickets, or lines (`service.insight.lists`). Raises
    InvalidInput for a list that there is none of."""
    closer = closer or Closer()
    skip, most = (page - 1) * size, size + 1
    if which in VISITS:
        title, found = _of_visits(session, which, asked, closer, skip, most)
        kind = "visits"
    elif which in TICKETS:
        title, day, conditions = TICKETS[which]
        conditions = (*conditions, *_of_tickets(which, asked, closer))
        found = _tickets(session, asked, day, conditions, skip, most)
        kind = "tickets"
    elif which in RATINGS:
        title, conditions = RATINGS[which]
        found = _rated(session, asked, (*conditions, *_of_ratings(session, which, asked, closer)), skip, most)
        kind = "tickets"
    elif which in LISTS:
        title, lines = LISTS[which]
        found = lines(session, asked, skip, most)
        kind = "lines"
    else:
        raise InvalidInput("没有这样的明细，请刷新页面。", code="records")
    return {"title": title, "kind": kind, "items": found[:size], "more": len(found) > size}


def _of_visits(
    session: Session, which: str, asked: Filter, closer: Closer, skip: int, most: int
) -> tuple[str, list[dict[str, Any]]]:
    title, conditions = VISITS[which]
    answers: list[ColumnElement[bool]] = []
    if closer.hour is not None:
        title, conditions = f"{closer.hour} 点开始的{title}", (*conditions, VisitRow.hour == closer.hour)
    if closer.without:
        conditions = (*conditions, VisitRow.business_type.not_in(closer.without))
    if closer.release is not None:
        title = f"{title}（第 {closer.release} 版）"
        served = _served(session, asked, closer.release)
        if served is None:
            return title, []
        asked = served
        answers.append(QuestionRow.release == closer.release)
    entries = closer.entries
    if which in ("cited", "verbatim"):
        cited = citing(session, counts(session, asked))
        entries = cited.entries(policy=closer.policy, article=closer.article, verbatim=which == "verbatim")
        if not entries:
            return title, []
    if entries:
        answers.append(QuestionRow.entry_id.in_(entries))
    return title, _visits(session, asked, conditions, answers, skip, most)


def _served(session: Session, asked: Filter, release: int) -> Filter | None:
    """The days of the period on which a release was asked anything: its visits are looked for there."""
    first, last = session.execute(
        select(func.min(ReleaseDayRow.day), func.max(ReleaseDayRow.day)).where(
            ReleaseDayRow.release == release, ReleaseDayRow.day >= asked.since, ReleaseDayRow.day <= asked.until
        )
    ).one()
    return replace(asked, since=first, until=last) if first else None


def _of_tickets(which: str, asked: Filter, closer: Closer) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if which == "open":
        found.append(TicketFactRow.left_day.is_(None) | (TicketFactRow.left_day > asked.until))
    if closer.group is not None:
        found.append(TicketFactRow.group_id == closer.group)
    if closer.sla:
        found.append(TicketFactRow.policy == closer.sla)
    if closer.without:
        found.append(TicketFactRow.business_type.not_in(closer.without))
    return found


def _of_ratings(session: Session, which: str, asked: Filter, closer: Closer) -> list[ColumnElement[bool]]:
    found = _of_tickets(which, asked, replace(closer, group=None))
    if which == "low":
        found.append(SatisfactionRow.score <= document(session, "satisfaction")["low_score"])
    if closer.group is not None:
        found.append(closer.group == GROUP)
    return found


def _visits(
    session: Session,
    asked: Filter,
    conditions: Sequence[ColumnElement[bool]],
    answers: Sequence[ColumnElement[bool]],
    skip: int,
    most: int,
) -> list[dict[str, Any]]:
    rows: Sequence[Any] = ()
    for near in _nearest(asked):
        rows = _newest(session, near, conditions, answers, skip, most)
        if len(rows) == most:
            break
    turns = _turns(session, [visit for visit, _ in rows])
    titles = titles_of(session, {visit.entry_id for visit, _ in rows if visit.entry_id})
    return [
        {
            "id": visit.id,
            "at": visit.started_at.isoformat(),
            **_place(origin),
            "business_type": visit.business_type,
            "questions": [
                mask(text)
                for turn in turns[visit.id]
                if (text := (turn.outcome or {}).get("question")) and not refuses(turn.outcome)
            ],
            "entry_id": visit.entry_id,
            "answer": titles.get(visit.entry_id, visit.entry_id),
            **{
                name: bool(getattr(visit, name))
                for name in ("involved", "answered", "handed", "again", "bad", "resolved")
            },
        }
        for visit, origin in rows
    ]


def _nearest(asked: Filter) -> Iterator[Filter]:
    """The last days of the period, then more of them, then all: what is newest is mostly found in a few."""
    for days in _DAYS:
        if days < asked.days:
            yield replace(asked, since=asked.until - timedelta(days=days - 1))
    yield asked


def _newest(
    session: Session,
    asked: Filter,
    conditions: Sequence[ColumnElement[bool]],
    answers: Sequence[ColumnElement[bool]],
    skip: int,
    most: int,
) -> Sequence[Any]:
    """Visits with their origins, the newest first; with `answers`, those with a question of which all of them hold."""
    query = select(VisitRow, OriginRow).join(OriginRow, OriginRow.id == VisitRow.origin).where(*conditions)
    if answers:
        # A question has its visit's day and place: they narrow it before any visit is read.
        there = narrowed(QuestionRow, QuestionRow.day, replace(asked, business_type=""))
        answered = select(QuestionRow.visit_id).where(*answers, *there).distinct().cte()
        answered = answered.prefix_with("MATERIALIZED", dialect="postgresql")
        query = query.join(answered, answered.c.visit_id == VisitRow.id)
        if asked.business_type:
            query = query.where(VisitRow.business_type == asked.business_type)
    else:
        query = query.where(*narrowed(VisitRow, VisitRow.day, asked))
    newest = query.order_by(VisitRow.day.desc(), VisitRow.started_at.desc())
    return session.execute(newest.offset(skip).limit(most)).all()


def _place(origin: OriginRow) -> dict[str, str]:
    return {name: getattr(origin, name) for name in ("company", "department", "channel", "page")}


def _turns(session: Session, visits: Sequence[VisitRow]) -> dict[str, list[Turn]]:
    """The turns of each visit, in order."""
    by_conversation = defaultdict(list)
    ids = {visit.conversation_id for visit in visits}
    for turn in session.scalars(select(Turn).where(Turn.conversation_id.in_(ids)).order_by(Turn.at, Turn.id)):
        by_conversation[turn.conversation_id].append(turn)
    return {visit.id: _from(by_conversation[visit.conversation_id], visit) for visit in visits}


def _from(turns: Sequence[Turn], visit: VisitRow) -> list[Turn]:
    found: list[Turn] = []
    ends = visit.started_at + timedelta(days=1)
    for turn in turns:
        if visit.started_at <= turn.at < ends and turn.state == "done":
            if found and turn.at - found[-1].at > GAP:
                break
            found.append(turn)
    return found


def visit_of(session: Session, visit_id: str) -> dict[str, Any]:
    """What was said in one visit, masked. Raises NotFound."""
    visit = session.get(VisitRow, visit_id)
    if visit is None:
        raise NotFound("没有找到这次会话，请刷新列表。")
    turns = _turns(session, [visit])[visit.id]
    said = session.scalars(
        select(Message)
        .where(Message.conversation_id == visit.conversation_id, Message.turn_id.in_([turn.id for turn in turns]))
        .order_by(Message.seq)
    )
    tickets = session.scalars(
        select(TicketRow.number)
        .where(
            TicketRow.conversation_id == visit.conversation_id,
            TicketRow.created_at >= visit.started_at,
            TicketRow.created_at <= _end(turns, visit) + AGAIN,
        )
        .order_by(TicketRow.number)
    )
    return {
        "id": visit.id,
        "at": visit.started_at.isoformat(),
        "messages": [{**one.to_dict(), "text": mask(one.text)} for one in said],
        "tickets": list(tickets),
    }


def _end(turns: Sequence[Turn], visit: VisitRow) -> datetime:
    return turns[-1].at if turns else visit.started_at


def _tickets(
    session: Session, asked: Filter, day: Any, conditions: Sequence[ColumnElement[bool]], skip: int, most: int
) -> list[dict[str, Any]]:
    inside = narrowed(TicketFactRow, day if day is not None else TicketFactRow.filed_day, asked)
    if day is None:
        inside = inside[1:]
    rows = session.execute(
        select(TicketFactRow, TicketRow, OriginRow)
        .join(TicketRow, TicketRow.number == TicketFactRow.number)
        .join(OriginRow, OriginRow.id == TicketFactRow.origin)
        .where(*inside, *conditions)
        .order_by(TicketFactRow.filed_day.desc(), TicketFactRow.number.desc())
        .offset(skip)
        .limit(most)
    ).all()
    return [_ticket(fact, ticket, origin) for fact, ticket, origin in rows]


def _rated(
    session: Session, asked: Filter, conditions: Sequence[ColumnElement[bool]], skip: int, most: int
) -> list[dict[str, Any]]:
    """Tickets with the score that was given in the period, which need not be the last one."""
    rows = session.execute(
        given(select(SatisfactionRow.score, TicketFactRow, TicketRow, OriginRow), asked)
        .join(TicketRow, TicketRow.number == TicketFactRow.number)
        .join(OriginRow, OriginRow.id == TicketFactRow.origin)
        .where(*conditions)
        .order_by(SatisfactionRow.rated_at.desc(), SatisfactionRow.id.desc())
        .offset(skip)
        .limit(most)
    ).all()
    return [{**_ticket(fact, ticket, origin), "score": score} for score, fact, ticket, origin in rows]


def _ticket(fact: TicketFactRow, ticket: TicketRow, origin: OriginRow) -> dict[str, Any]:
    return {
        "number": fact.number,
        "at": ticket.created_at.isoformat(),
        **_place(origin),
        "status": Status(ticket.status).staff_label,
        "business_type": fact.business_type,
        "description": mask(ticket.description[:200]),
        "first_min": fact.first_min,
        "resolve_min": fact.resolve_min,
        "score": fact.score,
        "quality": fact.quality,
    }
