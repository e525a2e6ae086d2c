"""DingTalk with the whole product: its servers are simulated, everything else is real."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.test_dialogue import console
from tests.simulators.dingtalk import DingtalkSimulator
from tests.stack import Stack

pytestmark = pytest.mark.engine

LI, WANG, CHEN = "E1001", "E1002", "E2001"
GROUP = "cidGroupOne=="
QUESTION = "出差住宿费能报多少？"


def waited(true: Callable[[], object], seconds: float = 180) -> object:
    """What `true` comes to, as soon as it is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def chat(stack: Stack, dingtalk: DingtalkSimulator) -> DingtalkSimulator:
    """Nothing said yet in this test, over the stream, which is what the product is configured for; `chat.mode` is how."""
    stack.green()
    waited(lambda: dingtalk.gateway.connections == 1)
    dingtalk.mode = "stream"
    dingtalk.sent.clear()
    return dingtalk


@pytest.mark.parametrize("mode", ["stream", "http"])
def test_a_question_that_comes_three_times_is_answered_once(chat: DingtalkSimulator, mode: str) -> None:
    chat.mode = mode
    assert chat.say(LI, QUESTION, times=3) == [200, 200, 200]
    waited(lambda: chat.heard_by(LI))
    chat.say(LI, "借款怎么冲销？")
    waited(lambda: len(chat.sent_to(LI)) > 1)
    first, second = chat.sent_to(LI)
    assert "住宿" in first["text"] and first["by"] == "session" and "冲销" in second["text"]


def test_a_group_is_answered_in_public_and_its_tickets_in_private(chat: DingtalkSimulator) -> None:
    chat.say(WANG, "", group=GROUP)
    greeting = str(waited(lambda: chat.heard_in(GROUP))[0])
    assert greeting.startswith(f"@{WANG} ") and "回复数字选择" in greeting
    chat.say(WANG, "1", group=GROUP)
    waited(lambda: len(chat.heard_in(GROUP)) > 1)
    assert chat.heard_by(WANG) == []
    chat.say(WANG, "转人工", group=GROUP)
    waited(lambda: len(chat.heard_in(GROUP)) > 2 and chat.heard_by(WANG))
    assert "单聊" in chat.heard_in(GROUP)[2] and "哪类业务" in chat.heard_by(WANG)[0]


def test_a_person_answers_and_is_rated_by_a_link_that_is_used_once(stack: Stack, chat: DingtalkSimulator) -> None:
    chat.say(CHEN, "转人工，我的付款被银行退回了，单号 FK202611210009")
    waited(lambda: any("哪类业务" in text for text in chat.heard_by(CHEN)))
    chat.say(CHEN, "转人工")
    waited(lambda: any("FW" in text for text in chat.heard_by(CHEN)))
    desk = console(stack.url)
    ticket = desk.get("/api/v1/console/tickets", params={"q": "FK202611210009"}).json()["items"][0]
    assert ticket["channel"] == "dingtalk" and ticket["employee_no"] == CHEN
    at = f"/api/v1/console/tickets/{ticket['number']}"
    claimed = desk.post(f"{at}/claim", json={"version": ticket["version"]}).json()
    chat.expire_sessions()
    reply = desk.post(f"{at}/reply", json={"version": claimed["version"], "text": "账号少了一位，已重新付款。"})
    assert reply.status_code == 200, reply.text
    version = desk.get(at).json()["version"]
    assert desk.post(f"{at}/resolve", json={"version": version, "text": "今天到账。"}).status_code == 200
    cards = waited(lambda: [one["card"] for one in chat.sent_to(CHEN) if "singleURL" in one["card"]])
    (said,) = [one for one in chat.sent_to(CHEN) if "账号少了一位" in one["text"]]
    assert said["by"] == "api" and said["text"].startswith("**【")
    address = cards[0]["singleURL"]
    page = httpx.get(address)
    assert page.status_code == 200 and "服务评价" in page.text and page.headers["cache-control"] == "no-store"
    asks = f"{stack.url}/api/v1/ratings/{address.rsplit('/', 1)[1]}"
    asked = httpx.get(asks).json()
    assert asked["ticket"] == ticket["number"] and not asked["rated"]
    rating = {"score": 5, "reasons": asked["reasons"]["high"][:1], "words": "很快"}
    forged = httpx.post(asks[:-1] + ("a" if asks[-1] != "a" else "b"), json=rating)
    assert forged.status_code == 404
    assert httpx.post(asks, json=rating | {"score": 9}).status_code == 400
    assert httpx.post(asks, json=rating).json()["score"] == 5
    assert httpx.post(asks, json=rating | {"score": 1}).status_code == 409
    assert desk.get(at).json()["rating"] == 5


def test_forgeries_are_refused_and_learn_nothing(chat: DingtalkSimulator) -> None:
    chat.mode, rng, said = "http", random.Random(7), set()
    victim, caller = "E7001", "E7002"  # Of their own: others may still be told what an earlier test has set off.
    chat.members.update({one: chat.members[LI] for one in (victim, caller)})
    whole = chat.message(victim, "伪造的问题")
    for body, timestamp, sign in (
        (whole, str(int(time.time() * 1000) - 3_700_000), ""),
        (whole, "", "AAAA"),
        (whole, "", chat.signature("1")),
        (whole | {"chatbotCorpId": "dingother"}, "", ""),
        (whole | {"robotCode": "dingother"}, "", ""),
    ):
        answer = chat.post(
            str(body).replace("'", '"').replace("True", "true").replace("False", "false").encode(), timestamp, sign
        )
        assert answer.status_code == 400, body
        said.add(answer.json()["error"]["message"])
    with httpx.Client(timeout=60) as client:
        for _ in range(50):
            raw = bytearray(b'{"msgtype":"text","text":{"content":"x"},"chatbotCorpId":"dingcorp0001"}')
            for _ in range(rng.randint(1, 4)):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            stamp = str(int(time.time() * 1000))
            headers = {"timestamp": stamp, "sign": chat.signature(stamp)}
            answer = client.post(chat.callback_url, content=bytes(raw), headers=headers)
            assert answer.status_code in (200, 400)
            if answer.status_code == 400:
                said.add(answer.json()["error"]["message"])
        assert client.post(chat.callback_url, content=b"{}").status_code == 400
    assert said == {"无法识别的回调。"}
    chat.say(caller, "借款怎么冲销？")
    waited(lambda: chat.heard_by(caller))
    assert chat.heard_by(victim) == []


def test_a_token_that_expires_and_a_stream_that_disconnects_lose_nothing(chat: DingtalkSimulator) -> None:
    chat.expire_tokens()
    chat.gateway.system("disconnect")
    assert chat.say(LI, "发票抬头写错了怎么办？") == [200]
    waited(lambda: any("发票" in text for text in chat.heard_by(LI)))
