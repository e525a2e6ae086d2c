"""The dialogue engine against a stock Rasa 3.6.21 with its default DIET pipeline.

    .venv/bin/python -m bench.engine

Same machine, interpreter (.venv-engine), domain, data, held-out utterances and trivial action server. Both engines run at
once and are asked in turns, a block each, so that a busy machine slows both. Conversations are kept in memory by both. The
figures go to bench/results/engine.json. DIET's training takes ten minutes and more, so trained models stay in
var/bench/engine with the time that each took, until what they are trained from changes; `--train` trains them anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.http import Connection, free_port

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
RESULTS = ROOT / "bench" / "results" / "engine.json"
TOKEN = "bench"
DATA = ["--domain", "bot/domain.yml", "--data", "bot/data"]

STARTS = 3
BLOCKS, CONVERSATIONS, TURNS = 6, 4, 8  # blocks of sequential turns, alternating between the engines
BURSTS, PEOPLE, SAYS = 4, 8, 12  # bursts of messages from PEOPLE at once
LONG, LONG_CONVERSATIONS = 50, 12


@dataclass
class Engine:
    """One of the two: how it is trained and served, and what was measured of it."""

    name: str
    train: list[str]
    serve: Callable[[int], list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen | None = None

    def run(self, command: list[str]) -> float:
        """Seconds that a command takes."""
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=self._environment(), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return time.perf_counter() - started

    def start(self) -> float:
        """Start serving; seconds until the model answers."""
        self.port = free_port()
        log = open(Path(self.environment["BENCH_HOME"]) / f"{self.name}.log", "a")  # noqa: SIM115  the process keeps it open
        started = time.perf_counter()
        self.process = subprocess.Popen(
            self.serve(self.port), cwd=ROOT, env=self._environment(), stdout=log, stderr=log
        )
        while self.process.poll() is None:
            if asyncio.run(self._is_up()):
                return time.perf_counter() - started
            time.sleep(0.1)
        sys.exit(f"{self.name} did not start, see {log.name}")

    async def _is_up(self) -> bool:
        try:
            async with Connection(self.port) as connection:
                return (await connection.request("GET", f"/status?token={TOKEN}"))[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def memory_mb(self) -> float:
        """Resident memory of the process, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", **self.environment}


def engines(home: Path, actions_port: int) -> tuple[Engine, Engine]:
    """Ours and stock, their models and settings under `home`."""
    url = f"http://127.0.0.1:{actions_port}/actions"
    (home / "endpoints.yml").write_text(yaml.safe_dump({"action_endpoint": {"url": url}}))
    (home / "credentials.yml").write_text("rest:\n")
    (home / "stock.yml").write_text((ROOT / "bench" / "stock" / "config.yml").read_text("utf-8"), "utf-8")
    ours, stock = home / "ours.tar.gz", home / "stock.tar.gz"
    launcher, rasa = [str(PYTHON), "-m", "bot.engine"], [str(PYTHON), "-m", "rasa"]
    environment = {"BENCH_HOME": str(home), "RASA_CACHE_DIRECTORY": str(home / "cache")}
    return (
        Engine(
            "ours",
            [*launcher, "train", *DATA, "--config", "config.yml", "--out", str(ours)],
            lambda port: (
                [*launcher, "serve", "--model", str(ours), "--port", str(port), "--token", TOKEN]
                + ["--actions-url", url, "--actions-token", "actions"]
            ),
            environment,
        ),
        Engine(
            "stock",
            [*rasa, "train", *DATA, "--config", str(home / "stock.yml"), "--out", str(home)]
            + ["--fixed-model-name", "stock", "--force"],
            lambda port: (
                [*rasa, "run", "--enable-api", "--model", str(stock), "-i", "127.0.0.1", "--port", str(port)]
                + ["--auth-token", TOKEN, "--endpoints", str(home / "endpoints.yml")]
                + ["--credentials", str(home / "credentials.yml")]
            ),
            environment,
        ),
    )


