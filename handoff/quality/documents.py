"""What supervisors set about quality, as versioned data: a change is a new version, and old judgements keep theirs."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment


class QualityDocumentRow(Base):
    """`kind` and `name` say what it is: `satisfaction`, `sampling`, `scoreboard`, `rubric`, or a `questionnaire` by name."""

    __tablename__ = "quality_document"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)


def newest(session: Session, kind: str, name: str = "default") -> QualityDocumentRow | None:
    return session.scalars(
        select(QualityDocumentRow)
        .where(QualityDocumentRow.kind == kind, QualityDocumentRow.name == name)
        .order_by(QualityDocumentRow.version.desc())
        .limit(1)
    ).one_or_none()


def document(session: Session, kind: str, name: str = "default") -> dict[str, Any]:
    """The newest version's body; what the product comes with where nobody has set any."""
    from handoff.quality.defaults import DEFAULTS

    row = newest(session, kind, name)
    return deepcopy(row.body if row else DEFAULTS[kind])


def store(session: Session, kind: str, body: dict[str, Any], author: str, name: str = "default") -> QualityDocumentRow:
    """Make `body`, which must have been checked, the newest version."""
    last = session.scalar(
        select(func.max(QualityDocumentRow.version)).where(
            QualityDocumentRow.kind == kind, QualityDocumentRow.name == name
        )
    )
    row = QualityDocumentRow(kind=kind, name=name, version=(last or 0) + 1, body=body, author=author, at=now())
    session.add(row)
    session.flush()
    return row


def versions(session: Session, kind: str, name: str = "default") -> list[QualityDocumentRow]:
    """Every version, the newest first."""
    return list(
        session.scalars(
            select(QualityDocumentRow)
            .where(QualityDocumentRow.kind == kind, QualityDocumentRow.name == name)
            .order_by(QualityDocumentRow.version.desc())
        )
    )
