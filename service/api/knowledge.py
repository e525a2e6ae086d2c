"""The one scorer, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from core.clock import today
from core.errors import InvalidInput
from core.text import normalize
from kb import search
from kb.entries import Viewer
from service.api.deps import DeskDep, Visitor

router = APIRouter(prefix="/api/v1/kb", tags=["knowledge"])


class CandidateOut(BaseModel):
    entry_id: str
    question: str
    probability: float
    matched_question: str
    business_type: str


class SearchOut(BaseModel):
    band: str
    release: int
    thresholds: dict[str, float]
    candidates: list[CandidateOut]


@router.get("/search")
def get_search(
    desk: DeskDep,
    visitor: Visitor,
    q: Annotated[str, Query(max_length=2000)],
    top_k: Annotated[int, Query(ge=1, le=50)] = 5,
    page: Annotated[str, Query(max_length=100)] = "",
    node: Annotated[str, Query(max_length=100)] = "",
) -> SearchOut:
    """What the chat would find for this visitor on this page."""
    viewer = Viewer(visitor.company, frozenset(visitor.groups))
    result = find(desk, q, viewer, top_k, page, node)
    return SearchOut(
        band=result.band,
        release=result.release,
        thresholds=thresholds_of(result),
        candidates=[CandidateOut(**candidate_of(candidate)) for candidate in result.candidates],
    )


def find(desk: DeskDep, q: str, viewer: Viewer, top_k: int, page: str, node: str) -> search.SearchResult:
    text = normalize(q)
    if not text:
        raise InvalidInput("请输入要查找的问题。", code="empty_text")
    return desk.knowledge.searcher.search(
        search.Query(text, today(), page=page or None, node=node or None, viewer=viewer, top_k=top_k)
    )


def thresholds_of(result: search.SearchResult) -> dict[str, float]:
    return {"answer": result.thresholds.answer, "clarify": result.thresholds.clarify}


def candidate_of(candidate: search.Candidate) -> dict[str, Any]:
    return {
        "entry_id": candidate.entry.id,
        "question": candidate.entry.heading,
        "probability": candidate.probability,
        "matched_question": candidate.matched_question,
        "business_type": candidate.entry.business_type,
    }
