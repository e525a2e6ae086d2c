"""The console's policies with their versions, and policy tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from core.clock import today
from kb.articles import names_of
from kb.ingest.policies.compare import compare
from kb.ingest.policies.withdrawal import Kind, bring_back, withdraw
from kb.policies import policy_version, policy_versions
from kb.store import documents
from kb.tables import as_of
from service.api.deps import ConsoleUser, DeskDep, Reviewer, from_our_page

router = APIRouter(prefix="/api/v1/console", tags=["documents"])

PolicyId = Annotated[str, InPath(max_length=64, pattern=r"^[^\x00]+$")]
Version = Annotated[str, Query(max_length=40, pattern=r"^[^\x00]*$")]


_OURS = [Depends(from_our_page)]
_KINDS: dict[str, Kind] = {"policies": "policy", "tables": "table"}
Which = Annotated[Literal["policies", "tables"], InPath()]


class Withdrawal(BaseModel):
    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/kb/policies")
def get_policies(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """The newest version of every policy with its articles; `called` is the label, with the chapter where others have the same."""
    with desk.database.read() as session:
        return [{**body, "articles": _called(body["articles"])} for body in documents(session, "policy")]


@router.get("/kb/policies/{policy_id}/versions")
def get_policy_versions(desk: DeskDep, user: ConsoleUser, policy_id: PolicyId) -> list[dict[str, Any]]:
    """Every version of a policy, the one that takes effect last first."""
    with desk.database.read() as session:
        return [
            {
                "version": row.version,
                "effective_from": row.body.get("effective_from"),
                "author": row.author,
                "at": row.at.isoformat(),
                "articles": len(row.body["articles"]),
                "title": row.body["title"],
                "number": row.body.get("number") or "",
            }
            for row in policy_versions(session, policy_id)
        ]


@router.get("/kb/policies/{policy_id}/versions/{version}")
def get_policy_version(
    desk: DeskDep, user: ConsoleUser, policy_id: PolicyId, version: Annotated[str, InPath(max_length=40)]
) -> dict[str, Any]:
    """One version with its articles."""
    with desk.database.read() as session:
        return policy_version(session, policy_id, version)


@router.get("/kb/policies/{policy_id}/diff")
def get_policy_diff(
    desk: DeskDep,
    user: ConsoleUser,
    policy_id: PolicyId,
    from_: Annotated[Version, Query(alias="from")] = "",
    to: Version = "",
) -> dict[str, Any]:
    """Two versions article by article; without `to` the newest, without `from` the one before `to`."""
    with desk.database.read() as session:
        versions = [row.version for row in policy_versions(session, policy_id)]
        after = to or versions[0]
        older = versions[versions.index(after) + 1 :] if after in versions else []
        before = from_ or (older[0] if older else after)
        changes = compare(
            policy_version(session, policy_id, before)["articles"],
            policy_version(session, policy_id, after)["articles"],
        )
    return {"from": before, "to": after, "articles": [change.as_dict() for change in changes]}


@router.get("/kb/tables")
def get_tables(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """Every policy table with the rows in force today; those still to come stand beside them."""
    with desk.database.read() as session:
        return [
            as_of(table, today()) | {key: table[key] for key in ("withdrawn",) if key in table}
            for table in documents(session, "table")
        ]


def _called(articles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = names_of(articles)
    return [{**article, "called": names[article["number"]]} for article in articles]


@router.post("/kb/{which}/{identity}/withdraw", dependencies=_OURS)
def post_withdraw(desk: DeskDep, user: Reviewer, which: Which, identity: PolicyId, body: Withdrawal) -> dict[str, int]:
    """Take a policy or a table out of use at once; how many entries were `flagged` because they cite it."""
    with desk.database.write() as session:
        return {"flagged": withdraw(session, _KINDS[which], identity, user.username, body.reason)}


@router.post("/kb/{which}/{identity}/bring-back", dependencies=_OURS, status_code=204)
def post_bring_back(desk: DeskDep, user: Reviewer, which: Which, identity: PolicyId) -> None:
    """Put it to use again: at once where the release that serves held it in use, else with the next one."""
    with desk.database.write() as session:
        bring_back(session, _KINDS[which], identity, user.username)
