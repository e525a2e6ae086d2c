"""Which published entries ask nearly the same as somebody is about to: by the scorer of the chat."""

from __future__ import annotations

from collections.abc import Sequence

from core.clock import today
from core.errors import Unavailable
from core.text import normalize
from kb.care.checks import Near
from kb.entries import STAFF
from kb.release.live import LiveKnowledge
from kb.search import Query

_MOST = 20
"""Questions of an entry that are looked up: the standard one first."""


def nearest(knowledge: LiveKnowledge) -> Near | None:
    """For `kb.care.checks.findings`; None before the first release."""
    try:
        searcher = knowledge.searcher
    except Unavailable:
        return None

    def near(questions: Sequence[str]) -> list[tuple[str, str, float]]:
        found = []
        for question in questions[:_MOST]:
            result = searcher.search(Query(normalize(question), today(), viewer=STAFF, top_k=10))
            found += [
                (one.entry.id, one.matched_question, one.features.get("similarity", 0.0))
                for one in result.candidates
                if not one.entry.is_passage
            ]
        return sorted(found, key=lambda one: -one[2])

    return near
