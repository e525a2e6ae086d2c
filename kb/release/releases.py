"""Releases in the database: numbered and immutable; one pointer says which one serves, and every move of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound


class Prepared:
    """The columns of everything that a publisher decides on, for a release and for the preview of one.

    `digest` is over the entries, the encoder and the settings that went in: the same again is no new release. `contents`
    is a packed `kb.release.contents.Contents`, `fitted` the files of matcher, thresholds and held-out questions
    (`kb.release.judgement`). `fitted_in` is the release that the matcher was fitted in; None where it was in this very one.
    `report` holds what people read: changes, before, gate, answers that change, reliability, curve.
    """

    digest: Mapped[str] = mapped_column(String(64))
    encoder: Mapped[str] = mapped_column(String(200))
    base: Mapped[int | None]
    wrong_rate: Mapped[float]
    contents: Mapped[bytes] = mapped_column(LargeBinary)
    fitted: Mapped[bytes] = mapped_column(LargeBinary)
    fitted_in: Mapped[int | None]
    evaluation: Mapped[dict[str, Any]] = mapped_column(Json)
    changes: Mapped[dict[str, int]] = mapped_column(Json)
    report: Mapped[dict[str, Any]] = mapped_column(Json)


class ReleaseRow(Prepared, Base):
    __tablename__ = "kb_release"

    number: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(String(64))
    override_reason: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(Moment)


class CurrentReleaseRow(Base):
    __tablename__ = "kb_current_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class ReleaseMoveRow(Base):
    """The pointer went from `before` to `number`: `kind` is publish or rollback, `reason` what the publisher said."""

    __tablename__ = "kb_release_move"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(10))
    before: Mapped[int | None]
    number: Mapped[int]
    author: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Moment)


class KnowledgeSettingRow(Base):
    """What managers set in the console and the next release takes up."""

    __tablename__ = "kb_setting"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)


def current_number(session: Session) -> int | None:
    return session.scalar(select(CurrentReleaseRow.number))


def release_of(session: Session, number: int) -> ReleaseRow | None:
    return session.get(ReleaseRow, number)


def find_releases(session: Session, limit: int = 50) -> list[ReleaseRow]:
    """The newest first, without what is large."""
    large = (defer(ReleaseRow.contents), defer(ReleaseRow.fitted), defer(ReleaseRow.report))
    return list(session.scalars(select(ReleaseRow).options(*large).order_by(ReleaseRow.number.desc()).limit(limit)))


def moves_of(session: Session, limit: int = 50) -> list[ReleaseMoveRow]:
    return list(session.scalars(select(ReleaseMoveRow).order_by(ReleaseMoveRow.id.desc()).limit(limit)))


def add_release(session: Session, prepared: dict[str, Any], author: str, override_reason: str | None) -> ReleaseRow:
    """Store the next release and make it the one that serves.

    Raises Conflict when another one was published since `prepared` was compared with its base: of two publishers at
    once, one wins and the other hears of it.
    """
    before = _locked_pointer(session)
    if before != prepared["base"]:
        raise _overtaken(before)
    # Before the first release there is no pointer to lock: of two who both saw none, the second cannot be number 1 too.
    number = 1 if before is None else session.scalars(select(func.max(ReleaseRow.number))).one() + 1
    row = ReleaseRow(number=number, author=author, override_reason=override_reason, created_at=now(), **prepared)
    session.add(row)
    try:
        session.flush()
        _point_at(session, number, before, "publish", author, override_reason or "")
        session.flush()
    except IntegrityError as error:
        raise _overtaken(number) from error
    return row


def move_back(session: Session, number: int, author: str, reason: str) -> None:
    """Make an existing release the one that serves. Raises NotFound, or Conflict when it serves already."""
    before = _locked_pointer(session)
    if session.scalar(select(ReleaseRow.number).where(ReleaseRow.number == number)) is None:
        raise NotFound(f"没有第 {number} 号版本。")
    if before == number:
        raise Conflict(f"线上已经是第 {number} 号版本，无需回滚。", code="already_current")
    _point_at(session, number, before, "rollback", author, reason)


def accepted_wrong_rate(session: Session, default: float) -> float:
    """The share of wrong ones among outright answers that the manager accepts, in (0, 1)."""
    row = session.get(KnowledgeSettingRow, "wrong_rate")
    return float(row.value) if row else default


def set_wrong_rate(session: Session, wrong_rate: float) -> None:
    """Taken up by the next release. Raises InvalidInput outside (0, 0.5]."""
    if not 0 < wrong_rate <= 0.5:
        raise InvalidInput("可接受的答错率要大于 0、不超过 50%。")
    session.merge(KnowledgeSettingRow(name="wrong_rate", value=wrong_rate))


def _locked_pointer(session: Session) -> int | None:
    return session.scalar(select(CurrentReleaseRow.number).with_for_update())


def _point_at(session: Session, number: int, before: int | None, kind: str, author: str, reason: str) -> None:
    session.merge(CurrentReleaseRow(id=1, number=number))
    session.add(ReleaseMoveRow(kind=kind, before=before, number=number, author=author, reason=reason, at=now()))
    audit.append(session, author, f"release.{kind}", f"release:{number}", {"before": before, "reason": reason})


def _overtaken(number: int | None) -> Conflict:
    return Conflict(f"刚刚有人让第 {number} 号版本上线了，请重新预览后再发布。", code="preview_stale")


def columns_of(row: Prepared) -> dict[str, Any]:
    """What `add_release` takes, from the row of a preview or of a release."""
    return {name: getattr(row, name) for name in PREPARED}


PREPARED: Sequence[str] = tuple(Prepared.__annotations__)
