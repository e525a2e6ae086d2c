"""The queue: lists, counts, saved views, canned replies, one change to many tickets, what may help with one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from core.clock import today
from core.errors import Forbidden, FSSCError, InvalidInput, NotFound
from core.text import normalize
from handoff import canned, views
from handoff.actors import Actor
from handoff.permissions import check
from handoff.queue import VIEWS, counts, find
from handoff.similar import similar_solved
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import OPEN, TicketRow, ticket_of
from kb import search
from kb.entries import Viewer
from service.api.deps import DESK_ROLES, ActorDep, DeskDep, Page, PageSize, from_our_page
from service.api.ticket_body import row_bodies
from service.api.ticket_filter import FILTERS, AskedDep
from service.api.tickets import Number, VerbIn, do

router = APIRouter(prefix="/api/v1/console", tags=["queue"])

MOST_AT_ONCE = 100
_ID = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/tickets")
def get_tickets(
    desk: DeskDep, actor: ActorDep, asked: AskedDep, page: Page = 1, page_size: PageSize = 20
) -> dict[str, Any]:
    """Tickets of a view. More than a thousand are not counted: `more` says so."""
    with desk.database.read() as session:
        found = find(session, actor, asked, page, page_size)
        return {"items": row_bodies(desk, session, found.rows), "total": found.total, "more": found.more}


class BulkIn(BaseModel):
    """The same verb, with the same arguments, for each of `numbers`."""

    numbers: list[Annotated[str, Field(max_length=20, pattern=r"^FW\d{8}-\d{4,}$")]] = Field(
        min_length=1, max_length=MOST_AT_ONCE
    )
    verb: Literal[
        "claim", "accept", "assign", "give-back", "transfer", "escalate", "note", "resolve", "close", "cancel", "change"
    ]
    arguments: VerbIn = Field(default_factory=VerbIn)


@router.post("/tickets/bulk", dependencies=[Depends(from_our_page)])
def post_bulk(desk: DeskDep, actor: ActorDep, body: BulkIn) -> dict[str, Any]:
    """Do the same to many tickets, each by itself: `results` says for each whether it was done, or why not."""
    arguments = body.arguments.model_dump(exclude_unset=True, exclude={"version"})
    results = []
    for number in dict.fromkeys(body.numbers):
        try:
            with desk.database.write() as session:
                do(session, actor, number, body.verb, arguments)
            results.append({"number": number, "ok": True, "message": ""})
        except FSSCError as error:
            results.append({"number": number, "ok": False, "message": error.message})
    return {"results": results, "done": sum(one["ok"] for one in results)}


@router.get("/queue/counts")
def get_counts(desk: DeskDep, actor: ActorDep) -> dict[str, int]:
    """How many tickets lie in each view."""
    with desk.database.read() as session:
        return counts(session, actor)


@router.get("/queue/people")
def get_people(desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
    """Groups and people to whom a ticket can be given, with how many open ones each has."""
    if not actor.has(*DESK_ROLES):
        raise Forbidden("您没有处理工单的权限，请联系管理员开通。", code="role_missing")
    with desk.database.read() as session:
        open_ones = select(TicketRow.assignee, func.count()).where(TicketRow.status.in_([str(one) for one in OPEN]))
        load = dict(session.execute(open_ones.group_by(TicketRow.assignee)).all())
        groups = session.scalars(select(GroupRow).where(GroupRow.active).order_by(GroupRow.tier, GroupRow.name))
        people = session.scalars(select(StaffRow).order_by(StaffRow.name))
        return {
            "groups": [{"id": one.id, "name": one.name, "tier": one.tier} for one in groups],
            "people": [
                {
                    "username": one.username,
                    "name": one.name,
                    "groups": one.groups,
                    "on_duty": one.on_duty,
                    "open": load.get(one.username, 0),
                    "capacity": one.capacity,
                }
                for one in people
            ],
            "me": {"username": actor.id, "groups": sorted(actor.groups), "leads": sorted(actor.leads)},
            "may_share": views.may_share(actor),
        }


class ViewIn(BaseModel):
    name: str = Field(max_length=60)
    filter: dict[str, str] = Field(max_length=len(FILTERS))
    shared: bool = False


def _view(row: views.SavedViewRow, actor: Actor) -> dict[str, Any]:
    mine = row.owner == actor.id
    return {"id": row.id, "name": row.name, "filter": row.filter, "shared": row.shared, "mine": mine}


@router.get("/views")
def get_views(desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
    """Saved views: one's own and the shared ones."""
    with desk.database.read() as session:
        return {"items": [_view(row, actor) for row in views.views_of(session, actor)]}


