"""The people of the desk and the groups they work in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from core.text import normalize
from handoff.actors import Actor
from handoff.tickets import BUSINESS_TYPES, OPEN, OTHER, TicketRow

DESK_ROLES = ("agent", "expert", "leader", "supervisor")
DISPATCH = ("auto", "pool")
MOST_CAPACITY = 500
GROUP_SETTINGS = {"answer_within": 30, "skill_required": False}
"""`answer_within`: minutes after which a ticket that its person has not taken up goes to somebody else;
`skill_required`: dispatch leaves out those without the skill, instead of only preferring those who have it."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EMPLOYEE_NO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


class GroupRow(Base):
    """A service group. `tier` is 2, or 3 for experts; `dispatch` is `auto` (to a person) or `pool` (claimed by them);
    `settings` holds what only dispatch reads."""

    __tablename__ = "staff_group"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    tier: Mapped[int] = mapped_column(default=2)
    business_types: Mapped[list[str]] = mapped_column(Json, default=list)
    dispatch: Mapped[str] = mapped_column(String(10), default="pool")
    calendar: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    def setting(self, name: str) -> Any:
        return (self.settings or {}).get(name, GROUP_SETTINGS[name])


class StaffRow(Base):
    """A console user who handles tickets. `capacity` is how many open tickets dispatch gives them at most; who has left
    the desk is not `active`; `last_given_at` is when dispatch last gave them a ticket; by `employee_no` they are known in
    channels."""

    __tablename__ = "staff"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    groups: Mapped[list[str]] = mapped_column(Json, default=list)
    leads: Mapped[list[str]] = mapped_column(Json, default=list)
    skills: Mapped[list[str]] = mapped_column(Json, default=list)
    capacity: Mapped[int] = mapped_column(default=20)
    on_duty: Mapped[bool] = mapped_column(default=False)
    duty_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    shift: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    last_given_at: Mapped[datetime | None] = mapped_column(Moment)
    employee_no: Mapped[str | None] = mapped_column(String(64), index=True)


def staff_actor(session: Session, username: str, name: str, roles: list[str]) -> Actor:
    """A console user as an actor, with the groups that they work in and lead."""
    row = session.get(StaffRow, username)
    return Actor(
        "staff",
        username,
        name,
        frozenset(roles),
        frozenset(row.groups if row else ()),
        frozenset(row.leads if row else ()),
    )


def groups(session: Session, *, active: bool = False) -> list[GroupRow]:
    """Every group, tier 2 before tier 3; or only those that take tickets."""
    query = select(GroupRow).order_by(GroupRow.tier, GroupRow.id)
    return list(session.scalars(query.where(GroupRow.active) if active else query))


def group_of(session: Session, group_id: str) -> GroupRow:
    """Raises NotFound."""
    row = session.get(GroupRow, group_id)
    if row is None:
        raise NotFound(f"没有班组 {group_id}，可能已被删除，请刷新页面。")
    return row


def add_group(session: Session, actor: Actor, group_id: str, name: str, **changes: Any) -> GroupRow:
    """Raises InvalidInput, or Conflict when the id is taken."""
    if not _ID.fullmatch(group_id):
        raise InvalidInput(
            "班组编号只能用小写字母、数字和连字符，以字母或数字开头，最长 40 个字符。", code="group_invalid"
        )
    if session.get(GroupRow, group_id):
        raise Conflict(f"班组编号 {group_id} 已被使用，请换一个。", code="group_exists")
    row = GroupRow(
        id=group_id, name="", tier=2, business_types=[], dispatch="pool", active=True, settings=dict(GROUP_SETTINGS)
    )
    _fill_group(row, {"name": name, **changes})
    session.add(row)
    session.flush()
    audit.append(session, actor, "group.added", f"group:{group_id}", _group_facts(row))
    return row


def change_group(session: Session, actor: Actor, group_id: str, **changes: Any) -> GroupRow:
    """Change what is given. A group that open tickets lie with, or that the rules in force name, stays active."""
    row = session.get(GroupRow, group_id, with_for_update=True)
    if row is None:
        return group_of(session, group_id)
    before = _group_facts(row)
    if changes.get("active") is False and row.active:
        _require_unused(session, row)
    _fill_group(row, changes)
    if (after := _group_facts(row)) != before:
        audit.append(session, actor, "group.changed", f"group:{group_id}", {"before": before, "after": after})
        if after["calendar"] != before["calendar"]:
            # Clocks know groups, so groups can only know clocks when something changes.
            from handoff.clocks.timetable import all_calendars, rules_changed

            if row.calendar and row.calendar not in all_calendars(session):
                raise InvalidInput("没有这个工作日历，请刷新页面后再选。", code="group_invalid")
            rules_changed(session)
    return row


