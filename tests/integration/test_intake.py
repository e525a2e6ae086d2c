"""Callbacks are stored before they are acknowledged: those that come together in one transaction, each with an answer of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import func, select

from connectors import arrivals
from connectors.arrivals import ArrivalRow, Incoming
from core.database import Database
from service.intake import Intake


def test_what_comes_together_is_stored_together_and_what_cannot_be_keeps_nobody_from_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, begun, go = [], threading.Event(), threading.Event()
    store_all = arrivals.store_all

    def slow(database: Database, incoming: list[Incoming]) -> list[bool]:
        begun.set()
        assert go.wait(10)
        stored.append(len(incoming))
        return store_all(database, incoming)

    monkeypatch.setattr(arrivals, "store_all", slow)

    async def take() -> list[bool | BaseException]:
        intake = Intake(database)

        def read(key: str, text: object = "") -> Incoming:
            return Incoming("wecom", key, "e1", {"text": text})

        first = asyncio.create_task(intake.take(lambda: read("m:0")))
        await asyncio.to_thread(begun.wait, 10)
        cannot = asyncio.create_task(intake.take(lambda: read("m:bad", object())))
        left = asyncio.create_task(intake.take(lambda: read("m:9")))
        others = [asyncio.create_task(intake.take(lambda n=n: read(f"m:{n % 4}"))) for n in range(8)]
        await asyncio.sleep(0.1)
        left.cancel()
        go.set()
        answered = await asyncio.gather(first, cannot, *others, return_exceptions=True)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        return answered

    first, cannot, *others = asyncio.run(take())
    assert first is True and isinstance(cannot, Exception)
    assert others.count(True) == 3 and others.count(False) == 5
    assert stored[:2] == [1, 10], "one at once, the rest in one go"
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ArrivalRow)) == 5
