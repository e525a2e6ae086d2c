"""The checker: what came due is told, and clocks that were reckoned by older rules are counted anew.

Only clocks whose `next_check_at` has passed are touched. A batch locks its tickets, skips those that somebody else holds,
and commits clocks, events and notices together: whoever dies, and however many check at once, nothing is missed or repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.errors import FSSCError
from handoff.actors import SYSTEM
from handoff.clocks.calendars import ALWAYS, Calendar
from handoff.clocks.clock import BROKEN, WARNED, ClockRow, next_moment, pauses_of, reckon, standing
from handoff.clocks.people import People
from handoff.clocks.policies import Kind, Policy, Step, Whom
from handoff.clocks.reckoning import Pause
from handoff.clocks.rules import Rules
from handoff.clocks.telling import BREACHED, CLIMBED, Told, tell
from handoff.clocks.telling import WARNED as WARNING
from handoff.clocks.timetable import follow_library, rules_version
from handoff.tickets import TicketRow, Urgency

BATCH = 1000

_TICKET = (
    TicketRow.number,
    TicketRow.status,
    TicketRow.business_type,
    TicketRow.urgency,
    TicketRow.service_tier,
    TicketRow.sla_policy,
    TicketRow.group_id,
    TicketRow.assignee,
)

_TOLD = ("stage", "warned_at", "breached_at", "next_check_at")
_CLOCKS = ClockRow.__table__
_ADVANCED = _CLOCKS.update().where(_CLOCKS.c.id == bindparam("clock")).values({name: bindparam(name) for name in _TOLD})
"""One statement for all clocks of a batch: thousands may be due at once."""


@dataclass
class Checked:
    """How many clocks were counted anew, warned of, found broken, climbed a step, handed to tier 3."""

    recounted: int = 0
    warned: int = 0
    breached: int = 0
    climbed: int = 0
    escalated: int = 0

    def count(self, told: Sequence[Told]) -> None:
        for one in told:
            self.warned += one.kind == WARNING
            self.breached += one.kind == BREACHED
            self.climbed += one.kind == CLIMBED


@dataclass
class _Round:
    """One batch under way."""

    session: Session
    rules: Rules
    people: People
    moment: datetime
    told: list[Told] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    to_tier3: list[tuple[int, str]] = field(default_factory=list)
    _opens: dict[str, datetime | None] = field(default_factory=dict)

    def opens(self, calendar: Calendar) -> datetime | None:
        """The first working instant of `calendar` from now on; looked up once."""
        if calendar.id not in self._opens:
            self._opens[calendar.id] = calendar.opens(self.moment)
        return self._opens[calendar.id]


def waiting(database: Database, moment: datetime | None = None) -> bool:
    """Whether a check would find something to do."""
    with database.read() as session:
        due = select(ClockRow.id).where(ClockRow.next_check_at < (moment or now())).limit(1)
        stale = select(ClockRow.id).where(ClockRow.stopped_at.is_(None), ClockRow.rules < rules_version(session))
        return session.scalar(due) is not None or session.scalar(stale.limit(1)) is not None


def check(database: Database, moment: datetime | None = None, *, batch: int = BATCH) -> Checked:
    """Do what is due at `moment` (now), batch by batch. Safe to run anywhere at any time, also twice at once."""
    moment = moment or now()
    checked = Checked()
    with database.write() as session:
        follow_library(session)
    after = 0
    while (last := _recount(database, moment, after, batch, checked)) is not None:
        after = last
    cursor: tuple[datetime, int] | None = None
    to_tier3: list[tuple[int, str]] = []
    while True:
        with database.write() as session:
            claimed = _claim(session, moment, cursor, batch)
            if not claimed:
                break
            cursor = (claimed[-1].next_check_at, claimed[-1].id)
            to_tier3 += _advance(session, claimed, moment, checked)
    for clock, number in to_tier3:
        _hand_over(database, clock, number, moment, checked)
    return checked


def _recount(database: Database, moment: datetime, after: int, batch: int, checked: Checked) -> int | None:
    """Reckon up to `batch` clocks above `after` that older rules reckoned; the last one's id, or None when there are none."""
    with database.write() as session:
        rules = Rules.read(session)
        stale = (
            select(ClockRow.id, *_TICKET, TicketRow.due_at, TicketRow.due_kind, TicketRow.breached)
            .join(TicketRow, TicketRow.number == ClockRow.ticket)
            .where(ClockRow.stopped_at.is_(None), ClockRow.rules < rules.version, ClockRow.id > after)
            .order_by(ClockRow.id)
            .limit(batch)
            .with_for_update(of=TicketRow, key_share=True, skip_locked=True)
        )
        found = session.execute(stale).all()
        if not found:
            return None
        tickets = {row.number: row for row in found}
        going = session.scalars(
            select(ClockRow).where(ClockRow.ticket.in_(tickets), ClockRow.stopped_at.is_(None))
        ).all()
        pauses = pauses_of(session, (row.id for row in going))
        by_ticket: dict[str, list[ClockRow]] = {number: [] for number in tickets}
        recounted = [row for row in going if row.rules < rules.version]
        for row in recounted:
            reckon(row, tickets[row.ticket], rules, pauses[row.id], moment)
        for row in going:
            by_ticket[row.ticket].append(row)
        session.flush()
        # Most clocks say what they said before, so their version is all that is written of them.
        session.execute(
            update(ClockRow)
            .where(ClockRow.id.in_([row.id for row in recounted]))
            .values(rules=rules.version)
            .execution_options(synchronize_session=False)
        )
        checked.recounted += len(recounted)
        _update_standings(session, tickets, by_ticket)
        return found[-1].id


