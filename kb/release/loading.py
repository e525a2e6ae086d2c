"""A release in memory: from the one before it, from its directory, or from the database.

The database holds the release; the directory `releases/<key>` is a cache of it that any replica can rebuild.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.database import Database
from core.errors import InvalidInput
from kb.encoder import Encoder, facing
from kb.fitting import fit
from kb.index import Index
from kb.release.contents import EMPTY, Contents
from kb.release.contents import load as load_contents
from kb.release.judgement import Judgement
from kb.release.releases import ReleaseRow, release_of
from kb.release.vectors import Known, vectors_of
from kb.search import Searcher
from kb.thresholds import choose
from kb.tokens import Tokens

Progress = Callable[[str], None]

CACHES = 4
"""Directories that are kept: the current release's and those used last."""
_ABANDONED_S = 3600.0
_UNREADABLE = (OSError, KeyError, TypeError, ValueError, EOFError)


@dataclass(frozen=True)
class Loaded:
    """A release at work and what it was made of. `encoder` is the fingerprint of the one that its vectors are by."""

    row: ReleaseRow
    encoder: str
    contents: Contents
    judgement: Judgement
    searcher: Searcher

    @property
    def index(self) -> Index:
        return self.searcher.index

    @property
    def known(self) -> Known:
        """What another release by the same encoder may take over."""
        assert self.index.answer_vectors is not None
        return self.contents.entries, self.index.vectors, self.index.answer_vectors


def load(
    database: Database,
    home: Path,
    encoder: Encoder,
    number: int,
    progress: Progress = lambda _: None,
    before: Loaded | None = None,
) -> Loaded:
    """Release `number`. What it shares with `before` is taken from there; else from its directory or, if that is missing or
    damaged, from the database. Raises InvalidInput when there is no such release."""
    with database.read() as session:
        row = release_of(session, number)
        if row is None:
            raise InvalidInput(f"there is no release {number}")
        contents = load_contents(session, row.contents, before.contents if before else EMPTY)
    if before is not None and before.encoder == encoder.fingerprint == row.encoder:
        try:
            return _after(before, database, encoder, row, contents, progress)
        except ValueError:
            progress(f"release {number} was fitted by another version of the product")
    directory = directory_of(home, row.digest, encoder)
    try:
        index, judgement = _read(directory, encoder, contents)
    except _UNREADABLE:
        progress(f"rebuilding release {number} from the database")
        index, judgement = _rebuilt(database, encoder, row, contents, progress)
        write(directory, index, judgement)
    return _loaded(row, encoder, contents, index, judgement)


def keep(home: Path, encoder: Encoder, loaded: Loaded) -> None:
    """Write the directory of a release that has none, and remove those that nobody has used lately."""
    directory = directory_of(home, loaded.row.digest, encoder)
    if not directory.exists():
        write(directory, loaded.index, loaded.judgement)
    prune(directory)


def directory_of(home: Path, digest: str, encoder: Encoder) -> Path:
    key = hashlib.sha256(f"{digest} {encoder.fingerprint}".encode()).hexdigest()[:16]
    return home / "releases" / key


def write(target: Path, index: Index, judgement: Judgement) -> None:
    """Complete or not at all: written aside, then moved into place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".", dir=target.parent))
    try:
        np.save(draft / "vectors.npy", index.vectors, allow_pickle=False)
        np.save(draft / "answers.npy", index.answer_vectors, allow_pickle=False)
        index.tokens.save(draft)
        judgement.save(draft)
        if target.exists():
            shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():  # Else another process was quicker with the same content.
            raise


def prune(current: Path, most: int = CACHES) -> None:
    """Remove the directories beyond the `most` last written, never the current one, and drafts that were abandoned."""
    kept = sorted(_directories(current.parent), key=lambda found: found[0], reverse=True)
    drafts = [path for written, path in kept if path.name.startswith(".") and time.time() - written > _ABANDONED_S]
    old = [path for _, path in kept if not path.name.startswith(".") and path != current][most - 1 :]
    for path in [*drafts, *old]:
        shutil.rmtree(path, ignore_errors=True)


def _directories(parent: Path) -> list[tuple[float, Path]]:
    found = []
    for path in parent.iterdir():
        try:
            found.append((path.stat().st_mtime, path))
        except OSError:  # Somebody else is tidying up too.
            continue
    return found


def _after(
    before: Loaded, database: Database, encoder: Encoder, row: ReleaseRow, contents: Contents, progress: Progress
) -> Loaded:
    judgement = Judgement.unpack(row.fitted)
    vectors, told, _ = vectors_of(database, encoder, contents.entries, progress, before.known)
    tokens = Tokens.of(contents.entries, before.index.tokens)
    index = Index(contents.entries, vectors, tokens, facing(encoder.fingerprint), told)
    return _loaded(row, encoder, contents, index, judgement)


def _read(directory: Path, encoder: Encoder, contents: Contents) -> tuple[Index, Judgement]:
    vectors = np.load(directory / "vectors.npy", mmap_mode="r", allow_pickle=False)
    told = np.load(directory / "answers.npy", mmap_mode="r", allow_pickle=False)
    index = Index(contents.entries, vectors, Tokens.load(directory), facing(encoder.fingerprint), told)
    return index, Judgement.load(directory)


def _rebuilt(
    database: Database, encoder: Encoder, row: ReleaseRow, contents: Contents, progress: Progress
) -> tuple[Index, Judgement]:
    vectors, told, _ = vectors_of(database, encoder, contents.entries, progress)
    index = Index(contents.entries, vectors, facing=facing(encoder.fingerprint), answer_vectors=told)
    if row.encoder == encoder.fingerprint:
        try:
            return index, Judgement.unpack(row.fitted)
        except ValueError:
            progress("its matcher was fitted by another version of the product")
    progress("fitting the matcher again")
    fitted = fit(contents.entries, vectors, encoder.encode_queries, index=index)
    return index, Judgement(fitted.matcher, choose(fitted.held_out, row.wrong_rate), fitted.held_out)


def _loaded(row: ReleaseRow, encoder: Encoder, contents: Contents, index: Index, judgement: Judgement) -> Loaded:
    searcher = Searcher.of(index, judgement.matcher, judgement.thresholds, encoder.encode_queries, row.number)
    return Loaded(row, encoder.fingerprint, contents, judgement, searcher)
