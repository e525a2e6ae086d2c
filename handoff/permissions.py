"""Who may do what to a ticket: role × verb × how they stand to it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select, true

from core.errors import Forbidden
from handoff.actors import Actor
from handoff.states import possible
from handoff.tickets import TicketExpertRow, TicketRow

READ = frozenset({"read"})
_AIDE = READ | {"note", "seen"}
"""What a colleague of the same group may do to a ticket that is somebody else's."""
_INVITED = _AIDE | {"reply", "attach"}
_HOLDER = _AIDE | {
    "reply",
    "attach",
    "resolve",
    "give_back",
    "transfer",
    "escalate",
    "invite",
    "dismiss",
    "change",
    "cancel",
    "merge",
    "link",
    "unlink",
    "reopen",
}
_POOL = (_HOLDER - {"give_back"}) | {"claim"}
"""On a ticket of one's group that nobody has."""
_LEADER = _HOLDER | {"claim", "assign", "close"}
STAFF_VERBS = _LEADER | {"accept"}
EMPLOYEE_VERBS = READ | {"say_to_ticket", "urge", "reopen", "cancel", "close", "attach"}
VERBS = (STAFF_VERBS | EMPLOYEE_VERBS) - READ


def granted(actor: Actor, ticket: TicketRow) -> frozenset[str]:
    """Every verb, `read` included, that `actor` may use on `ticket`, whatever its state."""
    if actor.kind == "system":
        return READ | VERBS
    if actor.kind == "employee":
        return EMPLOYEE_VERBS if is_requester(actor, ticket) else frozenset()
    found: set[str] = set()
    if actor.has("supervisor"):
        found |= _LEADER
    if actor.has("inspector", "auditor"):
        found |= READ
    if "leader" in actor.roles and ticket.group_id in actor.leads:
        found |= _LEADER
    if actor.has("agent", "leader", "expert", "supervisor"):
        found |= _as_worker(actor, ticket)
    return frozenset(found)


def _as_worker(actor: Actor, ticket: TicketRow) -> frozenset[str]:
    if ticket.assignee == actor.id:
        return _HOLDER | {"accept"}
    found = _INVITED if actor.id in ticket.experts else frozenset()
    if _in_my_groups(actor, ticket):
        found |= _POOL if ticket.assignee is None else _AIDE
    return found


def _in_my_groups(actor: Actor, ticket: TicketRow) -> bool:
    """A ticket that no rule gave to a group is every agent's, lest nobody takes it; experts have theirs at tier 3."""
    agent = actor.has("agent", "leader", "supervisor")
    if ticket.group_id is None:
        return agent
    return ticket.group_id in actor.groups and (agent or ticket.tier == 3)


def is_requester(actor: Actor, ticket: TicketRow) -> bool:
    """Whether the ticket is this employee's own; an anonymous visitor's is that of their conversation."""
    if actor.kind != "employee":
        return False
    return actor.id == (ticket.employee_no or ticket.conversation_id)


def may(actor: Actor, verb: str, ticket: TicketRow) -> bool:
    return verb in granted(actor, ticket)


def check(actor: Actor, verb: str, ticket: TicketRow) -> None:
    """Raises Forbidden, saying whom to ask."""
    if may(actor, verb, ticket):
        return
    if actor.kind == "employee":
        raise Forbidden("只能操作您自己的工单，请输入“我的工单”查看。", code="not_yours")
    if verb == "accept":
        raise Forbidden("这张工单没有派给您，请认领，或请组长改派。", code="not_yours")
    if may(actor, "read", ticket) and ticket.assignee not in (None, actor.id):
        raise Forbidden("这张工单由同事负责，您可以写内部备注；需要接手时请由组长改派。", code="not_yours")
    raise Forbidden("您没有这样处理这张工单的权限，请联系组长或主管。", code="role_missing")


def verbs(actor: Actor, ticket: TicketRow) -> list[str]:
    """What `actor` can do to `ticket` now: allowed to them and possible in its state."""
    return sorted(verb for verb in granted(actor, ticket) - READ if possible(verb, ticket))


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on `TicketRow` under which `actor` may read a ticket; the same as `may(actor, "read", …)`."""
    if actor.kind == "system" or actor.has("supervisor", "inspector", "auditor"):
        return true()
    if actor.kind == "employee":
        return or_(
            TicketRow.employee_no == actor.id,
            TicketRow.employee_no.is_(None) & (TicketRow.conversation_id == actor.id),
        )
    if not actor.has("agent", "leader", "expert"):
        return false()
    invited = select(TicketExpertRow.ticket).where(TicketExpertRow.username == actor.id)
    seen = [TicketRow.assignee == actor.id, TicketRow.number.in_(invited)]
    if actor.has("agent", "leader"):
        seen += [TicketRow.group_id.in_(sorted(actor.groups)), TicketRow.group_id.is_(None)]
    else:
        seen.append(TicketRow.group_id.in_(sorted(actor.groups)) & (TicketRow.tier == 3))
    if "leader" in actor.roles:
        seen.append(TicketRow.group_id.in_(sorted(actor.leads)))
    return or_(*seen)