async def say(connection: Connection, sender: str, text: str) -> float:
    """One message; seconds until its answer. Exits when there is no answer."""
    body = {"sender": sender, "message": text, "metadata": {"page": "expense.list"}}
    started = time.perf_counter()
    status, answer = await connection.request("POST", f"/webhooks/rest/webhook?token={TOKEN}", body)
    elapsed = time.perf_counter() - started
    if status != 200 or not answer:
        sys.exit(f"no answer to {text}: {status} {answer}")
    return elapsed


async def one_after_the_other(both: tuple[Engine, ...], questions: list[str]) -> None:
    """`turn_ms`: the median turn of conversations of TURNS messages, one at a time."""
    times: dict[str, list[float]] = {engine.name: [] for engine in both}
    for block in range(-1, BLOCKS):
        for engine in both:
            async with Connection(engine.port) as connection:
                for conversation in range(CONVERSATIONS):
                    for turn in range(TURNS):
                        text = questions[(conversation * TURNS + turn) % len(questions)]
                        elapsed = await say(connection, f"alone-{block}-{conversation}", text)
                        if block >= 0:  # the first block warms up
                            times[engine.name].append(elapsed * 1000)
    for engine in both:
        engine.figures["turn_ms"] = statistics.median(times[engine.name])
        engine.figures["turn_p95_ms"] = statistics.quantiles(times[engine.name], n=20)[18]


async def all_at_once(both: tuple[Engine, ...], questions: list[str]) -> None:
    """`messages_per_s`: PEOPLE talking at once to one process, the median of BURSTS."""
    rates: dict[str, list[float]] = {engine.name: [] for engine in both}

    async def person(engine: Engine, name: str) -> None:
        async with Connection(engine.port) as connection:
            for turn in range(SAYS):
                await say(connection, name, questions[turn % len(questions)])

    for burst in range(BURSTS):
        for engine in both:
            started = time.perf_counter()
            await asyncio.gather(*(person(engine, f"crowd-{burst}-{n}") for n in range(PEOPLE)))
            rates[engine.name].append(PEOPLE * SAYS / (time.perf_counter() - started))
    for engine in both:
        engine.figures["messages_per_s"] = statistics.median(rates[engine.name])


async def long_conversations(both: tuple[Engine, ...], questions: list[str]) -> None:
    """`first_ms` and `fiftieth_ms`: the first message of a new conversation and the fiftieth of an old one, by turns.

    The last four of the fifty stand for the fiftieth: where a history is bounded, neighbours differ a little.
    """
    for engine in both:
        first, fiftieth = [], []
        async with Connection(engine.port) as connection:
            for conversation in range(LONG_CONVERSATIONS):
                for turn in range(LONG - 4):
                    await say(connection, f"old-{conversation}", questions[turn % len(questions)])
            for turn in range(LONG - 4, LONG):
                for conversation in range(LONG_CONVERSATIONS):
                    text = questions[turn % len(questions)]
                    first.append(await say(connection, f"new-{turn}-{conversation}", text) * 1000)
                    fiftieth.append(await say(connection, f"old-{conversation}", text) * 1000)
        engine.figures["first_ms"] = statistics.median(first)
        engine.figures["fiftieth_ms"] = statistics.median(fiftieth)


async def accuracy(both: tuple[Engine, ...]) -> None:
    """`accuracy`: the share of held-out utterances whose intent is right; stock's nlu_fallback counts as a question."""
    held_out = yaml.safe_load((ROOT / "tests" / "nlu" / "heldout.yml").read_text("utf-8"))
    for engine in both:
        right = total = 0
        async with Connection(engine.port) as connection:
            for intent, texts in held_out.items():
                for text in texts:
                    _, parsed = await connection.request("POST", f"/model/parse?token={TOKEN}", {"text": text})
                    name = parsed["intent"]["name"]
                    right += intent == ("ask" if name == "nlu_fallback" else name)
                    total += 1
        engine.figures["accuracy"] = right / total
        engine.figures["utterances"] = total


