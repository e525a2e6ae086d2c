"""What an entry would change if the release that serves held it: measured like the preview of a release, in a second or two.

The matcher and its thresholds stay, as they do when a few entries are published; only the entry's own texts are new.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.database import Database
from core.text import normalize
from kb.curation.wording import plain
from kb.encoder import Encoder, facing
from kb.entries import Entry, Viewer
from kb.index import Index
from kb.lessons import out_of_scope
from kb.release.comparison import REAL, Question, compare, curated_questions, lately_asked, real_questions
from kb.release.contents import Changes
from kb.release.gate import judge
from kb.release.loading import Loaded
from kb.release.rejudging import MEASURES, moved
from kb.release.vectors import texts_to_vectors, vectors_of
from kb.search import LONGEST, Band, Query, Searcher
from kb.tokens import Tokens
from kb.words import bare

MOST_QUESTIONS = 200
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Trial:
    """`answers` says for each question of the cluster what it got and would get: `{question, before, after}` with the
    probability and whether it is answered; the rest is as in a release's report."""

    before: dict[str, Any]
    after: dict[str, Any]
    gate: dict[str, Any]
    answer_changes: list[dict[str, Any]]
    answers_changed: int
    answers: list[dict[str, Any]]
    answered_before: int
    answered_after: int
    took_ms: int


def try_entry(
    database: Database, encoder: Encoder, serving: Loaded, entry: Entry, questions: Sequence[str], day: Any
) -> Trial:
    """Hold `entry`, a new one or another version, against the release that serves. `questions` are those of the cluster, `day`
    the date on which they are asked."""
    started = time.perf_counter()
    texts = list(dict.fromkeys(normalize(text)[:LONGEST] for text in questions))[:MOST_QUESTIONS]
    own = {bare(plain(text)) for text in texts}
    with database.read() as session:
        lately = [text for text in lately_asked(session) if bare(plain(text)) not in own]

    def encode(some: Sequence[str]):
        return texts_to_vectors(database, encoder, [(text, False) for text in some], lambda _: None)[0]

    with _one_at_a_time:
        index, changes = _with(database, encoder, serving, entry)
        viewer = Viewer(min(entry.audience.companies, default=None), entry.audience.groups)
        judgement = serving.judgement
        searcher = Searcher.of(index, judgement.matcher, judgement.thresholds, encoder.encode_queries, 0)
        vectors = encode(texts)
        asked = [Question(text, vector, REAL, None, viewer) for text, vector in zip(texts, vectors, strict=True)]
        asked += curated_questions(serving.index, index, changes, False)
        asked += real_questions(lately, encode(lately), serving.index, index, changes, False)
        compared = compare(serving.searcher, searcher, {one.text: one for one in asked}.values())
        far = list(out_of_scope())
        before = serving.row.evaluation
        after = before | moved(before, (serving.index, judgement), (index, judgement), changes, (far, encode(far)))
        answers = [
            {
                "question": text,
                "before": _told(serving.searcher, text, vector, viewer, day, entry.id),
                "after": _told(searcher, text, vector, viewer, day, entry.id),
            }
            for text, vector in zip(texts, vectors, strict=True)
        ]
    gate = judge(before, after, compared.asked)
    return Trial(
        {name: before.get(name) for name in MEASURES},
        {name: after.get(name) for name in MEASURES},
        {"passed": gate.passed, "reasons": list(gate.reasons)},
        [change for change in compared.answer_changes if bare(plain(change["question"])) not in own],
        compared.changed,
        answers,
        sum(one["before"]["answered"] for one in answers),
        sum(one["after"]["answered"] for one in answers),
        round((time.perf_counter() - started) * 1000),
    )


def _with(database: Database, encoder: Encoder, serving: Loaded, entry: Entry) -> tuple[Index, Changes]:
    """The index of the release with the entry in it."""
    place = serving.contents.by_id.get(entry.id)
    if place is None:
        entries = (entry, *serving.contents.entries)
        changes = Changes((entry,), (), ())
    else:
        held = serving.contents.entries
        entries = (*held[:place], entry, *held[place + 1 :])
        changes = Changes((), ((held[place], entry),), ())
    vectors, told, _ = vectors_of(database, encoder, entries, lambda _: None, serving.known)
    tokens = Tokens.of(entries, serving.index.tokens)
    return Index(entries, vectors, tokens, facing(encoder.fingerprint), told), changes


def _told(searcher: Searcher, text: str, vector: Any, viewer: Viewer, day: Any, entry_id: str) -> dict[str, Any]:
    result = searcher.search(Query(text, day, viewer=viewer, top_k=1), vector)
    best = result.candidates[0] if result.candidates else None
    return {
        "band": result.band,
        "entry_id": best.entry.id if best else None,
        "heading": best.entry.heading if best else "",
        "probability": round(best.probability, 4) if best else 0.0,
        "answered": bool(best)
        and result.band is Band.ANSWER
        and (best.entry.id == entry_id or not best.entry.is_passage),
    }
