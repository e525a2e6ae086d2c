"""The whole path over HTTP: gateway → engine → action → search → answer, on the running product.

    .venv/bin/python -m bench.path [--url http://127.0.0.1:8000] [--turns 200]

Prints p50 and p95 of one employee's turn, messages a second of eight employees at once, and the share of each step from
the product's own metrics. The baseline beside it is `GET /suggestions`: a request that needs no engine and no search.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
import uuid
from pathlib import Path

import httpx

QUESTIONS = Path(__file__).resolve().parent.parent / "tests" / "data" / "starter_queries.tsv"
RESULTS = Path(__file__).resolve().parent / "results" / "path.json"
STEPS = ("accept", "engine", "action", "search", "complete")


def questions() -> list[str]:
    return [line.split("\t")[0] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()[1:]]


def measure(url: str, turns: int) -> dict[str, object]:
    asked = questions()
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for text in asked[:5]:
            _ask(client, text)
        empty = [_timed(lambda: client.get("/api/v1/chat/suggestions")) for _ in range(turns)]
        before = _steps(client)
        alone = [_timed(lambda text=text: _ask(client, text)) for text in (asked * 5)[:turns]]
        after = _steps(client)
    total = sum(alone)
    spent = {name: after[name] - before[name] for name in STEPS}
    shares = {
        "gateway": total - spent["accept"] - spent["engine"] - spent["complete"],
        "inbox and transcript": spent["accept"] + spent["complete"],
        "engine": spent["engine"] - spent["action"],
        "action": spent["action"] - spent["search"],
        "search": spent["search"],
    }
    return {
        "turns": turns,
        "p50_ms": _percentile(alone, 50),
        "p95_ms": _percentile(alone, 95),
        "suggestions_p50_ms": _percentile(empty, 50),
        "ratio_to_suggestions": round(statistics.median(alone) / statistics.median(empty), 1),
        "messages_per_s": _throughput(url, asked, turns),
        "share": {name: round(value / total, 3) for name, value in shares.items()},
    }


def _throughput(url: str, asked: list[str], turns: int, people: int = 8) -> float:
    def chat(n: int) -> None:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            for text in (asked[n::people] * 5)[: turns // people]:
                _ask(client, text)

    threads = [threading.Thread(target=chat, args=(n,)) for n in range(people)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(people * (turns // people) / (time.perf_counter() - started), 1)


def _ask(client: httpx.Client, text: str) -> None:
    body = {"client_message_id": uuid.uuid4().hex, "text": text}
    client.post("/api/v1/chat/messages", json=body).raise_for_status()


def _timed(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _percentile(seconds: list[float], percent: int) -> float:
    return round(statistics.quantiles(seconds, n=100)[percent - 1] * 1000, 1)


def _steps(client: httpx.Client) -> dict[str, float]:
    found = dict.fromkeys(STEPS, 0.0)
    for line in client.get("/metrics").text.splitlines():
        for name in STEPS:
            if line.startswith(f'fssc_step_seconds_sum{{step="{name}"}}'):
                found[name] = float(line.split()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--turns", type=int, default=200)
    chosen = parser.parse_args()
    result = measure(chosen.url, chosen.turns)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
