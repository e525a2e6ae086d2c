"""WeChat Work with the whole product: its servers are simulated, everything else is real."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.test_dialogue import console, file_ticket
from tests.simulators.wecom import WecomSimulator
from tests.stack import Employee, Stack

pytestmark = pytest.mark.engine

LI, WANG, CHEN = "E1001", "E1002", "E2001"
QUESTION = "出差住宿费能报多少？"


def waited(true: Callable[[], object], seconds: float = 180) -> object:
    """What `true` comes to, as soon as it is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def chat(stack: Stack, wecom: WecomSimulator) -> WecomSimulator:
    """Nothing said yet in this test."""
    stack.green()
    wecom.sent.clear()
    return wecom


def test_the_address_can_be_saved(chat: WecomSimulator) -> None:
    waited(lambda: chat.verify() == "ok")


def answers(chat: WecomSimulator, user: str) -> list[str]:
    """What was said, without the card of what people ask next."""
    return [text for text in chat.heard_by(user) if not text.startswith("您可能还想问")]


def card(chat: WecomSimulator, user: str, holding: str) -> dict:
    """The card with these words, as soon as it is there."""

    def found() -> dict | None:
        return next((one for one in reversed(chat.sent_to(user)) if one["card"] and holding in one["text"]), None)

    return waited(found)  # type: ignore[return-value]


def test_a_question_that_comes_three_times_is_answered_once(chat: WecomSimulator) -> None:
    assert chat.say(LI, QUESTION, times=3) == [200, 200, 200]
    waited(lambda: chat.heard_by(LI))
    time.sleep(2)
    (answer,) = answers(chat, LI)
    assert "住宿" in answer and "依据：《" in answer and "生效日期 20" in answer and len(answer.encode()) <= 2048


def test_what_is_sent_three_times_because_nobody_acknowledges_is_answered_once(
    stack: Stack, chat: WecomSimulator
) -> None:
    door, xml = (
        stack.child("service.app"),
        chat.message(CHEN, "text", f"<Content>{QUESTION}</Content><MsgId>31</MsgId>"),
    )
    patience, chat.patience = chat.patience, 0.5
    door.suspend()
    try:
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                chat.post(xml.encode())
    finally:
        door.resume()
        chat.patience = patience
    assert chat.post(xml.encode()).status_code == 200
    waited(lambda: chat.heard_by(CHEN))
    time.sleep(1)
    assert len(answers(chat, CHEN)) == 1


def test_a_card_of_the_greeting_is_pressed_twice_and_answered_once(chat: WecomSimulator) -> None:
    chat.event(WANG, "click", "<EventKey>greet</EventKey>")
    shown = card(chat, WANG, "[1]")
    assert chat.press(WANG, "1", times=2, shown=shown) == [200, 200]
    waited(lambda: any("依据：" in text for text in chat.heard_by(WANG)))
    waited(lambda: shown["locked"])
    first = shown["card"]["horizontal_content_list"][0]["value"]
    assert shown["locked"].rstrip("…") in first
    time.sleep(1)
    assert len([text for text in chat.heard_by(WANG) if "依据：" in text]) == 1
    chat.say(WANG, "2")
    waited(lambda: len([text for text in chat.heard_by(WANG) if "依据：" in text]) == 2)


def test_who_opens_the_app_is_greeted_once(chat: WecomSimulator) -> None:
    chat.event(CHEN, "enter_agent", "<EventKey></EventKey>")
    waited(lambda: chat.heard_by(CHEN))
    time.sleep(1.1)
    chat.event(CHEN, "enter_agent", "<EventKey></EventKey>")
    time.sleep(3)
    assert len(chat.heard_by(CHEN)) == 1


def test_what_cannot_be_read_gets_advice_and_what_nobody_knows_a_200(chat: WecomSimulator) -> None:
    voice = chat.message(CHEN, "voice", "<MediaId>m</MediaId><Format>amr</Format><MsgId>77001</MsgId>")
    assert chat.call(voice) == [200]
    assert "语音" in str(waited(lambda: chat.heard_by(CHEN))[0])
    for xml in (
        chat.message(CHEN, "hologram", "<MsgId>77002</MsgId>"),
        chat.message("sys", "event", "<Event>change_contact</Event><ChangeType>update_user</ChangeType>"),
        chat.message(CHEN, "event", "<Event>never_heard_of</Event>"),
        f"<xml><ToUserName>{chat.corp_id}</ToUserName><CreateTime>1</CreateTime><MsgType>event</MsgType>"
        "<Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>k</OpenKfId></xml>",
    ):
        assert chat.call(xml) == [200]
    time.sleep(1)
    assert len(chat.heard_by(CHEN)) == 1


