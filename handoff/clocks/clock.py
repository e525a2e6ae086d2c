"""A clock of a ticket: what was promised, since when it runs, when it paused, what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Moment
from handoff.clocks.calendars import ALWAYS, Calendar
from handoff.clocks.policies import Kind, Policy
from handoff.clocks.reckoning import Pause, Walk, minutes, worked
from handoff.clocks.rules import Rules, Ticket
from handoff.tickets import Urgency

WARNED, BROKEN = 1, 2


class ClockRow(Base):
    """`round` counts the clocks of one kind on a ticket. `promised_min` and `actual_min` are minutes of working time without
    pauses; the actual ones are there once the clock has stopped. `stage` is how far it was told: 0, warned, broken, then one
    for each step of the chain. `due_at` is when the promise is used up, `breaks_at` after which moment it is broken: the next
    working one. `breached_at` is the moment from which the promise was broken, null where it was kept.
    `rules` is the version of policies and calendars that it was reckoned by. Who writes a clock holds its ticket's lock."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"))
    kind: Mapped[str] = mapped_column(String(20))
    round: Mapped[int]
    policy: Mapped[str | None] = mapped_column(String(40))
    calendar: Mapped[str | None] = mapped_column(String(40))
    calendar_version: Mapped[int | None]
    promised_min: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(Moment)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    stopped_at: Mapped[datetime | None] = mapped_column(Moment)
    stopped_by: Mapped[str | None] = mapped_column(String(20))
    actual_min: Mapped[float | None]
    warn_at: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    breaks_at: Mapped[datetime | None] = mapped_column(Moment)
    warned_at: Mapped[datetime | None] = mapped_column(Moment)
    breached_at: Mapped[datetime | None] = mapped_column(Moment)
    stage: Mapped[int] = mapped_column(default=0)
    recounts: Mapped[int] = mapped_column(default=0)
    rules: Mapped[int] = mapped_column(default=0)
    next_check_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("ticket", "kind", "round"),
        Index(
            "ix_clock_next_check",
            "next_check_at",
            postgresql_where=text("next_check_at IS NOT NULL"),
            sqlite_where=text("next_check_at IS NOT NULL"),
        ),
        Index(
            "ix_clock_rules",
            "rules",
            postgresql_where=text("stopped_at IS NULL"),
            sqlite_where=text("stopped_at IS NULL"),
        ),
    )


