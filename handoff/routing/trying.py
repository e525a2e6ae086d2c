"""What other rules would do: the tickets of the past days, placed by the rules in force and by those on trial."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only

from handoff.routing.rules import Decision, RuleSet, facts_of
from handoff.routing.units import service_tier, vip_units
from handoff.tickets import TicketRow

MOST_TICKETS = 5000
MOST_SHOWN = 200
_READ = (
    TicketRow.number,
    TicketRow.business_type,
    TicketRow.urgency,
    TicketRow.company,
    TicketRow.department,
    TicketRow.requester,
    TicketRow.page,
    TicketRow.node,
    TicketRow.reason,
    TicketRow.description,
    TicketRow.created_at,
)


@dataclass(frozen=True)
class Place:
    """Where a ticket goes; `rule` is the deciding rule's name."""

    group: str
    priority: int
    emergency: bool
    sla_policy: str | None
    rule: str

    @classmethod
    def of(cls, decision: Decision) -> Place:
        outcome = decision.outcome
        return cls(
            outcome.group,
            decision.priority,
            outcome.emergency,
            outcome.sla_policy,
            decision.rule.name if decision.rule else "默认派工",
        )

    @property
    def destination(self) -> tuple[str, int, bool, str | None]:
        return self.group, self.priority, self.emergency, self.sla_policy


@dataclass(frozen=True)
class Move:
    """A past ticket that would go elsewhere."""

    number: str
    description: str
    business_type: str
    created_at: datetime
    before: Place
    after: Place


@dataclass
class Trial:
    """`tickets` were tried of the `found` in that time; `by_rule` counts by the id of the deciding rule on trial, None for
    the default; `moves` are the newest of the `moved`."""

    found: int = 0
    tickets: int = 0
    moved: int = 0
    groups_before: Counter[str] = field(default_factory=Counter)
    groups_after: Counter[str] = field(default_factory=Counter)
    emergencies_before: int = 0
    emergencies_after: int = 0
    by_rule: Counter[str | None] = field(default_factory=Counter)
    moves: list[Move] = field(default_factory=list)


def try_out(
    session: Session, now_in_force: RuleSet | None, on_trial: RuleSet, moment: datetime, *, days: int = 30
) -> Trial:
    """Place the tickets filed in the `days` before `moment`, the newest `MOST_TICKETS` of them, by both rule sets, with
    today's VIP units."""
    units = vip_units(session)
    recent = TicketRow.created_at >= moment - timedelta(days=days)
    trial = Trial(found=session.scalar(select(func.count()).select_from(TicketRow).where(recent)) or 0)
    tickets = session.scalars(
        select(TicketRow)
        .options(load_only(*_READ))
        .where(recent)
        .order_by(TicketRow.created_at.desc())
        .limit(MOST_TICKETS)
    )
    for ticket in tickets:
        company = ticket.company or ticket.requester.get("company")
        department = ticket.department or ticket.requester.get("department")
        facts = facts_of(ticket, service_tier(units, company, department))
        decision = on_trial.decide(facts)
        after = Place.of(decision)
        before = Place.of(now_in_force.decide(facts)) if now_in_force else after
        trial.tickets += 1
        trial.groups_before[before.group] += 1
        trial.groups_after[after.group] += 1
        trial.emergencies_before += before.emergency
        trial.emergencies_after += after.emergency
        trial.by_rule[decision.rule.id if decision.rule else None] += 1
        if before.destination != after.destination:
            trial.moved += 1
            if len(trial.moves) < MOST_SHOWN:
                trial.moves.append(
                    Move(
                        ticket.number, ticket.description[:120], ticket.business_type, ticket.created_at, before, after
                    )
                )
    return trial
