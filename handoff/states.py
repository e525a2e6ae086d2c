"""The state machine of a ticket: which verb may be used in which state."""

from __future__ import annotations

from datetime import timedelta

from core.errors import Conflict
from handoff.tickets import OPEN, Status, TicketRow

REOPEN_WITHIN = timedelta(days=7)
"""After its resolution a ticket can be reopened for so long."""

_EVERY = tuple(Status)
_UNTAKEN = (Status.NEW, Status.ASSIGNED, Status.REOPENED)

STATES: dict[str, tuple[Status, ...]] = {
    "assign": OPEN,
    "claim": (Status.NEW, Status.REOPENED, Status.WAITING),
    "accept": (Status.ASSIGNED, Status.REOPENED),
    "give_back": (Status.ASSIGNED, Status.IN_PROGRESS, Status.WAITING, Status.REOPENED),
    "reply": (*OPEN, Status.RESOLVED),
    "note": _EVERY,
    "resolve": (Status.IN_PROGRESS, Status.WAITING),
    "close": (Status.RESOLVED,),
    "reopen": (Status.RESOLVED, Status.CLOSED),
    "cancel": OPEN,
    "merge": OPEN,
    "link": _EVERY,
    "unlink": _EVERY,
    "transfer": OPEN,
    "escalate": OPEN,
    "invite": OPEN,
    "dismiss": OPEN,
    "change": OPEN,
    "attach": (*OPEN, Status.RESOLVED),
    "seen": _EVERY,
    "say_to_ticket": (*OPEN, Status.RESOLVED),
    "urge": OPEN,
}
"""The states in which a verb may be used. A waiting ticket stays so until its requester writes or it is resolved, whoever
holds it meanwhile."""

_ADVICE = {
    Status.NEW: "请先认领，再处理。",
    Status.ASSIGNED: "请先受理，再处理。",
    Status.REOPENED: "请先受理，再处理。",
    Status.IN_PROGRESS: "可以回复、转派或标记解决。",
    Status.WAITING: "可以等员工补充，或标记解决。",
    Status.RESOLVED: "问题仍在时可以重新打开。",
    Status.CLOSED: "解决后 7 天内可以重新打开，之后请提交新工单。",
    Status.CANCELLED: "如仍需处理，请提交新工单。",
}


def wrong_state(ticket: TicketRow) -> Conflict:
    """What to tell somebody who cannot do this now."""
    status = Status(ticket.status)
    advice = f"请到工单 {ticket.merged_into} 中处理。" if status is Status.MERGED else _ADVICE[status]
    return Conflict(f"工单 {ticket.number} 现在是“{status.staff_label}”，不能这样操作。{advice}", code="wrong_state")


def possible(verb: str, ticket: TicketRow) -> bool:
    """Whether the state, and who holds the ticket, let `verb` happen at all."""
    if ticket.status not in STATES[verb]:
        return False
    if verb == "claim":
        return ticket.assignee is None
    if verb == "give_back":
        return ticket.assignee is not None
    if verb == "accept":
        return ticket.assignee is not None
    return True


def require(verb: str, ticket: TicketRow) -> None:
    """Raises Conflict `wrong_state`, saying what can be done instead."""
    if verb == "claim" and ticket.status in OPEN and ticket.assignee is not None:
        raise Conflict(
            f"工单 {ticket.number} 已由 {ticket.assignee} 负责，不能再认领；需要换人时请由组长改派。",
            code="wrong_state",
        )
    if not possible(verb, ticket):
        raise wrong_state(ticket)


def after_taking(ticket: TicketRow) -> Status:
    """The state once somebody works on it."""
    return Status.WAITING if ticket.status == Status.WAITING else Status.IN_PROGRESS


def after_handing(ticket: TicketRow, to: str | None) -> Status:
    """The state once it lies with `to`, or in a pool."""
    if ticket.status == Status.WAITING:
        return Status.WAITING
    return Status.ASSIGNED if to else Status.NEW


def heard(ticket: TicketRow) -> None:
    """The requester wrote: it is unread, and no longer waits for them."""
    ticket.unread = True
    if ticket.status == Status.WAITING:
        ticket.status = Status.IN_PROGRESS if ticket.assignee else Status.NEW
