"""The outbox, and the deliverer against channels that fail in every way a push API can."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connectors import delivery
from connectors.delivery import Busy, Deliverer, Delivery, NotSent, Receipt, Unsure
from connectors.widget import WidgetChannel
from core import outbox
from core.audit import AuditRow
from core.clock import now
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Identity
from core.outbox import DeliveryRow, deliver
from core.transcript import open_conversation, say
from handoff.filing import file_ticket
from handoff.notices import notices_of
from handoff.tickets import Reason, TicketDraft
from service.undelivered import send_again, settle, undelivered

LI = Identity("E1001", "李晓雯")


class Phone:
    """A push API: `faults` meet one send each, in turn; `shown` is what the employee sees. With `repeats` it drops a key
    that it has seen; a lost answer is a message that was shown."""

    def __init__(self, repeats: timedelta | None = None, faults: list[Exception] | None = None) -> None:
        self.repeats = repeats
        self.faults = faults or []
        self.shown: list[str] = []
        self.sent: list[str] = []
        self._keys: set[str] = set()

    def send(self, delivery: Delivery) -> Receipt:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, (NotSent, Busy)):
            raise fault
        self.sent.append(delivery.message["text"])
        if self.repeats is None or delivery.key not in self._keys:
            self.shown.append(delivery.message["text"])
        self._keys.add(delivery.key)
        if fault:
            raise fault
        return Receipt(f"m{len(self.sent)}")


Say = Callable[..., str]


@pytest.fixture
def said(database: Database, monkeypatch: pytest.MonkeyPatch) -> Say:
    """`said("…", key=…)` puts a message of an agent into the outbox; a repeat is due at once."""
    monkeypatch.setattr(delivery, "_pause", lambda attempts: timedelta(0))
    with database.write() as session:
        conversation = open_conversation(session, "phone", LI)
        draft = TicketDraft("发票", "专票认证", conversation.id, LI, Reason.MISSING_KNOWLEDGE, "turn-1")
        ticket = file_ticket(session, draft)
        ticket.assignee = "sun"

    def put(text: str, key: str = "") -> str:
        with database.write() as session:
            message = say(session, conversation.id, "agent", "text", text, extras={"number": ticket.number})
            deliver(session, message, key=key or f"event:{text}")
        return ticket.number

    return put


def states(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(DeliveryRow.state).order_by(DeliveryRow.id)))


def test_many_processes_deliver_everything_once_and_in_order(database: Database, said: Say) -> None:
    phone = Phone()
    texts = [f"第 {n} 句" for n in range(12)]
    for text in texts:
        said(text)
    deliverers = [Deliverer(database, {"phone": phone}) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        arrived = sum(pool.map(lambda one: one.run(), deliverers))
    arrived += deliverers[0].run()
    assert (phone.shown, arrived) == (texts, 12)
    assert Deliverer(database, {"phone": phone}).run() == 0


def test_a_cause_is_delivered_once(database: Database, said: Say) -> None:
    phone = Phone()
    said("您好", key="ticket-event:7")
    said("您好", key="ticket-event:7")
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["您好"]


def test_what_was_not_said_in_the_end_is_not_delivered(database: Database, said: Say) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        conversation = open_conversation(session, "phone", LI)
        deliver(session, say(session, conversation.id, "agent", "text", "未提交"), key="k")
        raise RuntimeError
    assert states(database) == []


def test_a_failure_is_tried_again_and_later_words_wait_for_it(database: Database, said: Say) -> None:
    phone = Phone(faults=[NotSent("down"), NotSent("down")])
    said("第一句")
    said("第二句")
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["第一句", "第二句"] and states(database) == ["delivered"] * 2


def test_pauses_grow(database: Database) -> None:
    pauses = [delivery._pause(attempt).total_seconds() for attempt in range(1, 13)]
    assert 1.8 <= pauses[0] <= 2.2 and 14 <= pauses[3] <= 18 and 540 <= pauses[-1] <= 660


def test_in_the_end_it_is_dead_and_the_agent_knows(
    database: Database, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_ATTEMPTS", 3)
    phone = Phone(faults=[NotSent("down")] * 2 * delivery.MOST_ATTEMPTS)
    number = said("您好")
    said("第二句")
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["dead", "dead"]
    with database.read() as session:
        dead, _ = undelivered(session, now())
        told = notices_of(session, "sun")
    assert dead[1].attempts == delivery.MOST_ATTEMPTS and dead[1].error == "down"
    assert [one.ticket for one in told] == [number, number] and "没有送达" in told[0].text
    phone.faults = []
    with database.write() as session:
        send_again(session, "sun", dead[1].id)
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["您好"] and states(database) == ["delivered", "dead"]


def test_what_can_never_be_sent_is_not_tried_again(database: Database, said: Say) -> None:
    phone = Phone(faults=[NotSent("no such user", for_good=True)])
    said("您好")
    Deliverer(database, {"phone": phone}).run()
    assert states(database) == ["dead"] and phone.sent == []


def test_a_rate_limit_pauses_the_channel_and_costs_no_attempt(database: Database, said: Say) -> None:
    phone = Phone(faults=[Busy(timedelta(minutes=1))])
    said("您好")
    deliverer = Deliverer(database, {"phone": phone})
    assert deliverer.run() == 0 and phone.sent == []
    with database.write() as session:
        row = session.scalars(select(DeliveryRow)).one()
        assert row.attempts == 0 and timedelta(seconds=50) < row.due_at - now() <= timedelta(minutes=1)
        row.due_at = now()
    assert deliverer.run() == 0 and phone.sent == []
    with database.write() as session:
        session.execute(update(DeliveryRow).values(due_at=now()))
    assert Deliverer(database, {"phone": phone}).run() == 1


def test_sent_and_no_answer_goes_again_where_the_channel_drops_repeats(database: Database, said: Say) -> None:
    phone = Phone(timedelta(minutes=30), faults=[Unsure("timeout")])
    said("您好")
    Deliverer(database, {"phone": phone}).run()
    assert phone.sent == ["您好", "您好"] and phone.shown == ["您好"] and states(database) == ["delivered"]


def test_sent_and_no_answer_is_left_to_a_person_where_it_does_not(database: Database, said: Say) -> None:
    phone = Phone(faults=[Unsure("timeout")])
    said("您好")
    said("第二句")
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["您好", "第二句"] and states(database) == ["unsure", "delivered"]


@pytest.mark.parametrize(
    ("repeats", "shown", "state"), [(None, [], "unsure"), (timedelta(hours=1), ["您好"], "delivered")]
)
def test_a_process_that_died_while_sending_leaves_the_same_doubt(
    database: Database, said: Say, repeats: timedelta | None, shown: list[str], state: str
) -> None:
    phone = Phone(repeats)
    said("您好")
    with database.write() as session:
        assert outbox.claim(session, outbox.due(session, now())[0], now())
    deliverer = Deliverer(database, {"phone": phone})
    assert deliverer.run() == 0 and phone.sent == []
    with database.write() as session:
        session.execute(update(DeliveryRow).values(claimed_until=now() - timedelta(seconds=1)))
    deliverer.run()
    assert phone.shown == shown and states(database) == [state]


def test_a_claim_that_was_lost_changes_nothing(database: Database, said: Say) -> None:
    said("您好")
    with database.write() as session:
        first = outbox.claim(session, outbox.due(session, now())[0], now())
    assert first
    late = now() + timedelta(minutes=2)
    with database.write() as session:
        second = outbox.claim(session, first[0].id, late)
        assert second and second[1]
    with database.write() as session:
        session.expire_all()
        assert not outbox.finish(session, [first[0]], state="delivered")
        assert outbox.finish(session, [second[0]], state="delivered")


def test_a_channel_that_nobody_serves_is_seen(database: Database, said: Say) -> None:
    said("您好")
    Deliverer(database, {"widget": WidgetChannel()}).run()
    with database.read() as session:
        assert undelivered(session, now())[0][0].error == "no channel 'phone'"


def run_process(database: Database, platform: Path, dies: str, repeats: str) -> int:
    """A deliverer in a process of its own; its exit code. Claims of one that died before have run out."""
    with database.write() as session:
        session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.claimed_until.is_not(None))
            .values(claimed_until=now() - timedelta(seconds=1))
        )
    command = [sys.executable, "-m", "tests.integration.dying_deliverer"]
    url = database.engine.url.render_as_string(hide_password=False)
    return subprocess.run([*command, url, str(platform), dies, repeats], timeout=120, check=False).returncode


def test_killed_before_and_after_sending_nothing_is_lost_and_nothing_comes_twice(
    database: Database, said: Say, tmp_path: Path
) -> None:
    platform = tmp_path / "platform"
    for text in ("第一句", "第二句"):
        said(text)
    for dies, code in (("before", -signal.SIGKILL), ("after", -signal.SIGKILL), ("never", 0)):
        assert run_process(database, platform, dies, "repeats") == code
    assert platform.read_text().splitlines() == ["event:第一句 第一句", "event:第二句 第二句"]
    assert states(database) == ["delivered", "delivered"]


def test_killed_after_sending_to_a_channel_that_cannot_tell_nothing_comes_twice(
    database: Database, said: Say, tmp_path: Path
) -> None:
    platform = tmp_path / "platform"
    said("您好")
    assert run_process(database, platform, "after", "never") == -signal.SIGKILL
    assert run_process(database, platform, "never", "never") == 0
    assert platform.read_text().splitlines() == ["event:您好 您好"] and states(database) == ["unsure"]


def test_somebody_looks_after_what_did_not_arrive(database: Database, said: Say) -> None:
    phone = Phone(faults=[NotSent("no such user", for_good=True), Unsure("no answer")])
    number = said("您好")
    said("第二句")
    Deliverer(database, {"phone": phone}).run()
    said("第三句")

    def listed(kind: str = "open", words: str = "", moment: datetime | None = None) -> list[str]:
        with database.read() as session:
            rows, total = undelivered(session, moment or now(), kind=kind, words=words)
        assert total == len(rows)
        return [row.text for row in rows]

    assert listed() == ["第二句", "您好"] and listed("dead") == ["您好"] and listed("unsure") == ["第二句"]
    assert listed("late") == [] and listed("late", moment=now() + timedelta(minutes=11)) == ["第三句"]
    assert len(listed(words=number.lower())) == len(listed(words="E1001")) == len(listed(words="晓雯")) == 2
    assert listed(words="E9") == []
    with database.read() as session:
        second, first = undelivered(session, now())[0]
    assert (first.employee, first.ticket, first.error) == ("李晓雯", number, "no such user") and "拒绝" in first.reason
    with database.write() as session:
        settle(session, "sun", second.id, "已电话告知")
        with pytest.raises(Conflict):
            send_again(session, "sun", second.id)
        with pytest.raises(NotFound):
            send_again(session, "sun", 10**6)
        with pytest.raises(InvalidInput):
            settle(session, "sun", first.id, " ")
        send_again(session, "sun", first.id)
    Deliverer(database, {"phone": phone}).run()
    assert phone.shown == ["第二句", "您好", "第三句"] and listed() == [] and listed("settled") == ["第二句"]
    with database.read() as session:
        done = session.scalars(select(AuditRow).where(AuditRow.action.startswith("delivery."))).all()
    assert [(one.actor, one.action, one.subject) for one in done] == [
        ("sun", "delivery.settled", number),
        ("sun", "delivery.retried", number),
    ]
