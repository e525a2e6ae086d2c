"""The reviewed sample: answers of a week to be judged, and the wrong-answer rate that comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from core.clock import now
from core.errors import Conflict, Forbidden
from handoff.actors import Actor
from handoff.quality.periods import week_of
from kb.release.releases import accepted_wrong_rate
from kb.samples import VERDICTS
from service.api.deps import ActorDep, DeskDep, Page, RowId, Supervisor, from_our_page
from service.api.ticket_body import names_of
from service.insight import samples
from service.insight.keeping import locked
from service.insight.store import StateRow

router = APIRouter(prefix="/api/v1/console/insight/samples", tags=["insight"])

Week = Annotated[str, Query(pattern=r"^\d{4}-W\d{2}$")]
_WEEKS = timedelta(days=7 * 26)


def _reading(actor: ActorDep) -> Actor:
    if not actor.has("reviewer", "inspector", "leader", "supervisor", "auditor"):
        raise Forbidden("抽样评审由审核员、质检员、组长、主管和审计员查看，请联系管理员开通。", code="role_missing")
    return actor


def _judging(actor: ActorDep) -> Actor:
    if not _judges(actor):
        raise Forbidden("评审由审核员、质检员或主管来做，请联系管理员开通。", code="role_missing")
    return actor


def _judges(actor: Actor) -> bool:
    return actor.has("reviewer", "inspector", "supervisor")


Reading = Annotated[Actor, Depends(_reading)]
Judging = Annotated[Actor, Depends(_judging)]
State = Literal["", "waiting", "right", "partly", "wrong"]


class Verdict(BaseModel):
    verdict: Literal["right", "partly", "wrong"]
    comment: str = Field("", max_length=samples.MOST_WORDS)
    right_entry: str = Field("", max_length=64, pattern=r"^[^\x00]*$")


class Size(BaseModel):
    size: int = Field(ge=1, le=samples.MOST)


class Drawing(BaseModel):
    week: str = Field(pattern=r"^\d{4}-W\d{2}$")


@router.get("")
def get_samples(desk: DeskDep, actor: Reading, week: str = "", state: State = "", page: Page = 1) -> dict[str, Any]:
    """The answers of a week, masked; the newest drawn week where none is named. With every week's wrong-answer rate."""
    moment = now()
    with desk.database.read() as session:
        weeks = samples.weeks(session, moment - _WEEKS, moment)
        shown = week or (weeks[-1]["week"] if weeks else week_of(moment - timedelta(days=7)))
        found = samples.listed(session, shown, state, page)
        names = names_of(session, [one["reviewer"] for one in found["items"] if one["reviewer"]])
        for one in found["items"]:
            one["reviewer"] = names.get(one["reviewer"], one["reviewer"]) if one["reviewer"] else None
        drawn = session.get(StateRow, f"sample:{shown}")
        return {
            **found,
            "week": shown,
            "answers": drawn.body["answers"] if drawn else None,
            "to_draw": samples.to_draw(session, moment),
            "weeks": weeks,
            "together": samples.together(weeks),
            "accepted": accepted_wrong_rate(session, desk.settings.wrong_rate),
            "size": samples.settings(session)["size"],
            "verdicts": VERDICTS,
            "judges": _judges(actor),
            "sets_up": actor.has("supervisor"),
        }


@router.post("/{sample_id}/verdict", dependencies=[Depends(from_our_page)])
def post_verdict(desk: DeskDep, actor: Judging, sample_id: RowId, body: Verdict) -> dict[str, Any]:
    """Judge one answer; said again within a week, the last word counts. 409 `verdict_settled`."""
    with desk.database.write() as session:
        row = samples.judge(session, sample_id, actor, body.verdict, body.comment, body.right_entry)
        return {"id": row.id, "verdict": row.verdict}


@router.post("/runs", status_code=201, dependencies=[Depends(from_our_page)])
def post_run(desk: DeskDep, actor: Supervisor, body: Drawing) -> dict[str, Any]:
    """Draw a week now that the worker has not drawn yet. 409 `drawn`."""
    with desk.database.write() as session:
        locked(session)
        if session.get(StateRow, f"sample:{body.week}"):
            raise Conflict("这一周已经抽过样了。", code="drawn")
        if body.week >= week_of(now()):
            raise Conflict("这一周还没结束，结束后再抽样。", code="week_running")
        return {"week": body.week, "drawn": samples.draw(session, body.week, now())}


@router.put("/settings", dependencies=[Depends(from_our_page)])
def put_settings(desk: DeskDep, actor: Supervisor, body: Size) -> dict[str, int]:
    """How many answers a week are drawn from now on."""
    with desk.database.write() as session:
        samples.change_settings(session, actor, body.size)
    return {"size": body.size}
