"""Publish: freeze the entries as a numbered release, fitted and measured, and put it to work.

The database holds the release; the directory `releases/N` is a cache of it that any replica can rebuild.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.database import Database
from core.errors import InvalidInput
from kb.encoder import Encoder
from kb.entries import Entry
from kb.evaluate import cross_validated
from kb.fitting import fit
from kb.index import texts
from kb.matcher import Matcher
from kb.releases import (
    ReleaseRow,
    add_release,
    current_number,
    release_of,
    store_vectors,
    stored_vectors,
    text_digest,
)
from kb.search import Searcher
from kb.store import entry_from_dict, entry_to_dict, live_entries
from kb.thresholds import HeldOut, Thresholds, choose

Progress = Callable[[str], None]
_MATCHING = "2"
"""Raise it when the same entries would be fitted differently, so that the next publish makes a new release."""


@dataclass(frozen=True)
class Published:
    """`new` is False when the current release already holds exactly this."""

    number: int
    entries: int
    new: bool
    encoded: int
    seconds: float


def publish(
    database: Database, home: Path, encoder: Encoder, *, author: str, wrong_rate: float, progress: Progress
) -> Published:
    """Make the live entries the current release. Raises InvalidInput when there are none."""
    started = time.perf_counter()
    with database.read() as session:
        entries = live_entries(session)
        number = current_number(session)
        current = release_of(session, number) if number else None
    if not entries:
        raise InvalidInput("there is nothing to publish: load entries first, e.g. `fssc kb load kb/starter`")
    frozen = [entry_to_dict(entry) for entry in entries]
    digest = _digest(frozen, encoder.fingerprint, wrong_rate)
    if current is not None and current.digest == digest:
        return Published(current.number, len(entries), False, 0, time.perf_counter() - started)
    vectors, encoded = _vectors(database, encoder, entries, progress)
    progress(f"fitting the matcher to {len(entries)} entries, {len(vectors)} questions")
    fitted = fit(entries, vectors, encoder.encode_queries)
    thresholds = choose(fitted.held_out, wrong_rate)
    with database.write() as session:
        row = add_release(
            session,
            digest=digest,
            encoder=encoder.fingerprint,
            author=author,
            entries=frozen,
            wrong_rate=wrong_rate,
            evaluation=_evaluation(entries, fitted.held_out, thresholds),
        )
    _write(_directory(home, row.number), _made_of(row, encoder), Built(vectors, fitted.matcher, thresholds))
    return Published(row.number, len(entries), True, encoded, time.perf_counter() - started)


def load_searcher(
    database: Database, home: Path, encoder: Encoder, number: int, progress: Progress = lambda _: None
) -> Searcher:
    """Release `number`, from its directory or, if that is missing or damaged, rebuilt from the database."""
    row, built = ensure_built(database, home, encoder, number, progress)
    entries = [entry_from_dict(data) for data in row.entries]
    return Searcher(entries, built.vectors, built.matcher, built.thresholds, encoder.encode_queries, number)


@dataclass(frozen=True)
class Built:
    """What is made of a release's entries: `vectors` (questions, dim) float32 in the index's order."""

    vectors: np.ndarray
    matcher: Matcher
    thresholds: Thresholds


def ensure_built(
    database: Database, home: Path, encoder: Encoder, number: int, progress: Progress
) -> tuple[ReleaseRow, Built]:
    """Release `number` and what was made of it; made again when its files are missing, damaged or another encoder's."""
    with database.read() as session:
        row = release_of(session, number)
        if row is None:
            raise InvalidInput(f"there is no release {number}")
    made_of = _made_of(row, encoder)
    directory = _directory(home, number)
    try:
        if (directory / "made_of").read_text() != made_of:
            raise ValueError("made of something else")
        vectors = np.load(directory / "vectors.npy", allow_pickle=False)
        return row, Built(vectors, Matcher.load(directory), Thresholds.load(directory))
    except (OSError, ValueError, KeyError, TypeError):
        progress(f"rebuilding release {number} from the database")
    entries = [entry_from_dict(data) for data in row.entries]
    vectors, _ = _vectors(database, encoder, entries, progress)
    fitted = fit(entries, vectors, encoder.encode_queries)
    built = Built(vectors, fitted.matcher, choose(fitted.held_out, row.wrong_rate))
    _write(directory, made_of, built)
    return row, built


def _made_of(row: ReleaseRow, encoder: Encoder) -> str:
    return f"{row.digest} {encoder.fingerprint}"


def _vectors(
    database: Database, encoder: Encoder, entries: Sequence[Entry], progress: Progress
) -> tuple[np.ndarray, int]:
    """(questions, dim) float32 in the index's order, and how many of them had to be encoded."""
    questions = texts(entries)
    digests = [text_digest(question) for question in questions]
    with database.read() as session:
        known = stored_vectors(session, encoder.fingerprint, sorted(set(digests)))
    missing = {d: q for d, q in zip(digests, questions, strict=True) if d not in known}
    names, asked = list(missing), list(missing.values())
    for start in range(0, len(asked), 256):
        if len(asked) > 256:
            progress(f"encoding questions: {start} of {len(asked)}")
        batch = encoder.encode_queries(asked[start : start + 256])
        fresh = dict(zip(names[start : start + 256], batch, strict=True))
        with database.write() as session:
            store_vectors(session, encoder.fingerprint, fresh)
        known.update(fresh)
    return np.stack([known[digest] for digest in digests]), len(missing)


def _digest(frozen: list[dict[str, Any]], fingerprint: str, wrong_rate: float) -> str:
    made = json.dumps([_MATCHING, fingerprint, wrong_rate, frozen], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(made.encode()).hexdigest()


def _evaluation(entries: Sequence[Entry], held_out: HeldOut, thresholds: Thresholds) -> dict[str, Any]:
    """What the release promises, measured on questions that its matcher had not seen."""
    measured = vars(cross_validated(len(entries), held_out, thresholds))
    return {
        "questions": sum(len(entry.questions) for entry in entries),
        "answer_threshold": thresholds.answer,
        "clarify_threshold": thresholds.clarify,
        **{name: round(value, 4) if isinstance(value, float) else value for name, value in measured.items()},
    }


def _directory(home: Path, number: int) -> Path:
    return home / "releases" / str(number)


def _write(target: Path, made_of: str, built: Built) -> None:
    """Complete or not at all: written aside, then moved into place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    np.save(draft / "vectors.npy", built.vectors, allow_pickle=False)
    built.matcher.save(draft)
    built.thresholds.save(draft)
    (draft / "made_of").write_text(made_of)
    if target.exists():
        shutil.rmtree(target, ignore_errors=True)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # Another process was quicker with the same content.
