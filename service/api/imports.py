"""The console's imports and exports."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel
from redis.exceptions import RedisError
from starlette.datastructures import UploadFile

from core import audit
from core.clock import now
from core.errors import Conflict, Forbidden, InvalidInput
from kb.ingest import guard, jobs
from kb.ingest.decisions import resolve, resolve_open
from kb.ingest.export import write_entries, write_template
from kb.ingest.imports import (
    cancel,
    create_import,
    find_imports,
    forget,
    import_of,
    import_to_dict,
    in_preview,
    lock_import,
)
from kb.ingest.kinds import KINDS
from kb.ingest.report import rows_of, write_report
from service.api.deps import ConsoleUser, Desk, DeskDep, Editor, Filter, Page, PageSize, from_our_page
from service.api.downloads import download

router = APIRouter(prefix="/api/v1/console/kb", tags=["imports"])

MOST_BYTES = guard.MOST_BYTES
"""The largest file that may be imported."""

ImportId = Annotated[str, InPath(max_length=36, pattern=r"^[0-9a-f-]+$")]
RowNumber = Annotated[int, InPath(ge=0, lt=2**31)]
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "kind": {"type": "string", "enum": ["auto", "faq", "policy"]},
                        "policy_id": {"type": "string", "maxLength": 64},
                    },
                }
            }
        },
    }
}


class Confirmation(BaseModel):
    approve: bool = False


class Resolution(BaseModel):
    resolution: Literal["merge", "overwrite", "skip", "create"]


@router.post("/imports", status_code=201, dependencies=[Depends(from_our_page)], openapi_extra=_FORM)
async def post_import(request: Request, desk: DeskDep, user: Editor) -> dict[str, Any]:
    """Keep a file to be read in the background. The form is parsed only after the sender is known to be an editor."""
    async with request.form(max_files=1, max_fields=5) as form:
        file, kind, policy_id = form.get("file"), form.get("kind") or "auto", form.get("policy_id") or None
        if not isinstance(file, UploadFile) or not isinstance(kind, str) or isinstance(policy_id, UploadFile):
            raise InvalidInput("缺少文件，请选择要导入的文件。")
        if policy_id and (len(policy_id) > 64 or "\x00" in policy_id):
            raise InvalidInput("制度编号不正确，请从制度列表里选择。")

        def keep() -> dict[str, Any]:
            with desk.database.write() as session:
                forget(session, now() - timedelta(days=desk.settings.import_days))
                row = create_import(
                    session,
                    name=file.filename or "",
                    stream=file.file,
                    kind=kind,
                    author=user.username,
                    policy_id=policy_id,
                )
            _wake_worker()
            return import_to_dict(row)

        return await to_thread.run_sync(keep)


def _wake_worker() -> None:
    """At once; while Redis is away the front door wakes it later."""
    from service.worker import run_imports

    with suppress(RedisError, OSError):
        run_imports.send()


@router.get("/imports")
def get_imports(desk: DeskDep, user: ConsoleUser, page: Page = 1, page_size: PageSize = 20) -> dict[str, Any]:
    """Imports, newest first."""
    with desk.database.read() as session:
        rows, total = find_imports(session, page, page_size)
        return {"items": [import_to_dict(row) for row in rows], "total": total}


@router.get("/imports/template.xlsx", response_class=FileResponse)
def get_template(user: ConsoleUser) -> FileResponse:
    """An empty FAQ sheet with every column."""
    return download("问答导入模板.xlsx", write_template)


@router.get("/imports/{import_id}")
def get_import(desk: DeskDep, user: ConsoleUser, import_id: ImportId) -> dict[str, Any]:
    """One import: its state, its progress, what it holds."""
    with desk.database.read() as session:
        return import_to_dict(import_of(session, import_id))


@router.get("/imports/{import_id}/rows")
def get_rows(
    desk: DeskDep,
    user: ConsoleUser,
    import_id: ImportId,
    only: Filter = "",
    page: Page = 1,
    page_size: PageSize = 20,
) -> dict[str, Any]:
    """The rows of a FAQ import; `only` names an action, an outcome, `open` for collisions nobody has decided, or
    `noted` for rows to be written of which there is something to tell."""
    with desk.database.read() as session:
        row = import_of(session, import_id)
        items, total = rows_of(session, row, only=only, page=page, page_size=page_size)
    return {"items": items, "total": total}


@router.put("/imports/{import_id}/rows/{number}", dependencies=[Depends(from_our_page)])
def put_row(desk: DeskDep, user: Editor, import_id: ImportId, number: RowNumber, body: Resolution) -> dict[str, Any]:
    """Decide one collision."""
    with desk.database.write() as session:
        row = in_preview(lock_import(session, import_id))
        resolve(session, row, number, body.resolution)
    return import_to_dict(row)


@router.post("/imports/{import_id}/resolve", dependencies=[Depends(from_our_page)])
def post_resolve(desk: DeskDep, user: Editor, import_id: ImportId, body: Resolution) -> dict[str, Any]:
    """Decide every collision that is still open."""
    with desk.database.write() as session:
        row = in_preview(lock_import(session, import_id))
        resolve_open(session, row, body.resolution)
    return import_to_dict(row)


@router.post("/imports/{import_id}/confirm", dependencies=[Depends(from_our_page)])
def post_confirm(desk: DeskDep, user: ConsoleUser, import_id: ImportId, body: Confirmation) -> dict[str, Any]:
    """Apply what was previewed: by an editor as drafts to be reviewed, or with `approve`, by a reviewer, outright."""
    if not {"reviewer" if body.approve else "editor", "admin"} & set(user.roles):
        told = (
            "您没有审核知识的权限，请提交审核，或请审核人确认这次导入。"
            if body.approve
            else "您没有编辑知识的权限，请联系管理员开通。"
        )
        raise Forbidden(told, code="role_missing")
    with desk.database.write() as session:
        row = jobs.confirm(
            session, KINDS, import_id, by=user.username, approve=body.approve, admin="admin" in user.roles
        )
        detail = {"file": row.file_name, "approved": body.approve}
        audit.append(session, user.username, "import.confirmed", f"import:{import_id}", detail)
    _wake_worker()
    return import_to_dict(row)


@router.post("/imports/{import_id}/cancel", dependencies=[Depends(from_our_page)])
def post_cancel(desk: DeskDep, user: Editor, import_id: ImportId) -> dict[str, Any]:
    """End an import before anything is written."""
    with desk.database.write() as session:
        row = cancel(session, import_id)
        audit.append(session, user.username, "import.cancelled", f"import:{import_id}", {"file": row.file_name})
    return import_to_dict(row)


@router.get("/imports/{import_id}/report.xlsx", response_class=FileResponse)
def get_report(desk: DeskDep, user: ConsoleUser, import_id: ImportId) -> FileResponse:
    """What became of every row."""
    with desk.database.read() as session:
        row = import_of(session, import_id)
        if row.kind != "faq":
            raise Conflict("只有问答导入有逐行结果，制度导入请在页面上查看。", code="no_report")
        return download(f"导入结果-{Path(row.file_name).stem}.xlsx", lambda path: write_report(session, row, path))


@router.get("/export.xlsx", response_class=FileResponse)
def get_export_xlsx(desk: DeskDep, user: ConsoleUser) -> FileResponse:
    """Every entry, as a sheet that can be imported again."""
    return _export(desk, "知识条目.xlsx")


@router.get("/export.csv", response_class=FileResponse)
def get_export_csv(desk: DeskDep, user: ConsoleUser) -> FileResponse:
    """Every entry, as a file with commas that can be imported again."""
    return _export(desk, "知识条目.csv")


def _export(desk: Desk, name: str) -> FileResponse:
    with desk.database.read() as session:
        return download(name, lambda path: write_entries(session, path))
