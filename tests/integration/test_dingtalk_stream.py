"""Stream mode with real processes and the official client: one is connected, another takes over, nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from connectors.arrivals import ArrivalRow
from core.database import Database
from tests.simulators.dingtalk import DingtalkSimulator

LI, WANG = "E1001", "E1002"
ROOT = Path(__file__).resolve().parents[2]


def waited(true: Callable[[], object], seconds: float) -> float:
    """How long it took until `true` was."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, "waited in vain"
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture
def dingtalk() -> Iterator[DingtalkSimulator]:
    simulator = DingtalkSimulator(mode="stream", members={LI: {"name": "李晓雯"}, WANG: {"name": "王建国"}}).start()
    simulator.gateway.redeliver_after = 1.0
    yield simulator
    simulator.stop()
    assert simulator.violations == []


@pytest.fixture
def processes(
    dingtalk: DingtalkSimulator, migrated_sqlite: Path, tmp_path: Path, redis_url: str
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two of them, over one database and one Redis; the first one leads."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "db.sqlite3").write_bytes(migrated_sqlite.read_bytes())
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter("fssc:dingtalk:*"):
            redis.delete(key)
    environment = {**os.environ, **dingtalk.environment, "FSSC_HOME": str(home), "REDIS_URL": redis_url}
    environment.pop("DATABASE_URL", None)
    log = (tmp_path / "stream.log").open("wb")
    started = []
    for _ in range(2):
        command = [sys.executable, "-m", "service.dingtalk_stream"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        if len(started) == 1:
            waited(lambda: dingtalk.gateway.connections, 30)
    yield started
    for process in started:
        process.terminate()
    assert [process.wait(15) for process in started][1] == 0, "the second one ends when asked to"
    log.close()
    said = (tmp_path / "stream.log").read_text()
    assert dingtalk.client_secret not in said and "session=" not in said and "ticket=" not in said


def test_one_leads_and_the_other_takes_over(
    dingtalk: DingtalkSimulator, processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    gateway = dingtalk.gateway
    database = Database(f"sqlite:///{tmp_path / 'home' / 'db.sqlite3'}")

    def stored() -> list[str]:
        with database.read() as session:
            return [row.body["text"] for row in session.scalars(select(ArrivalRow).order_by(ArrivalRow.id))]

    assert dingtalk.say(LI, "第一句", times=3) == [200] * 3, "duplicates are acknowledged, and taken once"
    gateway.acks_lost = 1
    assert dingtalk.say(LI, "第二句") == [200], "what was not acknowledged came again"
    assert stored() == ["第一句", "第二句"]

    gateway.raw("not json")
    gateway.raw('{"type":"CALLBACK","headers":{"topic":"/v1.0/card/instances/callback","messageId":"x"},"data":"{"}')
    waited(lambda: dingtalk.violations, 5)
    dingtalk.violations.clear()  # It is acknowledged, and the gateway knows of no such frame.
    gateway.system("ping")
    for body in (dingtalk.message(WANG, errorCode=20001, text=None), {"msgtype": 5}, {}):
        assert dingtalk.bring(body) == [200], "whatever it holds, it is not sent for ever"
    assert gateway.connections == 1 and gateway.tickets_given == 1 and stored() == ["第一句", "第二句"]

    gateway.system("disconnect")
    assert waited(lambda: gateway.tickets_given == 2 and gateway.connections == 1, 5) < 1, "back at once"
    assert dingtalk.say(WANG, "第三句") == [200]

    processes[0].kill()
    processes[0].wait()
    waited(lambda: gateway.connections == 0, 5)
    late = [gateway.send(json.dumps(dingtalk.message(LI, f"第{n}句"))) for n in ("四", "五")]
    took = waited(lambda: all(frame.acknowledged.is_set() for frame in late), 15)
    assert took < 15 and gateway.connections == 1
    assert stored() == ["第一句", "第二句", "第三句", "第四句", "第五句"]
    database.close()
