"""Agent and employee write to each other while processes are killed: nothing is lost, and nothing comes twice."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from core.database import Database
from core.outbox import DeliveryRow
from handoff.tickets import TicketEventRow
from tests.e2e.test_dialogue import console, file_ticket
from tests.stack import LI, Employee, Stack

pytestmark = pytest.mark.engine

KILLS = int(os.environ.get("FSSC_TEST_KILLS", "1"))
"""How often gateway and worker are killed, each."""
LINES = 4 + 4 * KILLS

DOWN = (httpx.TransportError, httpx.TimeoutException)


def until(done: Callable[[], Any], patience: float = 240) -> Any:
    """What `done` gives once it gives something; what is down meanwhile comes back."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if found := done():
                return found
        except DOWN:
            pass
        time.sleep(0.2)
    raise AssertionError(f"not within {patience} s")


class Agent:
    """An agent at the console: what was not answered is looked up before it is sent again, with the version it was for."""

    def __init__(self, url: str, number: str) -> None:
        self.client = console(url)
        self.path = f"/api/v1/console/tickets/{number}"

    def ticket(self) -> dict[str, Any]:
        return until(lambda: self.ok(self.client.get(self.path)))

    @staticmethod
    def ok(response: httpx.Response) -> dict[str, Any] | None:
        return response.json() if response.status_code == 200 else None

    def do(self, verb: str, text: str = "", **arguments: Any) -> None:
        def once() -> bool:
            ticket = self.ticket()
            if text and any(event["text"] == text for event in ticket["events"]):
                return True
            body = {"version": ticket["version"], **arguments, **({"text": text} if text else {})}
            return self.client.post(f"{self.path}/{verb}", json=body).status_code == 200

        until(once)


def says(li: Employee, text: str) -> None:
    """Like the widget: the same id until it is acknowledged."""
    name = uuid.uuid4().hex
    until(lambda: li.post(text=text, client_message_id=name, timeout=15).status_code == 200)


def reads(li: Employee, seen: list[dict[str, Any]], stop: threading.Event) -> None:
    """Like the widget: from the last message that it has."""
    last = False
    while not last:
        last = stop.is_set()
        new = until(lambda: {"messages": li.history(seen[-1]["seq"] if seen else 0)})["messages"]
        seen.extend(new)
        time.sleep(0.3)


def test_whatever_is_killed_every_word_arrives_once(stack: Stack, employee: Callable[..., Employee]) -> None:
    li = employee(replace(LI, employee_no=f"K{uuid.uuid4().hex[:8]}"))
    number = file_ticket(li)
    agent = Agent(stack.url, number)
    agent.do("claim")

    seen: list[dict[str, Any]] = []
    stop = threading.Event()
    theirs = [f"员工第 {n} 句" for n in range(LINES)]
    ours = [f"坐席第 {n} 句" for n in range(LINES)]
    people = [
        threading.Thread(target=lambda: [(says(li, text), time.sleep(0.2)) for text in theirs]),
        threading.Thread(target=lambda: [(agent.do("reply", text), time.sleep(0.2)) for text in ours]),
        threading.Thread(target=reads, args=(li, seen, stop)),
    ]
    for one in people:
        one.start()
    for _ in range(KILLS):
        heard = len(seen)
        until(lambda heard=heard: len(seen) >= heard + 2 or not any(one.is_alive() for one in people[:2]))
        time.sleep(random.uniform(0, 1))
        stack.child("service.app").kill()
        time.sleep(random.uniform(0.5, 2))
        stack.child("service.worker").kill()
        until(lambda: httpx.get(f"{stack.url}/healthz", trust_env=False, timeout=5).status_code == 200)
    for one in people[:2]:
        one.join()
    agent.do("resolve", "都处理好了。")
    stop.set()
    people[2].join()

    assert [one["text"] for one in seen if one["from"] == "user"][-LINES:] == theirs
    spoken = [one["text"] for one in seen if one["from"] == "agent"]
    assert spoken == [*ours, "都处理好了。"]
    assert [count for count in Counter(one["id"] for one in seen).values() if count > 1] == []
    assert [one["seq"] for one in seen] == list(range(1, len(seen) + 1))
    told = [one["text"] for one in seen if one["type"] == "notice"]
    assert sum("已接入" in text for text in told) == 1 and sum("智能客服回来了" in text for text in told) == 1

    database = Database(stack.settings.database)

    def undelivered() -> list[str]:
        with database.read() as session:
            rows = session.scalars(select(DeliveryRow).where(DeliveryRow.conversation_id == li.conversation_id))
            return [row.key for row in rows if row.state != "delivered"]

    until(lambda: undelivered() == [])
    with database.read() as session:
        rows = session.scalars(select(DeliveryRow).where(DeliveryRow.conversation_id == li.conversation_id)).all()
        events = session.scalars(
            select(TicketEventRow.text)
            .where(TicketEventRow.ticket == number, TicketEventRow.kind == "employee_said")
            .order_by(TicketEventRow.id)
        ).all()
    database.close()
    assert list(events) == theirs
    assert len({row.message_id for row in rows}) == len(rows)
    stack.green()
