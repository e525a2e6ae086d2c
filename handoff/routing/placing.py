"""From the rules in force to a ticket's group: no ticket stays without one as long as there is any."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput
from handoff.actors import SYSTEM
from handoff.routing import versions
from handoff.routing.dispatching import give_or_offer
from handoff.routing.emergency import raise_alarm
from handoff.routing.rules import Decision, Facts, Outcome, RuleSet, facts_of, stored_rules
from handoff.routing.units import service_tier, vip_units
from handoff.staff import GroupRow, groups
from handoff.tickets import Reason, TicketRow
from handoff.timeline import record


def place(session: Session, ticket: TicketRow, moment: datetime | None = None) -> None:
    """Route, alarm, dispatch; see `handoff.routing.route`."""
    facts = facts_of(ticket, service_tier(vip_units(session), ticket.company, ticket.department))
    decision = _decided(session, facts)
    outcome, rule = decision.outcome, decision.rule
    group = _open_group(session, outcome.group, ticket.business_type)
    ticket.service_tier = facts.service_tier
    ticket.risk_words = decision.risk_words
    ticket.priority = decision.priority
    ticket.sla_policy = outcome.sla_policy
    ticket.group_id, ticket.tier = (group.id, group.tier) if group else (None, outcome.tier)
    ticket.emergency = outcome.emergency or ticket.reason == Reason.EMERGENCY
    record(
        session,
        ticket,
        SYSTEM,
        "routed",
        f"按{f'规则“{rule.name}”' if rule else '默认规则'}派给{group.name if group else '（没有启用的班组）'}，优先级 {ticket.priority}",
        detail={
            "rule": rule.id if rule else None,
            "group": ticket.group_id,
            "tier": ticket.tier,
            "priority": ticket.priority,
            "skill": outcome.skill,
            "risk_words": decision.risk_words,
        },
    )
    if ticket.emergency:
        raise_alarm(session, ticket, _why(decision), moment or now())
    give_or_offer(session, ticket, moment)


def rules_in_force(session: Session) -> RuleSet | None:
    row = versions.in_force(session, versions.RULES)
    return stored_rules(row.body) if row else None


def check_group(session: Session, group_id: str) -> GroupRow:
    """A group that takes tickets. Raises InvalidInput for any other."""
    row = session.get(GroupRow, group_id)
    if row is None or not row.active:
        raise InvalidInput("这个班组不存在或已停用，请刷新后另选一个。", code="group_unknown")
    return row


def expert_group(session: Session) -> str:
    """The group that tier-3 tickets go to unless somebody says which. Raises InvalidInput where there is none."""
    found = [row for row in groups(session, active=True) if row.tier == 3]
    if not found:
        raise InvalidInput("还没有启用的专家组，请联系主管设置。", code="group_unknown")
    return found[0].id


def _decided(session: Session, facts: Facts) -> Decision:
    """Where no rules were ever put in force, a group is found by business type alone."""
    ruleset = rules_in_force(session) or RuleSet((), Outcome(""))
    return ruleset.decide(facts)


def _open_group(session: Session, wanted: str, business_type: str) -> GroupRow | None:
    """The wanted group; where it takes no tickets any more, one for that business, else the first there is."""
    active = groups(session, active=True)
    return (
        next((row for row in active if row.id == wanted), None)
        or next((row for row in active if business_type in row.business_types), None)
        or next(iter(active), None)
    )


def _why(decision: Decision) -> str:
    words = "、".join(decision.risk_words)
    return f"疑似{words}" if words else (decision.rule.name if decision.rule else "提交为紧急事项")
