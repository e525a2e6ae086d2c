"""How the ticket form hears what people type."""

from __future__ import annotations

import asyncio

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot import ticket_form
from bot.actions.tickets import begin_ticket
from bot.ticket_form import (
    Command,
    Correction,
    Unheard,
    command,
    correction,
    hear,
    phone_in,
    value_of_another,
    wants_person,
)
from bot.turns import Place, TurnContext
from core.identity import Identity
from tests.answers import Desk


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "人工",
        "我要转人工客服",
        "别问了赶紧给我转人工客服",
        "找个真人来",
        "人工服务",
        "叫客服",
        "换个人跟我说",
        "我要投诉",
        "投诉你们!",
        "有人吗?",
        "有没有人管啊",
    ],
)
def test_a_person_is_called(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "人工成本怎么入账",
        "客户名称写错了",
        "人工费发票税率",
        "这个人已经离职了",
        "找不到审批人",
        "客户投诉赔款怎么付",
        "有人替我报销过吗",
        "有人员变动怎么办",
    ],
)
def test_the_word_for_labour_calls_nobody(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize(
    "text", ["取消", "算了", "算了吧", "不提了", "取消工单", "算了 我自己看吧", "算了,我还是自己解决吧"]
)
def test_cancelling(text: str) -> None:
    for asked in (*ticket_form.FIELDS, "confirmed"):
        assert command(text, asked) is Command.CANCEL


@pytest.mark.parametrize("text", ["你们这什么破系统", "垃圾系统!", "这都什么玩意", "气死我了"])
def test_anger_is_no_value_and_a_person_is_offered(text: str) -> None:
    assert ticket_form.grumbles(text)
    assert "handoff" in [option.choice for option in ticket_form.soothe("business_type").options]
    with pytest.raises(Unheard):
        hear("business_type", text)


@pytest.mark.parametrize("text", ["系统太烂了登录不上去", "发票破损了", "这个系统报错", "什么东西能报"])
def test_what_is_about_a_matter_is_no_mere_anger(text: str) -> None:
    assert not ticket_form.grumbles(text)


def test_no_need_skips_an_optional_field_and_cancels_otherwise() -> None:
    assert command("不用了", "document_no") is None and hear("document_no", "不用了") == ""
    assert command("不用了", "confirmed") is Command.CANCEL


def test_yes_confirms_only_at_the_summary() -> None:
    assert command("好的", "confirmed") is Command.CONFIRM
    assert command("好的", "description") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("修改描述", Correction("description", None)),
        ("修改问题描述", Correction("description", None)),
        ("改一下紧急程度", Correction("urgency", None)),
        ("紧急程度改成特急", Correction("urgency", "特急")),
        ("单号写错了,应该是BX20261103-0042", Correction("document_no", "BX20261103-0042")),
        ("把业务类型改为发票", Correction("business_type", "发票")),
        ("电话错了", Correction("contact", None)),
    ],
)
def test_corrections(text: str, expected: Correction) -> None:
    assert correction(text) == expected


@pytest.mark.parametrize("text", ["发票抬头开错了怎么办", "修改收款账户要审批吗", "我把发票弄丢了"])
def test_what_is_no_correction(text: str) -> None:
    assert correction(text) is None


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("business_type", "差旅报销", "差旅报销"),
        ("business_type", "出差的", "差旅报销"),
        ("business_type", "系统登录不了", "系统操作"),
        ("business_type", "应该是发票的问题", "发票"),
        ("business_type", "4", "发票"),
        ("urgency", "急", "紧急"),
        ("urgency", "十万火急", "特急"),
        ("urgency", "不急", "一般"),
        ("urgency", "跳过", ""),
        ("document_no", "单号是bx20261103-0042哦", "BX20261103-0042"),
        ("document_no", "没有", ""),
        ("contact", "分机8123", "分机8123"),
        ("description", "描述:怎么提交不了", "怎么提交不了"),
    ],
)
def test_values(field: str, text: str, value: str) -> None:
    assert hear(field, text) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("business_type", "蓝色"),
        ("business_type", "我的系统工程师离职了"),
        ("business_type", "问题在哪个页面看"),
        ("business_type", "99"),
        ("urgency", "蓝色"),
        ("document_no", "蓝色"),
        ("contact", "下午"),
        ("description", "嗯"),
    ],
)
def test_a_value_that_cannot_be_used_says_what_is_expected(field: str, text: str) -> None:
    with pytest.raises(Unheard) as unheard:
        hear(field, text)
    assert len(unheard.value.hint) > 8


