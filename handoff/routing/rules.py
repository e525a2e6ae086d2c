"""Routing rules as data: ordered, the first whose conditions all hold decides, and there is always a default."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

from core.errors import InvalidInput
from core.text import normalize
from handoff.tickets import BUSINESS_TYPES, OTHER, Reason, ServiceTier, TicketRow, Urgency

MOST_RULES = 200
MOST_VALUES = 100
PRIORITY_OF_URGENCY = {Urgency.EMERGENCY: 1, Urgency.URGENT: 2, Urgency.NORMAL: 3}
_SPACE = re.compile(r"\s+")
_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Conditions:
    """Each that is given must hold; of its values any may. `places` are `page` or `page/node`; `risk_words` are looked for
    in what the employee wrote, whatever its width, case or spaces."""

    business_types: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    service_tiers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    risk_words: tuple[str, ...] = ()

    def hold(self, facts: Facts) -> bool:
        return all(
            not wanted or value in wanted
            for wanted, value in (
                (self.business_types, facts.business_type),
                (self.companies, facts.company),
                (self.departments, facts.department),
                (self.urgencies, facts.urgency),
                (self.service_tiers, facts.service_tier),
                (self.reasons, facts.reason),
            )
        ) and (
            (not self.places or facts.page in self.places or f"{facts.page}/{facts.node}" in self.places)
            and (not self.risk_words or bool(facts.risks(self.risk_words)))
        )


@dataclass(frozen=True)
class Outcome:
    """Where to. `priority` 1 (first) to 4, None: by urgency, one better for VIP units; `skill` is what a person of the group
    must have; `sla_policy` None: the one that the business type, urgency and tier give."""

    group: str
    tier: int = 2
    priority: int | None = None
    sla_policy: str | None = None
    skill: str | None = None
    emergency: bool = False


@dataclass(frozen=True)
class Rule:
    id: str
    name: str
    when: Conditions
    then: Outcome
    enabled: bool = True


@dataclass(frozen=True)
class Facts:
    """What rules look at."""

    business_type: str
    urgency: str
    company: str = ""
    department: str = ""
    service_tier: str = ServiceTier.STANDARD
    page: str = ""
    node: str = ""
    reason: str = ""
    text: str = ""

    def risks(self, words: Iterable[str]) -> list[str]:
        """Those of `words` that the employee wrote."""
        text = _plain(self.text)
        return [word for word in dict.fromkeys(words) if _plain(word) in text]


@dataclass(frozen=True)
class Decision:
    """`rule` is None where the default decided; `risk_words` are all that any rule looks for and that were written."""

    outcome: Outcome
    rule: Rule | None
    priority: int
    risk_words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RuleSet:
    rules: tuple[Rule, ...]
    default: Outcome

    def decide(self, facts: Facts) -> Decision:
        rule = next((one for one in self.rules if one.enabled and one.when.hold(facts)), None)
        outcome = rule.then if rule else self.default
        return Decision(outcome, rule, outcome.priority or _priority(facts), facts.risks(self.risk_words()))

    def risk_words(self, *, emergency: bool = False) -> list[str]:
        """Every word that a rule looks for; or only those of rules that raise the alarm."""
        found = (rule for rule in self.rules if rule.enabled and (rule.then.emergency or not emergency))
        return list(dict.fromkeys(word for rule in found for word in rule.when.risk_words))

    @property
    def groups(self) -> set[str]:
        return {self.default.group, *(rule.then.group for rule in self.rules)}

    def to_dict(self) -> dict[str, Any]:
        return {
            "rules": [
                {
                    "id": rule.id,
                    "name": rule.name,
                    "enabled": rule.enabled,
                    "when": {name: list(values) for name, values in asdict(rule.when).items()},
                    "then": asdict(rule.then),
                }
                for rule in self.rules
            ],
            "default": asdict(self.default),
        }


def facts_of(ticket: TicketRow, service_tier: str) -> Facts:
    return Facts(
        ticket.business_type,
        ticket.urgency,
        ticket.company or ticket.requester.get("company") or "",
        ticket.department or ticket.requester.get("department") or "",
        service_tier,
        ticket.page,
        ticket.node,
        ticket.reason,
        ticket.description,
    )


def rules_from(body: dict[str, Any], tiers: dict[str, int]) -> RuleSet:
    """The rules that a stored or sent `body` holds. `tiers` are the groups that may be named, with their tiers. Raises
    InvalidInput, naming the rule and what is wrong with it."""
    rows = body.get("rules")
    if not isinstance(rows, list) or len(rows) > MOST_RULES:
        raise InvalidInput(f"规则需要是一个列表，最多 {MOST_RULES} 条。", code="rules_invalid")
    rules = tuple(_rule(row, number, tiers) for number, row in enumerate(rows, 1))
    ids = [rule.id for rule in rules]
    if len(set(ids)) < len(ids):
        raise InvalidInput("有两条规则的编号相同，请删除其中一条后重新添加。", code="rules_invalid")
    default = body.get("default")
    if not isinstance(default, dict):
        raise InvalidInput("请设置默认派工：没有规则命中的工单派给谁。", code="rules_invalid")
    return RuleSet(rules, _outcome(default, "默认派工", tiers))


def stored_rules(body: dict[str, Any]) -> RuleSet:
    """As `rules_from`, for a body that was checked when it was stored."""
    return RuleSet(
        tuple(
            Rule(
                row["id"],
                row["name"],
                Conditions(**{name: tuple(values) for name, values in row["when"].items()}),
                Outcome(**row["then"]),
                row["enabled"],
            )
            for row in body["rules"]
        ),
        Outcome(**body["default"]),
    )


def _rule(row: Any, number: int, tiers: dict[str, int]) -> Rule:
    if not isinstance(row, dict):
        raise InvalidInput(f"第 {number} 条规则无法识别。", code="rules_invalid")
    name = normalize(str(row.get("name") or ""))
    called = f"第 {number} 条规则“{name}”" if name else f"第 {number} 条规则"
    if not name or len(name) > 60:
        raise InvalidInput(f"{called}需要一个 60 个字以内的名称。", code="rules_invalid")
    if not _ID.fullmatch(str(row.get("id") or "")):
        raise InvalidInput(f"{called}的编号无法识别。", code="rules_invalid")
    when = row.get("when") or {}
    then = row.get("then")
    if not isinstance(when, dict) or not isinstance(then, dict):
        raise InvalidInput(f"{called}缺少条件或去向。", code="rules_invalid")
    conditions = Conditions(**{one.name: _values(when.get(one.name), called) for one in fields(Conditions)})
    for label, values, known in (
        ("业务类型", conditions.business_types, (*BUSINESS_TYPES, OTHER)),
        ("紧急程度", conditions.urgencies, tuple(Urgency)),
        ("服务等级", conditions.service_tiers, tuple(ServiceTier)),
        ("转人工原因", conditions.reasons, tuple(Reason)),
    ):
        if unknown := [value for value in values if value not in known]:
            raise InvalidInput(f"{called}：没有{label}“{'、'.join(unknown)}”。", code="rules_invalid")
    if not any(asdict(conditions).values()):
        raise InvalidInput(f"{called}没有任何条件，会接走所有工单；请填写条件，或改默认派工。", code="rules_invalid")
    if short := [word for word in conditions.risk_words if len(_plain(word)) < 2]:
        raise InvalidInput(f"{called}：风险词“{'、'.join(short)}”太短，至少两个字。", code="rules_invalid")
    return Rule(str(row["id"]), name, conditions, _outcome(then, called, tiers), bool(row.get("enabled", True)))


def _outcome(then: dict[str, Any], called: str, tiers: dict[str, int]) -> Outcome:
    group, priority = then.get("group"), then.get("priority")
    if group not in tiers:
        raise InvalidInput(f"{called}：请选择一个启用的班组。", code="rules_invalid")
    if priority not in (None, 1, 2, 3, 4) or isinstance(priority, bool):
        raise InvalidInput(f"{called}：优先级只能是 1 到 4。", code="rules_invalid")
    return Outcome(
        group,
        tiers[group],
        priority,
        _word(then.get("sla_policy"), called),
        _word(then.get("skill"), called),
        bool(then.get("emergency", False)),
    )


def _word(value: Any, called: str) -> str | None:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or len(value) > 40:
        raise InvalidInput(f"{called}：时效策略或技能无法识别。", code="rules_invalid")
    return value


def _values(values: Any, called: str) -> tuple[str, ...]:
    if values is None:
        return ()
    if not isinstance(values, list) or len(values) > MOST_VALUES or not all(isinstance(one, str) for one in values):
        raise InvalidInput(f"{called}：每个条件最多 {MOST_VALUES} 个值。", code="rules_invalid")
    cleaned = [normalize(one)[:100] for one in values]
    return tuple(dict.fromkeys(one for one in cleaned if one))


def _priority(facts: Facts) -> int:
    base = PRIORITY_OF_URGENCY.get(Urgency(facts.urgency), 3)
    return max(1, base - 1) if facts.service_tier == ServiceTier.VIP else base


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return _SPACE.sub("", normalize(text)).lower()
