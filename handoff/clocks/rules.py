"""What clocks go by at one moment: policies, calendars, and the calendars of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.clocks.calendars import ALWAYS, Calendar
from handoff.clocks.policies import Policy, Promised, all_policies, pick
from handoff.clocks.timetable import DEFAULT, all_calendars, rules_version
from handoff.staff import GroupRow


class Ticket(Promised, Protocol):
    """What clocks need to know of a ticket: its row, or these columns of it."""

    number: str
    status: str
    group_id: str | None
    assignee: str | None


@dataclass(frozen=True)
class Rules:
    """`version` is that of the moment at which they were read."""

    version: int
    policies: Mapping[str, Policy]
    calendars: Mapping[str, Calendar]
    groups: Mapping[str, str | None]

    @classmethod
    def read(cls, session: Session) -> Rules:
        """The version first: who changes something meanwhile has the clocks counted once more."""
        version = rules_version(session)
        return cls(
            version,
            {policy.id: policy for policy in all_policies(session)},
            all_calendars(session),
            {row.id: row.calendar for row in session.execute(select(GroupRow.id, GroupRow.calendar))},
        )

    def policy_of(self, ticket: Ticket) -> Policy | None:
        return pick(self.policies.values(), ticket)

    def calendar_for(self, policy: Policy | None, group_id: str | None) -> Calendar:
        """The policy's, else the group's, else the default one."""
        for calendar_id in (policy and policy.calendar, self.groups.get(group_id or ""), DEFAULT):
            if calendar_id and calendar_id in self.calendars:
                return self.calendars[calendar_id]
        return ALWAYS
