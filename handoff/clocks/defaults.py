"""What a new desk begins with: two calendars and service levels that a supervisor can change."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.clocks.calendars import ALWAYS
from handoff.clocks.policies import PolicyRow, Step, Terms, Whom, save_policy
from handoff.clocks.timetable import DEFAULT, CalendarRow, save_calendar
from handoff.tickets import ServiceTier, Urgency

_DAY = [["09:00", "12:00"], ["13:30", "18:00"]]

_CHAIN = (Step(0, Whom.LEADER), Step(60, Whom.SUPERVISOR), Step(240, Whom.EXPERTS))
_URGENT_CHAIN = (Step(0, Whom.LEADER), Step(30, Whom.SUPERVISOR), Step(120, Whom.TIER3))
_EMERGENCY_CHAIN = (Step(0, Whom.LEADER), Step(10, Whom.SUPERVISOR), Step(30, Whom.TIER3))

_LEVELS = (
    ("standard", "默认", "", "", 30, 60, 900, None, _CHAIN),
    ("urgent", "紧急", Urgency.URGENT, "", 15, 30, 240, None, _URGENT_CHAIN),
    ("emergency", "特急", Urgency.EMERGENCY, "", 5, 15, 120, ALWAYS.id, _EMERGENCY_CHAIN),
    ("vip", "VIP 单位", "", ServiceTier.VIP, 15, 30, 450, None, _CHAIN),
    ("vip-urgent", "VIP 单位 · 紧急", Urgency.URGENT, ServiceTier.VIP, 10, 15, 120, None, _URGENT_CHAIN),
    ("vip-emergency", "VIP 单位 · 特急", Urgency.EMERGENCY, ServiceTier.VIP, 3, 10, 60, ALWAYS.id, _EMERGENCY_CHAIN),
)
"""900 minutes are two working days of 7.5 hours."""


def seed(session: Session) -> bool:
    """Put the defaults there, each where nothing of its kind is; whether anything was missing."""
    missing = False
    if session.scalar(select(CalendarRow.id).limit(1)) is None:
        missing = True
        save_calendar(session, "system", DEFAULT, name="工作日", weekly=[_DAY] * 5 + [[], []], make_up=_DAY)
    if session.scalar(select(PolicyRow.id).limit(1)) is None:
        missing = True
        for policy_id, name, urgency, tier, first, following, resolution, calendar, chain in _LEVELS:
            terms = Terms(
                name,
                urgency=urgency,
                service_tier=tier,
                calendar=calendar,
                first_response_min=first,
                next_response_min=following,
                resolution_min=resolution,
                chain=chain,
            )
            save_policy(session, "system", policy_id, terms, calendars=(DEFAULT, ALWAYS.id))
    return missing
