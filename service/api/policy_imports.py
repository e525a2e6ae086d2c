"""What the console shows and changes of a policy before it is imported."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from kb.ingest.imports import import_of, import_to_dict, in_preview, lock_import
from kb.ingest.policies.ingester import change_details, change_table, preview
from service.api.deps import ConsoleUser, DeskDep, Editor, from_our_page
from service.api.imports import ImportId

router = APIRouter(prefix="/api/v1/console/kb/imports", tags=["imports"])

TableNumber = Annotated[int, InPath(ge=1, le=10_000)]
_Name = Annotated[str, Field(max_length=64)]


class AudienceBody(BaseModel):
    companies: list[_Name] = Field(default=[], max_length=200)
    groups: list[_Name] = Field(default=[], max_length=200)


class Details(BaseModel):
    id: str = Field(max_length=64)
    title: str = Field(max_length=200)
    number: str = Field(default="", max_length=60)
    version: str = Field(max_length=30)
    effective_from: date | None = None
    effective_to: date | None = None
    owner: str = Field(default="", max_length=40)
    audience: AudienceBody = AudienceBody()


class ColumnBody(BaseModel):
    name: str = Field(max_length=60)
    column: int = Field(ge=0, le=500)


class TableBody(BaseModel):
    use: bool
    id: str | None = Field(default=None, max_length=64)
    title: str | None = Field(default=None, max_length=200)
    unit: str | None = Field(default=None, max_length=40)
    dimensions: list[ColumnBody] | None = Field(default=None, max_length=20)
    value_columns: list[ColumnBody] | None = Field(default=None, max_length=200)
    value_dimension: str | None = Field(default=None, max_length=60)


@router.get("/{import_id}/policy")
def get_policy_preview(desk: DeskDep, user: ConsoleUser, import_id: ImportId) -> dict[str, Any]:
    """Details, articles beside the stored version, tables, and the entries that rest on what changes."""
    with desk.database.read() as session:
        return preview(session, import_of(session, import_id))


@router.put("/{import_id}/policy", dependencies=[Depends(from_our_page)])
def put_policy_details(desk: DeskDep, user: Editor, import_id: ImportId, body: Details) -> dict[str, Any]:
    """Correct what was guessed from the document; the import with its new figures."""
    with desk.database.write() as session:
        row = in_preview(lock_import(session, import_id))
        change_details(session, row, body.model_dump(mode="json"))
        return import_to_dict(row)


@router.put("/{import_id}/tables/{number}", dependencies=[Depends(from_our_page)])
def put_policy_table(
    desk: DeskDep, user: Editor, import_id: ImportId, number: TableNumber, body: TableBody
) -> dict[str, Any]:
    """Confirm a table: whether and how it becomes one of the knowledge base."""
    with desk.database.write() as session:
        row = in_preview(lock_import(session, import_id))
        return change_table(session, row, number, body.model_dump(mode="json", exclude_none=True))
