"""The console's curation beside the clusters: policy gaps, runs, figures, settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field
from redis.exceptions import RedisError

from core import audit
from core.clock import now
from kb.curation import again, deciding, figures, gaps, runs
from kb.curation.store import SIGNALS, CurationSettingRow
from service.api.curation import OURS, Curator, Words
from service.api.deps import ConsoleUser, DeskDep, Editor, Filter, Publisher, RowId

log = structlog.get_logger()
router = APIRouter(prefix="/api/v1/console/curation", tags=["curation"])


class Closing(BaseModel):
    outcome: Literal["amended", "explained", "refused"]
    answer: Words


class SettingsBody(BaseModel):
    tell_askers: bool


@router.get("/gaps")
def get_gaps(
    desk: DeskDep,
    user: ConsoleUser,
    state: Literal["open", "closed", "all"] = "open",
    owner: Filter = "",
    policy: Filter = "",
) -> list[dict[str, Any]]:
    """Policy gaps: what is asked and no policy says."""
    with desk.database.read() as session:
        return [gaps.shown(row) for row in gaps.find(session, state, owner, policy)]


@router.post("/gaps/{gap}/close", dependencies=OURS)
def post_gap_close(desk: DeskDep, user: ConsoleUser, gap: RowId, body: Closing) -> dict[str, Any]:
    """What became of it: amended, explained, refused. Editor, or whoever was named."""
    may_any = bool({"editor", "admin"} & set(user.roles))
    with desk.database.write() as session:
        return gaps.shown(gaps.close(session, gap, body.outcome, body.answer, user.username, may_any=may_any))


@router.get("/runs")
def get_run(desk: DeskDep, user: Curator) -> dict[str, Any]:
    """The newest run, how far it is, and how many questions wait for the next one."""
    with desk.database.read() as session:
        return {"run": runs.shown(runs.newest(session)), "ungrouped": runs.ungrouped(session)}


@router.post("/runs", status_code=202, dependencies=OURS)
def post_run(desk: DeskDep, user: Editor) -> dict[str, Any]:
    """Gather and group now, instead of at night; the worker does it."""
    from service.worker import curate

    with desk.database.write() as session:
        found = runs.shown(runs.ask(session, user.username))
    try:
        curate.send()
    except RedisError as error:  # It waits in the database; the front door wakes the worker again and again.
        log.warning("worker_not_woken", error=repr(error))
    return {"run": found}


@router.get("/summary")
def get_summary(desk: DeskDep, user: Curator, days: Annotated[int, Field(ge=1, le=366)] = 30) -> dict[str, Any]:
    """Counts of the period: signals, clusters by state, the share closed within seven days, who contributed."""
    end = now()
    start = end - timedelta(days=days)
    with desk.database.read() as session:
        closed = figures.closed_within(session, start, end)
        return {
            "days": days,
            "signals": [
                {"kind": kind, "label": SIGNALS[kind], "count": count}
                for kind, count in figures.by_signal(session, start, end).items()
            ],
            "counts": figures.by_state(session),
            "closed_within_7_days": {"volume": closed.volume, "closed": closed.closed, "share": closed.share},
            "contributions": figures.contributions(session, start, end),
            "decided_today": deciding.decided_since(session, user.username, end - timedelta(hours=24)),
            "tell_askers": again.tells(session),
        }


@router.put("/settings", dependencies=OURS)
def put_settings(desk: DeskDep, user: Publisher, body: SettingsBody) -> dict[str, Any]:
    """Whether employees who asked are told once there is an answer."""
    with desk.database.write() as session:
        session.merge(CurationSettingRow(name=again.TELL, value=body.tell_askers))
        audit.append(session, user.username, "curation.settings", "tell_askers", {"value": body.tell_askers})
    return {"tell_askers": body.tell_askers}
