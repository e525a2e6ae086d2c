"""The console's curation: clusters of open questions, and what is decided about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from core.clock import now, today
from core.errors import Forbidden, NotFound, Unavailable
from core.privacy import mask_people
from kb.care import drafts
from kb.curation import again, deciding, drafting, figures, gaps, view
from kb.curation.alike import alike
from kb.curation.deciding import locked
from kb.curation.nights import ticket_numbers
from kb.curation.tickets import TicketFacts
from kb.curation.trial import Trial, try_entry
from kb.curation.writer import Writer
from kb.entries import Entry
from kb.search import Searcher
from kb.store import entry_to_dict
from service.api.deps import ConsoleUser, DeskDep, Editor, Filter, Page, PageSize, RowId, from_our_page
from service.api.drafts import findings_of
from service.api.entry_body import EntryBody
from service.bootstrap import Desk
from service.users import UserRow

router = APIRouter(prefix="/api/v1/console/curation", tags=["curation"])
OURS = [Depends(from_our_page)]
_MOST_REPLIES = 8
_CURATORS = {"editor", "reviewer", "publisher", "supervisor", "admin"}

Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _curator(user: ConsoleUser) -> UserRow:
    if not _CURATORS & set(user.roles):
        raise Forbidden("您没有查看知识运营的权限，请联系管理员开通。", code="role_missing")
    return user


Curator = Annotated[UserRow, Depends(_curator)]


class Decision(BaseModel):
    """`version` is that of the cluster which the curator has seen."""

    version: int = Field(ge=1, lt=2**31)


class Similar(Decision):
    entry_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    texts: list[Line] = Field(min_length=1, max_length=200)


class NewEntry(Decision):
    """`from_tickets` are those whose replies went into the answer."""

    body: EntryBody
    from_tickets: list[Annotated[str, Field(max_length=20)]] = Field([], max_length=50)


class Gap(Decision):
    missing: Words
    policy_id: Annotated[str, Field(max_length=64)] = ""
    article: int | None = Field(None, ge=0, le=100_000)
    owner: Annotated[str, Field(max_length=40)] = ""
    assignee: Annotated[str, Field(max_length=64)] = ""


class Reason(Decision):
    reason: Line


class Name(Decision):
    name: Line


class Snooze(Decision):
    days: int = Field(7, ge=1, le=365)


class Split(Decision):
    questions: list[Id] = Field(min_length=1, max_length=1000)
    name: Line = ""


class Merge(Decision):
    into: Id


class Tried(BaseModel):
    """An entry with these similar questions too; or, with `body`, a new one."""

    entry_id: Annotated[str, Field(max_length=64)] = ""
    texts: list[Line] = Field([], max_length=200)
    body: EntryBody | None = None


class Material(BaseModel):
    question: Line
    replies: list[Annotated[str, Field(max_length=5000)]] = Field([], max_length=30)
    passages: list[Annotated[str, Field(max_length=5000)]] = Field([], max_length=10)


@router.get("/clusters")
def get_clusters(
    desk: DeskDep,
    user: Curator,
    state: Literal["open", "snoozed", "review", "gap", "closed", "dismissed", "all"] = "open",
    q: Filter = "",
    business_type: Filter = "",
    company: Filter = "",
    place: Filter = "",
    signal: Filter = "",
    least: Annotated[int, Field(ge=1, le=1000)] = 1,
    order: Literal["people", "recent", "minutes", "new", "rising"] = "people",
    page: Page = 1,
    page_size: PageSize = 50,
) -> dict[str, Any]:
    """Clusters in a state, with counts of all states."""
    with desk.database.read() as session:
        items, total = view.find(
            session,
            state=state,
            text=q,
            business_type=business_type,
            company=company,
            page_of=place,
            signal=signal,
            least=least,
            order=order,
            page=page,
            page_size=page_size,
        )
        return {"items": items, "total": total, "counts": figures.by_state(session)}


@router.get("/clusters/{cluster}")
def get_cluster(desk: DeskDep, user: Curator, cluster: RowId) -> dict[str, Any]:
    """One cluster with everything that a decision needs."""
    return _after(desk, cluster)


@router.get("/clusters/{cluster}/alike")
def get_alike(desk: DeskDep, user: Curator, cluster: RowId) -> list[dict[str, Any]]:
    """Clusters that may be the same one, the likeliest first."""
    curating = desk.curating
    return alike(desk.database, curating.encoder, curating.space(), cluster, now())


@router.get("/clusters/{cluster}/proposal")
def get_proposal(desk: DeskDep, user: Editor, cluster: RowId) -> dict[str, Any]:
    """A first draft of a new entry, with the replies and passages that it may rest on."""
    with desk.database.read() as session:
        row = view.detail(session, cluster, desk.curating.tickets, None, now())
        questions = view.questions_of(session, cluster)
        facts = list(desk.curating.tickets.facts(session, ticket_numbers(session, cluster)).values())
    found = drafting.propose(
        desk.curating.searcher, desk.curating.encoder, desk.curating.space(), questions, row["name"], facts, today()
    )
    return {
        "body": entry_to_dict(found.entry),
        **drafting.body_of(found),
        "writer": desk.curating.writer is not None,
    }


@router.post("/clusters/{cluster}/written", dependencies=OURS)
def post_written(desk: DeskDep, user: Editor, cluster: RowId, body: Material) -> dict[str, Any]:
    """An answer that the language model drafts from replies and passages, for the curator to edit."""
    return {"answer": _writer(desk).draft(body.question, body.replies, body.passages)}


@router.post("/clusters/{cluster}/tickets/{number}/summary", dependencies=OURS)
def post_summary(
    desk: DeskDep, user: Editor, cluster: RowId, number: Annotated[str, Path(max_length=20)]
) -> dict[str, Any]:
    """What became of one of the cluster's tickets, in a few words of the language model."""
    writer = _writer(desk)
    with desk.database.read() as session:
        if number not in ticket_numbers(session, cluster):
            raise NotFound("这张工单不在这一组里，请刷新页面。")
        (facts,) = desk.curating.tickets.facts(session, [number]).values()
        asked = [row.text for row in view.questions_of(session, cluster, 5)]
    told = [f"员工：{text}" for text in asked] + [f"坐席：{one.text}" for one in facts.answers]
    return {"summary": writer.summary(told)}


