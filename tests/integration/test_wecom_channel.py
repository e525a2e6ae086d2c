"""Sending through WeChat Work's API, against a server that behaves as documented, faults included."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from connectors.delivery import Busy, Delivery, NotSent, Unsure
from connectors.port import Notice
from connectors.wecom.app import connector
from connectors.wecom.cards import chosen
from connectors.wecom.channel import MOST_A_MINUTE, MOST_AN_HOUR, WecomChannel
from connectors.wecom.client import WecomClient, WecomError
from connectors.wecom.directory import Directory
from core.errors import SettingsError
from core.identity import Identity
from tests.simulators.wecom import WecomSimulator


@pytest.fixture
def wecom() -> Iterator[WecomSimulator]:
    simulator = WecomSimulator(
        members={
            "E1001": {"name": "李晓雯", "department": [12, 3], "main_department": 12},
            "E1002": {"name": "王建国"},
        },
        departments={
            1: {"name": "华晟集团", "parentid": 0},
            3: {"name": "华晟销售公司", "parentid": 1},
            12: {"name": "销售一部", "parentid": 3},
        },
    ).start()
    yield simulator
    simulator.stop()
    assert simulator.violations == []


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter("fssc:wecom:*"):
            client.delete(key)
        yield client


@pytest.fixture
def client(wecom: WecomSimulator, redis: Redis) -> WecomClient:
    return WecomClient(wecom.corp_id, wecom.secret, redis, wecom.url)


@pytest.fixture
def alerts() -> list[str]:
    return []


@pytest.fixture
def channel(client: WecomClient, wecom: WecomSimulator, redis: Redis, alerts: list[str]) -> WecomChannel:
    return WecomChannel(client, wecom.agent_id, redis, lambda kind, advice: alerts.append(f"{kind} {advice}"))


_keys = itertools.count()


def delivery(text: str, user: str | None = "E1001", key: str = "", **message) -> Delivery:
    key = key or f"message:{next(_keys)}"
    return Delivery(key, "wecom", "c", Identity(user), {"from": "bot", "type": "text", "text": text, **message}, 1)


ANSWER = {
    "type": "answer",
    "sources": [{"label": "《差旅费管理办法》第八条"}],
    "effective_from": "2024-01-01",
    "options": [{"label": "住宿费超过标准了怎么办？", "choice": "entry:a"}, {"label": "火车", "choice": "entry:b"}],
}


def test_an_answer_shows_its_source_and_offers_what_people_ask_next(
    channel: WecomChannel, wecom: WecomSimulator
) -> None:
    channel.send(delivery("**可以**报销，见[制度](https://e.example.com/p)。", **ANSWER))
    text, card = wecom.heard_by("E1001")
    assert text == (
        '可以报销，见<a href="https://e.example.com/p">制度</a>。\n\n依据：《差旅费管理办法》第八条，生效日期 2024-01-01'
    )
    assert card == "您可能还想问\n1 住宿费超过标准了怎么办？\n2 火车\n[1]\n[2]"
    channel.send(delivery("请补交行程单。", **{"from": "agent", "agent_name": "赵敏"}))
    assert wecom.heard_by("E1001")[2] == "【赵敏】请补交行程单。"


def test_what_does_not_fit_on_a_card_is_a_numbered_list(channel: WecomChannel, wecom: WecomSimulator) -> None:
    long = [{"label": "出差住宿费在不同城市、不同级别、不同季节里分别能报多少钱呢请问", "choice": "entry:a"}]
    channel.send(delivery("您想问的是？", type="choices", options=long))
    many = [{"label": f"第 {n} 个问题怎么办理才好呢请说明", "choice": f"entry:{n}"} for n in range(21)]
    channel.send(delivery("还有这些：", type="choices", options=many))
    assert [one["card"] for one in wecom.sent_to("E1001")] == [None, None]
    assert "回复数字选择" in wecom.heard_by("E1001")[0] and "21. " in wecom.heard_by("E1001")[1]
    seven = [{"label": f"业务类型{n}", "choice": f"say:{n}"} for n in range(7)]
    channel.send(delivery("哪类业务？", type="question", options=seven))
    assert wecom.sent_to("E1001")[2]["card"]["card_type"] == "vote_interaction"


def test_without_cards_everything_is_text(client: WecomClient, wecom: WecomSimulator, redis: Redis) -> None:
    channel = WecomChannel(client, wecom.agent_id, redis, lambda *_: None, with_cards=False)
    channel.send(delivery("可以。", **ANSWER))
    assert wecom.heard_by("E1001")[0].endswith("回复数字选择：\n1. 住宿费超过标准了怎么办？\n2. 火车")


RATING = {
    "type": "rating",
    "number": "FW20261121-0001",
    "options": [
        {"label": f"{score} 分 · {said}", "choice": f"rate:FW20261121-0001:{score}"}
        for score, said in ((5, "非常满意"), (4, "满意"), (3, "一般"), (2, "不满意"), (1, "很不满意"))
    ],
}


def test_a_rating_is_five_buttons_and_its_text_has_no_other_numbers(
    channel: WecomChannel, wecom: WecomSimulator
) -> None:
    channel.send(delivery("工单 FW20261121-0001 已解决，您对这次服务满意吗？请打个分，也可以说说原因。", **RATING))
    assert [one["text"] for one in wecom.card_of("E1001")["card"]["button_list"]][0] == "5 分 · 非常满意"
    wecom.answer_next["/cgi-bin/message/send"].append({"errcode": 42035, "errmsg": "card"})
    channel.send(delivery("您对这次服务满意吗？", key="again", **RATING))
    assert "回复 1 到 5 的数字打分：\n5 分 · 非常满意" in wecom.heard_by("E1001")[1]


def test_reasons_are_a_list_to_tick(channel: WecomChannel, wecom: WecomSimulator) -> None:
    options = [
        {"label": one.replace(":", "·"), "choice": f"rate:FW20261121-0001:2:{one}"}
        for one in ("时效:回复太慢", "态度:生硬")
    ]
    channel.send(delivery("谢谢您的评价。方便的话，说说是什么原因：", type="reasons", options=options))
    card = wecom.card_of("E1001")["card"]
    assert card["checkbox"]["mode"] == 1
    ids = [one["id"] for one in card["checkbox"]["option_list"]]
    assert chosen(card["submit_button"]["key"], [("reasons", ids)]) == "rate:FW20261121-0001:2:时效:回复太慢|态度:生硬"
    assert chosen("my_tickets", []) == "my_tickets" and chosen("submit", []) == ""


def test_a_ticket_card_shows_how_it_stands(channel: WecomChannel, wecom: WecomSimulator) -> None:
    ticket = {
        "type": "ticket", "number": "FW20261121-0001", "status_label": "处理中", "business_type": "税务", "urgency": "一般",
        "description": "申报失败，" * 20, "document_no": None, "created_at": "2026-11-21T02:00:00+00:00",
        "options": [{"label": "催办", "choice": "urge:FW20261121-0001"}, {"label": "补充说明", "choice": "add:FW20261121-0001"}],
    }  # fmt: skip
    channel.send(delivery("工单 **FW20261121-0001** 当前状态：**处理中**。", **ticket))
    (shown,) = wecom.heard_by("E1001")
    assert shown.startswith("工单 FW20261121-0001\n工单 FW20261121-0001 当前状态：处理中。\n状态 处理中\n业务 税务")
    assert "提交 2026-11-21 10:00" in shown and shown.endswith("[催办]\n[补充说明]")


def test_a_card_that_was_sent_already_is_not_sent_again(channel: WecomChannel, wecom: WecomSimulator) -> None:
    again = Delivery("k1", "wecom", "c", Identity("E1001"), delivery("请选择", **ANSWER).message, 2)
    channel.send(again)
    channel._redis.delete("fssc:wecom:sent:k1")
    wecom.sent[0]["at"] -= 120
    wecom._seen.clear()
    channel.send(again)
    assert [bool(one["card"]) for one in wecom.sent_to("E1001")] == [False, True, False], "its name is known"


def test_another_attempt_goes_on_where_the_last_one_broke_off(channel: WecomChannel, wecom: WecomSimulator) -> None:
    wecom.answer_next["/cgi-bin/message/send"].extend([{"errcode": 0, "msgid": "1"}, 502])
    one = Delivery("k2", "wecom", "c", Identity("E1001"), delivery("一", **ANSWER).message, 1)
    with pytest.raises(Unsure):
        channel.send(one)
    channel.send(one)
    assert [bool(one["card"]) for one in wecom.sent_to("E1001")] == [True]


def test_a_card_that_is_refused_is_said_as_text_also_when_that_needs_two_attempts(
    channel: WecomChannel, wecom: WecomSimulator
) -> None:
    wecom.answer_next["/cgi-bin/message/send"].extend([{"errcode": 42014, "errmsg": "task id"}, 502])
    message = delivery("请选择", type="choices", options=ANSWER["options"]).message
    with pytest.raises(Unsure):
        channel.send(Delivery("k3", "wecom", "c", Identity("E1001"), message, 1))
    channel.send(Delivery("k3", "wecom", "c", Identity("E1001"), message, 2))
    assert "回复数字选择" in wecom.heard_by("E1001")[0]


def test_a_notice_opens_the_ticket_and_can_be_acknowledged(channel: WecomChannel, wecom: WecomSimulator) -> None:
    notice = Notice("应急呼叫", "疑似重复付款。请在 15 分钟内确认。", "https://d.example.com/t/abc", True, "notice:1")
    channel.tell("E1001", notice)
    channel.tell("E1001", notice)
    channel.tell("E1001", replace(notice, key="notice:2", actions=(("我来处理", "staff:ack:FW20261121-0001"),)))
    first, second = wecom.sent_to("E1001")
    assert first["card"]["card_type"] == "text_notice" and first["card"]["card_action"]["url"] == notice.url
    assert [one["text"] for one in second["card"]["button_list"]] == ["我来处理", "打开查看"]
    channel.tell("E1002", replace(notice, url="", key="notice:3"))
    assert wecom.heard_by("E1002") == ["【应急呼叫】\n疑似重复付款。请在 15 分钟内确认。"]


def test_a_long_answer_comes_in_parts_in_order(channel: WecomChannel, wecom: WecomSimulator) -> None:
    text = "\n\n".join(f"第{n}段：" + "差旅费按标准报销。😀" * 40 for n in range(8))
    assert channel.send(delivery(text)).detail["parts"] > 3
    assert "".join("".join(wecom.heard_by("E1001")).split()) == "".join(text.split())


def test_one_token_for_all_however_many_ask_at_once(wecom: WecomSimulator, redis: Redis) -> None:
    clients = [WecomClient(wecom.corp_id, wecom.secret, redis, wecom.url) for _ in range(6)]
    start = threading.Barrier(6)

    def ask(client: WecomClient) -> str:
        start.wait()
        return client.get("/cgi-bin/user/get", userid="E1001")["name"]

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, clients)) == {"李晓雯"}
    assert wecom.tokens_given == 1


def test_a_token_that_expires_early_is_fetched_once_more_and_no_oftener(
    channel: WecomChannel, client: WecomClient, wecom: WecomSimulator
) -> None:
    channel.send(delivery("一"))
    wecom.expire_tokens()
    channel.send(delivery("二"))
    assert wecom.heard_by("E1001") == ["一", "二"] and wecom.tokens_given == 2
    wecom.answer_next["/cgi-bin/message/send"].extend([{"errcode": 42001, "errmsg": "expired"}] * 2)
    with pytest.raises(NotSent):
        channel.send(delivery("三"))
    assert wecom.tokens_given == 3


def test_what_only_an_operator_can_mend_is_told_and_kept(
    channel: WecomChannel, wecom: WecomSimulator, alerts: list[str]
) -> None:
    wecom.answer_next["/cgi-bin/message/send"].append({"errcode": 60020, "errmsg": "not allow to access from your ip"})
    with pytest.raises(NotSent) as caught:
        channel.send(delivery("一", key="k"))
    assert not caught.value.for_good and "企业可信IP" in alerts[0]
    channel.send(delivery("一", key="k"))
    assert wecom.heard_by("E1001") == ["一"]


def test_who_has_left_gets_nothing_and_nothing_is_tried_again(channel: WecomChannel, alerts: list[str]) -> None:
    for user in ("E9999", None):
        with pytest.raises(NotSent) as caught:
            channel.send(delivery("一", user))
        assert caught.value.for_good
    assert alerts == []


def test_a_partial_failure_is_no_success(channel: WecomChannel, wecom: WecomSimulator) -> None:
    wecom.answer_next["/cgi-bin/message/send"].append({"errcode": 0, "errmsg": "ok", "invaliduser": "e1001"})
    with pytest.raises(NotSent):
        channel.send(delivery("一"))


def test_a_limit_is_waited_for_and_a_broken_answer_is_doubt(channel: WecomChannel, wecom: WecomSimulator) -> None:
    wecom.answer_next["/cgi-bin/message/send"].append({"errcode": 45009, "errmsg": "api freq out of limit"})
    with pytest.raises(Busy):
        channel.send(delivery("一"))
    for broken in (502, {"nonsense": True}):
        wecom.answer_next["/cgi-bin/message/send"].append(broken)
        with pytest.raises(Unsure):
            channel.send(delivery("一"))


def test_a_repeat_is_shown_once_and_the_same_words_said_again_are_said_again(
    channel: WecomChannel, wecom: WecomSimulator, redis: Redis
) -> None:
    assert channel.repeats is not None
    channel.send(delivery("好的。", key="k1"))
    for key in redis.scan_iter("fssc:wecom:sent:*"):  # The process died before it could write down that it was sent.
        redis.delete(key)
    channel.send(delivery("好的。", key="k1"))
    assert wecom.heard_by("E1001") == ["好的。"]
    for _ in range(3):
        channel.send(delivery("好的。", key="k2"))
        channel.send(delivery("好的。", key="k3"))
    assert wecom.heard_by("E1001") == ["好的。"] * 3


def test_nobody_is_sent_more_than_their_minute_takes(channel: WecomChannel, wecom: WecomSimulator) -> None:
    for n in range(MOST_A_MINUTE):
        channel.send(delivery(f"第 {n} 条"))
    with pytest.raises(Busy) as caught:
        channel.send(delivery("再一条"))
    assert not caught.value.everybody and timedelta(seconds=30) < caught.value.retry_after <= timedelta(seconds=60)
    channel.send(delivery("别人的", "E1002"))
    assert len(wecom.heard_by("E1001")) == MOST_A_MINUTE and wecom.dropped == []


def test_who_asks_much_gets_one_message_an_answer_and_waits_for_none(
    channel: WecomChannel, wecom: WecomSimulator
) -> None:
    for n in range(20):
        channel.send(delivery(f"第 {n} 个答案", **ANSWER))
    shown = wecom.sent_to("E1001")
    assert len(shown) == 27 and [bool(one["card"]) for one in shown[:4]] == [False, True, False, True]
    assert "第 19 个答案" in shown[-1]["text"] and "回复数字选择" in shown[-1]["text"] and "依据：" in shown[-1]["text"]


def test_nor_more_than_their_hour_takes(channel: WecomChannel, redis: Redis) -> None:
    earlier = time.time() - 600
    redis.zadd("fssc:wecom:pace:e1001", {str(n): earlier + n / 1000 for n in range(MOST_AN_HOUR)})
    with pytest.raises(Busy) as caught:
        channel.send(delivery("再一条"))
    assert timedelta(minutes=49) < caught.value.retry_after <= timedelta(minutes=50)


def test_a_server_that_is_down_is_no_loss(redis: Redis) -> None:
    nowhere = WecomClient("ww1", "s", redis, "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        nowhere.post("/cgi-bin/message/send", {})


def test_a_wrong_secret_says_what_to_do(wecom: WecomSimulator, redis: Redis) -> None:
    with pytest.raises(WecomError) as caught:
        WecomClient(wecom.corp_id, "wrong", redis, wecom.url).get("/cgi-bin/user/get", userid="E1001")
    assert "Secret" in caught.value.advice


def test_a_member_has_a_company_and_a_department_and_without_the_directory_only_a_number(
    client: WecomClient, wecom: WecomSimulator, redis: Redis
) -> None:
    directory = Directory(client, redis)
    assert directory.identity("E1001") == Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
    asked = wecom.tokens_given
    wecom.members["E1001"]["name"] = "改名"
    assert directory.identity("E1001").name == "李晓雯" and wecom.tokens_given == asked
    directory.forget("E1001")
    assert directory.identity("E1001").name == "改名"
    wecom.answer_next["/cgi-bin/user/get"].append({"errcode": 60011, "errmsg": "no privilege"})
    assert directory.identity("E1002") == Identity("E1002")


def test_the_test_button_says_what_is_wrong(wecom: WecomSimulator, redis: Redis) -> None:
    config = {
        "corp_id": wecom.corp_id, "agent_id": str(wecom.agent_id), "secret": wecom.secret, "token": wecom.token,
        "aes_key": wecom.aes_key, "url": wecom.url, "cards": "on",
    }  # fmt: skip

    def said(**changed: str) -> str:
        for key in redis.scan_iter("fssc:wecom:token:*"):
            redis.delete(key)
        return "".join(connector(config | changed, None, redis, lambda *_: None).check())  # type: ignore[arg-type]

    assert said() == ""
    assert "企业 ID" in said(corp_id="ww0")
    assert "Secret" in said(secret="wrong")
    assert "另一个应用" in said(agent_id="1")
    assert "连不上" in said(url="http://127.0.0.1:9")
    wecom.visible, wecom.closed = False, True
    assert "可见范围是空的" in said() and "停用" in said()
    wecom.trusted = False
    assert "企业可信IP" in said() and "203.0.113.9" in said()
    for changed in ({"aes_key": "short"}, {"token": "with space"}, {"agent_id": "x"}, {"cards": "maybe"}):
        with pytest.raises(SettingsError):
            said(**changed)
