"""The emergency channel: whoever is on call is told at once, and acknowledges, or the call climbs to the next person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Database, Json, Moment
from core.errors import Conflict, Forbidden, NotFound
from handoff.actors import SYSTEM, Actor
from handoff.notices import notify
from handoff.routing.oncall import OnCallList, list_for
from handoff.staff import StaffRow, leaders_of, staff, supervisors
from handoff.tickets import OPEN, Status, TicketEventRow, TicketExpertRow, TicketRow
from handoff.timeline import record

CALLING, ACKNOWLEDGED, ENDED = "calling", "acknowledged", "ended"
_OVER = (Status.RESOLVED, Status.CLOSED, Status.CANCELLED, Status.MERGED)


class EmergencyCallRow(Base):
    """One ticket's call. `people` are those on the list when it began; `called` is who was called when, as
    `{usernames, at, round}`; at `next_at` it climbs, unless somebody acknowledged before."""

    __tablename__ = "emergency_call"

    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(Text)
    list_name: Mapped[str] = mapped_column(String(40))
    people: Mapped[list[str]] = mapped_column(Json)
    minutes: Mapped[int]
    called: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    called_at: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
    acknowledged_at: Mapped[datetime | None] = mapped_column(Moment)
    words: Mapped[str] = mapped_column(Text, default="")
    false_alarm: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("ix_emergency_call_next_at", "next_at"),)


def raise_alarm(session: Session, ticket: TicketRow, why: str, moment: datetime) -> EmergencyCallRow:
    """Call the first person on call about `ticket`, whose row is locked. A call that is under way stays as it is."""
    row = session.get(EmergencyCallRow, ticket.number, with_for_update=True)
    if row and row.state == CALLING:
        return row
    chosen = list_for(session, ticket.risk_words)
    people = _reachable(session, chosen)
    row = row or EmergencyCallRow(ticket=ticket.number, called=[])
    row.state, row.why, row.list_name, row.minutes = CALLING, why, chosen.name, chosen.minutes
    row.people, row.called_at = people, moment
    row.acknowledged_by = row.acknowledged_at = None
    row.words, row.false_alarm = "", False
    session.add(row)
    _call(session, ticket, row, moment, 1 + max((one["round"] for one in row.called), default=0))
    return row


def acknowledge(
    session: Session,
    number: str,
    actor: Actor,
    *,
    words: str = "",
    false_alarm: bool = False,
    moment: datetime | None = None,
) -> EmergencyCallRow:
    """`actor` takes care of it, and of a ticket that nobody has; or says that it is none. Raises NotFound, Forbidden, or Conflict when somebody did
    already."""
    from handoff import lifecycle

    moment = moment or now()
    ticket = session.get(TicketRow, number, with_for_update=True, populate_existing=True)
    row = session.get(EmergencyCallRow, number, with_for_update=True, populate_existing=True)
    if ticket is None or row is None:
        raise NotFound(f"工单 {number} 没有应急呼叫。", code="no_emergency")
    if not may_acknowledge(actor, ticket, row):
        raise Forbidden("只有应急名单上的人、组长和主管可以确认。请联系名单上的值班人员。", code="not_on_call")
    if row.state == ACKNOWLEDGED:
        raise Conflict(f"这次应急呼叫已由 {row.acknowledged_by} 确认。", code="already_acknowledged")
    if row.state == ENDED:
        raise Conflict("工单已经办结，这次应急呼叫已结束，不用再确认。", code="emergency_ended")
    row.state, row.next_at = ACKNOWLEDGED, None
    row.acknowledged_by, row.acknowledged_at, row.words = actor.id, moment, words.strip()[:500]
    row.false_alarm = false_alarm
    said = f"：{row.words}" if row.words else ""
    done = "确认为误报" if false_alarm else "已确认，开始处理"
    record(
        session,
        ticket,
        actor,
        "emergency_acknowledged",
        f"应急呼叫{done}{said}",
        detail={"minutes": round((moment - row.called_at).total_seconds() / 60, 1), "false_alarm": false_alarm},
    )
    others = [one for one in _called_people(row) if one != actor.id]
    notify(
        session,
        others,
        "emergency_acknowledged",
        f"{number} 的应急呼叫{done}（{actor.name or actor.id}）",
        key=f"emergency-done:{number}:{len(row.called)}",
        ticket=number,
    )
    if ticket.status in OPEN:
        by = actor if actor.has("supervisor") else SYSTEM
        if false_alarm and ticket.emergency:
            ticket.sla_policy = None
            lifecycle.change(session, number, by, emergency=False)
        elif not false_alarm and ticket.assignee is None:
            lifecycle.assign(session, number, by, to=actor.id)
    return row


def may_acknowledge(actor: Actor, ticket: TicketRow, row: EmergencyCallRow) -> bool:
    return (
        actor.id in {*row.people, *_called_people(row)}
        or actor.has("supervisor")
        or (ticket.group_id is not None and ticket.group_id in actor.leads)
    )


def heed(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    """What happened to a ticket may begin or end its alarm."""
    if event.kind == "employee_said":
        _heed_words(session, ticket, event)
    elif event.kind == "reopened" and ticket.emergency:
        raise_alarm(session, ticket, "应急工单重新打开", event.at)
    elif event.kind == "changed":
        row = session.get(EmergencyCallRow, ticket.number)
        if ticket.emergency and row is None:
            raise_alarm(session, ticket, "由坐席标记为应急", event.at)
        elif not ticket.emergency and row and row.state == CALLING:
            _end(session, row)
    elif event.kind in ("resolved", "closed", "cancelled", "merged"):
        _heed_end(session, ticket, event)


def due(session: Session, moment: datetime) -> list[str]:
    """Tickets whose call climbs at `moment`."""
    query = select(EmergencyCallRow.ticket).where(EmergencyCallRow.state == CALLING, EmergencyCallRow.next_at <= moment)
    return list(session.scalars(query.order_by(EmergencyCallRow.next_at)))


def waiting(database: Database) -> bool:
    """Whether any call climbs now."""
    with database.read() as session:
        return bool(due(session, now()))


def climb_due(database: Database, moment: datetime | None = None) -> int:
    """Climb where nobody acknowledged in time; how many calls climbed. Two schedulers at once climb each call once: the
    second finds the next moment set already."""
    moment = moment or now()
    with database.read() as session:
        waiting = due(session, moment)
    return sum(_climb(database, number, moment) for number in waiting)


def _climb(database: Database, number: str, moment: datetime) -> bool:
    with database.write() as session:
        ticket = session.get(TicketRow, number, with_for_update=True)
        row = session.get(EmergencyCallRow, number, with_for_update=True)
        if ticket is None or row is None or row.state != CALLING or row.next_at is None or row.next_at > moment:
            return False
        if ticket.status in _OVER and ticket.status != Status.RESOLVED:
            _end(session, row)
            return False
        _call(session, ticket, row, moment, row.called[-1]["round"])
        return True


def _call(session: Session, ticket: TicketRow, row: EmergencyCallRow, moment: datetime, turn: int) -> None:
    """Call the next person of this `turn` through the list; past the end of the list everybody on it and the supervisors, again and again."""
    step = len(row.called)
    position = sum(one["round"] == turn for one in row.called)
    if position < len(row.people):
        called = [row.people[position]]
    else:
        called = list(dict.fromkeys([*row.people, *supervisors(session)])) or _anybody(session, ticket)
    _let_in(session, ticket, called)
    row.called = [*row.called, {"usernames": called, "at": moment.isoformat(), "round": turn}]
    row.next_at = moment + timedelta(minutes=row.minutes)
    climbed = position > 0
    names = "、".join(_names(session, called)) or "（名单为空）"
    record(
        session,
        ticket,
        SYSTEM,
        "emergency_climbed" if climbed else "emergency_called",
        f"{f'{row.minutes} 分钟内无人确认，应急呼叫升级到' if climbed else '应急呼叫'}{names}：{row.why}",
        detail={"step": step + 1, "usernames": called, "list": row.list_name},
    )
    notify(
        session,
        called,
        "emergency",
        f"应急：{row.why}。工单 {ticket.number}，请在 {row.minutes} 分钟内确认。",
        key=f"emergency:{ticket.number}:{step + 1}",
        ticket=ticket.number,
        urgent=True,
    )


def _let_in(session: Session, ticket: TicketRow, usernames: list[str]) -> None:
    """Whoever is called must be able to read the ticket, whatever group it lies with: they join as experts."""
    coming = [one for one in usernames if one not in ticket.experts and one != ticket.assignee]
    session.add_all(TicketExpertRow(username=one, ticket=ticket.number) for one in coming)
    ticket.experts = [*ticket.experts, *coming]


def _heed_words(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    from handoff.routing.placing import rules_in_force
    from handoff.routing.rules import Facts

    if ticket.emergency:
        return
    rules = rules_in_force(session)
    said = Facts(ticket.business_type, ticket.urgency, text=event.text)
    words = said.risks(rules.risk_words(emergency=True)) if rules else []
    if not words:
        return
    ticket.emergency, ticket.priority = True, 1
    ticket.risk_words = list(dict.fromkeys([*ticket.risk_words, *words]))
    raise_alarm(session, ticket, f"疑似{'、'.join(words)}（员工补充）", event.at)


def _heed_end(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    row = session.get(EmergencyCallRow, ticket.number, with_for_update=True)
    if row is None or row.state != CALLING:
        return
    _end(session, row)
    survivor = session.get(TicketRow, ticket.merged_into, with_for_update=True) if ticket.merged_into else None
    if survivor is not None and event.kind == "merged":
        survivor.emergency = True
        survivor.risk_words = list(dict.fromkeys([*survivor.risk_words, *ticket.risk_words]))
        raise_alarm(session, survivor, row.why, event.at)


def _end(session: Session, row: EmergencyCallRow) -> None:
    row.state, row.next_at = ENDED, None


def _called_people(row: EmergencyCallRow) -> list[str]:
    return list(dict.fromkeys(name for one in row.called for name in one["usernames"]))


def _reachable(session: Session, chosen: OnCallList) -> list[str]:
    """Those on the list, without who has left the desk. On call means on call: duty and shift do not matter."""
    left = set(session.scalars(select(StaffRow.username).where(StaffRow.active.is_(False))))
    return [one for one in chosen.people if one not in left]


def _anybody(session: Session, ticket: TicketRow) -> list[str]:
    """Where nobody is on call: the leaders of the ticket's group, else everybody in it."""
    group = ticket.group_id or ""
    return leaders_of(session, group) or [row.username for row in staff(session, group=group)]


def _names(session: Session, usernames: list[str]) -> list[str]:
    rows = session.scalars(select(StaffRow).where(StaffRow.username.in_(usernames)))
    known = {row.username: row.name for row in rows}
    return [known.get(one, one) for one in usernames]
