"""What conversations tell the knowledge base, as events; the worker turns them into counts and open questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.events import Event
from core.privacy import mask_people
from kb.store import UnresolvedRow, count_hit


@dataclass(frozen=True)
class EntryAnswered(Event):
    """An entry was shown as the answer: outright, by a choice, or by a follow-up button. `day` is ISO, Shanghai."""

    entry_id: str
    conversation_id: str
    day: str
    page: str
    node: str


@dataclass(frozen=True)
class QuestionUnresolved(Event):
    """A question stays open. `question` is masked; `reason`: no_answer, none_of_these, unhelpful or handoff;
    `shown` lists what was offered as `{entry_id, question, probability}`."""

    conversation_id: str
    question: str
    reason: str
    page: str
    node: str
    shown: list[dict[str, Any]]
    release: int | None


@dataclass(frozen=True)
class AnswerRated(Event):
    """有用 or 没用 on one answer, as it stands now. `question` is what the employee had asked, masked; `title` heads the answer;
    `reason` is incorrect, incomplete, outdated, unclear, impolite, other or empty."""

    conversation_id: str
    message_id: str
    question: str
    entry_id: str | None
    title: str
    helpful: bool
    reason: str
    comment: str
    page: str
    node: str
    probability: float | None
    release: int | None


def record_hit(session: Session, event_id: int, event: EntryAnswered) -> None:
    count_hit(session, event.entry_id, date.fromisoformat(event.day), event.page, event.node)


def record_unresolved(session: Session, event_id: int, event: QuestionUnresolved) -> None:
    if session.scalar(select(UnresolvedRow.id).where(UnresolvedRow.event_id == event_id)) is None:
        session.add(
            UnresolvedRow(
                event_id=event_id,
                conversation_id=event.conversation_id,
                question=mask_people(event.question),
                reason=event.reason,
                page=event.page,
                node=event.node,
                shown=event.shown,
                release=event.release,
                at=now(),
            )
        )
