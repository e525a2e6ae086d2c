"""Service levels as data: what is promised to whom, and who hears of it when a promise is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from handoff.actors import Actor
from handoff.clocks.timetable import rules_changed
from handoff.tickets import BUSINESS_TYPES, OTHER, ServiceTier, Urgency

ANY = ""
"""What a policy says of a dimension that it leaves open."""

MOST_MINUTES = 60 * 24 * 60
"""Nobody promises something in more than 60 days."""


class Kind(StrEnum):
    """What is promised. A person's words count, the bot's do not."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"

    @property
    def label(self) -> str:
        return {"first_response": "首次响应", "next_response": "后续响应", "resolution": "解决"}[self.value]


class Whom(StrEnum):
    """Whom a step of the chain reaches. `tier3` hands the ticket over, the others are told."""

    AGENT = "agent"
    LEADER = "leader"
    SUPERVISOR = "supervisor"
    EXPERTS = "experts"
    TIER3 = "tier3"

    @property
    def label(self) -> str:
        return {
            "agent": "坐席",
            "leader": "组长",
            "supervisor": "主管",
            "experts": "专家组（提醒）",
            "tier3": "三线专家组（移交）",
        }[self.value]


@dataclass(frozen=True)
class Step:
    """`after_min` minutes of the clock's time past the broken promise."""

    after_min: int
    whom: Whom


class PolicyRow(Base):
    """`business_type`, `urgency` and `service_tier` are empty where any will do; a target that is None is not promised."""

    __tablename__ = "sla_policy"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    business_type: Mapped[str] = mapped_column(String(40), default=ANY)
    urgency: Mapped[str] = mapped_column(String(10), default=ANY)
    service_tier: Mapped[str] = mapped_column(String(20), default=ANY)
    calendar: Mapped[str | None] = mapped_column(String(40))
    first_response_min: Mapped[int | None]
    next_response_min: Mapped[int | None]
    resolution_min: Mapped[int | None]
    warn_percent: Mapped[int] = mapped_column(default=80)
    chain: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    updated_by: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("business_type", "urgency", "service_tier"),)


@dataclass(frozen=True)
class Policy:
    """A policy as it is applied. `calendar` None: that of the ticket's group, else the default one."""

    id: str
    name: str
    business_type: str
    urgency: str
    service_tier: str
    calendar: str | None
    first_response_min: int | None
    next_response_min: int | None
    resolution_min: int | None
    warn_percent: int
    chain: tuple[Step, ...]

    def promise(self, kind: str) -> int | None:
        """Minutes of working time, or None where nothing is promised."""
        return getattr(self, f"{kind}_min")

    @property
    def specificity(self) -> tuple[int, bool, bool, bool]:
        """How many dimensions are named; between as many, the service tier weighs most, then the urgency."""
        named = (self.service_tier != ANY, self.urgency != ANY, self.business_type != ANY)
        return (sum(named), *named)


class Promised(Protocol):
    """What a policy is picked by."""

    @property
    def business_type(self) -> str: ...
    @property
    def urgency(self) -> str: ...
    @property
    def service_tier(self) -> str: ...
    @property
    def sla_policy(self) -> str | None: ...


def pick(policies: Iterable[Policy], ticket: Promised) -> Policy | None:
    """The policy that routing named, else the most specific one that fits."""
    fitting = []
    for policy in policies:
        if ticket.sla_policy and policy.id == ticket.sla_policy:
            return policy
        if (
            policy.business_type in (ANY, ticket.business_type)
            and policy.urgency in (ANY, ticket.urgency)
            and policy.service_tier in (ANY, ticket.service_tier)
        ):
            fitting.append(policy)
    return max(fitting, key=lambda policy: policy.specificity, default=None)


def policy_from(row: PolicyRow) -> Policy:
    return Policy(
        row.id,
        row.name,
        row.business_type,
        row.urgency,
        row.service_tier,
        row.calendar,
        row.first_response_min,
        row.next_response_min,
        row.resolution_min,
        row.warn_percent,
        tuple(Step(step["after_min"], Whom(step["whom"])) for step in row.chain),
    )


def all_policies(session: Session) -> list[Policy]:
    return [policy_from(row) for row in session.scalars(select(PolicyRow).order_by(PolicyRow.id))]


@dataclass(frozen=True)
class Terms:
    """What an editor sends of a policy."""

    name: str
    business_type: str = ANY
    urgency: str = ANY
    service_tier: str = ANY
    calendar: str | None = None
    first_response_min: int | None = None
    next_response_min: int | None = None
    resolution_min: int | None = None
    warn_percent: int = 80
    chain: Sequence[Step] = ()


