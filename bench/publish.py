"""Publish from nothing, publish one change, and what a replica takes, as the knowledge base grows.

    .venv/bin/python -m bench.publish [--entries 1000 10000] [--encode] [--plot FILE]

The knowledge base is synthetic (`bench.synthetic`), six questions an entry. Its vectors are given, *not encoded*, unless
`--encode` asks for it: beside the time of a publish stands the time that encoding would add, from a sample. A change is the
wording of one question, always really encoded; it is published as the console does, by a process that holds the release
before, and as `fssc kb publish` does, by one that has to load it first. A replica is a process of its own that loads the
release from its directory; its memory is counted without the encoder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.plot import growth
from bench.synthetic import WORDINGS, Prepared, Synthetic
from core.database import Database
from kb.encoder import Encoder, load_encoder
from kb.index import answers, texts
from kb.release.publish import Publisher, load_searcher, publish
from kb.store import save_entries
from service.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "publish.json"
SIZES = (1_000, 10_000)
TURNS = 3
_SAMPLE = 500
_WRONG_RATE = 0.03


def measure(count: int, encoder: Encoder, really: bool) -> dict[str, Any]:
    """Seconds of each way to publish `count` entries, and seconds and MiB of a replica."""
    synthetic = Synthetic(count, encoder)
    given = encoder if really else Prepared(synthetic, encoder)
    encoding = _encoding(texts(synthetic.entries), encoder.encode_queries)
    encoding += _encoding(answers(synthetic.entries), encoder.encode_passages)
    with tempfile.TemporaryDirectory(prefix="fssc-bench-") as place:
        home = Path(place)
        url = f"sqlite:///{home / 'db.sqlite3'}"
        migrate(url)
        database = Database(url)

        def store(entries: list) -> None:
            with database.write() as session:
                save_entries(session, entries, "bench")

        def change(nth: int) -> None:
            entry = synthetic.entries[nth * (count // (2 * TURNS + 2))]
            store([replace(entry, question=f"{entry.question}，第{nth}次改")])

        def release() -> None:
            publish(database, home, given, author="bench", wrong_rate=_WRONG_RATE, progress=_silent)

        def prepared() -> None:
            candidate = publisher.prepare(_WRONG_RATE, _silent)
            assert candidate is not None and candidate.encoded == 1
            publisher.publish(candidate, "bench", "bench")

        stored = _timed(lambda: store(synthetic.entries))
        nothing = _timed(release)
        publisher = Publisher(database, home, given)
        publisher.prepare(_WRONG_RATE, _silent)
        warm = min(_after(lambda nth=nth: change(nth), prepared) for nth in range(TURNS))
        cold = min(_after(lambda nth=nth: change(nth), release) for nth in range(TURNS, 2 * TURNS))
        database.close()
        replica = _replica(home, given.fingerprint)
    return {
        "entries": count,
        "questions": count * WORDINGS,
        "encoded": really,
        "store_s": round(stored, 1),
        "encoding_s": round(encoding, 1),
        "from_nothing_s": round(nothing, 1),
        "one_s": round(warm, 2),
        "one_in_a_new_process_s": round(cold, 2),
        "one_is_faster": round((nothing if really else nothing + encoding) / warm, 1),
        **replica,
    }


def load_replica(home: Path, fingerprint: str) -> dict[str, float]:
    """Seconds and MiB that it takes this process to load the current release."""
    from kb.release.releases import current_number

    database = Database(f"sqlite:///{home / 'db.sqlite3'}")
    encoder = _Named(fingerprint)
    with database.read() as session:
        number = current_number(session)
    before = _memory()
    started = time.perf_counter()
    searcher = load_searcher(database, home, encoder, number)
    seconds = time.perf_counter() - started
    after = _memory()
    assert searcher.entries
    return {
        "replica_s": round(seconds, 2),
        "replica_mib": round(after["RssAnon"] - before["RssAnon"]),
        "replica_files_mib": round(after["RssFile"] - before["RssFile"]),
    }


class _Named:
    """The encoder's name alone: a replica finds its vectors in the directory of the release."""

    dim = 384

    def __init__(self, fingerprint: str) -> None:
        self.name = self.fingerprint = fingerprint

    def encode_queries(self, texts: list[str]) -> Any:
        raise AssertionError(f"a replica that only loads a release was asked to encode {len(texts)} texts")

    encode_passages = encode_queries


def _replica(home: Path, fingerprint: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.publish", "--replica", str(home), "--fingerprint", fingerprint]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _memory() -> dict[str, float]:
    """MiB of this process: its own, and of files that processes share."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Rss")}


def _encoding(held: list[str], encode: Callable[[list[str]], object]) -> float:
    """Seconds to encode all of these texts, from a sample of them."""
    sample = held[:: max(len(held) // _SAMPLE, 1)][:_SAMPLE]
    return _timed(lambda: encode(sample)) / len(sample) * len(held)


def _after(prepare: Callable[[], None], call: Callable[[], None]) -> float:
    prepare()
    return _timed(call)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _silent(text: str) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=SIZES)
    parser.add_argument("--encode", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--replica", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--fingerprint", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.replica:
        print(json.dumps(load_replica(options.replica, options.fingerprint)))
        return
    encoder = load_encoder(None, Path(os.environ.get("FSSC_HOME", "var")))
    found = []
    for count in options.entries:
        found.append(one := measure(count, encoder, options.encode))
        encoding = "with" if one["encoded"] else f"without {one['encoding_s']} s of"
        print(
            f"{count:,} entries: from nothing {one['from_nothing_s']} s {encoding} encoding {one['questions']:,} questions, "
            f"one changed {one['one_s']} s ({one['one_is_faster']} x as fast as all), {one['one_in_a_new_process_s']} s "
            f"in a new process; a replica {one['replica_mib']} MiB in {one['replica_s']} s",
            flush=True,
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1))
    if options.plot:
        lines = {
            "from nothing, s": "from_nothing_s",
            "one changed, s": "one_s",
            "load a replica, s": "replica_s",
            "a replica, MiB": "replica_mib",
        }
        points = {name: [(one["entries"], max(one[key], 0.01)) for one in found] for name, key in lines.items()}
        growth(options.plot, "Publishing, without encoding", "entries of six questions", "seconds, MiB", points)


if __name__ == "__main__":
    main()
