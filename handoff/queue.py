"""The queue: which tickets somebody of the desk sees, in which order, and how many of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, any_, case, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput
from handoff.actors import SYSTEM, Actor
from handoff.permissions import visible
from handoff.search import MOST, TicketSearchRow, Wanted, facet, newest, words_of
from handoff.tickets import OPEN, TICKET_NO, Status, TicketExpertRow, TicketRow

SOON = timedelta(hours=1)
"""A clock that runs out within this time is about to."""
VIEWS = ("mine", "pool", "group", "waiting", "breaching", "unread", "all")
SORTS = ("due", "newest", "oldest", "updated")
_OPEN = tuple(str(one) for one in OPEN)
_UNTAKEN = (Status.NEW, Status.REOPENED)


@dataclass(frozen=True)
class Asked:
    """What a list shows. Within a filter any of the values. `sort` is one of SORTS; all tickets come newest first."""

    view: str = "all"
    status: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    business_type: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    vip: bool = False
    emergency: bool = False
    text: str = ""
    sort: str = ""

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """The filters that are set, by the letter of their facet."""
        found = {
            "s": self.status,
            "b": self.business_type,
            "u": self.urgency,
            "g": self.group,
            "a": self.assignee,
            "t": self.tier,
            "v": ("vip",) if self.vip else (),
            "e": ("1",) if self.emergency else (),
        }
        return {kind: values for kind, values in found.items() if values}


@dataclass(frozen=True)
class Found:
    """A page of tickets; `total` is at most MOST, and `more` says that there are others."""

    rows: list[TicketRow] = field(default_factory=list)
    total: int = 0
    more: bool = False


def find(session: Session, actor: Actor, asked: Asked, page: int = 1, page_size: int = 20) -> Found:
    """The tickets that `actor` may see and asked for. Raises InvalidInput for an unknown view or too short a search."""
    if asked.view not in VIEWS or asked.sort not in ("", *SORTS):
        raise InvalidInput("没有这个视图或排序方式，请刷新页面。", code="view_unknown")
    words, moment = words_of(asked.text), now()
    condition = and_(visible(actor), _of_view(actor, asked.view, moment), _filtered(asked))
    first = (page - 1) * page_size
    if first >= MOST:
        return Found([], MOST, True)
    if session.get_bind().dialect.name == "postgresql" and _far(actor, asked, words):
        return _searched(session, actor, asked, words, condition, first, page_size)
    query = select(TicketRow.number).where(condition)
    if words:
        query = query.join(TicketSearchRow, TicketSearchRow.number == TicketRow.number)
        query = query.where(*(TicketSearchRow.text.contains(word, autoescape=True) for word in words))
    total = session.scalar(select(func.count()).select_from(query.limit(MOST + 1).subquery())) or 0
    numbers = session.scalars(_ordered(query, asked).offset(first).limit(page_size)).all()
    return Found(rows_of(session, numbers), min(total, MOST), total > MOST)


def each(
    session: Session, actor: Actor, asked: Asked, since: datetime | None = None, until: datetime | None = None
) -> Iterator[TicketRow]:
    """Every ticket that `actor` may see and asked for, filed from `since` to before `until`, oldest first, a few at a time."""
    words = words_of(asked.text)
    query = select(TicketRow).where(visible(actor), _of_view(actor, asked.view, now()), _filtered(asked))
    if words:
        query = query.join(TicketSearchRow, TicketSearchRow.number == TicketRow.number)
        query = query.where(*(TicketSearchRow.text.contains(word, autoescape=True) for word in words))
    if since:
        query = query.where(TicketRow.created_at >= since)
    if until:
        query = query.where(TicketRow.created_at < until)
    query = query.order_by(TicketRow.created_at, TicketRow.number).execution_options(yield_per=500)
    yield from session.scalars(query)


def rows_of(session: Session, numbers: Sequence[str]) -> list[TicketRow]:
    """These tickets, in this order."""
    rows = {row.number: row for row in session.scalars(select(TicketRow).where(TicketRow.number.in_(numbers)))}
    return [rows[number] for number in numbers if number in rows]


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many tickets lie in each view that asks for somebody's work."""
    moment = now()
    views = [view for view in VIEWS if view not in ("all", "unread")]
    columns = [func.count(case((_of_view(actor, view, moment), 1))).label(view) for view in views]
    row = session.execute(select(*columns).where(TicketRow.status.in_(_OPEN), visible(actor))).one()
    unread = select(func.count()).where(visible(actor), _of_view(actor, "unread", moment))
    return {**dict(zip(views, row, strict=True)), "unread": session.scalar(unread) or 0}


