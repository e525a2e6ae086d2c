"""Releases in the database: numbered and immutable; one pointer says which one serves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment


class ReleaseRow(Base):
    """`digest` is over the entries, the encoder and the settings that went in: the same again is no new release."""

    __tablename__ = "kb_release"

    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    encoder: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(64))
    entries: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    wrong_rate: Mapped[float]
    evaluation: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)


class CurrentReleaseRow(Base):
    __tablename__ = "kb_current_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class VectorRow(Base):
    """A text's vector under one encoder, float32 little-endian: a publish encodes only what it has not seen."""

    __tablename__ = "kb_vector"

    encoder: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


def current_number(session: Session) -> int | None:
    return session.scalar(select(CurrentReleaseRow.number))


def release_of(session: Session, number: int) -> ReleaseRow | None:
    return session.get(ReleaseRow, number)


def add_release(session: Session, **columns: Any) -> ReleaseRow:
    """Store the next release and make it the one that serves."""
    number = (session.scalar(select(func.max(ReleaseRow.number))) or 0) + 1
    row = ReleaseRow(number=number, created_at=now(), **columns)
    session.add(row)
    session.flush()
    session.merge(CurrentReleaseRow(id=1, number=number))
    return row


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stored_vectors(session: Session, encoder: str, digests: Sequence[str]) -> dict[str, np.ndarray]:
    """Known vectors by digest, each `(dim,) float32`."""
    found: dict[str, np.ndarray] = {}
    for start in range(0, len(digests), 500):
        rows = session.execute(
            select(VectorRow.digest, VectorRow.vector).where(
                VectorRow.encoder == encoder, VectorRow.digest.in_(digests[start : start + 500])
            )
        )
        found.update((digest, np.frombuffer(vector, "<f4")) for digest, vector in rows)
    return found


def store_vectors(session: Session, encoder: str, vectors: dict[str, np.ndarray]) -> None:
    known = stored_vectors(session, encoder, list(vectors))
    session.add_all(
        VectorRow(encoder=encoder, digest=digest, vector=vector.astype("<f4").tobytes())
        for digest, vector in vectors.items()
        if digest not in known
    )