def save_policy(
    session: Session,
    actor: Actor | str,
    policy_id: str,
    terms: Terms,
    *,
    calendars: Iterable[str],
    version: int | None = None,
) -> PolicyRow:
    """Make or change a policy; open clocks are counted anew. `calendars` are the ids that may be named. Raises InvalidInput,
    Conflict `policy_exists` or `version_conflict`."""
    body = _checked(terms, calendars)
    by = actor if isinstance(actor, str) else actor.id
    clash = session.scalars(
        select(PolicyRow).where(
            PolicyRow.business_type == terms.business_type,
            PolicyRow.urgency == terms.urgency,
            PolicyRow.service_tier == terms.service_tier,
            PolicyRow.id != policy_id,
        )
    ).first()
    if clash:
        raise Conflict(f"相同适用条件的时效“{clash.name}”已存在，请修改它，或换一个条件。", code="policy_exists")
    row = session.scalars(select(PolicyRow).where(PolicyRow.id == policy_id).with_for_update()).one_or_none()
    if row is None:
        row = PolicyRow(id=policy_id, version=1, updated_at=now(), updated_by=by, **body)
        session.add(row)
        audit.append(session, by, "sla_policy.made", f"sla_policy:{policy_id}", body)
    else:
        if version is not None and version != row.version:
            raise Conflict("这条时效刚刚被别人修改过，请刷新后再改。", code="version_conflict")
        before = {field: getattr(row, field) for field in body}
        if before == body:
            return row
        for field, value in body.items():
            setattr(row, field, value)
        row.version += 1
        row.updated_at = now()
        row.updated_by = by
        audit.append(session, by, "sla_policy.changed", f"sla_policy:{policy_id}", {"before": before, "after": body})
    session.flush()
    rules_changed(session)
    return row


def remove_policy(session: Session, actor: Actor | str, policy_id: str) -> None:
    """Remove a policy; its open clocks go by the next one that fits."""
    row = session.get(PolicyRow, policy_id)
    if row is None:
        raise NotFound("没有找到这条时效，可能已被删除。")
    by = actor if isinstance(actor, str) else actor.id
    audit.append(session, by, "sla_policy.removed", f"sla_policy:{policy_id}", {"name": row.name})
    session.delete(row)
    session.flush()
    rules_changed(session)


def _checked(terms: Terms, calendars: Iterable[str]) -> dict[str, Any]:
    if not terms.name.strip():
        raise InvalidInput("请填写时效名称。")
    for value, allowed, what in (
        (terms.business_type, (ANY, *BUSINESS_TYPES, OTHER), "业务类型"),
        (terms.urgency, (ANY, *Urgency), "紧急程度"),
        (terms.service_tier, (ANY, *ServiceTier), "服务等级"),
        (terms.calendar, (None, *calendars), "工作日历"),
    ):
        if value not in allowed:
            raise InvalidInput(f"{what}“{value}”不存在，请重新选择。")
    targets = {kind: getattr(terms, f"{kind}_min") for kind in Kind}
    for kind, target in targets.items():
        if target is not None and not 1 <= target <= MOST_MINUTES:
            raise InvalidInput(f"{kind.label}时限应在 1 到 {MOST_MINUTES} 分钟之间。")
    if all(target is None for target in targets.values()):
        raise InvalidInput("请至少填写一个时限。")
    if not 1 <= terms.warn_percent <= 99:
        raise InvalidInput("预警比例应在 1% 到 99% 之间。")
    chain = list(terms.chain)
    if any(after.after_min < before.after_min for before, after in zip(chain, chain[1:], strict=False)):
        raise InvalidInput("升级链应按时间先后排列，后一级的时间不能早于前一级。")
    if len(chain) > 8 or any(not 0 <= step.after_min <= MOST_MINUTES for step in chain):
        raise InvalidInput(f"升级链最多 8 级，每级在超时后 0 到 {MOST_MINUTES} 分钟之间。")
    return {
        "name": terms.name.strip(),
        "business_type": terms.business_type,
        "urgency": terms.urgency,
        "service_tier": terms.service_tier,
        "calendar": terms.calendar,
        **{f"{kind}_min": target for kind, target in targets.items()},
        "warn_percent": terms.warn_percent,
        "chain": [{"after_min": step.after_min, "whom": str(step.whom)} for step in chain],
    }