def test_a_person_answers_and_the_employee_reads_it_there(stack: Stack, chat: WecomSimulator) -> None:
    chat.say(WANG, "转人工，我的付款被银行退回了，单号 FK202611210007")
    waited(lambda: any("哪类业务" in text for text in chat.heard_by(WANG)))
    chat.say(WANG, "转人工")
    waited(lambda: any("FW" in text for text in chat.heard_by(WANG)))
    desk = console(stack.url)
    ticket = desk.get("/api/v1/console/tickets", params={"q": "FK202611210007"}).json()["items"][0]
    assert ticket["channel"] == "wecom" and ticket["employee_no"] == WANG and ticket["company"] == "华晟制造公司"
    claimed = desk.post(f"/api/v1/console/tickets/{ticket['number']}/claim", json={"version": ticket["version"]}).json()
    answer = desk.post(
        f"/api/v1/console/tickets/{ticket['number']}/reply",
        json={"version": claimed["version"], "text": "账号少了一位，已重新付款。"},
    )
    assert answer.status_code == 200, answer.text
    waited(lambda: any("账号少了一位" in text for text in chat.heard_by(WANG)))
    (reply,) = [text for text in chat.heard_by(WANG) if "账号少了一位" in text]
    assert reply.startswith("【")
    before = len(chat.heard_by(WANG))
    chat.say(WANG, "好的谢谢，什么时候到账？")
    waited(
        lambda: "什么时候到账" in desk.get(f"/api/v1/console/tickets/{ticket['number']}").text,
    )
    time.sleep(2)
    assert len(chat.heard_by(WANG)) == before, "the bot talks over the person"
    version = desk.get(f"/api/v1/console/tickets/{ticket['number']}").json()["version"]
    done = desk.post(
        f"/api/v1/console/tickets/{ticket['number']}/resolve", json={"version": version, "text": "今天到账。"}
    )
    assert done.status_code == 200, done.text
    waited(lambda: any("今天到账" in text for text in chat.heard_by(WANG)))
    chat.press(WANG, "2 分 · 不满意", shown=card(chat, WANG, "您对这次服务满意吗"))
    chat.press(WANG, "时效·回复太慢", "流程·被转来转去", shown=card(chat, WANG, "时效·回复太慢"))
    waited(lambda: any("认真对待" in text for text in chat.heard_by(WANG)))
    chat.say(WANG, "评价：等了两天才有人理")
    waited(lambda: "等了两天" in desk.get(f"/api/v1/console/tickets/{ticket['number']}").text)
    assert desk.get(f"/api/v1/console/tickets/{ticket['number']}").json()["rating"] == 2


