"""What a ticket would be promised that is filed at some moment, before anybody files it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handoff.clocks import holidays
from handoff.clocks.calendars import ALWAYS, Calendar
from handoff.clocks.policies import Kind, Policy
from handoff.clocks.reckoning import Walk, minutes
from handoff.clocks.rules import Rules, Ticket
from handoff.tickets import Urgency


def forecast(rules: Rules, ticket: Ticket, moment: datetime) -> dict[str, Any]:
    """The policy and calendar, and for each promise: minutes, warning, due time, the periods counted, the chain's moments."""
    policy = rules.policy_of(ticket)
    calendar = rules.calendar_for(policy, ticket.group_id)
    promises = [_promise(kind, policy, calendar, ticket, moment) for kind in Kind] if policy else []
    latest = max((one["due"] for one in promises if one["due"]), default=moment)
    years = calendar.unknown(moment, latest)
    for one in promises:
        del one["due"]
    return {
        "policy": policy and {"id": policy.id, "name": policy.name},
        "calendar": {"id": calendar.id, "name": calendar.name},
        "promises": [one for one in promises if one["minutes"] is not None],
        "warnings": [holidays.warning(years)] if years else [],
    }


def _promise(kind: Kind, policy: Policy, calendar: Calendar, ticket: Ticket, moment: datetime) -> dict[str, Any]:
    target = policy.promise(kind)
    walk = Walk(calendar, moment, [])
    due = walk.runs_out(target) if target is not None else None
    return {
        "kind": kind,
        "label": kind.label,
        "minutes": target,
        "due": due,
        "warn_at": due and _iso(walk.runs_out(target * policy.warn_percent / 100)),
        "due_at": _iso(due),
        "spans": [
            {"start": _iso(span.start), "end": _iso(span.end), "minutes": minutes(span.length)}
            for span in (calendar.spans(moment, due) if due else ())
        ],
        "chain": _chain(policy, calendar, ticket, moment, target) if due else [],
    }


def _chain(policy: Policy, calendar: Calendar, ticket: Ticket, moment: datetime, target: int) -> list[dict[str, Any]]:
    broken = Walk(calendar, moment, []).passes(target)
    found = []
    for step in policy.chain:
        if ticket.urgency == Urgency.EMERGENCY and broken:
            at = Walk(ALWAYS, broken, []).passes(step.after_min)
        else:
            at = Walk(calendar, moment, []).passes(target + step.after_min)
        found.append({"whom": step.whom, "label": step.whom.label, "after_min": step.after_min, "at": _iso(at)})
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
