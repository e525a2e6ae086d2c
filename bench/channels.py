"""Channels with real processes: acknowledgement while the engine is saturated, messages a second end to end, everything killed in
turn, and callbacks that nobody should ever send. WeChat Work's servers are simulated, in a process of their own.

    .venv/bin/python -m bench.channels [ack|rate|killed|malformed]… [--messages N] [--seconds N] [--home DIR] [--postgresql]

The figures go to bench/results/channels.json (on a PostgreSQL of its own to channels-postgresql.json), with the baseline beside them: the engine's own rate, and a request without work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import func, select

from bench.path import questions
from bench.platform import Platform
from bench.postgres import server
from connectors.arrivals import ArrivalRow
from core.database import Database
from core.outbox import DeliveryRow
from tests.forgeries import Forgery, forgeries
from tests.judging import judged
from tests.simulators.dingtalk import DingtalkSimulator
from tests.stack import ROOT, Stack

RESULTS = ROOT / "bench" / "results"
PEOPLE = 400
_BETWEEN_DEATHS = 15
KILLED = ("valkey-server", "service.app", "action_process", "channel_process", "dramatiq", "bot.engine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["ack", "rate", "killed", "malformed"])
    parser.add_argument("--messages", type=int, default=0, help="for killed (10,000) and malformed (20,000)")
    parser.add_argument("--seconds", type=int, default=20, help="for ack and rate")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "bench")
    parser.add_argument("--postgresql", action="store_true", help="on a server that is started for it")
    chosen = parser.parse_args()
    results = RESULTS / ("channels-postgresql.json" if chosen.postgresql else "channels.json")
    found = json.loads(results.read_text()) if results.exists() else {}
    with (
        Platform([f"E{n:05}" for n in range(PEOPLE)]) as platform,
        _server() if chosen.postgresql else nullcontext({}) as database,
    ):
        # DingTalk is configured too, for callbacks that are none; nothing is ever sent there.
        dingtalk = DingtalkSimulator().environment | {"FSSC_DINGTALK_URL": "http://127.0.0.1:9"}
        stack = Stack(chosen.home, platform.environment | dingtalk | database)
        stack.forget()
        stack.start()
        platform.callback(f"{stack.url}/api/v1/channels/wecom/callback")
        _warm(stack, platform)
        try:
            for what in chosen.what:
                print(f"▸ {what}", flush=True)
                found[what] = MEASURES[what](stack, platform, chosen)
                print(json.dumps(found[what], ensure_ascii=False, indent=1), flush=True)
        finally:
            stack.stop()
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(found, ensure_ascii=False, indent=1))


@contextmanager
def _server() -> Iterator[dict[str, str]]:
    with server("") as url:
        yield {"DATABASE_URL": url}


def acknowledged(stack: Stack, platform: Platform, chosen: argparse.Namespace) -> dict[str, Any]:
    """50 messages a second come in while the widget's users keep the engine busy."""
    stop = threading.Event()

    def chat() -> None:
        with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
            for n in range(10**6):
                if stop.is_set():
                    return
                body = {"client_message_id": f"{threading.get_ident()}-{n}", "text": questions()[n % 100]}
                client.post("/api/v1/chat/messages", json=body)

    busy = [threading.Thread(target=chat) for _ in range(6)]
    for thread in busy:
        thread.start()
    try:
        time.sleep(2)
        took = platform.rate(50, chosen.seconds, questions())
    finally:
        stop.set()
        for thread in busy:
            thread.join()
    return {
        "messages": len(took["ms"]),
        "per_s": 50,
        "refused": took["refused"],
        "p50_ms": _percentile(took["ms"], 50),
        "p99_ms": _percentile(took["ms"], 99),
        "most_ms": round(max(took["ms"]), 1),
    }