def test_one_person_in_both_channels_and_an_agent_who_is_told_in_theirs(
    stack: Stack, chat: WecomSimulator, employee: Callable[..., Employee]
) -> None:
    desk = console(stack.url)
    desk.post(
        "/api/v1/console/users",
        json={"username": "wcagent", "name": "陈坐席", "password": "for-the-tests", "roles": ["agent"]},
    )
    group = desk.get("/api/v1/console/groups").json()[0]["id"]
    changed = desk.patch("/api/v1/console/staff/wcagent", json={"groups": [group], "employee_no": CHEN})
    assert changed.status_code == 200 and changed.json()["employee_no"] == CHEN
    li = employee()
    number = file_ticket(li, "蓝色审批章盖不上去", "BX202611210077")
    chat.say(LI, "我的工单")
    listed = card(chat, LI, number)
    chat.press(LI, listed["card"]["button_list"][0]["text"], shown=listed)
    status = card(chat, LI, "当前状态")
    assert {"[催办]", "[补充说明]"} <= set(status["text"].splitlines())
    chat.press(LI, "补充说明", shown=status)
    waited(lambda: any("要补充的内容" in text for text in chat.heard_by(LI)))
    chat.say(LI, "换了浏览器也不行")
    waited(lambda: "换了浏览器也不行" in desk.get(f"/api/v1/console/tickets/{number}").text)

    version = desk.get(f"/api/v1/console/tickets/{number}").json()["version"]
    given = desk.post(f"/api/v1/console/tickets/{number}/assign", json={"version": version, "to": "wcagent"})
    assert given.status_code == 200, given.text
    notice = waited(lambda: next((one for one in chat.sent_to(CHEN) if number in one["text"]), None))
    link = notice["card"]["card_action"]["url"]  # type: ignore[index]
    went = httpx.get(link, follow_redirects=False, trust_env=False)
    assert (went.status_code, went.headers["location"]) == (302, f"/console/tickets/{number}")
    assert httpx.get(link[:-2] + "xx", trust_env=False).status_code == 404

    version, before = given.json()["version"], len(chat.heard_by(LI))
    reply = {"version": version, "text": "已为您补盖，请刷新。"}
    assert desk.post(f"/api/v1/console/tickets/{number}/reply", json=reply).status_code == 200
    waited(lambda: any("已为您补盖" in one["text"] for one in li.history()))
    assert len(chat.heard_by(LI)) == before, "the answer goes to where the ticket was opened"


def test_a_token_that_expires_in_mid_flight_loses_nothing(chat: WecomSimulator) -> None:
    chat.expire_tokens()
    chat.say(LI, "借款怎么冲销？")
    waited(lambda: chat.heard_by(LI))


def test_forgeries_are_refused_and_learn_nothing(chat: WecomSimulator) -> None:
    rng = random.Random(7)
    victim, caller = "E7001", "E7002"  # Of their own: others may still be told what an earlier test has set off.
    chat.members.update({one: {"name": one, "department": [2]} for one in (victim, caller)})
    whole = chat.message(victim, "text", "<Content>x</Content><MsgId>1</MsgId>").encode()
    sealed = chat.sealed(whole)
    said = set()
    with httpx.Client(timeout=60) as client:
        for _ in range(300):
            body = bytearray(f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode())
            for _ in range(rng.randint(1, 4)):
                body[rng.randrange(len(body))] = rng.randrange(256)
            query = {"msg_signature": chat.signature("1", "2", sealed[:-1]), "timestamp": "1", "nonce": "2"}
            answer = client.post(chat.callback_url, params=query, content=bytes(body))
            assert answer.status_code == 400
            said.add(answer.json()["error"]["message"])
        foreign = chat.sealed(whole, receive_id="ww-somebody-else")
        query = {"msg_signature": chat.signature("1", "2", foreign), "timestamp": "1", "nonce": "2"}
        body = f"<xml><Encrypt>{foreign}</Encrypt></xml>"
        assert client.post(chat.callback_url, params=query, content=body).status_code == 400
    assert said == {"无法识别的回调。"}
    chat.say(caller, "借款怎么冲销？")
    waited(lambda: chat.heard_by(caller))
    assert chat.heard_by(victim) == []


def test_the_gateway_is_killed_and_everybody_is_answered_once_and_in_order(stack: Stack, chat: WecomSimulator) -> None:
    questions = ["出差机票能坐什么舱位？", "借款怎么冲销？", "发票抬头写错了怎么办？", "差旅费多久之内要报销？"]
    asked = dict.fromkeys((LI, WANG, CHEN), questions)

    def ask(user: str) -> None:
        for n, text in enumerate(asked[user]):
            chat.say(user, text, message_id=f"88{user[1:]}{n}", times=2 if n % 2 else 1)

    with ThreadPoolExecutor(4) as pool:
        for user in asked:
            pool.submit(ask, user)
        time.sleep(0.7)
        stack.child("service.app").kill()
    stack.green()
    for user, texts in asked.items():
        for n, text in enumerate(texts):  # What was refused while nobody listened is sent again, as theirs would.
            chat.say(user, text, message_id=f"88{user[1:]}{n}")
    waited(lambda: all(len(answers(chat, user)) >= 4 for user in asked))
    time.sleep(3)
    assert {user: len(answers(chat, user)) for user in asked} == dict.fromkeys(asked, 4)
