"""Vectors of curated texts: encoded once, kept in the database, taken over from release to release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Database
from kb.encoder import Encoder
from kb.entries import Entry
from kb.index import answers, texts
from kb.release.keeping import keep

_AT_ONCE = 500
_BATCH = 256
_STEPS = 20

Known = tuple[Sequence[Entry], np.ndarray, np.ndarray]
"""Entries with the vectors of their texts and of their answers."""


class VectorRow(Base):
    """A text's vector under one encoder, float32 little-endian: a publish encodes only what it has not seen."""

    __tablename__ = "kb_vector"

    encoder: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


def vectors_of(
    database: Database,
    encoder: Encoder,
    entries: Sequence[Entry],
    progress: Callable[[str], None],
    known: Known | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """(rows, dim) float32 in the order of `kb.index.texts(entries)`, (entries, dim) of `kb.index.answers(entries)` with zeros for none,
    and how many texts had to be encoded.

    `known` are the entries of another release with both by the same encoder: an entry that is there with the same
    wording keeps its rows, one with the same answer that one's, and neither the database nor the encoder is asked for them.
    """
    rows = np.concatenate([[0], np.cumsum([_rows(entry) for entry in entries])]).astype(int)
    vectors = np.empty((rows[-1], encoder.dim), np.float32)
    told = np.zeros((len(entries), encoder.dim), np.float32)
    places = answered = np.full(len(entries), -1)
    if known:
        places, answered = _taken_over(entries, known[0]), _answers_taken_over(entries, known[0])
        _copy(vectors, rows, places, known)
        told[answered >= 0] = known[2][answered[answered >= 0]]
    told_anew = np.flatnonzero(answered < 0).tolist()
    spoken = [
        (place, text) for place, text in zip(told_anew, answers([entries[i] for i in told_anew]), strict=True) if text
    ]
    missing = [place for place in range(len(entries)) if places[place] < 0]
    asked = [entries[place] for place in missing]
    wanted = list(zip(texts(asked), [entry.is_passage for entry in asked for _ in range(_rows(entry))], strict=True))
    wanted += [(text, True) for _, text in spoken]
    found, encoded = texts_to_vectors(database, encoder, wanted, progress)
    start = 0
    for place in missing:
        count = rows[place + 1] - rows[place]
        vectors[rows[place] : rows[place + 1]] = found[start : start + count]
        start += count
    told[[place for place, _ in spoken]] = found[start:]
    return vectors, told, encoded


def texts_to_vectors(
    database: Database, encoder: Encoder, wanted: Sequence[tuple[str, bool]], progress: Callable[[str], None]
) -> tuple[np.ndarray, int]:
    """Vectors of `(text, whether it is a passage)`, (n, dim) float32, and how many had to be encoded; these are kept."""
    digests = [text_digest(text, passage) for text, passage in wanted]
    with database.read() as session:
        vectors = stored_vectors(session, encoder.fingerprint, sorted(set(digests)))
    missing = {digest: pair for digest, pair in zip(digests, wanted, strict=True) if digest not in vectors}
    done = 0
    for passage, encode in ((False, encoder.encode_queries), (True, encoder.encode_passages)):
        chosen = [(digest, text) for digest, (text, of_passage) in missing.items() if of_passage is passage]
        for start in range(0, len(chosen), _BATCH):
            if done * _STEPS // len(missing) != (done - _BATCH) * _STEPS // len(missing) and len(missing) > _BATCH:
                progress(f"正在编码：{done} / {len(missing)}")
            batch = chosen[start : start + _BATCH]
            fresh = dict(zip([digest for digest, _ in batch], encode([text for _, text in batch]), strict=True))
            with database.write() as session:
                store_vectors(session, encoder.fingerprint, fresh)
            vectors.update(fresh)
            done += len(batch)
    if not digests:
        return np.empty((0, encoder.dim), np.float32), 0
    return np.stack([vectors[digest] for digest in digests]), len(missing)


def text_digest(text: str, passage: bool = False) -> str:
    """A passage is encoded otherwise than a question of the same wording."""
    return hashlib.sha256((("passage\0" if passage else "") + text).encode(errors="surrogatepass")).hexdigest()


def stored_vectors(session: Session, encoder: str, digests: Sequence[str]) -> dict[str, np.ndarray]:
    """Known vectors by digest, each `(dim,) float32`."""
    found: dict[str, np.ndarray] = {}
    for start in range(0, len(digests), _AT_ONCE):
        rows = session.execute(
            select(VectorRow.digest, VectorRow.vector).where(
                VectorRow.encoder == encoder, VectorRow.digest.in_(digests[start : start + _AT_ONCE])
            )
        )
        found.update((digest, np.frombuffer(vector, "<f4")) for digest, vector in rows)
    return found


def store_vectors(session: Session, encoder: str, vectors: dict[str, np.ndarray]) -> None:
    """Keep vectors; one that another publisher stored meanwhile stays as it is."""
    rows = [
        {"encoder": encoder, "digest": digest, "vector": vector.astype("<f4").tobytes()}
        for digest, vector in vectors.items()
    ]
    keep(session, VectorRow, rows)


def _rows(entry: Entry) -> int:
    return 1 if entry.is_passage else len(entry.questions)


def _taken_over(entries: Sequence[Entry], known: Sequence[Entry]) -> np.ndarray:
    """For each entry the place of the one with the same wording in `known`, or -1."""
    places = {entry.id: place for place, entry in enumerate(known)}
    return np.array([_place(entry, known, places) for entry in entries], int)


def _answers_taken_over(entries: Sequence[Entry], known: Sequence[Entry]) -> np.ndarray:
    """For each entry the place of the one with the same answer in `known`, or -1."""
    places = {entry.id: place for place, entry in enumerate(known)}
    found = np.array([places.get(entry.id, -1) for entry in entries], int)
    for n, (entry, place) in enumerate(zip(entries, found.tolist(), strict=True)):
        other = known[place]
        if place >= 0 and other is not entry and (other.answer, other.is_passage) != (entry.answer, entry.is_passage):
            found[n] = -1
    return found


def _place(entry: Entry, known: Sequence[Entry], places: dict[str, int]) -> int:
    place = places.get(entry.id, -1)
    if place < 0 or known[place] is entry:
        return place
    other = known[place]
    return place if other.questions == entry.questions and (entry.questions or _told(other) == _told(entry)) else -1


def _told(entry: Entry) -> tuple[str, str]:
    return entry.title, entry.answer


def _copy(vectors: np.ndarray, rows: np.ndarray, places: np.ndarray, known: Known) -> None:
    old = np.concatenate([[0], np.cumsum([_rows(entry) for entry in known[0]])]).astype(int)
    lengths = np.diff(rows)
    taken = places >= 0
    of_row = np.repeat(np.arange(len(lengths)), lengths)
    kept = taken[of_row]
    source = old[places[of_row]] + np.arange(rows[-1]) - rows[of_row]
    vectors[kept] = known[1][source[kept]]
