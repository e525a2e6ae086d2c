"""What a new desk starts with: groups, rules by business type, shifts, an on-call list, no VIP units."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.actors import SYSTEM
from handoff.routing import versions
from handoff.routing.oncall import MINUTES
from handoff.routing.rules import Conditions, Outcome, Rule, RuleSet
from handoff.routing.shifts import ShiftRow, save_shift
from handoff.staff import GroupRow, add_group
from handoff.tickets import BUSINESS_TYPES, OTHER

_GROUPS = (
    ("expense", "报销组", 2, ("差旅报销", "日常报销", "借款与冲销", "影像与单据退回", OTHER)),
    ("payable", "应付组", 2, ("应付与付款",)),
    ("tax", "税务组", 2, ("发票", "税务")),
    ("treasury", "资金组", 2, ("资金与账户",)),
    ("system", "系统支持组", 2, ("系统操作",)),
    ("experts", "专家组", 3, BUSINESS_TYPES),
)
_ALARMS = (
    (
        "wrong-payment",
        "疑似错付、重复付款",
        (
            "重复付款",
            "重复支付",
            "重复打款",
            "付了两次",
            "付款两次",
            "付了两遍",
            "付款两遍",
            "付了两笔",
            "付重了",
            "付重复",
            "重复付了",
            "重复扣款",
            "打款两次",
            "打款两遍",
            "打了两遍款",
            "打了两遍钱",
            "打了两次款",
            "打了两次钱",
            "款打了两次",
            "款打了两遍",
            "钱打了两次",
            "钱打了两遍",
            "转账两次",
            "转了两次账",
            "错付",
            "误付",
            "多付",
            "付错",
            "打错账户",
            "打错卡",
            "赶紧冻结",
            "马上冻结",
            "立即冻结",
            "立刻冻结",
            "尽快冻结",
            "冻结付款",
            "冻结这笔",
            "止付",
        ),
    ),
    (
        "fraud",
        "疑似舞弊、账号被盗",
        (
            "账号被改",
            "账户被改",
            "账号被盗",
            "收款账号变了",
            "被篡改",
            "诈骗",
            "被骗",
            "冒充",
            "盗刷",
            "冒用",
            "舞弊",
            "虚开",
        ),
    ),
    (
        "tax-audit",
        "税务稽查",
        (
            "稽查",
            "税务检查",
            "税务约谈",
            "税局约谈",
            "税务协查",
            "税务局来查",
            "税务局要来",
            "税务局查账",
            "税务局上门",
            "税局来查",
            "税局要来",
            "税局查账",
            "税局上门",
        ),
    ),
)


def seed(session: Session, on_call: Sequence[str] = ()) -> None:
    """Fill what is empty, leave what is there. `on_call` are called about emergencies until somebody edits the list."""
    if session.scalar(select(GroupRow.id).limit(1)) is None:
        for group_id, name, tier, business_types in _GROUPS:
            add_group(session, SYSTEM, group_id, name, tier=tier, business_types=business_types)
    if session.scalar(select(ShiftRow.id).limit(1)) is None:
        save_shift(session, SYSTEM, "day", {"name": "白班", "days": [0], "starts": "09:00", "ends": "18:00"})
        save_shift(session, SYSTEM, "late", {"name": "晚班", "days": [0], "starts": "12:00", "ends": "21:00"})
    known = {row.id for row in session.scalars(select(GroupRow))}
    if versions.in_force(session, versions.RULES) is None and known >= {group_id for group_id, *_ in _GROUPS}:
        versions.put(session, versions.RULES, first_rules().to_dict(), SYSTEM, number=0)
    if versions.in_force(session, versions.EMERGENCY) is None:
        body = {"id": "general", "name": "应急值班", "words": [], "people": list(on_call), "minutes": MINUTES}
        versions.put(session, versions.EMERGENCY, {"lists": [body]}, SYSTEM, number=0)
    if versions.in_force(session, versions.UNITS) is None:
        versions.put(session, versions.UNITS, {"units": []}, SYSTEM, number=0)


def first_rules() -> RuleSet:
    """Emergencies first, then by business type; the default is the group with the most questions."""
    alarms = [
        Rule(
            rule_id,
            name,
            Conditions(risk_words=words),
            Outcome("experts", 3, 1, sla_policy="emergency", emergency=True),
        )
        for rule_id, name, words in _ALARMS
    ]
    plain = [
        Rule(group_id, f"{name}的业务", Conditions(business_types=tuple(types)), Outcome(group_id))
        for group_id, name, tier, types in _GROUPS
        if tier == 2
    ]
    return RuleSet((*alarms, *plain), Outcome("expense"))
