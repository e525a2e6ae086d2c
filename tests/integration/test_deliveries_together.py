"""What waits in one conversation goes out in one message, as far as the channel can, and is a message of its own in the records."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select, update

from connectors import delivery
from connectors.delivery import Busy, Deliverer, Delivery, NotSent, Receipt, Unsure
from connectors.wecom.channel import MOST_A_MINUTE, WecomChannel
from connectors.wecom.client import WecomClient
from core import outbox
from core.clock import now
from core.database import Database
from core.identity import Identity
from core.outbox import DeliveryRow, deliver
from core.transcript import open_conversation, say
from tests.integration.test_delivery import run_process
from tests.simulators.wecom import WecomSimulator

LI = Identity("E1001", "李晓雯")
AGENT = {"sender": "agent", "agent_name": "赵敏"}
CARD = {"options": [{"label": "是", "choice": "say:是"}, {"label": "否", "choice": "say:否"}]}

Say = Callable[..., None]


@pytest.fixture
def wecom(redis_url: str) -> Iterator[WecomSimulator]:
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter("fssc:wecom:*"):
            client.delete(key)
    simulator = WecomSimulator(members={"E1001": {"name": "李晓雯"}}).start()
    yield simulator
    simulator.stop()
    assert simulator.violations == [] and simulator.dropped == []


@pytest.fixture
def channel(wecom: WecomSimulator, redis_url: str) -> WecomChannel:
    redis = Redis.from_url(redis_url)
    client = WecomClient(wecom.corp_id, wecom.secret, redis, wecom.url)
    return WecomChannel(client, wecom.agent_id, redis, lambda *_: None)


@pytest.fixture
def said(database: Database, monkeypatch: pytest.MonkeyPatch) -> Say:
    """`said("…", "…")` puts messages into the outbox, in one conversation for each channel; a repeat is due at once."""
    monkeypatch.setattr(delivery, "_pause", lambda attempts: timedelta(0))
    conversations: dict[str, str] = {}

    def put(*texts: str, channel: str = "wecom", sender: str = "bot", kind: str = "text", **extras: Any) -> None:
        with database.write() as session:
            if channel not in conversations:
                conversations[channel] = open_conversation(session, channel, LI).id
            for text in texts:
                message = say(session, conversations[channel], sender, kind, text, extras=extras)
                deliver(session, message, key=f"event:{text[:20]}")

    return put


def rows_of(database: Database) -> list[DeliveryRow]:
    with database.read() as session:
        return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))


def states(database: Database) -> list[str]:
    return [row.state for row in rows_of(database)]


def due_now(database: Database) -> None:
    with database.write() as session:
        session.execute(update(DeliveryRow).values(due_at=now()))
        died = update(DeliveryRow).where(DeliveryRow.claimed_until.is_not(None))
        session.execute(died.values(claimed_until=now() - timedelta(seconds=1)))


class Phone:
    """Shows what waits together in one message, joined with bars; `faults` meet one send each, in turn, and what is refused for
    its words is refused whenever one of `refused` is in it. A repeat of what it was sent is not shown again."""

    repeats: timedelta | None = timedelta(hours=1)

    def __init__(self, *faults: Exception, refused: str = "") -> None:
        self.faults, self.refused = list(faults), refused
        self.sent: list[str] = []

    @property
    def shown(self) -> list[str]:
        return list(dict.fromkeys(self.sent))

    def together(self, deliveries: Sequence[Delivery]) -> int:
        return len(deliveries)

    def send(self, delivery: Delivery) -> Receipt:
        text = "|".join(one["text"] for one in delivery.messages)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, (NotSent, Busy)):
            raise fault
        if self.refused and self.refused in text:
            raise NotSent("what it says", for_good=True, words=True)
        self.sent.append(text)
        if fault:
            raise fault
        return Receipt(f"m{len(self.sent)}")


def test_texts_that_wait_go_out_as_one_in_order_and_a_card_parts_them(
    database: Database, said: Say, channel: WecomChannel, wecom: WecomSimulator
) -> None:
    said("住宿费按间夜计算。", kind="answer", sources=[{"label": "《差旅费管理办法》"}])
    said("请补交行程单。", "还有发票。", **AGENT)
    said("要继续吗？", **CARD)
    said("好的。", "已记下。")
    assert Deliverer(database, {"wecom": channel}).run() == 6
    assert wecom.heard_by("E1001") == [
        "住宿费按间夜计算。\n\n依据：《差旅费管理办法》\n\n【赵敏】请补交行程单。\n\n【赵敏】还有发票。",
        "要继续吗？\n[是]\n[否]",
        "好的。\n\n已记下。",
    ]
    rows = rows_of(database)
    first, fifth = rows[0].id, rows[4].id
    assert [row.rides_with for row in rows] == [first, first, first, None, fifth, fifth]
    receipts = [row.receipt["id"] for row in rows if row.receipt]
    assert len(receipts) == 6 and [len(list(some)) for _, some in itertools.groupby(receipts)] == [3, 1, 2]
    assert {row.state for row in rows} == {"delivered"} and all(row.delivered_at for row in rows)


def test_many_processes_send_every_text_once_and_in_order(database: Database, said: Say) -> None:
    phone = Phone()
    deliverers = [Deliverer(database, {"phone": phone}) for _ in range(4)]
    texts = [f"第 {n} 句" for n in range(80)]
    said(*texts[:40], channel="phone")
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(one.run) for one in deliverers]
        for text in texts[40:]:
            said(text, channel="phone")
            running.append(pool.submit(deliverers[0].run))
    arrived = sum(one.result() for one in running) + deliverers[0].run()
    assert "|".join(phone.sent).split("|") == texts and arrived == 80
    assert len(phone.sent[0].split("|")) > 1


def test_no_message_is_longer_than_the_platform_takes(
    database: Database, said: Say, channel: WecomChannel, wecom: WecomSimulator
) -> None:
    texts = [f"{n}" + "差旅费" * 100 for n in range(5)]
    said(*texts)
    Deliverer(database, {"wecom": channel}).run()
    assert wecom.heard_by("E1001") == ["\n\n".join(texts[:2]), "\n\n".join(texts[2:4]), texts[4]]
    assert [row.receipt["parts"] for row in rows_of(database) if row.receipt] == [1] * 5


@pytest.mark.parametrize("texts", ["一", "一二三"])
def test_killed_after_sending_the_very_same_is_sent_again_whatever_has_come_since(
    database: Database, said: Say, tmp_path: Path, texts: str
) -> None:
    platform = tmp_path / "platform"
    said(*texts, channel="phone")
    assert run_process(database, platform, "after", "together") == -signal.SIGKILL
    said("四", "五", channel="phone")
    assert run_process(database, platform, "before", "together") == -signal.SIGKILL
    assert run_process(database, platform, "never", "together") == 0
    assert platform.read_text().splitlines() == [f"event:一 {'|'.join(texts)}", "event:四 四|五"]
    assert set(states(database)) == {"delivered"}


class Dying(WecomChannel):
    """Its process dies once it has sent, before anybody could write that down."""

    def send(self, delivery: Delivery) -> Receipt:
        super().send(delivery)
        self._redis.delete(f"fssc:wecom:sent:{delivery.key}")
        raise SystemExit


def test_the_platform_shows_once_what_was_sent_together_and_is_sent_again(
    database: Database, said: Say, channel: WecomChannel, wecom: WecomSimulator
) -> None:
    said("一", "二", "三")
    with pytest.raises(SystemExit):
        Deliverer(database, {"wecom": Dying(channel._client, wecom.agent_id, channel._redis, lambda *_: None)}).run()
    said("四")
    due_now(database)
    assert Deliverer(database, {"wecom": channel}).run() == 4
    assert wecom.heard_by("E1001") == ["一\n\n二\n\n三", "四"] and states(database) == ["delivered"] * 4


def test_a_backlog_goes_out_within_the_members_minute(
    database: Database, said: Say, channel: WecomChannel, wecom: WecomSimulator
) -> None:
    deliverer = Deliverer(database, {"wecom": channel})
    for n in range(MOST_A_MINUTE):
        said(f"之前 {n}")
        deliverer.run()
    texts = [f"第 {n} 句：" + "请补交行程单。" * 6 for n in range(40)]
    said(*texts[:5])
    assert deliverer.run() == 0
    said(*texts[5:])
    assert deliverer.run() == 0 and states(database)[MOST_A_MINUTE:] == ["waiting"] * 40
    a_minute_passes_for(8, channel, wecom)
    due_now(database)
    assert deliverer.run() == 40
    heard = wecom.heard_by("E1001")[MOST_A_MINUTE:]
    assert len(heard) == 3 and "\n\n".join(heard) == "\n\n".join(texts)


def a_minute_passes_for(oldest: int, channel: WecomChannel, wecom: WecomSimulator) -> None:
    """Both sides' memory of so many of the messages to the member is moved back."""
    hour, pace = wecom._hour["E1001"], "fssc:wecom:pace:e1001"
    for n in range(oldest):
        hour[n] -= 61
    earlier = channel._redis.zrange(pace, 0, oldest - 1, withscores=True)
    channel._redis.zadd(pace, {name: moment - 61 for name, moment in earlier})


