"""Conversations and turns in a real Redis (its URL in FSSC_TEST_REDIS_URL) and in memory."""

from __future__ import annotations

import asyncio
import os
import time
import unittest
from unittest import mock

from bot.engine import locks, patches, trackers
from tests.engine.inside.model import engine, say

REDIS_URL = os.environ.get("FSSC_TEST_REDIS_URL")
URLS = [None, REDIS_URL] if REDIS_URL else [None]


class Stores(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        patches.bind()

    def test_a_conversation_goes_on_in_another_engine(self) -> None:
        if not REDIS_URL:
            self.skipTest("no Redis was given")

        async def two_engines() -> list:
            first = await engine(trackers.tracker_store(REDIS_URL))
            await say(first, "moved", "我要提工单")
            second = await engine(trackers.tracker_store(REDIS_URL))
            return await say(second, "moved", "打印机坏了")

        self.assertEqual(asyncio.run(two_engines())[-1]["text"], "急吗？")

    def test_a_record_expires(self) -> None:
        if not REDIS_URL:
            self.skipTest("no Redis was given")

        async def turn():
            store = trackers.tracker_store(REDIS_URL)
            await say(await engine(store), "expiring", "你好")
            return store._redis.ttl(trackers.KEY + "expiring"), await store.keys()

        left, keys = asyncio.run(turn())
        self.assertTrue(0 < left <= trackers.EXPIRES_S)
        self.assertIn("expiring", keys)

    def test_memory_forgets_what_expired(self) -> None:
        store = trackers.MemoryTrackers()
        store._write("old", "{}")
        with mock.patch.object(time, "monotonic", return_value=time.monotonic() + trackers.EXPIRES_S + 1):
            self.assertIsNone(store._read("old"))
            store._write("new", "{}")
            self.assertEqual(list(store._records), ["new"])

    def test_what_is_written_is_small(self) -> None:
        async def turns() -> int:
            store = trackers.MemoryTrackers()
            agent = await engine(store)
            for _ in range(50):
                await say(agent, "small", "住宿标准是多少", {"turn": "李晓雯" * 2000})
            self.assertNotIn("李晓雯", store._read("small"))
            return len(store._read("small"))

        self.assertLess(asyncio.run(turns()), 6_000)


class Turns(unittest.TestCase):
    def test_turns_of_a_conversation_do_not_overlap_and_keep_their_order(self) -> None:
        for url in URLS:
            with self.subTest(url=url):
                self.assertEqual(asyncio.run(self.crowd([locks.lock_store(url)])), list(range(8)))

    def test_two_engines_do_not_overlap(self) -> None:
        if not REDIS_URL:
            self.skipTest("no Redis was given")
        stores = [locks.lock_store(REDIS_URL), locks.lock_store(REDIS_URL)]
        self.assertEqual(sorted(asyncio.run(self.crowd(stores))), list(range(8)))

    async def crowd(self, stores: list) -> list[int]:
        """Eight turns of one conversation at once, spread over `stores`: their order, after checking that they are apart."""
        order: list[int] = []
        inside = 0

        async def turn(number: int) -> None:
            nonlocal inside
            async with stores[number % len(stores)].lock("crowded"):
                inside += 1
                self.assertEqual(inside, 1)
                await asyncio.sleep(0.01)
                order.append(number)
                inside -= 1

        await asyncio.gather(*(turn(number) for number in range(8)))
        self.assertTrue(all(not store._turns for store in stores))
        return order

    def test_a_waiter_is_woken_at_once(self) -> None:
        async def wait(url: str | None) -> float:
            store = locks.lock_store(url)
            async with store.lock("busy"):
                waiting = asyncio.ensure_future(self.once(store))
                await asyncio.sleep(0.05)
                started = time.perf_counter()
            await waiting
            return time.perf_counter() - started

        for url in URLS:
            self.assertLess(asyncio.run(wait(url)), 0.2)

    async def once(self, store) -> None:
        async with store.lock("busy"):
            pass

    def test_who_waits_too_long_is_told(self) -> None:
        from rasa.core.lock_store import LockError

        async def give_up(url: str | None) -> None:
            holder, waiter = locks.lock_store(url), locks.lock_store(url)
            if url is None:
                waiter = holder
            async with holder.lock("stuck"):
                with self.assertRaises(LockError):
                    async with waiter.lock("stuck"):
                        pass

        with mock.patch.object(locks, "WAIT_S", 0.2):
            for url in URLS:
                asyncio.run(give_up(url))

    def test_a_turn_that_fails_lets_go(self) -> None:
        async def fail(url: str | None) -> None:
            store = locks.lock_store(url)
            with self.assertRaises(RuntimeError):
                async with store.lock("failing"):
                    raise RuntimeError
            async with store.lock("failing"):
                pass

        for url in URLS:
            asyncio.run(fail(url))


if __name__ == "__main__":
    unittest.main()
