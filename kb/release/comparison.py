"""What a release answers otherwise than the one before it: the questions that the change can touch, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now, today
from core.text import normalize
from core.transcript import Turn
from kb.entries import PUBLIC, Entry, Viewer
from kb.index import Index
from kb.release.contents import Changes
from kb.release.gate import Asked
from kb.search import LONGEST, Band, Query, Searcher, SearchResult
from kb.store import UnresolvedRow

CURATED, REAL = "curated", "asked"
MOST_SHOWN = 200
_MOST_CHANGED = 150
_NEIGHBOURS = 4
_MOST_NEAR = 10
_SAMPLE = 150
_MOST_REAL = 100
_MOST_REAL_NEAR = 12
_LATELY = timedelta(days=30)
_ANSWER_SHOWN = 400


@dataclass(frozen=True)
class Question:
    """One question for both releases. `entry_id` is the entry that curators wrote it for, if any."""

    text: str
    vector: np.ndarray
    kind: str
    entry_id: str | None = None
    viewer: Viewer = PUBLIC


@dataclass(frozen=True)
class Comparison:
    """`answer_changes` are for people, at most `MOST_SHOWN`, lost ones first; `changed` counts all of them."""

    answer_changes: list[dict[str, Any]]
    changed: int
    asked: Asked


def compare(before: Searcher, after: Searcher, questions: Iterable[Question]) -> Comparison:
    """Ask both releases, each as somebody who may see the entry in question, today."""
    day = today()
    found: list[tuple[bool, dict[str, Any]]] = []
    held = lost = 0
    for question in questions:
        query = Query(question.text, day, viewer=question.viewer, top_k=1)
        old = _answer(before.search(query, question.vector))
        new = _answer(after.search(query, question.vector))
        own = question.entry_id if after.index.position.get(question.entry_id or "") is not None else None
        was_right = own is not None and old["band"] == Band.ANSWER and old["entry_id"] == own
        is_lost = was_right and not (new["band"] == Band.ANSWER and new["entry_id"] == own)
        held += was_right
        lost += is_lost
        if _differ(old, new):
            found.append((is_lost, {"question": question.text, "kind": question.kind, "before": old, "after": new}))
    found.sort(key=lambda pair: not pair[0])
    return Comparison([change for _, change in found[:MOST_SHOWN]], len(found), Asked(held, lost))


def curated_questions(old: Index, new: Index, changes: Changes, everything: bool) -> list[Question]:
    """The questions of what changed, as they were and as they are, and the curated ones nearest to them.

    With `everything`, as the matcher is another one, a sample of all the others too.
    """
    random = np.random.default_rng(0)
    fresh = [*changes.added, *(after for _, after in changes.changed)]
    gone = [*changes.removed, *(before for before, _ in changes.changed)]
    touched_new, touched_old = _rows(new, fresh, random), _rows(old, gone, random)
    near: dict[int, None] = {}
    allowed = ~new.passage
    for index, chosen in ((new, touched_new), (old, touched_old)):
        for row in chosen:
            if len(near) < (_SAMPLE if everything else _MOST_NEAR):
                near.update(dict.fromkeys(new.nearest(index.vectors[row], allowed, _NEIGHBOURS)[0].tolist()))
    if everything:
        near.update(dict.fromkeys(random.permutation(np.flatnonzero(allowed))[:_SAMPLE].tolist()))
    questions = {old.texts[row]: _curated(old, row, kept=False) for row in touched_old.tolist() if not old.passage[row]}
    rows = [row for row in [*touched_new.tolist(), *near] if allowed[row]]
    # Two entries may hold the very same question: it is the older one's, which must not lose it unnoticed.
    rows.sort(key=lambda row: new.entries[new.owner[row]].id in old.position)
    questions |= {new.texts[row]: _curated(new, row) for row in rows}
    return list(questions.values())


def real_questions(
    texts: Sequence[str],
    vectors: np.ndarray,
    old: Index,
    new: Index,
    changes: Changes,
    everything: bool,
) -> list[Question]:
    """Of what employees asked lately, what the change can touch: the questions nearest to the texts that came or went."""
    if not len(texts):
        return []
    order: Iterable[int] = range(len(texts))
    if not everything:
        fresh = [*changes.added, *(after for _, after in changes.changed)]
        gone = [*changes.removed, *(before for before, _ in changes.changed)]
        random = np.random.default_rng(0)
        touched = np.concatenate(
            [new.vectors[_rows(new, fresh, random)], old.vectors[_rows(old, gone, random)]], dtype=np.float32
        )
        if not len(touched):
            return []
        order = np.argsort(-(vectors @ touched.T).max(1), kind="stable")[:_MOST_REAL_NEAR].tolist()
    return [Question(texts[i], vectors[i], REAL) for i in order]


def lately_asked(session: Session) -> list[str]:
    """Different questions of the last 30 days, masked: those that stayed open and those that were answered, newest first."""
    since = now() - _LATELY
    open_ = session.scalars(
        select(UnresolvedRow.question)
        .where(UnresolvedRow.at >= since)
        .order_by(UnresolvedRow.id.desc())
        .limit(_MOST_REAL)
    ).all()
    turns = session.scalars(
        select(Turn.outcome).where(Turn.at >= since, Turn.state == "done").order_by(Turn.at.desc()).limit(_MOST_REAL)
    ).all()
    answered = [turn["question"] for turn in turns if turn and turn.get("band") == Band.ANSWER and turn.get("question")]
    texts = (normalize(text)[:LONGEST] for text in [*open_[: _MOST_REAL // 2], *answered, *open_[_MOST_REAL // 2 :]])
    return list(dict.fromkeys(filter(None, texts)))[:_MOST_REAL]


def _rows(index: Index, entries: Sequence[Entry], random: np.random.Generator) -> np.ndarray:
    positions = np.array([index.position[entry.id] for entry in entries], int)
    if len(positions) > _MOST_CHANGED:
        positions = np.sort(random.permutation(positions)[:_MOST_CHANGED])
    rows = np.concatenate([np.arange(*index.starts[place : place + 2]) for place in positions] or [np.empty(0, int)])
    if len(rows) > 2 * _MOST_CHANGED:
        rows = np.sort(random.permutation(rows)[: 2 * _MOST_CHANGED])
    return rows.astype(int)


def _curated(index: Index, row: int, kept: bool = True) -> Question:
    """Asked by somebody who may see its entry; without an entry of its own when the new release may not hold it."""
    entry = index.entries[index.owner[row]]
    audience = entry.audience
    viewer = Viewer(min(audience.companies) if audience.companies else None, audience.groups)
    return Question(index.texts[row], index.vectors[row], CURATED, entry.id if kept else None, viewer)


def _answer(result: SearchResult) -> dict[str, Any]:
    if not result.candidates or result.band is Band.NONE:
        best = result.candidates[0].probability if result.candidates else 0.0
        return {"band": Band.NONE, "entry_id": None, "question": None, "probability": round(best, 4), "answer": ""}
    best = result.candidates[0]
    return {
        "band": result.band,
        "entry_id": best.entry.id,
        "question": best.entry.heading,
        "probability": round(best.probability, 4),
        "answer": best.entry.answer[:_ANSWER_SHOWN],
    }


def _differ(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Another band, another entry on top, or the same entry with another answer."""
    return any(old[name] != new[name] for name in ("band", "entry_id", "answer"))
