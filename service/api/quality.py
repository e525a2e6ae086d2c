"""Satisfaction, reviews of low scores, and what quality goes by."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput
from handoff.quality import reports, reviews
from handoff.quality.documents import document, newest, versions
from handoff.quality.periods import days
from handoff.quality.reviews import CAUSES, ReviewRow
from handoff.quality.satisfaction import SatisfactionRow
from handoff.quality.settings import KINDS, change
from service.api.deps import ActorDep, DeskDep, Filter, Page, PageSize, RowId, from_our_page
from service.api.quality_scope import Day, SettingUp, group_names, groups_seen, named
from service.api.ticket_body import names_of

router = APIRouter(prefix="/api/v1/console/quality", tags=["quality"])
_OURS = [Depends(from_our_page)]
Kind = Literal["satisfaction", "rubric", "sampling", "scoreboard", "questionnaire"]


class Changed(BaseModel):
    """`version` is the one that was looked at; 0 where nothing was stored."""

    version: int = Field(ge=0)
    body: dict[str, Any]


class Finding(BaseModel):
    cause: Annotated[str, Field(max_length=20)]
    finding: Annotated[str, Field(max_length=1000)]
    action: Annotated[str, Field(max_length=1000)]


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("日期要写成 2026-11-22。", code="period") from None


@router.get("/settings/{kind}")
def get_settings(desk: DeskDep, actor: ActorDep, kind: Kind) -> dict[str, Any]:
    """What quality goes by, its newest version and who changed it."""
    with desk.database.read() as session:
        return _settings(session, kind)


@router.put("/settings/{kind}", dependencies=_OURS)
def put_settings(desk: DeskDep, actor: SettingUp, kind: Kind, body: Changed) -> dict[str, Any]:
    """A new version. 409 `version_conflict` where somebody else changed it meanwhile."""
    with desk.database.write() as session:
        change(session, actor, kind, body.body, version=body.version)
    with desk.database.read() as session:
        return _settings(session, kind)


def _settings(session: Session, kind: str) -> dict[str, Any]:
    row = newest(session, kind)
    history = versions(session, kind)
    names = names_of(session, [one.author for one in history])
    return {
        "kind": kind,
        "label": KINDS[kind],
        "version": row.version if row else 0,
        "body": document(session, kind),
        "history": [
            {"version": one.version, "author": named(names, one.author), "at": one.at.isoformat(), "body": one.body}
            for one in history[:20]
        ],
    }


@router.get("/satisfaction")
def get_satisfaction(desk: DeskDep, actor: ActorDep, start: Day, end: Day, group: Filter = "") -> dict[str, Any]:
    """What requesters thought of tickets resolved from day `start` to day `end`."""
    seen = groups_seen(actor)
    first, last = days(day(start), day(end))
    with desk.database.read() as session:
        names = group_names(session)
        report = reports.satisfaction_report(session, first, last, _narrowed(seen, group))
        for line in report["by_group"]:
            line["name"] = names.get(line["group"], line["group"] or "未分组")
        shown = names if seen is None else {one: names.get(one, one) for one in seen}
        return report | {"groups": [{"id": id_, "name": name} for id_, name in sorted(shown.items())]}


def _narrowed(seen: frozenset[str] | None, group: str) -> frozenset[str] | None:
    if not group:
        return seen
    return frozenset({group}) if seen is None else seen & {group}


@router.get("/ratings")
def get_ratings(
    desk: DeskDep,
    actor: ActorDep,
    start: Day,
    end: Day,
    group: Filter = "",
    score: Annotated[str, Field(pattern=r"^[1-5](,[1-5])*$|^$")] = "",
    agent: Filter = "",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """The ratings themselves, the newest first."""
    seen = _narrowed(groups_seen(actor), group)
    first, last = days(day(start), day(end))
    with desk.database.read() as session:
        rows, total = reports.ratings(
            session,
            first,
            last,
            groups=seen,
            scores=[int(one) for one in score.split(",") if one],
            agent=agent,
            page=page,
            page_size=page_size,
        )
        names, groups = names_of(session, [row.agent for row in rows]), group_names(session)
        return {"items": [_rating(row, names, groups) for row in rows], "total": total}


def _rating(row: SatisfactionRow, names: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "ticket": row.ticket,
        "resolution": row.resolution,
        "agent": named(names, row.agent),
        "group": {"id": row.group_id, "name": groups.get(row.group_id, row.group_id)} if row.group_id else None,
        "score": row.score,
        "reasons": row.reasons,
        "words": row.words,
        "rated_at": row.rated_at.isoformat() if row.rated_at else None,
    }


@router.get("/reviews")
def get_reviews(
    desk: DeskDep,
    actor: ActorDep,
    state: Literal["open", "overdue", "closed", "all"] = "open",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """Low scores to look into; leaders see those of their groups."""
    seen = groups_seen(actor)
    moment = now()
    scope = [true() if seen is None else ReviewRow.group_id.in_(sorted(seen))]
    wanted = {
        "open": [ReviewRow.closed_at.is_(None)],
        "overdue": [ReviewRow.closed_at.is_(None), ReviewRow.due_at < moment],
        "closed": [ReviewRow.closed_at.is_not(None)],
        "all": [],
    }
    with desk.database.read() as session:
        query = (
            select(ReviewRow, SatisfactionRow)
            .join(SatisfactionRow, SatisfactionRow.id == ReviewRow.satisfaction_id)
            .where(*scope, *wanted[state])
        )
        counts = {
            name: session.scalar(select(func.count()).select_from(ReviewRow).where(*scope, *conditions)) or 0
            for name, conditions in wanted.items()
        }
        order = ReviewRow.closed_at.desc() if state == "closed" else ReviewRow.due_at
        rows = session.execute(query.order_by(order, ReviewRow.id).offset((page - 1) * page_size).limit(page_size))
        found = [(review, rating) for review, rating in rows]
        names = names_of(session, [name for review, _ in found for name in (review.agent, review.closed_by)])
        groups = group_names(session)
        return {
            "items": [
                _review(review, names) | {"rating": _rating(rating, names, groups), "may_close": _may(actor, review)}
                for review, rating in found
            ],
            "total": counts[state],
            "counts": counts,
            "causes": list(CAUSES),
        }


def _may(actor: ActorDep, row: ReviewRow) -> bool:
    return row.closed_at is None and reviews.may_review(actor, row)


def _review(row: ReviewRow, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "ticket": row.ticket,
        "opened_at": row.opened_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "overdue": (row.closed_at or now()) > row.due_at,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "closed_by": named(names, row.closed_by),
        "cause": row.cause,
        "finding": row.finding,
        "action": row.action,
    }


@router.post("/reviews/{review_id}/close", dependencies=_OURS)
def post_review(desk: DeskDep, actor: ActorDep, review_id: RowId, body: Finding) -> dict[str, Any]:
    """Close a review with its cause, what was found and what is done about it."""
    with desk.database.write() as session:
        row = reviews.close_review(session, review_id, actor, body.cause, body.finding, body.action)
        return _review(row, names_of(session, [row.closed_by]))