@router.post("/clusters/{cluster}/trial", dependencies=OURS)
def post_trial(desk: DeskDep, user: Editor, cluster: RowId, body: Tried) -> dict[str, Any]:
    """What the release that serves would answer otherwise with this entry in it; nothing is stored."""
    with desk.database.read() as session:
        entry = (
            body.body.entry(body.body.id or "new-entry")
            if body.body
            else deciding.with_similar(session, body.entry_id, body.texts, user.username)
        )
        questions = [row.text for row in view.questions_of(session, cluster)]
    return asdict(_tried(desk, entry, questions))


@router.post("/clusters/{cluster}/similar", dependencies=OURS)
def post_similar(desk: DeskDep, user: Editor, cluster: RowId, body: Similar) -> dict[str, Any]:
    """Similar questions for an entry, as a draft that waits for review."""
    with desk.database.read() as session:
        deciding.seen(session, cluster, body.version)
        entry = deciding.with_similar(session, body.entry_id, body.texts, user.username)
    found = findings_of(desk, entry)
    with desk.database.write() as session:
        row = locked(session, cluster, body.version)
        entry = deciding.with_similar(session, body.entry_id, body.texts, user.username)
        deciding.add_similar(session, row, entry, body.texts, user.username, found)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/entry", dependencies=OURS)
def post_entry(desk: DeskDep, user: Editor, cluster: RowId, body: NewEntry) -> dict[str, Any]:
    """A new entry, as a draft that waits for review."""
    entry = body.body.entry(body.body.id or drafts.new_id())
    found = findings_of(desk, entry)
    with desk.database.write() as session:
        row = locked(session, cluster, body.version)
        facts = desk.curating.tickets.facts(session, set(ticket_numbers(session, cluster)) & set(body.from_tickets))
        agents = [answer.agent for one in facts.values() for answer in one.answers]
        detail = {"tickets": sorted(facts)}
        deciding.new_entry(session, row, entry, user.username, found, agents, detail)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/gap", dependencies=OURS)
def post_gap(desk: DeskDep, user: Editor, cluster: RowId, body: Gap) -> dict[str, Any]:
    """The policy does not say: a task for its owner, with the evidence."""
    with desk.database.read() as session:
        found = _detail(desk, session, cluster, searched=False)
    texts = [found["name"], *(one["text"] for one in found["members"][:3])]
    passages = drafting.passages_near(_searcher(desk), texts, today()) if _serves(desk) else []
    evidence = view.evidence_of(found, passages)
    with desk.database.write() as session:
        row = locked(session, cluster, body.version)
        missing = gaps.Missing(body.missing, body.policy_id, body.article, body.owner, body.assignee)
        gaps.open_(session, row, missing, evidence, user.username)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/dismiss", dependencies=OURS)