class PauseRow(Base):
    """A stretch that does not count, because the requester was asked; `ended_at` is null while it lasts."""

    __tablename__ = "clock_pause"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    clock: Mapped[int] = mapped_column(ForeignKey("clock.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


def clocks_of(session: Session, number: str) -> list[ClockRow]:
    """Every clock of a ticket, in the order in which they started."""
    query = select(ClockRow).where(ClockRow.ticket == number).order_by(ClockRow.started_at, ClockRow.id)
    return list(session.scalars(query))


def pauses_of(session: Session, clocks: Iterable[int]) -> dict[int, list[Pause]]:
    """The pauses of clocks by the clock's id, oldest first."""
    found: dict[int, list[Pause]] = {clock: [] for clock in clocks}
    if not found:
        return found
    query = select(PauseRow.clock, PauseRow.started_at, PauseRow.ended_at).where(PauseRow.clock.in_(found))
    for clock, started, ended in session.execute(query.order_by(PauseRow.started_at, PauseRow.id)):
        found[clock].append((started, ended))
    return found


def reckon(row: ClockRow, ticket: Ticket, rules: Rules, pauses: Sequence[Pause], moment: datetime) -> None:
    """Set what follows from policy, calendar and pauses: the promise, its moments, the next check. Where a promise turns out
    to be kept after all (the rules changed), what was told of it counts as untold. Who calls it sets `rules`."""
    policy = rules.policy_of(ticket)
    calendar = rules.calendar_for(policy, ticket.group_id)
    row.policy = policy.id if policy else None
    row.calendar, row.calendar_version = calendar.id, calendar.version
    row.promised_min = policy.promise(row.kind) if policy else None
    if policy is None or row.promised_min is None:
        row.warn_at = row.due_at = row.breaks_at = row.warned_at = row.breached_at = row.next_check_at = None
        row.stage = 0
        return
    walk = Walk(calendar, row.started_at, pauses)
    warning = row.promised_min * policy.warn_percent / 100
    row.warn_at = walk.runs_out(warning)
    row.due_at = walk.runs_out(row.promised_min)
    row.breaks_at = walk.passes(row.promised_min)
    if row.stage:
        _untell(row, warning, worked(calendar, row.started_at, moment, pauses))
    if row.stage >= BROKEN:
        row.breached_at = row.breaks_at
        row.stage = min(row.stage, BROKEN + len(policy.chain))
    if row.stage < WARNED:
        row.next_check_at = walk.passes(warning)
    else:
        row.next_check_at = next_moment(row, ticket.urgency, policy, calendar, pauses)


def _untell(row: ClockRow, warning: float, done: timedelta) -> None:
    assert row.promised_min is not None
    before = row.stage
    if done <= timedelta(minutes=row.promised_min):
        row.stage = min(row.stage, WARNED)
        row.breached_at = None
    if done <= timedelta(minutes=warning):
        row.stage = 0
        row.warned_at = None
    if row.stage < before:
        row.recounts += 1


def next_moment(
    row: ClockRow, urgency: str, policy: Policy, calendar: Calendar, pauses: Sequence[Pause]
) -> datetime | None:
    """After which moment a clock that was warned of is to be told of again; None where nothing is left, or a pause keeps it
    from coming. The steps of the chain count the clock's own time, for 特急 every minute."""
    if row.stage < BROKEN:
        return row.breaks_at
    if row.stage - BROKEN >= len(policy.chain) or row.breaks_at is None or row.promised_min is None:
        return None
    step = policy.chain[row.stage - BROKEN]
    if urgency == Urgency.EMERGENCY:
        return Walk(ALWAYS, row.breaks_at, pauses).passes(step.after_min)
    if not step.after_min:
        return row.breaks_at
    return Walk(calendar, row.started_at, pauses).passes(row.promised_min + step.after_min)


def summary(session: Session, number: str, moment: datetime | None = None) -> list[dict[str, Any]]:
    """The clocks of a ticket for people: `actual_min` of one that runs is what has counted up to `moment`."""
    rows = clocks_of(session, number)
    pauses = pauses_of(session, (row.id for row in rows))
    rules = Rules.read(session) if rows else None
    shown = []
    for row in rows:
        actual = row.actual_min
        if actual is None and rules:
            calendar = rules.calendars.get(row.calendar or "", ALWAYS)
            actual = minutes(worked(calendar, row.started_at, moment or now(), pauses[row.id]))
        policy = rules.policies.get(row.policy or "") if rules else None
        shown.append(
            {
                "kind": row.kind,
                "label": Kind(row.kind).label,
                "round": row.round,
                "policy": policy.name if policy else row.policy,
                "started_at": row.started_at.isoformat(),
                "due_at": row.due_at and row.due_at.isoformat(),
                "paused": row.paused_at is not None and row.stopped_at is None,
                "stopped_at": row.stopped_at and row.stopped_at.isoformat(),
                "promised_min": row.promised_min,
                "actual_min": actual,
                "breached": row.breached_at is not None,
            }
        )
    return shown


def standing(rows: Iterable[ClockRow]) -> tuple[datetime | None, str | None, bool]:
    """`due_at`, `due_kind` and `breached` of a ticket, from its clocks that have not stopped."""
    going = [row for row in rows if row.stopped_at is None]
    first = min((row for row in going if row.due_at), key=lambda row: row.due_at, default=None)
    breached = any(row.stage >= BROKEN for row in going)
    return (first.due_at, first.kind, breached) if first else (None, None, breached)


def kept(session: Session, numbers: Sequence[str]) -> dict[str, bool]:
    """Whether every promise of a ticket was kept so far; tickets to which nothing was promised are absent."""
    found: dict[str, bool] = {}
    for start in range(0, len(numbers), 500):
        chosen = ClockRow.ticket.in_(numbers[start : start + 500])
        query = select(ClockRow.ticket, ClockRow.breached_at).where(chosen, ClockRow.promised_min.is_not(None))
        for number, breached in session.execute(query):
            found[number] = found.get(number, True) and breached is None
    return found
