"""The console's releases: what the next one would change, publishing it, and going back to an earlier one."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from redis.exceptions import RedisError

from core import audit
from core.errors import NotFound
from kb.release.pending import pending
from kb.release.preview import ask, publish_preview, view
from kb.release.publish import roll_back
from kb.release.releases import (
    ReleaseMoveRow,
    ReleaseRow,
    accepted_wrong_rate,
    current_number,
    find_releases,
    moves_of,
    release_of,
    set_wrong_rate,
)
from service.api.deps import ConsoleUser, DeskDep, Publisher, from_our_page

log = structlog.get_logger()
router = APIRouter(prefix="/api/v1/console", tags=["releases"])
OURS = [Depends(from_our_page)]
Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class PreviewBody(BaseModel):
    refit: bool = False


class PublishBody(BaseModel):
    override_reason: Reason = ""


class RollbackBody(BaseModel):
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]


class WrongRate(BaseModel):
    wrong_rate: Annotated[float, Field(gt=0, le=0.5)]


@router.get("/kb/releases")
def get_releases(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """The newest releases and what each promises."""
    with desk.database.read() as session:
        current = current_number(session)
        moves = moves_of(session, limit=200)
        return [_row(row, current, moves) for row in find_releases(session)]


@router.get("/kb/releases/pending")
def get_pending(desk: DeskDep, user: ConsoleUser) -> dict[str, Any]:
    """What was approved since the release that serves; no preview is needed to see it."""
    with desk.database.read() as session:
        return pending(session)


@router.get("/kb/releases/preview")
def get_preview(desk: DeskDep, user: ConsoleUser) -> dict[str, Any]:
    """The next release, as far as it is prepared."""
    with desk.database.read() as session:
        return view(session)


@router.post("/kb/releases/preview", status_code=202, dependencies=OURS)
def post_preview(desk: DeskDep, user: Publisher, body: PreviewBody | None = None) -> dict[str, Any]:
    """Have the next release prepared by the worker."""
    from service.worker import prepare_release

    with desk.database.write() as session:
        ask(session, user.username, body.refit if body else False)
        found = view(session)
    try:
        prepare_release.send()
    except RedisError as error:  # It waits in the database; the front door wakes the worker again and again.
        log.warning("worker_not_woken", error=repr(error))
    return found


@router.post("/kb/releases", status_code=201, dependencies=OURS)
def post_release(desk: DeskDep, user: Publisher, body: PublishBody | None = None) -> dict[str, Any]:
    """Publish what the preview shows; it is live on every replica within seconds."""
    with desk.database.write() as session:
        row = publish_preview(session, user.username, body.override_reason if body else None)
        return _detail(row, row.number, moves_of(session))


@router.get("/kb/releases/{number}")
def get_release(desk: DeskDep, user: ConsoleUser, number: int) -> dict[str, Any]:
    """One release: what it changed, what it promises, what the gate said, and when it went live or came back."""
    with desk.database.read() as session:
        row = release_of(session, number) if 0 < number < 2**31 else None
        if row is None:
            raise NotFound(f"没有第 {number} 号版本。")
        return _detail(row, current_number(session), moves_of(session, limit=1000))


@router.post("/kb/releases/{number}/rollback", dependencies=OURS)
def post_rollback(desk: DeskDep, user: Publisher, number: int, body: RollbackBody) -> dict[str, Any]:
    """Let an earlier release serve again."""
    if not 0 < number < 2**31:
        raise NotFound(f"没有第 {number} 号版本。")
    roll_back(desk.database, number, user.username, body.reason.strip())
    return {"number": number}


@router.get("/kb/wrong-rate")
def get_wrong_rate(desk: DeskDep, user: ConsoleUser) -> dict[str, float]:
    """The accepted share of wrong ones among outright answers."""
    with desk.database.read() as session:
        return {"wrong_rate": accepted_wrong_rate(session, desk.settings.wrong_rate)}


@router.put("/kb/wrong-rate", dependencies=OURS)
def put_wrong_rate(desk: DeskDep, user: Publisher, body: WrongRate) -> dict[str, float]:
    """The next release computes its thresholds from it."""
    with desk.database.write() as session:
        set_wrong_rate(session, body.wrong_rate)
        audit.append(session, user.username, "release.wrong_rate", "wrong-rate", {"value": body.wrong_rate})
    return {"wrong_rate": body.wrong_rate}


def _row(row: ReleaseRow, current: int | None, moves: list[ReleaseMoveRow]) -> dict[str, Any]:
    last = next((move for move in moves if move.number == row.number), None)
    return {
        "number": row.number,
        "created_at": row.created_at.isoformat(),
        "author": row.author,
        "entries": row.evaluation["entries"],
        "current": row.number == current,
        "base": row.base,
        "kind": last.kind if last and row.number == current else "publish",
        "evaluation": row.evaluation,
        "changes": row.changes,
        "override_reason": row.override_reason,
        "wrong_rate": row.wrong_rate,
    }


def _detail(row: ReleaseRow, current: int | None, moves: list[ReleaseMoveRow]) -> dict[str, Any]:
    empty = {"added": [], "changed": [], "removed": []}
    blank = {
        "before": None,
        "common": None,
        "gate": {"passed": True, "reasons": []},
        "changes": empty,
        "answer_changes": [],
    }
    return {
        **_row(row, current, moves),
        **blank,
        "reliability": [],
        "curve": [],
        **row.report,
        "after": row.evaluation,
        "counts": row.changes,
        "moves": [
            {"kind": m.kind, "before": m.before, "author": m.author, "reason": m.reason, "at": m.at.isoformat()}
            for m in moves
            if m.number == row.number
        ],
    }
