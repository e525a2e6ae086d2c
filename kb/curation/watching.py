"""Signals that no single turn gives away: somebody says the same again in other words, or leaves with an unsure answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.transcript import Message, Turn
from kb.curation.grouping import Space
from kb.curation.signals import Signal
from kb.release.releases import ReleaseRow
from kb.search import Band
from kb.store import FeedbackRow
from kb.words import bare

AWAY = timedelta(minutes=30)
"""Who says nothing for so long has gone."""

REPHRASED = 3
"""So many wordings of one question in a row are a question that the answers did not settle."""

ALIKE = 0.35
"""From this cosine on, in a taught `Space`, two sentences of one person in a row are the same question."""

UNSURE = 0.3
"""An answer is unsure in the lowest part of what may be answered: this share of the way from the threshold to certainty."""

_MOST_TURNS = 50_000
_DEFAULT_THRESHOLD = 0.7

Encode = Callable[[Sequence[str]], np.ndarray]


def looked_through(session: Session, since: datetime | None, until: datetime) -> list[Turn]:
    """Finished turns of conversations that were talked in between the two moments, by conversation, oldest first."""
    query = select(Turn).where(Turn.state == "done", Turn.at <= until)
    if since is not None:
        query = query.where(Turn.at > since - timedelta(days=1))
    rows = session.scalars(query.order_by(Turn.at.desc()).limit(_MOST_TURNS)).all()
    return sorted(rows, key=lambda turn: (turn.conversation_id, turn.at))


def rephrased(turns: Sequence[Turn], encode: Encode, space: Space) -> Iterator[Signal]:
    """Runs of at least `REPHRASED` wordings of one question, each said within `AWAY` of the one before."""
    for _, talk in groupby(turns, key=lambda turn: turn.conversation_id):
        typed = [turn for turn in talk if _typed(turn)]
        if len(typed) < REPHRASED:
            continue
        placed = space.place(encode([_typed(turn) for turn in typed]))
        run = [typed[0]]
        for before, after, cosine in zip(typed, typed[1:], (placed[1:] * placed[:-1]).sum(1), strict=False):
            same = cosine >= ALIKE and after.at - before.at <= AWAY and bare(_typed(after)) != bare(_typed(before))
            if not same and len(run) >= REPHRASED:
                yield _said_again(run)
            run = [*run, after] if same else [after]
        if len(run) >= REPHRASED:
            yield _said_again(run)


def abandoned(session: Session, turns: Sequence[Turn], now: datetime) -> Iterator[Signal]:
    """Questions that were answered unsurely, or only with choices, after which the employee left without a word."""
    thresholds: dict[int, float] = {}
    liked = _rated(session, [turn.id for turn in turns])
    for _, talk in groupby(turns, key=lambda turn: turn.conversation_id):
        said = list(talk)
        for turn, after in zip(said, [*said[1:], None], strict=True):
            outcome = turn.outcome or {}
            if not _typed(turn) or turn.id in liked or ((after.at if after else now) - turn.at) < AWAY:
                continue
            band, probability = outcome.get("band"), outcome.get("probability") or 0.0
            release = outcome.get("release")
            unsure = band == Band.ANSWER and probability < _unsure(session, release, thresholds)
            if unsure or band == Band.CLARIFY:
                yield _signal(f"abandoned:{turn.id}", "abandoned", turn, {"band": band})


def _said_again(run: Sequence[Turn]) -> Signal:
    return _signal(f"rephrased:{run[0].id}", "rephrased", run[-1], {"wordings": [_typed(turn) for turn in run]})


def _signal(key: str, kind: str, turn: Turn, detail: dict[str, Any]) -> Signal:
    outcome, place = turn.outcome or {}, turn.body.get("place", {})
    return Signal(
        key,
        kind,
        turn.conversation_id,
        _typed(turn),
        place.get("page", ""),
        place.get("node", ""),
        outcome.get("shown") or [],
        outcome.get("release"),
        detail=detail,
        at=turn.at,
    )


def _typed(turn: Turn) -> str:
    """The words of a turn that asked the knowledge base something; empty for buttons, orders and the ticket form."""
    outcome = turn.outcome or {}
    return (outcome.get("question") or "") if turn.body.get("text") and outcome.get("band") else ""


def _unsure(session: Session, release: int | None, known: dict[int, float]) -> float:
    """Below this an answer of that release was unsure."""
    number = release or 0
    if number not in known:
        evaluation = session.scalar(select(ReleaseRow.evaluation).where(ReleaseRow.number == number)) or {}
        threshold = evaluation.get("answer_threshold") or _DEFAULT_THRESHOLD
        known[number] = threshold + UNSURE * (1 - threshold)
    return known[number]


def _rated(session: Session, turns: Sequence[str]) -> set[str]:
    """Turns whose answer somebody rated: a good one settles it, a bad one is a signal of its own."""
    found: set[str] = set()
    for start in range(0, len(turns), 500):
        some = turns[start : start + 500]
        found.update(
            session.scalars(
                select(Message.turn_id)
                .join(FeedbackRow, FeedbackRow.message_id == Message.id)
                .where(Message.turn_id.in_(some))
            )
        )
    return found
