"""Routing rules: which one decides, by table and by property."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from handoff.routing.rules import Conditions, Facts, Outcome, Rule, RuleSet, rules_from, stored_rules
from handoff.routing.seed import first_rules
from handoff.routing.units import service_tier, units_body
from handoff.tickets import BUSINESS_TYPES, OTHER, ServiceTier, Urgency

TIERS = {"expense": 2, "payable": 2, "tax": 2, "treasury": 2, "system": 2, "experts": 3}


@pytest.mark.parametrize(
    ("business_type", "text", "group", "priority", "emergency"),
    [
        ("差旅报销", "住宿费怎么填", "expense", 3, False),
        ("发票", "发票验真失败", "tax", 3, False),
        ("应付与付款", "供应商催款", "payable", 3, False),
        ("资金与账户", "银行账户变更", "treasury", 3, False),
        ("系统操作", "点提交没有反应", "system", 3, False),
        ("其他", "你们几点上班", "expense", 3, False),
        ("应付与付款", "这笔款好像重复付款了", "experts", 1, True),
        ("应付与付款", "同一张发票付了两次", "experts", 1, True),
        ("其他", "昨天付给上海宏达的50万付了两遍，赶紧冻结", "experts", 1, True),
        ("应付与付款", "这笔货款付重了", "experts", 1, True),
        ("应付与付款", "供应商的款打了两遍", "experts", 1, True),
        ("应付与付款", "付款单打印了两遍都不清楚", "payable", 3, False),
        ("日常报销", "预算被冻结了提交不了", "expense", 3, False),
        ("税务", "税务局来查我们了", "experts", 1, True),
        ("税务", "税务局要来人", "experts", 1, True),
        ("日常报销", "我的收款账号变了，不是我改的", "experts", 1, True),
        ("系统操作", "供应商账 户 被 改了", "experts", 1, True),
        ("税务", "税务局要来稽查，需要什么资料", "experts", 1, True),
        ("稅務", "稅務稽查", "experts", 1, True),
    ],
)
def test_the_first_rules_of_a_new_desk(
    business_type: str, text: str, group: str, priority: int, emergency: bool
) -> None:
    decision = first_rules().decide(Facts(business_type, Urgency.NORMAL, text=text))
    assert (decision.outcome.group, decision.priority, decision.outcome.emergency) == (group, priority, emergency)


VIP = "华晟集团总部"
FACTS = Facts(
    "发票", Urgency.URGENT, VIP, "集团财务部", ServiceTier.VIP, "invoice.pool", "verify", "complaint", "发票ＡＢＣ查验"
)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"business_types": ("税务", "发票")}, True),
        ({"business_types": ("税务",)}, False),
        ({"companies": (VIP,)}, True),
        ({"companies": ("华晟销售公司",)}, False),
        ({"departments": ("集团财务部",)}, True),
        ({"departments": ("采购部",)}, False),
        ({"urgencies": ("紧急", "特急")}, True),
        ({"urgencies": ("一般",)}, False),
        ({"service_tiers": ("vip",)}, True),
        ({"service_tiers": ("standard",)}, False),
        ({"places": ("invoice.pool",)}, True),
        ({"places": ("invoice.pool/verify",)}, True),
        ({"places": ("invoice.pool/upload", "expense.list")}, False),
        ({"reasons": ("complaint",)}, True),
        ({"reasons": ("emergency",)}, False),
        ({"risk_words": ("abc",)}, True),
        ({"risk_words": ("发票 abc 查验",)}, True),
        ({"risk_words": ("稽查",)}, False),
        ({"companies": (VIP,), "urgencies": ("一般",)}, False),
        ({"companies": (VIP,), "urgencies": ("紧急",), "risk_words": ("查验",)}, True),
    ],
)
def test_every_condition_must_hold_and_any_of_its_values_may(conditions: dict[str, Any], holds: bool) -> None:
    assert Conditions(**conditions).hold(FACTS) is holds


@pytest.mark.parametrize(
    ("urgency", "tier", "priority"),
    [
        ("特急", "standard", 1),
        ("紧急", "standard", 2),
        ("一般", "standard", 3),
        ("特急", "vip", 1),
        ("紧急", "vip", 1),
        ("一般", "vip", 2),
    ],
)
def test_priority_comes_from_urgency_and_tier_unless_a_rule_says(urgency: str, tier: str, priority: int) -> None:
    facts = Facts("发票", urgency, service_tier=tier)
    assert RuleSet((), Outcome("tax")).decide(facts).priority == priority
    assert RuleSet((), Outcome("tax", priority=4)).decide(facts).priority == 4


def test_risk_words_of_every_rule_are_noted_whichever_decides() -> None:
    rules = RuleSet(
        (
            Rule("a", "甲", Conditions(business_types=("发票",)), Outcome("tax")),
            Rule("b", "乙", Conditions(risk_words=("虚开", "稽查")), Outcome("experts", emergency=True)),
            Rule("c", "停用", Conditions(risk_words=("查验",)), Outcome("system"), enabled=False),
        ),
        Outcome("expense"),
    )
    decision = rules.decide(Facts("发票", "一般", text="查验后怀疑虚开"))
    assert decision.rule and decision.rule.id == "a"
    assert decision.risk_words == ["虚开"]
    assert rules.risk_words(emergency=True) == ["虚开", "稽查"]


_words = st.sampled_from(["重复付款", "稽查", "abc", "发票", "不存在的词"])
_conditions = st.builds(
    Conditions,
    business_types=st.lists(st.sampled_from(BUSINESS_TYPES), max_size=2, unique=True).map(tuple),
    companies=st.lists(st.sampled_from(["甲", "乙"]), max_size=1).map(tuple),
    urgencies=st.lists(st.sampled_from(list(Urgency)), max_size=2, unique=True).map(tuple),
    service_tiers=st.lists(st.sampled_from(list(ServiceTier)), max_size=1).map(tuple),
    places=st.lists(st.sampled_from(["p", "p/n", "q"]), max_size=2, unique=True).map(tuple),
    risk_words=st.lists(_words, max_size=2, unique=True).map(tuple),
)
_outcomes = st.builds(
    Outcome,
    group=st.sampled_from(sorted(TIERS)),
    priority=st.sampled_from([None, 1, 2, 3, 4]),
    emergency=st.booleans(),
).map(lambda one: Outcome(one.group, TIERS[one.group], one.priority, None, None, one.emergency))
_rulesets = st.builds(
    lambda parts, default: RuleSet(
        tuple(Rule(f"r{n}", f"规则{n}", when, then, enabled) for n, (when, then, enabled) in enumerate(parts)), default
    ),
    st.lists(st.tuples(_conditions, _outcomes, st.booleans()), max_size=6),
    _outcomes,
)
_facts = st.builds(
    Facts,
    business_type=st.sampled_from([*BUSINESS_TYPES, OTHER]),
    urgency=st.sampled_from(list(Urgency)),
    company=st.sampled_from(["", "甲", "乙"]),
    service_tier=st.sampled_from(list(ServiceTier)),
    page=st.sampled_from(["", "p", "q"]),
    node=st.sampled_from(["", "n"]),
    text=st.lists(_words, max_size=2).map("，".join),
)


@settings(max_examples=200, deadline=None)
@given(_rulesets, _facts)
def test_the_first_rule_that_holds_decides_and_nothing_goes_nowhere(rules: RuleSet, facts: Facts) -> None:
    decision = rules.decide(facts)
    assert decision.outcome.group in TIERS
    assert 1 <= decision.priority <= 4
    holding = [one for one in rules.rules if one.enabled and one.when.hold(facts)]
    assert decision.rule == (holding[0] if holding else None)
    assert decision.outcome == (holding[0].then if holding else rules.default)
    if decision.rule:
        before = rules.rules[: rules.rules.index(decision.rule)]
        shuffled = RuleSet((*reversed(before), *rules.rules[len(before) :]), rules.default)
        assert shuffled.decide(facts).rule == decision.rule


@settings(max_examples=100, deadline=None)
@given(_rulesets)
def test_rules_read_back_as_they_were_stored(rules: RuleSet) -> None:
    assert stored_rules(rules.to_dict()) == rules
    if all(rule.when != Conditions() for rule in rules.rules):
        assert rules_from(rules.to_dict(), TIERS) == rules


RULE = {"id": "a", "name": "发票", "when": {"business_types": ["发票"]}, "then": {"group": "tax"}}
DEFAULT = {"group": "expense"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"rules": [RULE]}, "默认派工"),
        ({"rules": "x", "default": DEFAULT}, "列表"),
        ({"rules": [RULE, RULE], "default": DEFAULT}, "相同"),
        ({"rules": [RULE | {"name": " "}], "default": DEFAULT}, "第 1 条规则需要一个"),
        ({"rules": [RULE | {"when": {}}], "default": DEFAULT}, "没有任何条件"),
        ({"rules": [RULE | {"id": "A B"}], "default": DEFAULT}, "编号"),
        (
            {"rules": [RULE | {"then": {"group": "nobody"}}], "default": DEFAULT},
            "第 1 条规则“发票”：请选择一个启用的班组",
        ),
        ({"rules": [RULE], "default": {"group": "closed"}}, "默认派工：请选择一个启用的班组"),
        ({"rules": [RULE | {"then": {"group": "tax", "priority": 9}}], "default": DEFAULT}, "1 到 4"),
        ({"rules": [RULE | {"when": {"business_types": ["买菜"]}}], "default": DEFAULT}, "没有业务类型“买菜”"),
        ({"rules": [RULE | {"when": {"urgencies": ["很急"]}}], "default": DEFAULT}, "没有紧急程度“很急”"),
        ({"rules": [RULE | {"when": {"risk_words": ["付"]}}], "default": DEFAULT}, "太短"),
        ({"rules": [RULE | {"when": {"risk_words": "稽查"}}], "default": DEFAULT}, "每个条件"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_their_place(body: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rules_from(body, TIERS)


def test_a_group_of_experts_makes_tier_three() -> None:
    rules = rules_from({"rules": [RULE | {"then": {"group": "experts", "tier": 2}}], "default": DEFAULT}, TIERS)
    assert rules.rules[0].then.tier == 3


def test_vip_units_are_companies_or_single_departments() -> None:
    body = units_body(
        [{"company": VIP}, {"company": "华晟销售公司", "department": "总经理办公室"}, {"department": "董事会"}]
    )
    units = frozenset((one["company"], one["department"]) for one in body["units"])
    assert service_tier(units, VIP, "任何部门") == "vip"
    assert service_tier(units, "华晟销售公司", "总经理办公室") == "vip"
    assert service_tier(units, "华晟销售公司", "销售一部") == "standard"
    assert service_tier(units, "别的公司", "董事会") == "vip"
    assert service_tier(units, None, None) == "standard"
    with pytest.raises(InvalidInput, match="第 1 行"):
        units_body([{"company": " "}])
    with pytest.raises(InvalidInput, match="重复"):
        units_body([{"company": VIP}, {"company": VIP}])