def _update_standings(session: Session, tickets: dict[str, Row[Any]], clocks: dict[str, list[ClockRow]]) -> None:
    """Bring `due_at`, `due_kind` and `breached` of the tickets up to date where they differ."""
    changed = []
    for number, rows in clocks.items():
        ticket, (due_at, due_kind, breached) = tickets[number], standing(rows)
        if (due_at, due_kind, breached) != (ticket.due_at, ticket.due_kind, ticket.breached):
            changed.append({"number": number, "due_at": due_at, "due_kind": due_kind, "breached": breached})
    if changed:
        session.execute(update(TicketRow), changed)


def _claim(session: Session, moment: datetime, cursor: tuple[datetime, int] | None, batch: int) -> Sequence[Row[Any]]:
    """The next clocks that are due, with their tickets locked. A ticket that somebody else holds is left to the next check:
    whatever happens to it there is reckoned by `follow`."""
    due = (
        select(ClockRow.id, ClockRow.next_check_at, *_TICKET)
        .join(TicketRow, TicketRow.number == ClockRow.ticket)
        .where(ClockRow.next_check_at < moment)
        .order_by(ClockRow.next_check_at, ClockRow.id)
        .limit(batch)
        .with_for_update(of=TicketRow, key_share=True, skip_locked=True)
    )
    if cursor:
        due = due.where(tuple_(ClockRow.next_check_at, ClockRow.id) > cursor)
    return session.execute(due).all()


def _advance(
    session: Session, claimed: Sequence[Row[Any]], moment: datetime, checked: Checked
) -> list[tuple[int, str]]:
    """Tell what came due of the claimed clocks; the ones left to be handed to tier 3."""
    tickets = {row.id: row for row in claimed}
    # Read again under the lock: whoever held a ticket before may have stopped its clock.
    query = select(ClockRow).where(ClockRow.id.in_(tickets), ClockRow.next_check_at < moment).order_by(ClockRow.id)
    clocks = session.scalars(query).all()
    # What becomes of them is written by one statement, not row by row as they change.
    session.expunge_all()
    pauses = pauses_of(session, (row.id for row in clocks if row.kind == "resolution"))
    round_ = _Round(session, Rules.read(session), People.read(session), moment)
    for row in clocks:
        _step(round_, row, tickets[row.id], pauses.get(row.id, []))
    if clocks:
        session.execute(_ADVANCED, [{"clock": row.id} | {name: getattr(row, name) for name in _TOLD} for row in clocks])
    if round_.broken:
        session.execute(update(TicketRow).where(TicketRow.number.in_(round_.broken)).values(breached=True))
    tell(session, round_.told, round_.people, moment)
    checked.count(round_.told)
    return round_.to_tier3