def post_dismiss(desk: DeskDep, user: Editor, cluster: RowId, body: Reason) -> dict[str, Any]:
    """Not for us, with the reason."""
    with desk.database.write() as session:
        deciding.dismiss(session, locked(session, cluster, body.version), body.reason, user.username)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/snooze", dependencies=OURS)
def post_snooze(desk: DeskDep, user: Editor, cluster: RowId, body: Snooze) -> dict[str, Any]:
    """Out of the way for some days."""
    with desk.database.write() as session:
        deciding.snooze(session, locked(session, cluster, body.version), body.days, user.username)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/wake", dependencies=OURS)
def post_wake(desk: DeskDep, user: Editor, cluster: RowId, body: Decision) -> dict[str, Any]:
    """To be decided again."""
    with desk.database.write() as session:
        deciding.wake(session, locked(session, cluster, body.version), user.username)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/rename", dependencies=OURS)
def post_rename(desk: DeskDep, user: Editor, cluster: RowId, body: Name) -> dict[str, Any]:
    """A name of one's own instead of the most central question."""
    with desk.database.write() as session:
        deciding.rename(session, locked(session, cluster, body.version), body.name, user.username)
    return _after(desk, cluster)


@router.post("/clusters/{cluster}/split", dependencies=OURS)
def post_split(desk: DeskDep, user: Editor, cluster: RowId, body: Split) -> dict[str, Any]:
    """Some of the questions become a cluster of their own; that cluster."""
    with desk.database.write() as session:
        row = locked(session, cluster, body.version)
        fresh = deciding.split(session, row, body.questions, user.username, desk.curating.tickets, body.name)
        number = fresh.id
    return _after(desk, number)


@router.post("/clusters/{cluster}/merge", dependencies=OURS)
def post_merge(desk: DeskDep, user: Editor, cluster: RowId, body: Merge) -> dict[str, Any]:
    """All of the questions go into another cluster; that cluster."""
    with desk.database.write() as session:
        deciding.merge(session, locked(session, cluster, body.version), body.into, user.username, desk.curating.tickets)
    return _after(desk, body.into)


@router.post("/clusters/{cluster}/again", dependencies=OURS)
def post_again(desk: DeskDep, user: Editor, cluster: RowId) -> dict[str, Any]:
    """Ask the cluster's open questions again now; the cluster as it is then."""
    again.ask_again(desk.database, desk.curating.encoder, desk.curating.searcher, now(), [cluster])
    return _after(desk, cluster)


def _detail(desk: Desk, session: Any, cluster: int, searched: bool = True) -> dict[str, Any]:
    searcher = _searcher(desk) if searched and _serves(desk) else None
    return view.detail(session, cluster, desk.curating.tickets, searcher, now())


def _after(desk: Desk, cluster: int) -> dict[str, Any]:
    with desk.database.read() as session:
        facts = desk.curating.tickets.facts(session, ticket_numbers(session, cluster))
        return {**_detail(desk, session, cluster), "replies": _replies(list(facts.values()))}


def _replies(facts: list[TicketFacts]) -> list[dict[str, Any]]:
    """What agents told the requesters, masked, the newest first; the same words once."""
    told: dict[str, dict[str, Any]] = {}
    answers = [(ticket, answer) for ticket in facts for answer in ticket.answers]
    for one, answer in sorted(answers, key=lambda pair: (pair[1].at, pair[1].resolution), reverse=True):
        text = drafting.without_courtesy(mask_people(answer.text, [answer.name]))
        if text and text not in told:
            told[text] = {
                "ticket": one.number,
                "name": answer.name or answer.agent,
                "text": text,
                "resolution": answer.resolution,
                "rating": one.rating,
                "at": answer.at.isoformat(),
            }
    return list(told.values())[:_MOST_REPLIES]


def _searcher(desk: Desk) -> Searcher:
    return desk.curating.searcher


def _writer(desk: Desk) -> Writer:
    if desk.curating.writer is None:
        raise NotFound("没有配置大模型，请直接编辑草稿。", code="no_writer")
    return desk.curating.writer


def _serves(desk: Desk) -> bool:
    try:
        return desk.curating.searcher is not None
    except Unavailable:
        return False


def _tried(desk: Desk, entry: Entry, questions: list[str]) -> Trial:
    curating = desk.curating
    return try_entry(desk.database, curating.encoder, curating.knowledge.loaded, entry, questions, today())
