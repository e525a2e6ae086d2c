"""The supervisor: starts the processes, restarts what dies, stops everything that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class StartFailed(Exception):
    """A process did not become ready; the message says which one and where its log is."""


@dataclass
class Program:
    """One process. `ready` is asked until it says yes, at most `patience` seconds. `behind` is by how many steps others go before it
    where all want the processor."""

    name: str
    command: list[str]
    log_file: Path
    environment: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    patience: float = 300.0
    behind: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        if self.behind:
            _step_back(self.process.pid, self.behind)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def wait_ready(self) -> None:
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if not self.running:
                raise StartFailed(f"{self.name} stopped while starting; see {self.log_file}")
            if self.ready is None or await self.ready():
                return
            await asyncio.sleep(0.1)
        raise StartFailed(f"{self.name} was not ready within {self.patience:.0f} s; see {self.log_file}")

    def signal(self, number: int) -> None:
        """To the whole group, so that what the process started goes with it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Runs programs: `start()` in stages, then `watch()` until `stop()`."""

    def __init__(self) -> None:
        self._programs: list[Program] = []
        self._stopping = asyncio.Event()

    async def start(self, *programs: Program) -> None:
        """Start `programs` together and return when all are ready. Raises StartFailed."""
        for program in programs:
            program.start()
            self._programs.append(program)
        await asyncio.gather(*(program.wait_ready() for program in programs))

    async def watch(self) -> None:
        """Restart whatever dies, ever more slowly while it keeps dying; returns after `stop()`."""
        await asyncio.gather(*(self._keep(program) for program in self._programs))

    async def _keep(self, program: Program) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            while program.running and not self._stopping.is_set():
                await asyncio.sleep(0.2)
            if self._stopping.is_set():
                return
            code = program.process.returncode if program.process else None
            if time.monotonic() - started > 60:
                pause = _FIRST_PAUSE
            log.warning("process_died", name=program.name, code=code, restart_in_s=pause)
            program.signal(signal.SIGKILL)
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
                return
            except TimeoutError:
                pass
            pause = min(pause * 2, _LONGEST_PAUSE)
            program.start()

    async def add(self, program: Program) -> None:
        """Start one more while the others run, and keep it running until `stop()`. Raises StartFailed."""
        await self.start(program)
        await self._keep(program)

    def stop(self) -> None:
        self._stopping.set()

    async def stopped(self) -> None:
        await self._stopping.wait()

    def shut_down(self, patience: float = 12.0) -> None:
        """End every program, the last started first; what does not go in time is killed."""
        for program in reversed(self._programs):
            program.signal(signal.SIGTERM)
            deadline = time.monotonic() + patience
            while program.running and time.monotonic() < deadline:
                time.sleep(0.05)
            program.signal(signal.SIGKILL)
            if program.process is not None:
                program.process.wait()


def _step_back(pid: int, steps: int) -> None:
    """Make a process that was just started in a session of its own nicer. Where the kernel shares the processor out by sessions
    (autogroup) a process's own niceness counts within its session only, so the session gets the same."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + steps)
    for _ in range(5):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(steps))
            return
        except BlockingIOError:  # Whoever is not root may do this ten times a second.
            time.sleep(0.11)
        except OSError:
            return


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def port_in_use(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False
