"""What has come due of clocks, told once: on the timeline, to people, in the audit log. Written for many clocks at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import local
from core.events import EventRow
from handoff.actors import SYSTEM
from handoff.clocks.clock import ClockRow
from handoff.clocks.people import People
from handoff.clocks.policies import Kind, Step, Whom
from handoff.clocks.rules import Ticket
from handoff.notices import Notice, notify_all
from handoff.tickets import TicketEventRow, Urgency
from handoff.timeline import TicketChanged

WARNED = "warned"
BREACHED = "breached"
CLIMBED = "chain_climbed"


@dataclass(frozen=True)
class Told:
    """That `clock` reached `stage`; `step` is the chain's, where it climbed."""

    clock: ClockRow
    ticket: Ticket
    kind: str
    stage: int
    step: Step | None = None

    def whom(self) -> Whom:
        return self.step.whom if self.step else Whom.AGENT

    def text(self, people: People, reached: Sequence[str]) -> str:
        label = Kind(self.clock.kind).label
        due = local(self.clock.due_at) if self.clock.due_at else ""
        if self.kind == WARNED:
            return f"{label}时效预警：应在 {due} 前完成"
        if self.kind == BREACHED:
            return f"{label}已超时：承诺 {self.clock.promised_min} 分钟，应在 {due} 前完成"
        assert self.step
        to = f"：{people.named(reached)}" if reached else "，但没有可以通知的人"
        return f"{label}超时 {self.step.after_min} 分钟，升级至{self.step.whom.label}{to}"


def tell(session: Session, told: Sequence[Told], people: People, moment: datetime) -> None:
    """Write each of `told`: an event, a domain event, the notices; one audit entry for all."""
    if not told:
        return
    reached = [people.reached(one.whom(), one.ticket) for one in told]
    texts = [one.text(people, usernames) for one, usernames in zip(told, reached, strict=True)]
    events = [
        {
            "ticket": one.ticket.number,
            "kind": one.kind,
            "actor": SYSTEM.id,
            "actor_kind": SYSTEM.kind,
            "actor_name": SYSTEM.name,
            "text": text,
            "at": moment,
            "public": False,
            "detail": _detail(one, usernames),
        }
        for one, text, usernames in zip(told, texts, reached, strict=True)
    ]
    _put(session, TicketEventRow, events)
    _put(
        session,
        EventRow,
        [
            {"kind": TicketChanged.kind, "body": vars(_changed(one, event_id)), "at": moment, "attempts": 0}
            for one, event_id in zip(told, _ids(session, told), strict=True)
        ],
    )
    notify_all(
        session,
        [
            Notice(
                username,
                one.kind,
                f"工单 {one.ticket.number} {text}",
                key=f"clock:{one.clock.id}:{one.clock.recounts}:{one.stage}",
                ticket=one.ticket.number,
                urgent=one.kind != WARNED or one.ticket.urgency == Urgency.EMERGENCY,
            )
            for one, text, usernames in zip(told, texts, reached, strict=True)
            for username in usernames
        ],
    )
    numbers: dict[str, list[str]] = {}
    for one in told:
        numbers.setdefault(one.kind, []).append(f"{one.ticket.number}:{one.clock.kind}:{one.stage}")
    audit.append(session, SYSTEM.id, "clocks.told", "clocks", numbers)


def _put(session: Session, table: type[TicketEventRow | EventRow], rows: list[dict[str, Any]]) -> None:
    """On PostgreSQL what returns something goes a thousand rows a statement; SQLite is quicker row by row, returning nothing."""
    statement: Any = insert(table.__table__)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.returning(table.__table__.c.id, sort_by_parameter_order=True)
    session.execute(statement, rows)


def _ids(session: Session, told: Sequence[Told]) -> list[int]:
    """Of the events just written, in their order. Asking a statement for each row's id takes a statement for each row; whoever
    holds the tickets' locks has written what is newest of them."""
    newest = (
        select(TicketEventRow.id)
        .where(TicketEventRow.ticket.in_({one.ticket.number for one in told}))
        .order_by(TicketEventRow.id.desc())
    )
    return list(session.scalars(newest.limit(len(told))))[::-1]


def _changed(told: Told, event_id: int) -> TicketChanged:
    return TicketChanged(told.ticket.number, told.kind, str(told.ticket.status), SYSTEM.id, event_id)


def _detail(told: Told, reached: Sequence[str]) -> dict[str, Any]:
    clock = told.clock
    return {
        "clock": clock.id,
        "clock_kind": clock.kind,
        "round": clock.round,
        "promised_min": clock.promised_min,
        "due_at": clock.due_at and clock.due_at.isoformat(),
        "told": list(reached),
        **({"whom": str(told.step.whom), "after_min": told.step.after_min} if told.step else {}),
    }
