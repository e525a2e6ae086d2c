"""Sending through WeChat Work's API, against a server that behaves as documented, faults included."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from connectors.delivery import Busy, Delivery, NotSent, Unsure
from connectors.wecom.channel import MOST_A_MINUTE, WecomChannel
from connectors.wecom.client import WecomClient, WecomError
from connectors.wecom.directory import Directory
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


def delivery(text: str, user: str | None = "E1001", **message) -> Delivery:
    return Delivery("k", "wecom", "c", Identity(user), {"from": "bot", "type": "text", "text": text, **message}, 1)


def test_an_answer_arrives_as_text_with_numbered_choices(channel: WecomChannel, wecom: WecomSimulator) -> None:
    channel.send(
        delivery("**可以**报销，见[制度](https://e.example.com/p)。", options=[{"label": "发票", "choice": "entry:a"}])
    )
    assert wecom.heard_by("E1001") == [
        '可以报销，见<a href="https://e.example.com/p">制度</a>。\n\n回复数字选择：\n1. 发票'
    ]
    channel.send(delivery("请补交行程单。", **{"from": "agent", "agent_name": "赵敏"}))
    assert wecom.heard_by("E1001")[1] == "【赵敏】请补交行程单。"


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
        channel.send(delivery("一"))
    assert not caught.value.for_good and "企业可信IP" in alerts[0]
    channel.send(delivery("一"))
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
    assert channel.repeats is not None
    channel.send(delivery("一"))
    channel.send(delivery("一"))
    assert wecom.heard_by("E1001") == ["一"], "the platform shows a repeat once"


def test_nobody_is_sent_more_than_their_minute_takes(channel: WecomChannel, wecom: WecomSimulator) -> None:
    for n in range(MOST_A_MINUTE):
        channel.send(delivery(f"第 {n} 条"))
    with pytest.raises(Busy) as caught:
        channel.send(delivery("再一条"))
    assert not caught.value.everybody and timedelta(seconds=30) < caught.value.retry_after <= timedelta(seconds=60)
    channel.send(delivery("别人的", "E1002"))
    assert len(wecom.heard_by("E1001")) == MOST_A_MINUTE and wecom.dropped == []


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
