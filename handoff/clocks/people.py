"""Who hears of a clock: the agent, and those above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.clocks.policies import Whom
from handoff.clocks.rules import Ticket
from handoff.staff import GroupRow, staff, supervisors


@dataclass(frozen=True)
class People:
    """The desk's people at one moment, by group."""

    names: dict[str, str]
    members: dict[str, list[str]]
    on_duty: dict[str, list[str]]
    leaders: dict[str, list[str]]
    experts: list[str]
    supervisors: list[str]

    @classmethod
    def read(cls, session: Session) -> People:
        people = staff(session)
        third = set(session.scalars(select(GroupRow.id).where(GroupRow.tier == 3, GroupRow.active)))
        members: dict[str, list[str]] = {}
        on_duty: dict[str, list[str]] = {}
        leaders: dict[str, list[str]] = {}
        for one in people:
            for group in one.groups:
                members.setdefault(group, []).append(one.username)
                if one.on_duty:
                    on_duty.setdefault(group, []).append(one.username)
            for group in one.leads:
                leaders.setdefault(group, []).append(one.username)
        return cls(
            {one.username: one.name for one in people},
            members,
            on_duty,
            leaders,
            [one.username for one in people if third & {*one.groups, *one.leads}],
            supervisors(session),
        )

    def reached(self, whom: Whom, ticket: Ticket) -> list[str]:
        """Who stands for `whom` on this ticket; where there is nobody, whoever is next above."""
        group = ticket.group_id or ""
        own = [ticket.assignee] if ticket.assignee else self.on_duty.get(group) or self.members.get(group, [])
        leaders = self.leaders.get(group, [])
        return {
            Whom.AGENT: own or leaders or self.supervisors,
            Whom.LEADER: leaders or self.supervisors,
            Whom.SUPERVISOR: self.supervisors,
            Whom.EXPERTS: self.experts or self.supervisors,
            Whom.TIER3: self.experts or self.supervisors,
        }[whom]

    def named(self, usernames: Sequence[str]) -> str:
        shown = "、".join(self.names.get(username, username) for username in usernames[:3])
        return f"{shown} 等 {len(usernames)} 人" if len(usernames) > 3 else shown