def _require_unused(session: Session, row: GroupRow) -> None:
    # Rules know groups, as do clocks.
    from handoff.routing import versions
    from handoff.routing.rules import stored_rules

    lying = session.scalar(
        select(func.count()).where(TicketRow.group_id == row.id, TicketRow.status.in_([*OPEN])).select_from(TicketRow)
    )
    if lying:
        raise Conflict(f"{row.name}还有 {lying} 张未结工单，请先转派，再停用。", code="group_in_use")
    rules = versions.in_force(session, versions.RULES)
    if rules and row.id in stored_rules(rules.body).groups:
        raise Conflict(f"派工规则还在派给{row.name}，请先修改规则，再停用。", code="group_in_use")


def _fill_group(row: GroupRow, changes: dict[str, Any]) -> None:
    if "name" in changes:
        row.name = _called(changes["name"], "班组名称", 40)
    if "tier" in changes:
        if changes["tier"] not in (2, 3):
            raise InvalidInput("班组的层级只能是 2（服务组）或 3（专家组）。", code="group_invalid")
        row.tier = changes["tier"]
    if "business_types" in changes:
        row.business_types = _among(changes["business_types"], (*BUSINESS_TYPES, OTHER), "业务类型")
    if "dispatch" in changes:
        if changes["dispatch"] not in DISPATCH:
            raise InvalidInput("派工方式只能是自动派给人，或放入派工池。", code="group_invalid")
        row.dispatch = changes["dispatch"]
    if "calendar" in changes:
        row.calendar = changes["calendar"] or None
    if "active" in changes:
        row.active = bool(changes["active"])
    if "answer_within" in changes or "skill_required" in changes:
        minutes = changes.get("answer_within", row.setting("answer_within"))
        if not isinstance(minutes, int) or not 1 <= minutes <= 24 * 60:
            raise InvalidInput("未受理退回的时间需要 1 到 1440 分钟。", code="group_invalid")
        required = bool(changes.get("skill_required", row.setting("skill_required")))
        row.settings = {**(row.settings or {}), "answer_within": minutes, "skill_required": required}


def staff(session: Session, *, group: str | None = None) -> list[StaffRow]:
    """Who works at the desk, by name; or only in one group."""
    rows = session.scalars(select(StaffRow).where(StaffRow.active).order_by(StaffRow.name, StaffRow.username))
    return [row for row in rows if group is None or group in row.groups]


def staff_of(session: Session, username: str) -> StaffRow:
    """Raises NotFound."""
    row = session.get(StaffRow, username)
    if row is None or not row.active:
        raise NotFound(f"{username} 不在班组人员中，请先由主管添加。", code="staff_not_found")
    return row


def staff_by_number(session: Session, employee_no: str) -> StaffRow | None:
    """Who has this employee number; channels do not keep upper and lower case apart."""
    query = select(StaffRow).where(StaffRow.active, func.lower(StaffRow.employee_no) == employee_no.lower())
    return session.scalars(query.order_by(StaffRow.username).limit(1)).one_or_none()


def leaders_of(session: Session, group_id: str) -> list[str]:
    return [row.username for row in staff(session) if group_id in row.leads]


def supervisors(session: Session) -> list[str]:
    return [row.username for row in staff(session) if "supervisor" in row.roles]


def change_staff(session: Session, actor: Actor, username: str, **changes: Any) -> StaffRow:
    """Change groups, leads, skills, capacity, shift or employee number. Raises NotFound, InvalidInput or Conflict."""
    row = session.get(StaffRow, username, with_for_update=True)
    if row is None or not row.active:
        return staff_of(session, username)
    before = _staff_facts(row)
    known = [group.id for group in groups(session)]
    for field, label in (("groups", "班组"), ("leads", "负责的班组")):
        if field in changes:
            setattr(row, field, _among(changes[field], known, label))
    if "skills" in changes:
        skills = list(dict.fromkeys(_called(skill, "技能", 40) for skill in changes["skills"]))
        if len(skills) > 50:
            raise InvalidInput("一个人最多 50 项技能。", code="staff_invalid")
        row.skills = skills
    if "capacity" in changes:
        if not 0 <= changes["capacity"] <= MOST_CAPACITY:
            raise InvalidInput(f"同时处理的工单数需要 0 到 {MOST_CAPACITY}。", code="staff_invalid")
        row.capacity = changes["capacity"]
    if "shift" in changes:
        row.shift = changes["shift"] or None
    if "employee_no" in changes:
        row.employee_no = _number_of(session, row, changes["employee_no"])
    if (after := _staff_facts(row)) != before:
        audit.append(session, actor, "staff.changed", f"staff:{username}", {"before": before, "after": after})
    return row


