"""The console's policies and policy tables."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from kb.store import documents
from service.api.deps import ConsoleUser, DeskDep

router = APIRouter(prefix="/api/v1/console", tags=["documents"])


@router.get("/kb/policies")
def get_policies(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """Every policy with its articles."""
    with desk.database.read() as session:
        return documents(session, "policy")


@router.get("/kb/tables")
def get_tables(desk: DeskDep, user: ConsoleUser) -> list[dict[str, Any]]:
    """Every policy table with its rows."""
    with desk.database.read() as session:
        return documents(session, "table")
