"""What the desk's work comes to: pages of figures for leaders, with the records behind each."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from core.errors import Forbidden
from handoff.actors import Actor
from handoff.tickets import BUSINESS_TYPES, OTHER
from service.api.deps import ActorDep, DeskDep, EntryPath, Page
from service.insight import desk_page, knowledge_page, policy_page, records, service_page
from service.insight.asking import Filter, values
from service.insight.store import StateRow

router = APIRouter(prefix="/api/v1/console/insight", tags=["insight"])

Entries = Annotated[str, Query(max_length=3000, pattern=r"^[^\x00]*$")]
Words = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


def _reading(actor: ActorDep) -> Actor:
    if not actor.has("leader", "supervisor", "auditor"):
        raise Forbidden("数据看板由组长、主管和审计员查看，请联系管理员开通。", code="role_missing")
    return actor


Reading = Annotated[Actor, Depends(_reading)]


def _filter(
    since: date,
    until: date,
    company: Words = "",
    department: Words = "",
    channel: Words = "",
    business_type: Words = "",
    page: Words = "",
) -> Filter:
    return Filter(since, until, company, department, channel, business_type, page).check()


Asked = Annotated[Filter, Depends(_filter)]


@router.get("/filters")
def get_filters(desk: DeskDep, actor: Reading) -> dict[str, Any]:
    """What the filters offer, and up to when the figures are counted."""
    with desk.database.read() as session:
        state = session.get(StateRow, "visits")
        return {
            **values(session),
            "business_types": [*BUSINESS_TYPES, OTHER],
            "counted_at": state.at.isoformat() if state else None,
        }


@router.get("/service")
def get_service(desk: DeskDep, actor: Reading, asked: Asked) -> dict[str, Any]:
    """Conversations, people, automation, hours, channels, top and rising questions."""
    with desk.database.read() as session:
        return service_page.page(session, asked)


@router.get("/desk")
def get_desk(desk: DeskDep, actor: Reading, asked: Asked) -> dict[str, Any]:
    """Volume, backlog, promises, times, escalations, satisfaction, quality."""
    with desk.database.read() as session:
        return desk_page.page(session, asked)


@router.get("/knowledge")
def get_knowledge(desk: DeskDep, actor: Reading, asked: Asked) -> dict[str, Any]:
    """Coverage, wrong-answer rate with its interval, hot, cold and stale entries, curation, releases."""
    with desk.database.read() as session:
        return knowledge_page.page(session, asked, desk.settings.wrong_rate)


@router.get("/policy")
def get_policy(desk: DeskDep, actor: Reading, asked: Asked) -> dict[str, Any]:
    """Articles asked about most, where documents are returned most, gaps."""
    with desk.database.read() as session:
        return policy_page.page(session, asked)


def _closer(
    entry_ids: Entries = "",
    policy: Words = "",
    article: Annotated[int | None, Query(ge=0, le=100_000)] = None,
    release: Annotated[int | None, Query(ge=0, lt=2**31)] = None,
    hour: Annotated[int | None, Query(ge=0, le=23)] = None,
    group: Annotated[str | None, Query(max_length=40, pattern=r"^[^\x00]*$")] = None,
    sla: Words = "",
    without: Entries = "",
) -> records.Closer:
    return records.Closer(_listed(entry_ids), policy, article, release, hour, group, sla, _listed(without))


def _listed(words: str) -> list[str]:
    return words.split(",") if words else []


@router.get("/records")
def get_records(
    desk: DeskDep,
    actor: Reading,
    asked: Asked,
    closer: Annotated[records.Closer, Depends(_closer)],
    which: Words,
    page_number: Page = 1,
) -> dict[str, Any]:
    """What is behind a figure, newest first: visits, tickets, or lines about entries, articles, questions and gaps. Visits
    answered by any of `entry_ids` (with commas between), by a `release`, from an `article` of a `policy`, or begun in an `hour`;
    tickets of a `group`, or promised by an `sla`; none of the business types in `without`."""
    with desk.database.read() as session:
        return records.find(session, which, asked, closer, page=page_number)


@router.get("/visits/{visit_id}")
def get_visit(desk: DeskDep, actor: Reading, visit_id: EntryPath) -> dict[str, Any]:
    """What was said in one visit, masked."""
    with desk.database.read() as session:
        return records.visit_of(session, visit_id)