def _far(actor: Actor, asked: Asked, words: tuple[str, ...]) -> bool:
    """Whether closed tickets are asked for, of which there may be a million, and not simply the newest of all."""
    if asked.view != "all" or (asked.status and set(asked.status) <= set(_OPEN)):
        return False
    return bool(words or asked.filters or not _sees_all(actor))


def _sees_all(actor: Actor) -> bool:
    return visible(actor).compare(visible(SYSTEM))


def _searched(
    session: Session,
    actor: Actor,
    asked: Asked,
    words: tuple[str, ...],
    condition: ColumnElement[bool],
    first: int,
    page_size: int,
) -> Found:
    if len(words) == 1 and TICKET_NO.fullmatch(words[0]):
        numbers = [words[0].upper()]
    else:
        wanted = Wanted(words, asked.filters, () if _sees_all(actor) else _near(actor))
        numbers = newest(session, wanted, MOST + 1)
    these = any_(literal(numbers, ARRAY(String)))
    query = select(TicketRow.number).where(TicketRow.number == these, condition)
    kept = set(session.scalars(query)) if numbers else set()
    shown = [number for number in numbers if number in kept][:MOST]
    return Found(rows_of(session, shown[first : first + page_size]), len(shown), len(numbers) > MOST)


def _near(actor: Actor) -> tuple[str, ...]:
    """Facets of which every ticket that `actor` may see has one."""
    groups = [facet("g", group) for group in sorted({*actor.groups, *actor.leads, "-"})]
    return (*groups, facet("a", actor.id), facet("x", actor.id))


def _of_view(actor: Actor, view: str, moment: datetime) -> ColumnElement[bool]:
    is_open = TicketRow.status.in_(_OPEN)
    if view == "mine":
        invited = select(TicketExpertRow.ticket).where(TicketExpertRow.username == actor.id)
        return and_(is_open, or_(TicketRow.assignee == actor.id, TicketRow.number.in_(invited)))
    if view == "pool":
        return and_(TicketRow.status.in_(_UNTAKEN), TicketRow.assignee.is_(None))
    if view == "group":
        groups = sorted(actor.groups | actor.leads)
        return and_(is_open, TicketRow.group_id.in_(groups) if groups else true())
    if view == "waiting":
        return TicketRow.status == Status.WAITING
    if view == "breaching":
        return and_(is_open, or_(TicketRow.breached, TicketRow.due_at <= moment + SOON))
    if view == "unread":
        return TicketRow.unread
    return true()


def _filtered(asked: Asked) -> ColumnElement[bool]:
    columns: dict[str, Any] = {
        "s": TicketRow.status,
        "b": TicketRow.business_type,
        "u": TicketRow.urgency,
        "g": TicketRow.group_id,
        "a": TicketRow.assignee,
        "v": TicketRow.service_tier,
    }
    found = []
    for kind, values in asked.filters.items():
        if kind == "e":
            found.append(TicketRow.emergency)
        elif kind == "t":
            found.append(TicketRow.tier.in_([tier for tier in (2, 3) if str(tier) in values]))
        else:
            some = columns[kind].in_(values)
            found.append(or_(some, columns[kind].is_(None)) if "-" in values else some)
    return and_(true(), *found)


def _ordered(query: Select[Any], asked: Asked) -> Select[Any]:
    """Work that presses most comes first; among all tickets, the newest."""
    sort = "newest" if asked.view == "all" else asked.sort or "due"
    if sort == "due":
        calm = case((TicketRow.emergency, 0), else_=1)
        return query.order_by(
            calm, TicketRow.due_at.is_(None), TicketRow.due_at, TicketRow.priority, TicketRow.created_at
        )
    if sort == "oldest":
        return query.order_by(TicketRow.created_at, TicketRow.number)
    if sort == "updated":
        return query.order_by(TicketRow.updated_at.desc(), TicketRow.number.desc())
    return query.order_by(TicketRow.created_at.desc(), TicketRow.number.desc())
