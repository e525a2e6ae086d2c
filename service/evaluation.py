"""`fssc kb eval`: a release from files, by the very code that publishes, asked questions with known answers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.clock import today
from core.database import Database
from core.settings import Settings
from kb.encoder import Encoder
from kb.encoder.build import build_default_encoder
from kb.entries import Entry
from kb.evaluate import coverage_in_hindsight, evaluation_of, judge
from kb.evaluation.baselines import baselines
from kb.evaluation.questions import Questions
from kb.evaluation.remembering import Remembering
from kb.release.publish import load_searcher, publish
from kb.search import Searcher
from kb.store import save_entries
from service.bootstrap import encoder_of
from service.migrate import migrate

Progress = Callable[[str], None]
_AUTHOR = "eval"


def measure(
    settings: Settings, questions: Questions, wrong_rate: float, with_baselines: bool, progress: Progress
) -> dict[str, Any]:
    """The report as plain JSON values: `kb.evaluate.Evaluation`, `build_s`, the thresholds and, asked for, `baselines`.

    Neither matcher nor thresholds see the questions. `build_s` is everything from the entries to a release at work, their
    encoding included.
    """
    own = _ready_encoder(settings, progress)
    encoder = Remembering(own)
    with released(questions.entries, encoder, wrong_rate, progress) as (searcher, build_s):
        encoder.forget(questions.texts)
        count = len(questions.queries) + len(questions.out_of_scope)
        judged, took = judge(
            searcher,
            questions.queries,
            questions.out_of_scope,
            today(),
            lambda done: progress(f"asking: {done} of {count}"),
        )
        report = {
            **asdict(evaluation_of(len(searcher.entries), judged, took)),
            "coverage_hindsight": coverage_in_hindsight(judged, judged.probability, wrong_rate),
            "build_s": build_s,
            "accepted_wrong_rate": wrong_rate,
            "answer_threshold": searcher.thresholds.answer,
            "clarify_threshold": searcher.thresholds.clarify,
        }
    if with_baselines:
        report["baselines"] = baselines(
            questions,
            Remembering(own.plain),
            wrong_rate,
            lambda name, done, of: progress(f"asking {name} alone: {done} of {of}"),
        )
    return _rounded(report)


@contextmanager
def released(
    entries: list[Entry], encoder: Encoder | Remembering, wrong_rate: float, progress: Progress
) -> Iterator[tuple[Searcher, float]]:
    """A release of these entries alone and the seconds it took, in a place that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="fssc-eval-") as place:
        home = Path(place)
        url = f"sqlite:///{home / 'db.sqlite3'}"
        migrate(url)
        database = Database(url)
        try:
            started = time.perf_counter()
            progress(f"storing {len(entries)} entries")
            with database.write() as session:
                save_entries(session, entries, _AUTHOR)
            made = publish(database, home, encoder, author=_AUTHOR, wrong_rate=wrong_rate, progress=progress)
            progress("loading the release")
            searcher = load_searcher(database, home, encoder, made.number, progress)
            yield searcher, time.perf_counter() - started
        finally:
            database.close()


def _ready_encoder(settings: Settings, progress: Progress) -> Encoder:
    if not settings.encoder:
        build_default_encoder(settings.home / "encoder", progress)
    progress("loading the encoder")
    return encoder_of(settings)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value
