"""Signals: what conversations and tickets tell of questions that stayed open, one row a person's question, masked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.events import Event
from core.identity import Identity
from core.privacy import mask_people
from core.text import normalize
from core.transcript import Conversation
from kb.curation.store import NOT_OURS, ClusterRow, OpenQuestionRow, SignalRow
from kb.search import LONGEST
from kb.signals import AnswerRated, QuestionUnresolved
from kb.words import bare

_MOST_SHOWN = 5


@dataclass(frozen=True)
class Signal:
    """One reason why `question`, asked in a conversation, is open. `key` names what caused it; `shown` is what was offered."""

    key: str
    kind: str
    conversation_id: str
    question: str
    page: str = ""
    node: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)
    release: int | None = None
    ticket: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)


def keep(session: Session, signal: Signal) -> OpenQuestionRow | None:
    """Store a signal with its question, once; None where there is nothing to curate in what was asked."""
    known = session.scalars(select(SignalRow).where(SignalRow.key == signal.key)).one_or_none()
    if known is not None:
        known.detail = {**known.detail, **_masked(signal.detail)}
        return session.get(OpenQuestionRow, known.question)
    conversation = session.get(Conversation, signal.conversation_id)
    if conversation is None:
        return None
    identity = Identity.from_dict(conversation.identity)
    text = mask_people(normalize(signal.question)[:LONGEST], [identity.name or ""])
    if not any(letter.isalpha() for letter in bare(text)):
        return None
    row = _question(session, signal, conversation, identity, text)
    if signal.kind not in row.signals:
        row.signals = [*row.signals, signal.kind]
    if signal.shown and not (row.shown and signal.kind == "handoff"):
        row.shown = signal.shown[:_MOST_SHOWN]
        row.probability = signal.shown[0].get("probability")
    row.release = signal.release or row.release
    row.page, row.node = (signal.page, signal.node) if signal.page else (row.page, row.node)
    row.first_at, row.last_at = min(row.first_at, signal.at), max(row.last_at, signal.at)
    if row.closed_at is not None and signal.at > row.closed_at and row.closed_as != NOT_OURS:
        row.closed_as = row.closed_at = row.told_at = None
        if row.cluster is not None:
            session.get_one(ClusterRow, row.cluster, with_for_update=True).comes_back()
    session.add(
        SignalRow(
            key=signal.key,
            question=row.id,
            kind=signal.kind,
            detail=_masked(signal.detail),
            ticket=signal.ticket,
            at=signal.at,
        )
    )
    session.flush()
    return row


def _masked(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: _masked_value(value) if name != "entry_id" else value for name, value in detail.items()}


def _masked_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked_value(one) for one in value]
    return mask_people(value) if isinstance(value, str) else value


def _question(
    session: Session, signal: Signal, conversation: Conversation, identity: Identity, text: str
) -> OpenQuestionRow:
    digest = hashlib.sha256(bare(text).encode()).hexdigest()
    row = session.scalars(
        select(OpenQuestionRow).where(
            OpenQuestionRow.conversation_id == conversation.id, OpenQuestionRow.digest == digest
        )
    ).one_or_none()
    if row is None:
        row = OpenQuestionRow(
            conversation_id=conversation.id,
            digest=digest,
            text=text,
            asker=identity.employee_no or conversation.id,
            anonymous=identity.anonymous,
            company=(identity.company or "")[:100],
            department=(identity.department or "")[:100],
            groups=sorted(identity.groups),
            channel=conversation.channel,
            page=signal.page,
            node=signal.node,
            shown=[],
            signals=[],
            first_at=signal.at,
            last_at=signal.at,
        )
        session.add(row)
        session.flush()
    return row


def hear_unresolved(session: Session, event_id: int, event: Event) -> None:
    """No answer, or 都不是. Bad ratings come with their reason as `AnswerRated`, tickets as such."""
    assert isinstance(event, QuestionUnresolved)
    if event.reason in ("no_answer", "none_of_these"):
        keep(
            session,
            Signal(
                f"event:{event_id}",
                event.reason,
                event.conversation_id,
                event.question,
                event.page,
                event.node,
                event.shown,
                event.release,
            ),
        )


def hear_rated(session: Session, event_id: int, event: Event) -> None:
    """没用, with its reason; who changes their mind takes it back."""
    assert isinstance(event, AnswerRated)
    key = f"rated:{event.message_id}"
    if event.helpful:
        take_back(session, key)
        return
    keep(
        session,
        Signal(
            key,
            "rated_bad",
            event.conversation_id,
            event.question,
            event.page,
            event.node,
            [{"entry_id": event.entry_id, "question": event.title, "probability": event.probability}],
            event.release,
            detail={"reason": event.reason or "", "comment": event.comment, "entry_id": event.entry_id},
        ),
    )


def take_back(session: Session, key: str) -> None:
    """Forget a signal; a question that no other signal keeps open goes with it."""
    signal = session.scalars(select(SignalRow).where(SignalRow.key == key)).one_or_none()
    if signal is None:
        return
    question = session.get_one(OpenQuestionRow, signal.question)
    session.delete(signal)
    session.flush()
    left = session.scalars(select(SignalRow.kind).where(SignalRow.question == question.id)).all()
    if left:
        question.signals = [kind for kind in question.signals if kind in left]
    else:
        session.delete(question)
    session.flush()


def reopened(session: Session, key: str, ticket: str, reason: str) -> None:
    """A ticket was not settled after all: its question is open again."""
    first = session.scalars(
        select(SignalRow).where(SignalRow.ticket == ticket, SignalRow.kind == "handoff").limit(1)
    ).one_or_none()
    if first is None:
        return
    question = session.get_one(OpenQuestionRow, first.question)
    keep(
        session,
        Signal(key, "reopened", question.conversation_id, question.text, ticket=ticket, detail={"reason": reason}),
    )