def _step(round_: _Round, row: ClockRow, ticket: Row[Any], pauses: Sequence[Pause]) -> None:
    policy = round_.rules.policies.get(row.policy or "")
    if policy is None or row.rules != round_.rules.version:
        return
    calendar = round_.rules.calendars.get(row.calendar or "", ALWAYS)
    at_hand = ALWAYS if ticket.urgency == Urgency.EMERGENCY else calendar
    opens = round_.opens(at_hand)
    if opens != round_.moment:
        row.next_check_at = opens
        return
    broken = row.breaks_at
    if row.stage < WARNED and (broken is None or broken >= round_.moment):
        row.stage, row.warned_at = WARNED, round_.moment
        round_.told.append(Told(row, ticket, WARNING, WARNED))
    elif row.stage < BROKEN and broken and broken < round_.moment:
        row.stage, row.breached_at = BROKEN, broken
        round_.told.append(Told(row, ticket, BREACHED, BROKEN))
        round_.broken.add(row.ticket)
    row.next_check_at = next_moment(row, ticket.urgency, policy, calendar, pauses)
    while row.next_check_at and row.next_check_at < round_.moment:
        step = policy.chain[row.stage - BROKEN]
        if step.whom is Whom.TIER3:
            round_.to_tier3.append((row.id, row.ticket))
            return
        _climb(round_, row, ticket, step)
        row.next_check_at = next_moment(row, ticket.urgency, policy, calendar, pauses)


def _climb(round_: _Round, row: ClockRow, ticket: Any, step: Step) -> None:
    row.stage += 1
    round_.told.append(Told(row, ticket, CLIMBED, row.stage, step))


def _hand_over(database: Database, clock: int, number: str, moment: datetime, checked: Checked) -> None:
    """Climb to tier 3, in a transaction of its own: it locks the conversation before the ticket, as every verb does. What
    cannot be handed over (it is there already) is told to the experts."""
    from handoff.lifecycle import escalate
    from handoff.locking import lock

    with database.write() as session:
        (ticket,) = lock(session, number)
        row = session.get(ClockRow, clock)
        rules = Rules.read(session)
        policy = rules.policies.get(row.policy or "") if row else None
        if row is None or policy is None or row.rules != rules.version:
            return
        if row.next_check_at is None or row.next_check_at >= moment:
            return
        at = row.stage - BROKEN
        if not 0 <= at < len(policy.chain) or policy.chain[at].whom is not Whom.TIER3:
            return
        step = policy.chain[at]
        round_ = _Round(session, rules, People.read(session), moment)
        _climb(round_, row, ticket, step)
        row.next_check_at = _after(session, row, ticket, policy, rules.calendars.get(row.calendar or "", ALWAYS))
        session.flush()
        tell(session, round_.told, round_.people, moment)
        checked.count(round_.told)
        try:
            with session.begin_nested():
                escalate(
                    session, number, SYSTEM, f"{Kind(row.kind).label}超时 {step.after_min} 分钟未处理，按升级链移交"
                )
            checked.escalated += 1
        except FSSCError:
            session.expire_all()


def _after(session: Session, row: ClockRow, ticket: TicketRow, policy: Policy, calendar: Calendar) -> datetime | None:
    return next_moment(row, ticket.urgency, policy, calendar, pauses_of(session, [row.id])[row.id])
