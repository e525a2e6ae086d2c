"""One search, encoding included, against the same encoder with FAISS alone, as the knowledge base grows.

    .venv/bin/python -m bench.search [--entries 1000 10000 100000] [--plot FILE]

Both are asked the same questions of employees in turn, one by one. Every entry has six questions; questions and vectors of the
knowledge base are synthetic (`bench.synthetic`), those of employees are really encoded. FAISS alone finds the ten nearest
questions in a flat index and does nothing else: no words, no probability, no thresholds. The matcher is the typical one: what
its curves look like costs no time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from bench.plot import growth
from bench.synthetic import WORDINGS, Synthetic, asked
from kb.encoder import Encoder, facing, load_encoder
from kb.index import Index
from kb.matcher import typical
from kb.search import Query, Searcher
from kb.thresholds import TYPICAL

RESULTS = Path(__file__).resolve().parent / "results" / "search.json"
SIZES = (1_000, 10_000, 16_667, 100_000)
TURNS = 200
_NEAREST = 10
_WARMING = 10


def measure(count: int, encoder: Encoder) -> dict[str, Any]:
    """Milliseconds and their ratio at `count` entries, in turn and ours by itself; seconds and MiB to index."""
    synthetic = Synthetic(count, encoder)
    started, before = time.perf_counter(), _resident()
    index = Index(
        synthetic.entries,
        synthetic.vectors,
        facing=facing(encoder.fingerprint),
        answer_vectors=synthetic.answer_vectors,
    )
    indexed, after = time.perf_counter(), _resident()
    searcher = Searcher.of(index, typical(), TYPICAL, encoder.encode_queries, 1)
    alone = faiss.IndexFlatIP(encoder.dim)
    alone.add(synthetic.vectors)
    today = date.today()

    def search(text: str) -> object:
        return searcher.search(Query(text, today))

    ours, theirs = in_turn(search, lambda text: alone.search(encoder.encode_queries([text]), _NEAREST))
    undisturbed = by_itself(search)
    return {
        "entries": count,
        "questions": count * WORDINGS,
        "p50_ms": _percentile(ours, 50),
        "p95_ms": _percentile(ours, 95),
        "faiss_p50_ms": _percentile(theirs, 50),
        "faiss_p95_ms": _percentile(theirs, 95),
        "ratio_p50": round(_percentile(ours, 50) / _percentile(theirs, 50), 2),
        "ratio_p95": round(_percentile(ours, 95) / _percentile(theirs, 95), 2),
        "by_itself_p50_ms": _percentile(undisturbed, 50),
        "by_itself_p95_ms": _percentile(undisturbed, 95),
        "index_s": round(indexed - started, 1),
        "index_mib": round(after - before),
    }


def in_turn(ours: Callable[[str], object], theirs: Callable[[str], object]) -> tuple[list[float], list[float]]:
    """Milliseconds of a call of each for every question; who is first alternates. The first ten do not count."""
    took: dict[Callable[[str], object], list[float]] = {ours: [], theirs: []}
    for turn, text in enumerate(_texts()):
        for call in (ours, theirs) if turn % 2 else (theirs, ours):
            took[call].append(_milliseconds(call, text))
    return took[ours][_WARMING:], took[theirs][_WARMING:]


def by_itself(search: Callable[[str], object]) -> list[float]:
    """Milliseconds of a call for every question. The first ten do not count."""
    return [_milliseconds(search, text) for text in _texts()][_WARMING:]


def _texts() -> list[str]:
    return (asked() * TURNS)[: TURNS + _WARMING]


def _milliseconds(call: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    call(text)
    return (time.perf_counter() - started) * 1000


def _percentile(took: list[float], percent: int) -> float:
    return round(float(np.percentile(took, percent)), 2)


def _resident() -> float:
    """MiB of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=SIZES)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    encoder = load_encoder(None, Path(os.environ.get("FSSC_HOME", "var")))
    found = []
    for count in options.entries:
        found.append(one := measure(count, encoder))
        print(
            f"{one['questions']:,} questions: p50 {one['p50_ms']} ms, p95 {one['p95_ms']} ms; encoder and FAISS alone "
            f"{one['faiss_p50_ms']} and {one['faiss_p95_ms']} ms: {one['ratio_p50']} x and {one['ratio_p95']} x; by itself {one['by_itself_p50_ms']} and {one['by_itself_p95_ms']} ms; "
            f"index {one['index_mib']} MiB in {one['index_s']} s",
            flush=True,
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1))
    if options.plot:
        lines = {
            "ours, p95": "p95_ms",
            "encoder + FAISS, p95": "faiss_p95_ms",
            "ours, p50": "p50_ms",
            "encoder + FAISS, p50": "faiss_p50_ms",
        }
        points = {name: [(one["questions"], one[key]) for one in found] for name, key in lines.items()}
        growth(options.plot, "One search, encoding included", "curated questions", "milliseconds", points)


if __name__ == "__main__":
    main()