def inputs() -> str:
    """A digest of what the models are trained from."""
    files = [ROOT / "config.yml", ROOT / "bot" / "domain.yml", ROOT / "bench" / "stock" / "config.yml"]
    files += sorted(path for kind in ("*.yml", "*.txt") for path in (ROOT / "bot" / "data").rglob(kind))
    files += sorted((ROOT / "bot" / "engine").glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def train(both: tuple[Engine, ...], home: Path, anew: bool) -> None:
    """`training_s`: trained now, or remembered of the run that trained these models."""
    record = home / "trained.json"
    trained = json.loads(record.read_text()) if record.exists() and not anew else {}
    if trained.pop("inputs", None) != inputs():
        trained = {}
    for engine in both:
        if engine.name not in trained:
            print(f"training {engine.name} …", flush=True)
            trained[engine.name] = engine.run(engine.train)
            record.write_text(json.dumps({"inputs": inputs(), **trained}))
        engine.figures["training_s"] = trained[engine.name]


def measure(both: tuple[Engine, ...]) -> None:
    for engine in both:
        print(f"starting {engine.name}, {STARTS} times …", flush=True)
        starts = []
        for _ in range(STARTS):
            engine.stop()
            starts.append(engine.start())
        engine.figures["start_s"] = statistics.median(starts)
    questions = yaml.safe_load((ROOT / "tests" / "nlu" / "heldout.yml").read_text("utf-8"))["ask"][:40]
    for title, work in (
        ("turns, one after the other", one_after_the_other(both, questions)),
        ("messages, all at once", all_at_once(both, questions)),
        (f"conversations of {LONG} messages", long_conversations(both, questions)),
        ("held-out utterances", accuracy(both)),
    ):
        print(f"{title} …", flush=True)
        asyncio.run(work)
    for engine in both:
        engine.figures["memory_mb"] = engine.memory_mb()
        engine.figures["growth"] = engine.figures["fiftieth_ms"] / engine.figures["first_ms"]


# key, what it is, how ours should compare: the ratio that is printed, and its goal
ROWS = (
    ("turn_ms", "a turn, median, ms", "stock / ours", 5.0),
    ("turn_p95_ms", "a turn, 95th percentile, ms", "stock / ours", None),
    ("messages_per_s", f"messages a second, {PEOPLE} people, one process", "ours / stock", 4.0),
    ("memory_mb", "memory, MB", "stock / ours", None),
    ("start_s", "start, s", "stock / ours", None),
    ("training_s", "training, s", "stock / ours", None),
    ("accuracy", "intent accuracy, held out", "ours / stock", 1.0),
    ("first_ms", "the 1st message of a conversation, ms", "stock / ours", None),
    ("fiftieth_ms", "the 50th, ms", "stock / ours", None),
)


def report(ours: Engine, stock: Engine) -> dict[str, Any]:
    """Print the table; the figures with their ratios."""
    print(f"\n{'':46}{'ours':>10}{'stock':>10}  ratio")
    ratios = {}
    for key, title, ratio, goal in ROWS:
        a, b = ours.figures[key], stock.figures[key]
        ratios[key] = b / a if ratio == "stock / ours" else a / b
        met = "" if goal is None else f"  (to reach: {goal:g}× {'✓' if ratios[key] >= goal else '✗'})"
        print(f"{title:46}{a:>10.3g}{b:>10.3g}  {ratios[key]:.3g}×{met}")
    growth = ours.figures["growth"]
    print(f"{'the 50th to the 1st':46}{growth:>10.3g}{stock.figures['growth']:>10.3g}", end="")
    print(f"  (to reach: ≤ 1.3 {'✓' if growth <= 1.3 else '✗'})")
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()}
    return {"machine": machine, "ours": ours.figures, "stock": stock.figures, "ratios": ratios}


def main() -> int:
    home = ROOT / "var" / "bench" / "engine"
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    actions = subprocess.Popen([str(PYTHON), "-m", "bench.stock.actions", str(port)], cwd=ROOT)
    both = engines(home, port)
    try:
        train(both, home, anew="--train" in sys.argv)
        measure(both)
        figures = report(*both)
    finally:
        actions.terminate()
        for engine in both:
            engine.stop()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", "utf-8")
    print(f"\n{RESULTS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