def _number_of(session: Session, row: StaffRow, given: str | None) -> str | None:
    number = normalize(given or "")
    if not number:
        return None
    if not _EMPLOYEE_NO.fullmatch(number):
        raise InvalidInput("工号只能用字母、数字和 _ . @ -，最长 64 个字符。", code="staff_invalid")
    other = staff_by_number(session, number)
    if other is not None and other.username != row.username:
        raise Conflict(f"工号 {number} 已经是 {other.name}（{other.username}）的，请核对。", code="employee_no_taken")
    return number


def set_duty(session: Session, actor: Actor, username: str, on: bool, moment: datetime | None = None) -> StaffRow:
    """Go on or off duty. What they leave unanswered returns by `handoff.routing.absence`, in transactions of its own."""
    row = session.get(StaffRow, username, with_for_update=True)
    if row is None or not row.active:
        return staff_of(session, username)
    if row.on_duty != on:
        row.on_duty, row.duty_changed_at = on, moment or now()
        audit.append(session, actor, "staff.on_duty" if on else "staff.off_duty", f"staff:{username}", {})
    return row


def follow_user(session: Session, actor: Actor, username: str, name: str, roles: Sequence[str] | None) -> None:
    """Keep the desk's people in step with the console's users: whoever has a role of the desk is one of its people; who
    loses it, or is removed (`roles` None), has left, and what they held returns to their groups."""
    row = session.get(StaffRow, username, with_for_update=True)
    of_desk = [role for role in roles or () if role in DESK_ROLES]
    if row is None:
        if of_desk:
            joined = StaffRow(username=username, name=name, roles=of_desk)
            session.add(joined)
            session.flush()
            audit.append(session, actor, "staff.added", f"staff:{username}", _staff_facts(joined))
        elif roles is None and _holds_tickets(session, username):
            session.add(StaffRow(username=username, name=name, active=False))
        return
    before = _staff_facts(row)
    row.name, row.roles, row.active = name, of_desk, bool(of_desk) or "admin" in (roles or ())
    if not row.active:
        row.on_duty = False
    if (after := _staff_facts(row)) != before:
        audit.append(session, actor, "staff.changed", f"staff:{username}", {"before": before, "after": after})


def add_staff(session: Session, actor: Actor, username: str, name: str) -> StaffRow:
    """Let an administrator work in groups too: they have no role of the desk that would bring them here."""
    row = session.get(StaffRow, username, with_for_update=True)
    if row is None:
        row = StaffRow(username=username, name=name)
        session.add(row)
    row.name, row.active = name, True
    session.flush()
    audit.append(session, actor, "staff.added", f"staff:{username}", _staff_facts(row))
    return row


def _holds_tickets(session: Session, username: str) -> bool:
    query = select(TicketRow.number).where(TicketRow.assignee == username, TicketRow.status.in_([*OPEN])).limit(1)
    return session.scalar(query) is not None


def _group_facts(row: GroupRow) -> dict[str, Any]:
    names = ("name", "tier", "business_types", "dispatch", "calendar", "active", "settings")
    return {name: getattr(row, name) for name in names}


def _staff_facts(row: StaffRow) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("name", "groups", "leads", "skills", "capacity", "shift", "roles")}
    return facts | {"active": row.active, "employee_no": row.employee_no}


def _called(name: str, what: str, most: int) -> str:
    name = normalize(name)
    if not name or len(name) > most:
        raise InvalidInput(f"{what}需要 1 到 {most} 个字。", code="name_invalid")
    return name


def _among(values: Iterable[str], known: Sequence[str], label: str) -> list[str]:
    values = list(dict.fromkeys(values))
    if unknown := [value for value in values if value not in known]:
        raise InvalidInput(f"没有{label}“{'、'.join(unknown)}”，请刷新页面后再选。", code="staff_invalid")
    return values