def rate(stack: Stack, platform: Platform, chosen: argparse.Namespace) -> dict[str, Any]:
    """Everything at once: from the first callback to the last answer. Everybody has written once before, as most have."""
    platform.prepare(PEOPLE, questions())
    platform.storm()
    _wait(lambda: platform.heard() >= PEOPLE, 600)
    _at_rest(stack)
    platform.forget()
    count = chosen.messages or 40 * chosen.seconds
    platform.prepare(count, questions())
    before = _cpu(stack) | {"WeChat Work, simulated": platform.cpu()}
    started = time.perf_counter()
    platform.storm(threads=8)
    accepted = time.perf_counter() - started
    _wait(lambda: platform.heard() >= count and _left(stack) == 0, 600)
    took = time.perf_counter() - started
    after = _cpu(stack) | {"WeChat Work, simulated": platform.cpu()}
    return {
        "messages": count,
        "answered_per_s": round(count / took, 1),
        "accepted_per_s": round(count / accepted, 1),
        "cpu_ms_a_message": {name: round((after[name] - before[name]) / count * 1000, 1) for name in after},
        "engine_alone_per_s": _engine(stack, chosen.seconds // 2),
    }


def killed(stack: Stack, platform: Platform, chosen: argparse.Namespace) -> dict[str, Any]:
    """A fifth come twice, all out of order, while gateway, worker, engine and Redis are killed in turn, each once at least."""
    _at_rest(stack)
    platform.forget()
    count = chosen.messages or 10_000
    stop = threading.Event()
    deaths: Counter[str] = Counter()

    def kill() -> None:
        for n in range(10**6):
            if stop.wait(_BETWEEN_DEATHS):
                return
            words = KILLED[n % len(KILLED)]
            try:
                stack.child(words).kill()
                deaths[words] += 1
            except (AssertionError, psutil.NoSuchProcess):
                continue

    said = platform.prepare(count, questions(), duplicates=0.2)
    killer = threading.Thread(target=kill)
    killer.start()
    started = time.perf_counter()
    try:
        platform.storm(threads=8, insist=True)
        _wait(lambda: len(deaths) == len(KILLED) or _left(stack) == 0, 600)
    finally:
        stop.set()
        killer.join()
    _wait(lambda: _left(stack) == 0, 3600)
    took = time.perf_counter() - started
    time.sleep(2)
    return {"deaths": dict(deaths), "seconds": round(took), **_judged(stack, platform, said)}


def malformed(stack: Stack, platform: Platform, chosen: argparse.Namespace) -> dict[str, Any]:
    """Mutated callbacks: what was answered, and how much memory they left behind."""
    _at_rest(stack)
    gateway = stack.child("service.app")
    count = chosen.messages or 20_000
    answers: Counter[str] = Counter()
    told: Counter[str] = Counter()
    before = _arrivals(stack)
    memory = []

    def send(forged: list[Forgery]) -> None:
        with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
            for one in forged:
                answer = client.post(one.path, params=one.query, content=one.content, headers=one.headers)
                answers[str(answer.status_code)] += 1
                told[answer.text[:200]] += 1

    made = forgeries(platform.simulator, DingtalkSimulator(), random.Random(20_000), count)
    step = max(1, count // 10)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(0, count, step):
            part = list(islice(made, step))
            list(pool.map(send, [part[n::4] for n in range(4)]))
            memory.append(round(gateway.memory_info().rss / 2**20, 1))
    return {
        "callbacks": count,
        "answers": dict(answers),
        "said": [words for words, _ in told.most_common(8)],
        "taken_in": _arrivals(stack) - before,
        "memory_mb": memory,
    }


def _arrivals(stack: Stack) -> int:
    database = Database(stack.settings.database)
    try:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(ArrivalRow)) or 0
    finally:
        database.close()


MEASURES: dict[str, Callable[[Stack, Platform, argparse.Namespace], dict[str, Any]]] = {
    "ack": acknowledged,
    "rate": rate,
    "killed": killed,
    "malformed": malformed,
}


def _judged(stack: Stack, platform: Platform, said: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    shown = platform.shown()
    return {
        **judged(stack.settings.database, {number: text for one in said.values() for number, text in one}),
        "shown": shown["sent"],
        "dropped_by_the_platform": shown["dropped"],
        "violations": shown["violations"][:5],
    }


def _engine(stack: Stack, seconds: int) -> float:
    """Turns a second of the widget's API with eight people at once: the path without a channel."""
    asked, done, end = questions(), Counter(), time.perf_counter() + max(3, seconds)

    def chat(n: int) -> None:
        with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
            turn = 0
            while time.perf_counter() < end:
                turn += 1
                body = {"client_message_id": f"{os.getpid()}-{n}-{turn}", "text": asked[(n + turn) % len(asked)]}
                done[client.post("/api/v1/chat/messages", json=body).status_code] += 1

    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(chat, range(8)))
    return round(done[200] / (time.perf_counter() - started), 1)


def _cpu(stack: Stack) -> dict[str, float]:
    """Seconds of processor that each process of the product has used."""
    assert stack.process is not None
    used = {}
    for process in psutil.Process(stack.process.pid).children():
        words = " ".join(process.cmdline())
        name = next((name for name in KILLED if name in words), words[:40])
        used[name] = 0.0
        for one in (process, *process.children(recursive=True)):
            times = one.cpu_times()
            used[name] += times.user + times.system + times.children_user + times.children_system
    return used


def _left(stack: Stack) -> int:
    """What is not done yet: arrivals and deliveries on their way."""
    database = Database(stack.settings.database)
    try:
        with database.read() as session:
            coming = session.scalar(select(func.count()).where(ArrivalRow.state.in_(("waiting", "claimed"))))
            going = session.scalar(select(func.count()).where(DeliveryRow.state.in_(("waiting", "sending"))))
            return (coming or 0) + (going or 0)
    finally:
        database.close()


def _warm(stack: Stack, platform: Platform) -> None:
    """Until the first messages are answered and nothing goes on any more: what still loads, and the work of the night that a
    new installation catches up with, are not what is measured."""
    platform.prepare(8, ["住宿费标准，先问一次"])
    platform.storm()
    _wait(lambda: platform.heard() >= 8, 120)
    _at_rest(stack)
    _wait(lambda: _idle(stack), 120)


def _idle(stack: Stack) -> bool:
    """Whether the product takes less than a third of a processor for five seconds."""
    before = sum(_cpu(stack).values())
    time.sleep(5)
    return sum(_cpu(stack).values()) - before < 5 / 3


def _at_rest(stack: Stack) -> None:
    _wait(lambda: _left(stack) == 0, 300)


def _wait(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.2)


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)


if __name__ == "__main__":
    main()