@router.post("/views", dependencies=[Depends(from_our_page)])
def post_view(desk: DeskDep, actor: ActorDep, body: ViewIn) -> dict[str, Any]:
    """Keep a filter under a name; one's own of that name is replaced."""
    if unknown := sorted(set(body.filter) - set(FILTERS)):
        raise InvalidInput(f"视图里有不认识的条件：{'、'.join(unknown)}。", code="filter_unknown")
    if any(len(value) > 200 or "\0" in value for value in body.filter.values()):
        raise InvalidInput("筛选条件太长，请减少条件后再保存。", code="filter_too_long")
    if body.filter.get("view", "all") not in VIEWS:
        raise InvalidInput("没有这个视图，请刷新页面。", code="view_unknown")
    with desk.database.write() as session:
        row = views.save_view(session, actor, body.name.replace("\0", ""), body.filter, body.shared)
        return _view(row, actor)


@router.delete("/views/{view_id}", status_code=204, dependencies=[Depends(from_our_page)])
def delete_view(desk: DeskDep, actor: ActorDep, view_id: _ID) -> None:
    """Forget a saved view."""
    with desk.database.write() as session:
        views.remove_view(session, actor, view_id)


class CannedIn(BaseModel):
    title: str = Field(max_length=100)
    text: str = Field(max_length=canned.MOST_CHARACTERS + 200)
    business_type: str = Field("", max_length=40)
    shared: bool = False


def _reply(row: canned.CannedReplyRow, actor: Actor) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "text": row.text,
        "business_type": row.business_type,
        "shared": row.shared,
        "mine": row.owner == actor.id,
        "used": row.used,
    }


@router.get("/canned")
def get_canned(desk: DeskDep, actor: ActorDep) -> dict[str, Any]:
    """Canned replies: one's own and the shared ones, those used most first."""
    with desk.database.read() as session:
        return {"items": [_reply(row, actor) for row in canned.replies_for(session, actor)]}


@router.post("/canned", dependencies=[Depends(from_our_page)])
def post_canned(desk: DeskDep, actor: ActorDep, body: CannedIn) -> dict[str, Any]:
    """A new canned reply."""
    return _save_canned(desk, actor, None, body)


@router.put("/canned/{canned_id}", dependencies=[Depends(from_our_page)])
def put_canned(desk: DeskDep, actor: ActorDep, canned_id: _ID, body: CannedIn) -> dict[str, Any]:
    """Change one."""
    return _save_canned(desk, actor, canned_id, body)


def _save_canned(desk: DeskDep, actor: Actor, id: int | None, body: CannedIn) -> dict[str, Any]:
    title, text, kind = (value.replace("\0", "") for value in (body.title, body.text, body.business_type))
    with desk.database.write() as session:
        return _reply(canned.save_reply(session, actor, id, title, text, kind, body.shared), actor)


@router.delete("/canned/{canned_id}", status_code=204, dependencies=[Depends(from_our_page)])
def delete_canned(desk: DeskDep, actor: ActorDep, canned_id: _ID) -> None:
    """Throw one away."""
    with desk.database.write() as session:
        canned.remove_reply(session, actor, canned_id)


@router.post("/canned/{canned_id}/use", status_code=204, dependencies=[Depends(from_our_page)])
def post_canned_use(desk: DeskDep, actor: ActorDep, canned_id: _ID) -> None:
    """Count a use: those used most are offered first."""
    with desk.database.write() as session:
        canned.count_use(session, actor, canned_id)


@router.get("/tickets/{number}/suggestions")
def get_suggestions(
    desk: DeskDep, actor: ActorDep, number: Number, q: Annotated[str, Query(max_length=500)] = ""
) -> dict[str, Any]:
    """Solved tickets like this one, and knowledge entries that its requester may see; `q` instead of its description."""
    with desk.database.read() as session:
        ticket = ticket_of(session, number)
        if ticket is None:
            raise NotFound(f"没有工单 {number}，请核对编号。")
        check(actor, "read", ticket)
        alike = similar_solved(session, actor, ticket)
        asked = normalize(q) or normalize(ticket.description)
        requester = ticket.requester
    viewer = Viewer(requester.get("company"), frozenset(requester.get("groups") or ()))
    result = desk.knowledge.searcher.search(
        search.Query(asked, today(), page=ticket.page or None, node=ticket.node or None, viewer=viewer, top_k=6)
    )
    return {
        "tickets": [
            {
                "number": one.number,
                "description": one.description,
                "resolution": one.resolution,
                "likeness": one.likeness,
            }
            for one in alike
        ],
        "entries": [
            {
                "entry_id": one.entry.id,
                "question": one.entry.heading,
                "answer": one.entry.answer,
                "probability": round(one.probability, 4),
                "sources": [source.label for source in one.entry.sources],
            }
            for one in result.candidates
        ],
        "band": result.band,
    }
