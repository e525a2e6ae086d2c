"""Answers drawn at random and judged by reviewers: how often the bot is wrong, and what the next release learns from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Moment

VERDICTS = {"right": "正确", "partly": "部分正确", "wrong": "错误"}


class SampleRow(Base):
    """One answer of a week's sample. `question` is masked; `verdict` is null until a reviewer has judged it; `right_entry` is
    the entry that should have answered, where the reviewer named one."""

    __tablename__ = "kb_sample"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    week: Mapped[str] = mapped_column(String(10))
    turn_id: Mapped[str] = mapped_column(String(36), unique=True)
    message_id: Mapped[str] = mapped_column(String(36))
    conversation_id: Mapped[str] = mapped_column(String(36))
    entry_id: Mapped[str] = mapped_column(String(64))
    release: Mapped[int | None]
    probability: Mapped[float | None]
    question: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(Moment)
    drawn_at: Mapped[datetime] = mapped_column(Moment)
    verdict: Mapped[str | None] = mapped_column(String(10))
    right_entry: Mapped[str | None] = mapped_column(String(64))
    comment: Mapped[str] = mapped_column(Text, default="")
    reviewer: Mapped[str | None] = mapped_column(String(64))
    reviewed_at: Mapped[datetime | None] = mapped_column(Moment, index=True)

    __table_args__ = (Index("ix_kb_sample_week", "week", "verdict"),)
