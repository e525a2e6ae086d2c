"""The console's policies with their versions, and policy tables."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from core.clock import today
from kb.ingest.policies.compare import compare
from kb.policies import policy_version, policy_versions
from kb.store import documents
from kb.tables import as_of
from service.api.deps import ConsoleUser, DeskDep

router = APIRouter(prefix="/api/v1/console", tags=["documents"])

PolicyId = Annotated[str, InPath(max_length=64, pattern=r"^[^\x00]+$")]
Version = Annotated[str, Query(max_length=40, pattern=r"^[^\x00]*$")]


@router.get("/kb/policies")
def get_policies(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """The newest version of every policy with its articles."""
    with desk.database.read() as session:
        return documents(session, "policy")


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
        return [as_of(table, today()) for table in documents(session, "table")]
