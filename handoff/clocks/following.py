"""What happens to a ticket starts, pauses and stops its clocks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from handoff.clocks.calendars import ALWAYS
from handoff.clocks.clock import BROKEN, ClockRow, PauseRow, pauses_of, reckon, standing
from handoff.clocks.people import People
from handoff.clocks.policies import Kind
from handoff.clocks.reckoning import Walk, minutes, worked
from handoff.clocks.rules import Rules
from handoff.clocks.telling import BREACHED, Told, tell
from handoff.tickets import OPEN, Status, TicketEventRow, TicketRow

_NEW_TERMS = {"changed", "routed", "assigned", "transferred", "escalated"}
"""What may bring another policy, or another group's calendar."""

_RESPONSES = (Kind.FIRST_RESPONSE, Kind.NEXT_RESPONSE)


def follow(session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
    """Start, stop, pause or go on with the clocks of `ticket`, as `event` has just happened to it. The ticket is locked, and
    its status is already the one after the event."""
    _Following(session, ticket, event).go()


class _Following:
    def __init__(self, session: Session, ticket: TicketRow, event: TicketEventRow) -> None:
        self.session, self.ticket, self.event, self.at = session, ticket, event, event.at
        self.rules = Rules.read(session)
        going = select(ClockRow).where(ClockRow.ticket == ticket.number, ClockRow.stopped_at.is_(None))
        rows = session.scalars(going.execution_options(populate_existing=True))
        self.clocks = {Kind(row.kind): row for row in rows}
        self.pauses = pauses_of(session, (row.id for row in self.clocks.values()))
        self.stopped: list[ClockRow] = []

    def go(self) -> None:
        kind, status = self.event.kind, self.ticket.status
        touched = kind in _NEW_TERMS
        if kind == "filed":
            self.start(Kind.FIRST_RESPONSE, self.ticket.created_at)
            self.start(Kind.RESOLUTION, self.ticket.created_at)
        if kind in ("replied", "resolved") and self.event.actor_kind == "staff":
            self.ticket.first_response_at = self.ticket.first_response_at or self.at
        if status not in OPEN:
            for clock in list(self.clocks):
                self.stop(clock, status if status in (Status.CANCELLED, Status.MERGED) else "resolved")
        else:
            if kind == "replied" and self.event.actor_kind == "staff":
                for clock in _RESPONSES:
                    self.stop(clock, "replied")
            if kind == "reopened":
                self.start(Kind.RESOLUTION, self.at)
            if kind in ("employee_said", "reopened") and self.event.actor_kind == "employee":
                self.await_answer()
            touched |= self.pause()
        for clock in self.clocks.values():
            if touched or clock.rules != self.rules.version:
                self.reckon(clock)
        self.session.flush()
        self.ticket.due_at, self.ticket.due_kind, self.ticket.breached = standing(self.clocks.values())

    def start(self, kind: Kind, moment: datetime) -> None:
        if kind in self.clocks:
            return
        ran = select(func.max(ClockRow.round)).where(ClockRow.ticket == self.ticket.number, ClockRow.kind == kind)
        row = ClockRow(
            ticket=self.ticket.number,
            kind=kind,
            round=(self.session.scalar(ran) or 0) + 1,
            started_at=moment,
            stage=0,
            recounts=0,
        )
        self.clocks[kind] = row
        self.reckon(row)
        self.session.add(row)
        self.session.flush()

    def await_answer(self) -> None:
        """The requester wrote: a person owes an answer, unless they owe the first one still."""
        if Kind.FIRST_RESPONSE not in self.clocks:
            self.start(Kind.NEXT_RESPONSE, self.at)

    def pause(self) -> bool:
        """Resolution stands still while the requester is awaited; whether that changed."""
        row = self.clocks.get(Kind.RESOLUTION)
        waiting = self.ticket.status == Status.WAITING
        if row is None or waiting == (row.paused_at is not None):
            return False
        if waiting:
            row.paused_at = self.at
            self.session.add(PauseRow(clock=row.id, started_at=self.at))
        else:
            self._end_pause(row)
        self.session.flush()
        self.pauses |= pauses_of(self.session, [row.id])
        return True

    def _end_pause(self, row: ClockRow) -> None:
        lasting = (PauseRow.clock == row.id, PauseRow.ended_at.is_(None))
        self.session.execute(update(PauseRow).where(*lasting).values(ended_at=self.at))
        row.paused_at = None

    def stop(self, kind: Kind, why: str) -> None:
        """Stop a clock and store what it came to; a promise that was broken unnoticed is told of now."""
        row = self.clocks.get(kind)
        if row is None:
            return
        if row.rules != self.rules.version:
            self.reckon(row)
        if row.paused_at is not None:
            self._end_pause(row)
            self.session.flush()
            self.pauses |= pauses_of(self.session, [row.id])
        pauses = self.pauses.get(row.id, [])
        calendar = self.rules.calendars.get(row.calendar or "", ALWAYS)
        row.stopped_at, row.stopped_by, row.next_check_at = self.at, why, None
        row.actual_min = minutes(worked(calendar, row.started_at, self.at, pauses))
        if row.promised_min is not None and row.stage < BROKEN:
            row.breaks_at = Walk(calendar, row.started_at, pauses).passes(row.promised_min)
        if row.breaks_at and row.breaks_at < self.at and row.stage < BROKEN:
            row.stage, row.breached_at = BROKEN, row.breaks_at
            tell(self.session, [Told(row, self.ticket, BREACHED, BROKEN)], People.read(self.session), self.at)
        self.session.flush()
        del self.clocks[kind]

    def reckon(self, row: ClockRow) -> None:
        reckon(row, self.ticket, self.rules, self.pauses.get(row.id, []), self.at)
        row.rules = self.rules.version