def test_what_is_refused_for_its_words_is_tried_one_by_one(database: Database, said: Say) -> None:
    phone = Phone(refused="二")
    said("一", "二", "三", channel="phone")
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["一", "三"] and states(database) == ["delivered", "dead", "delivered"]


def test_what_nobody_can_receive_is_given_up_together(database: Database, said: Say) -> None:
    phone = Phone(NotSent("no such user", for_good=True))
    said("一", "二", channel="phone")
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["dead", "dead"] and phone.sent == [] and phone.faults == []
    with database.write() as session:
        assert outbox.try_again(session, rows_of(database)[1].id)
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["二"] and states(database) == ["dead", "delivered"]


def test_a_failure_keeps_a_set_together_until_it_is_sent(database: Database, said: Say) -> None:
    phone = Phone(NotSent("down"), Unsure("no answer"))
    said("一", "二", channel="phone")
    Deliverer(database, {"phone": phone}).run()
    assert phone.sent == ["一|二"] * 2 and states(database) == ["delivered"] * 2


def waiting_set(database: Database, said: Say, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> Phone:
    """一, 二 and 三, which were tried in one message and wait for the next attempt."""
    monkeypatch.setattr(delivery, "_pause", lambda attempts: timedelta(minutes=1))
    phone = Phone(fault)
    said("一", "二", "三", channel="phone")
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["waiting"] * 3
    return phone


def test_the_others_go_on_without_what_a_person_has_settled(
    database: Database, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = waiting_set(database, said, monkeypatch, NotSent("down"))
    first, _, third = rows_of(database)
    with database.write() as session:
        assert outbox.settle(session, first.id) and outbox.try_again(session, third.id)
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["settled", "delivered", "delivered"] and phone.shown == ["二|三"]


def test_others_that_may_be_out_with_it_are_left_to_a_person(
    database: Database, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = waiting_set(database, said, monkeypatch, Unsure("no answer"))
    with database.write() as session:
        assert outbox.settle(session, rows_of(database)[1].id)
    due_now(database)
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["unsure", "settled", "unsure"] and phone.sent == ["一|二|三"]
