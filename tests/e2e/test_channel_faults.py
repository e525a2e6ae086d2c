"""Everything that the product consists of is killed in turn while people write: all that was accepted is answered, once, in order."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.judging import judged
from tests.simulators.wecom import WecomSimulator
from tests.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PEOPLE = [f"E4{n:03}" for n in range(30)]
QUESTIONS = ("出差住宿费能报多少", "借款怎么冲销", "发票抬头写错了怎么办", "差旅费多久之内要报销", "机票能坐什么舱位")


def test_150_messages_outlive_a_kill_of_every_process(stack: Stack, wecom: WecomSimulator) -> None:
    wecom.members.update({one: {"name": one, "department": [2]} for one in PEOPLE})
    texts = {f"66{n:05}": f"{QUESTIONS[n % 5]}？第{n}问" for n in range(150)}
    sent = [
        wecom.message(PEOPLE[n % 30], "text", f"<Content>{text}</Content><MsgId>{number}</MsgId>")
        for n, (number, text) in enumerate(texts.items())
    ]
    rng = random.Random(4)
    order = sent + rng.sample(sent, 30)
    rng.shuffle(order)

    def insist(xml: str) -> None:
        while 200 not in wecom.call(xml):
            time.sleep(0.5)

    with ThreadPoolExecutor(6) as pool:
        insisting = [pool.submit(insist, xml) for xml in order]
        for words in ("dramatiq", "action_process", "channel_process", "bot.engine", "valkey-server", "service.app"):
            time.sleep(1.2)
            stack.child(words).kill()
        for one in insisting:
            one.result(timeout=300)
    stack.green()
    end = time.monotonic() + 300
    while (found := judged(stack.settings.database, texts))["not_taken_in"] or _under_way(found):
        assert time.monotonic() < end, found
        time.sleep(1)
    assert found["stored"] == 150
    assert {
        key: found[key] for key in ("taken_in_twice", "people_out_of_order", "without_an_answer", "arrivals_given_up")
    } == {
        "taken_in_twice": 0,
        "people_out_of_order": 0,
        "without_an_answer": 0,
        "arrivals_given_up": 0,
    }, found
    assert not set(found["deliveries"]) - {"delivered"}, found
    assert wecom.violations == []


def _under_way(found: dict) -> bool:
    return bool({"waiting", "sending"} & set(found["deliveries"]))
