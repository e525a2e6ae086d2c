"""WeChat Work's servers in a process of their own, so that what they cost is not the product's: they answer, and they call back."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

import psutil

from tests.simulators.wecom import WecomSimulator

_PATIENCE = 5.0
_WARMING = 5
"""Seconds at the same pace before the clock runs: making a client takes longer than an answer."""


class Platform:
    """Its process, as a context. `storm` and `rate` return when everything was answered, whatever with."""

    def __init__(self, people: list[str]) -> None:
        self._people = people
        self.simulator = WecomSimulator()

    def __enter__(self) -> Platform:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._people), daemon=True)
        self._process.start()
        self.environment: dict[str, str] = self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join(10)
        self._process.kill()

    def _ask(self, what: str, *arguments: Any) -> Any:
        self._ours.send((what, arguments))
        answer = self._ours.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def callback(self, url: str) -> None:
        self.simulator.callback_url = url
        self._ask("callback", url)

    def cpu(self) -> float:
        """Seconds of processor that its process has used."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def forget(self) -> None:
        """What was sent so far."""
        self._ask("forget")

    def heard(self) -> int:
        """Members' messages that arrived since; cards and texts."""
        return self._ask("heard")

    def shown(self) -> dict[str, Any]:
        return self._ask("shown")

    def rate(self, per_second: int, seconds: int, texts: list[str]) -> dict[str, Any]:
        """Messages at an even pace; the milliseconds that each acknowledgement took, and how many were refused."""
        return self._ask("rate", per_second, seconds, texts)

    def prepare(self, count: int, texts: list[str], duplicates: float = 0.0) -> dict[str, list[tuple[str, str]]]:
        """`count` different messages for the next storm, a share of them twice, in any order, sealed. What everybody will say:
        (message id, text)."""
        return self._ask("prepare", count, texts, duplicates)

    def storm(self, threads: int = 8, insist: bool = False) -> None:
        """What was prepared, as fast as it is taken; with `insist` again and again until it is."""
        self._ask("storm", threads, insist)


class _Caller:
    def __init__(self, people: list[str]) -> None:
        self.people = people
        self.simulator = WecomSimulator(
            members={one: {"name": f"员工{one}", "department": [2], "main_department": 2} for one in people},
            departments={2: {"name": "华晟销售公司", "parentid": 1}},
        ).start()
        self._local = threading.local()
        self._prepared: list[tuple[str, tuple[bytes, dict[str, str]]]] = []

    def callback(self, url: str) -> None:
        self.simulator.callback_url = url

    def forget(self) -> None:
        self.simulator.sent.clear()

    def heard(self) -> int:
        return len(self.simulator.sent)

    def shown(self) -> dict[str, Any]:
        sent = Counter((one["user"], one["text"], round(one["at"] / 20)) for one in self.simulator.sent)
        return {
            "sent": len(self.simulator.sent),
            "twice": sum(n - 1 for n in sent.values()),
            "dropped": len(self.simulator.dropped),
            "violations": self.simulator.violations,
        }

    def rate(self, per_second: int, seconds: int, texts: list[str]) -> dict[str, Any]:
        count, early = per_second * seconds, per_second * _WARMING
        began = time.perf_counter() + 0.5
        stamp = time.time_ns() // 1_000_000

        def one(n: int) -> tuple[float, int]:
            time.sleep(max(0.0, began + n / per_second - time.perf_counter()))
            xml = self._message(self.people[n % len(self.people)], texts[n % len(texts)], f"{stamp}{n:06}")
            content, query = self._sealed(xml)
            started = time.perf_counter()
            status = self._post(content, query)
            return (time.perf_counter() - started) * 1000, status

        with ThreadPoolExecutor(24) as pool:
            took = list(pool.map(one, range(early + count)))[early:]
        return {"ms": [ms for ms, _ in took], "refused": sum(status != 200 for _, status in took)}

    def prepare(self, count: int, texts: list[str], duplicates: float) -> dict[str, list[tuple[str, str]]]:
        rng = random.Random(count)
        stamp = time.time_ns() // 1_000_000_000
        said: dict[str, list[tuple[str, str]]] = defaultdict(list)
        order = []
        for n in range(count):
            person, number = self.people[n % len(self.people)], f"{stamp}{n:07}"
            text = f"{texts[n % len(texts)]}（第{n}问）"
            said[person].append((number, text))
            order.append((person, number, text))
        order += rng.sample(order, int(count * duplicates))
        rng.shuffle(order)
        self._prepared = []
        for person, number, text in order:
            xml = self._message(person, text, number)
            self._prepared.append((xml, self._sealed(xml)))
        return dict(said)

    def storm(self, threads: int, insist: bool) -> None:
        def one(prepared: tuple[str, tuple[bytes, dict[str, str]]]) -> None:
            xml, sealed = prepared
            while self._post(*sealed) != 200 and insist:
                time.sleep(0.5)
                sealed = self._sealed(xml)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, self._prepared))

    def _message(self, person: str, text: str, number: str) -> str:
        return self.simulator.message(person, "text", f"<Content>{escape(text)}</Content><MsgId>{number}</MsgId>")

    def _sealed(self, xml: str) -> tuple[bytes, dict[str, str]]:
        sealed = self.simulator.sealed(xml.encode())
        timestamp, nonce = str(int(time.time())), f"{random.getrandbits(40):x}"
        signature = self.simulator.signature(timestamp, nonce, sealed)
        envelope = (
            f"<xml><ToUserName>{self.simulator.corp_id}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        )
        return envelope.encode(), {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}

    def _post(self, content: bytes, query: dict[str, str]) -> int:
        url = urlsplit(self.simulator.callback_url)
        if not hasattr(self._local, "connection"):
            self._local.connection = HTTPConnection(url.hostname or "", url.port, timeout=_PATIENCE)
        connection = self._local.connection
        try:
            connection.request("POST", f"{url.path}?{urlencode(query)}", content, {"Content-Type": "text/xml"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, HTTPException):
            connection.close()
            return 0


def _serve(theirs: Connection, people: list[str]) -> None:
    caller = _Caller(people)
    theirs.send(caller.simulator.environment)
    while asked := theirs.recv():
        what, arguments = asked
        try:
            theirs.send(getattr(caller, what)(*arguments))
        except Exception as error:
            theirs.send(RuntimeError(repr(error)))
    caller.simulator.stop()
