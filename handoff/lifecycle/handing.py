"""Who has a ticket: assigned, claimed, accepted, given back, transferred, escalated, joined by experts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.events import append_event
from handoff.actors import Actor
from handoff.locking import begin, words
from handoff.notices import notify
from handoff.routing import dispatch
from handoff.routing.placing import check_group, expert_group
from handoff.staff import GroupRow, StaffRow
from handoff.states import after_handing, after_taking
from handoff.talk import hold, release
from handoff.tickets import TicketEventRow, TicketExpertRow, TicketRow
from handoff.timeline import TicketAssigned, record

TIER_3 = 3


def assign(session: Session, number: str, actor: Actor, to: str, *, version: int | None = None) -> TicketRow:
    """Give the ticket to `to`, whoever has it now."""
    ticket = begin(session, number, actor, "assign", version)
    if ticket.assignee == to:
        raise Conflict(f"工单 {number} 已经由 {_name(session, to)} 负责。", code="already_assigned")
    person = _person(session, to, actor)
    before, ticket.assignee = ticket.assignee, to
    ticket.status = after_handing(ticket, to)
    release(session, ticket, "transferred")
    event = record(session, ticket, actor, "assigned", f"派给 {person}", detail={"to": to, "before": before})
    _assigned(session, ticket, actor, event)
    return ticket


def claim(session: Session, number: str, actor: Actor, *, version: int | None = None) -> TicketRow:
    """Take a ticket that nobody has."""
    ticket = begin(session, number, actor, "claim", version)
    ticket.assignee, ticket.status = actor.id, after_taking(ticket)
    record(session, ticket, actor, "claimed", "认领工单", public=True, detail={"to": actor.id})
    append_event(session, TicketAssigned(ticket.number, actor.id, actor.id))
    hold(session, ticket, actor)
    return ticket


def accept(session: Session, number: str, actor: Actor, *, version: int | None = None) -> TicketRow:
    """Begin to work on a ticket that was given to one."""
    ticket = begin(session, number, actor, "accept", version)
    ticket.status = after_taking(ticket)
    if ticket.assignee is None:
        ticket.assignee = actor.id
    record(session, ticket, actor, "accepted", "受理工单", public=True)
    hold(session, ticket, actor)
    return ticket


def give_back(session: Session, number: str, actor: Actor, reason: str, *, version: int | None = None) -> TicketRow:
    """Back to the pool of its group."""
    ticket = begin(session, number, actor, "give_back", version)
    reason = words(reason, "退回原因")
    before, ticket.assignee = ticket.assignee, None
    ticket.status = after_handing(ticket, None)
    release(session, ticket, "transferred")
    record(session, ticket, actor, "returned", f"退回派工池：{reason}", detail={"from": before, "reason": reason})
    dispatch(session, ticket)
    return ticket


def transfer(
    session: Session,
    number: str,
    actor: Actor,
    group: str,
    reason: str,
    tier: int | None = None,
    to: str | None = None,
    *,
    version: int | None = None,
) -> TicketRow:
    """To another group, or to a person in it."""
    ticket = begin(session, number, actor, "transfer", version)
    reason = words(reason, "转派原因")
    where = check_group(session, group)
    if ticket.group_id == where.id and to in (None, ticket.assignee):
        raise Conflict(f"工单 {number} 已经在{where.name}。", code="already_there")
    event = _hand_over(session, ticket, actor, where, "transferred", "转派至", reason, tier or where.tier, to)
    if to:
        _assigned(session, ticket, actor, event)
    return ticket


def escalate(
    session: Session, number: str, actor: Actor, reason: str, group: str | None = None, *, version: int | None = None
) -> TicketRow:
    """To the experts of tier 3: to `group`, or to the one that is there for this business."""
    ticket = begin(session, number, actor, "escalate", version)
    reason = words(reason, "升级原因")
    if ticket.tier == TIER_3 and group in (None, ticket.group_id):
        raise Conflict(f"工单 {number} 已经在三线。", code="already_there")
    where = check_group(session, group or expert_group(session))
    if where.tier != TIER_3:
        raise InvalidInput(f"{where.name}不是三线专家组，请选择专家组。", code="group_unknown")
    _hand_over(session, ticket, actor, where, "escalated", "升级至", reason, TIER_3, None)
    return ticket


def _hand_over(
    session: Session,
    ticket: TicketRow,
    actor: Actor,
    where: GroupRow,
    kind: str,
    doing: str,
    reason: str,
    tier: int,
    to: str | None,
) -> TicketEventRow:
    person = _person(session, to, actor) if to else ""
    before = {"group": ticket.group_id, "tier": ticket.tier, "assignee": ticket.assignee}
    ticket.group_id, ticket.tier, ticket.assignee = where.id, tier, to
    ticket.status = after_handing(ticket, to)
    if to != actor.id:
        release(session, ticket, "transferred")
    event = record(
        session,
        ticket,
        actor,
        kind,
        f"{doing}{where.name}{f'（{person}）' if person else ''}：{reason}",
        detail={"group": where.id, "tier": tier, "to": to, "before": before, "reason": reason},
    )
    if to is None:
        dispatch(session, ticket)
    return event


def invite(
    session: Session, number: str, actor: Actor, expert: str, reason: str, *, version: int | None = None
) -> TicketRow:
    """Ask another expert in; the owner stays the owner."""
    ticket = begin(session, number, actor, "invite", version)
    reason = words(reason, "邀请原因")
    if expert in ticket.experts or expert == ticket.assignee:
        raise Conflict(f"{_name(session, expert)} 已经在处理这张工单。", code="already_there")
    person = _person(session, expert, actor)
    ticket.experts = [*ticket.experts, expert]
    session.add(TicketExpertRow(username=expert, ticket=number))
    event = record(
        session,
        ticket,
        actor,
        "expert_invited",
        f"邀请 {person} 会诊：{reason}",
        detail={"expert": expert, "reason": reason},
    )
    notify(
        session,
        [expert],
        "expert_invited",
        f"{actor.name or actor.id} 邀请您会诊工单 {number}：{reason}",
        key=f"ticket-event:{event.id}",
        ticket=number,
    )
    return ticket


def dismiss(session: Session, number: str, actor: Actor, expert: str, *, version: int | None = None) -> TicketRow:
    """Let an expert go."""
    ticket = begin(session, number, actor, "dismiss", version)
    row = session.get(TicketExpertRow, (expert, number))
    if row is None:
        raise Conflict(f"{_name(session, expert)} 没有参与会诊。", code="not_there")
    session.delete(row)
    ticket.experts = [one for one in ticket.experts if one != expert]
    record(
        session, ticket, actor, "expert_dismissed", f"结束 {_name(session, expert)} 的会诊", detail={"expert": expert}
    )
    return ticket


def _assigned(session: Session, ticket: TicketRow, actor: Actor, event: TicketEventRow) -> None:
    assert ticket.assignee
    append_event(session, TicketAssigned(ticket.number, ticket.assignee, actor.id))
    if ticket.assignee != actor.id:
        notify(
            session,
            [ticket.assignee],
            "assigned",
            f"工单 {ticket.number}（{ticket.business_type}，{ticket.urgency}）派给了您",
            key=f"ticket-event:{event.id}",
            ticket=ticket.number,
            urgent=ticket.emergency,
        )


def _person(session: Session, username: str, actor: Actor) -> str:
    """Their name. Raises InvalidInput for somebody who does not work at the desk; oneself always does."""
    if username == actor.id:
        return actor.name or username
    row = session.get(StaffRow, username)
    if row is None or not row.active:
        raise InvalidInput(f"{username} 不是服务人员，请从人员列表中选择。", code="staff_unknown")
    return row.name


def _name(session: Session, username: str) -> str:
    row = session.get(StaffRow, username)
    return row.name if row else username