def test_a_value_of_another_field_is_taken_for_what_it_is() -> None:
    assert value_of_another("BX20261103-0042", "urgency") == Correction("document_no", "BX20261103-0042")
    assert value_of_another("特急", "contact") == Correction("urgency", "特急")
    assert value_of_another("特急", "urgency") is None
    assert value_of_another("单据打不开", "urgency") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13900001111", "13900001111"),
        ("电话 13812345678", "13812345678"),
        ("我的手机号是138 1234 5678", "138 1234 5678"),
        ("打我电话0755-86217733吧", "0755-86217733"),
        ("13812345678,请打给我", "13812345678"),
    ],
)
def test_a_telephone_number_is_the_contact_whatever_was_asked(text: str, number: str) -> None:
    assert ticket_form.calls_back(text)
    for asked in ("business_type", "description", "urgency", "document_no", "confirmed"):
        assert value_of_another(text, asked) == Correction("contact", number)


def begun(text: str, **slots: object) -> dict[str, str]:
    """What the form knows when 李晓雯 begins it so."""
    desk, dispatcher = Desk("付了两遍"), CollectingDispatcher()
    context = TurnContext("c", "t", "widget", Identity("E1001", "李晓雯", None, None), Place()).to_dict()
    message = {"text": text, "intent": {"name": "handoff"}, "entities": [], "metadata": {"turn": context}}
    events = asyncio.run(begin_ticket(dispatcher, Tracker("c", slots, message, [], False, None, {}, None), desk))
    return {one["name"]: one["value"] for one in events if "value" in one}


def test_a_risk_word_makes_it_urgent_and_what_was_not_found_says_nothing_of_the_business() -> None:
    wrong = [{"business_type": "影像与单据退回"}]
    slots = begun("/handoff", last_question="昨天的50万付了两遍", misses=1, last_shown=wrong)
    assert (slots["urgency"], slots["business_type"]) == ("特急", None)
    slots = begun("/handoff", last_question="单子怎么退", misses=0, last_shown=wrong)
    assert (slots["urgency"], slots["business_type"]) == (None, "影像与单据退回")
    both = [*wrong, {"business_type": "发票"}]
    assert begun("/handoff", last_question="单子怎么退", misses=0, last_shown=both)["business_type"] is None


def test_the_number_in_the_message_that_begins_the_form_is_the_contact_and_no_description() -> None:
    slots = begun("手机13812345678 打给我")
    assert slots["contact"] == "13812345678" and slots["description"] is None
    slots = begun("转人工,付款被银行退回了,打我手机13812345678")
    assert slots["contact"] == "13812345678" and "付款被银行退回了" in slots["description"]
    assert begun("转人工")["contact"] == "李晓雯（E1001）"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("手机13812345678 打给我", "13812345678"),
        ("付款被退回了,急,联系021-61234567", "021-61234567"),
        ("供应商电话是13812345678,一直打不通", None),
        ("供应商电话13812345678打不通,我的是13900001111", "13900001111"),
        ("卡号6222021234567890123收不到款", None),
        ("单号BX13812345678打不开", None),
    ],
)
def test_the_number_in_a_story_is_the_employees_unless_it_is_said_to_be_somebody_elses(
    text: str, number: str | None
) -> None:
    assert phone_in(text) == number


def test_the_summary_shows_every_field_with_a_way_to_change_it() -> None:
    reply = ticket_form.summary({"business_type": "发票", "description": "验真失败", "urgency": ""})
    values = {field["field"]: field["value"] for field in reply.extras["fields"]}
    assert values == {
        "business_type": "发票",
        "description": "验真失败",
        "urgency": "一般",
        "document_no": "无",
        "contact": "无",
    }
    for option in reply.options:
        if option.choice.startswith("say:修改"):
            assert correction(option.choice.removeprefix("say:")) is not None


@pytest.mark.parametrize(
    ("text", "asks"), [("我的工单", True), ("FW20261121-0001到哪了", True), ("工单打印不出来", False)]
)
def test_asking_for_tickets_in_the_middle(text: str, asks: bool) -> None:
    assert ticket_form.asks_for_tickets(text) is asks
