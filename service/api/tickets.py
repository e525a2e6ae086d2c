"""One ticket on the console: all of it, and every verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from core.errors import InvalidInput, NotFound
from core.transcript import messages_of
from handoff import clocks, lifecycle
from handoff.actors import Actor
from handoff.attachments import MOST_BYTES, AttachmentRow, attach, attachment_for, attachments_of, path_of
from handoff.locking import unreadable
from handoff.permissions import may, verbs
from handoff.tickets import TicketEventRow, TicketRow, events_of, ticket_of
from service.api.deps import ActorDep, Desk, DeskDep, from_our_page
from service.api.ticket_body import names_of, row_bodies
from service.reach import reach_of

router = APIRouter(prefix="/api/v1/console", tags=["tickets"])

MOST_UPLOAD = MOST_BYTES + 64 * 1024
"""Bytes of a request that brings an attachment."""

Number = Annotated[str, InPath(max_length=20, pattern=r"^FW\d{8}-\d{4,}$")]
FileId = Annotated[str, InPath(max_length=36, pattern=r"^[0-9a-f-]+$")]
Verb = Literal[
    "assign",
    "claim",
    "accept",
    "give-back",
    "reply",
    "note",
    "resolve",
    "close",
    "reopen",
    "cancel",
    "merge",
    "link",
    "unlink",
    "transfer",
    "escalate",
    "invite",
    "dismiss",
    "change",
    "seen",
]


class VerbIn(BaseModel):
    """The newest version that the person has seen, and what the verb takes; see docs/tickets.md."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=0)
    text: str | None = Field(None, max_length=10_000)
    reason: str | None = Field(None, max_length=10_000)
    to: str | None = Field(None, max_length=64)
    group: str | None = Field(None, max_length=40)
    tier: Literal[2, 3] | None = None
    then: Literal["waiting", "resolved"] | None = None
    into: str | None = Field(None, max_length=20)
    other: str | None = Field(None, max_length=20)
    expert: str | None = Field(None, max_length=64)
    attachments: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=20)
    business_type: str | None = Field(None, max_length=40)
    subtype: str | None = Field(None, max_length=40)
    urgency: str | None = Field(None, max_length=10)
    priority: int | None = None
    document_no: str | None = Field(None, max_length=64)
    contact: str | None = Field(None, max_length=100)
    emergency: bool | None = None


_FIELDS = ("business_type", "subtype", "urgency", "priority", "document_no", "contact", "emergency")
_ARGUMENTS: dict[str, tuple[Callable[..., TicketRow], tuple[str, ...], tuple[str, ...]]] = {
    "assign": (lifecycle.assign, ("to",), ()),
    "claim": (lifecycle.claim, (), ()),
    "accept": (lifecycle.accept, (), ()),
    "give-back": (lifecycle.give_back, ("reason",), ()),
    "reply": (lifecycle.reply, ("text",), ("attachments", "then")),
    "note": (lifecycle.note, ("text",), ("attachments",)),
    "resolve": (lifecycle.resolve, ("text",), ()),
    "close": (lifecycle.close, (), ()),
    "reopen": (lifecycle.reopen, ("reason",), ()),
    "cancel": (lifecycle.cancel, ("reason",), ()),
    "merge": (lifecycle.merge, ("into",), ()),
    "link": (lifecycle.link, ("other",), ()),
    "unlink": (lifecycle.unlink, ("other",), ()),
    "transfer": (lifecycle.transfer, ("group", "reason"), ("tier", "to")),
    "escalate": (lifecycle.escalate, ("reason",), ("group",)),
    "invite": (lifecycle.invite, ("expert", "reason"), ()),
    "dismiss": (lifecycle.dismiss, ("expert",), ()),
    "change": (lifecycle.change, (), _FIELDS),
    "seen": (lifecycle.seen, (), ()),
}
"""The verb, what it needs, and what it may be given."""

_LABELS = {
    "to": "处理人",
    "reason": "原因",
    "text": "内容",
    "into": "要并入的工单号",
    "other": "要关联的工单号",
    "group": "服务组",
    "expert": "专家",
}


def do(session: Session, actor: Actor, number: str, verb: str, arguments: dict[str, Any]) -> TicketRow:
    """Use `verb`, as its route names it, on a ticket; `arguments` may hold `version`. Raises InvalidInput for a missing
    argument or one that the verb does not take, and whatever the verb raises."""
    if verb not in _ARGUMENTS:
        raise InvalidInput("没有这个操作，请刷新页面后重试。", code="verb_unknown")
    function, needed, optional = _ARGUMENTS[verb]
    given = dict(arguments)
    version = given.pop("version", None)
    for name in needed:
        if given.get(name) in (None, ""):
            raise InvalidInput(f"请填写{_LABELS[name]}。", code="argument_missing")
    if unknown := given.keys() - {*needed, *optional}:
        raise InvalidInput(f"这个操作不接受 {'、'.join(sorted(unknown))}，请刷新页面后重试。", code="argument_unknown")
    return function(session, number, actor, version=version, **given)


@router.get("/tickets/{number}")
def get_ticket(desk: DeskDep, actor: ActorDep, number: Number) -> dict[str, Any]:
    """One ticket with its conversation, what the bot tried, its timeline, its clocks and what can be done now."""
    with desk.database.read() as session:
        row = ticket_of(session, number)
        if row is None:
            raise NotFound(f"没有工单 {number}，请核对编号。", code="ticket_not_found")
        if not may(actor, "read", row):
            raise unreadable(row, actor)
        return whole(desk, session, actor, row)


@router.post("/tickets/{number}/attachments", status_code=201, dependencies=[Depends(from_our_page)])
async def post_attachment(desk: DeskDep, actor: ActorDep, request: Request, number: Number) -> dict[str, Any]:
    """Keep a file with a ticket (multipart: `file`, `public` true or false); a public one goes out with the reply that names
    it."""
    async with request.form(max_files=1, max_fields=3) as form:
        file, public = form.get("file"), form.get("public")
        if not isinstance(file, UploadFile):
            raise InvalidInput("缺少文件，请选择要上传的文件。", code="file_missing")
        if public not in ("true", "false"):
            raise InvalidInput("请说明附件是发给员工还是仅内部可见。", code="public_missing")

        def keep() -> dict[str, Any]:
            with desk.database.write() as session:
                row = attach(
                    session,
                    desk.settings.home,
                    number,
                    actor,
                    file.filename or "",
                    file.file,
                    public=public == "true",
                )
                return _attachment(row, {actor.id: actor.name})

        return await to_thread.run_sync(keep)


@router.get("/tickets/{number}/attachments/{attachment_id}", response_class=FileResponse)
def get_attachment(desk: DeskDep, actor: ActorDep, number: Number, attachment_id: FileId) -> FileResponse:
    """The file itself, always as a download."""
    with desk.database.read() as session:
        row = ticket_of(session, number)
        if row is None:
            raise NotFound("没有找到这个附件，可能没有权限查看。", code="attachment_not_found")
        file = attachment_for(session, actor, row, attachment_id)
    return download(desk, file)


@router.post("/tickets/{number}/{verb}", dependencies=[Depends(from_our_page)])
def post_verb(desk: DeskDep, actor: ActorDep, number: Number, verb: Verb, body: VerbIn) -> dict[str, Any]:
    """Do something to a ticket; answers with the whole ticket as it is then."""
    with desk.database.write() as session:
        do(session, actor, number, verb, body.model_dump(exclude_unset=True))
    with desk.database.read() as session:
        row = session.get_one(TicketRow, number)
        return whole(desk, session, actor, row)


def download(desk: Desk, file: AttachmentRow) -> FileResponse:
    """A file that no browser runs or shows as a page of ours."""
    path = path_of(desk.settings.home, file.id)
    if not path.exists():
        raise NotFound("附件文件已不在服务器上，请联系管理员从备份恢复。", code="attachment_lost")
    return FileResponse(
        path,
        media_type=file.type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


def whole(desk: Desk, session: Session, actor: Actor, row: TicketRow) -> dict[str, Any]:
    """Everything about a ticket, as `actor` sees it."""
    (body,) = row_bodies(desk, session, [row])
    events = events_of(session, row.number)
    files = attachments_of(session, row.number)
    names = names_of(session, {event.actor for event in events} | {file.by for file in files})
    readable = [one for one in lifecycle.linked(session, row.number) if may(actor, "read", one)]
    return body | {
        "contact": row.contact,
        "resolution": row.resolution,
        "transcript": _transcript(session, row.conversation_id),
        "tried": row.tried,
        "events": [_event(event, names) for event in events],
        "attachments": [_attachment(file, names) for file in files],
        "links": row_bodies(desk, session, readable),
        "verbs": [verb.replace("_", "-") for verb in verbs(actor, row)],
        "clocks": clocks.summary(session, row.number),
    }


def _transcript(session: Session, conversation_id: str) -> list[dict[str, Any]]:
    """What was said; `reach` tells of the desk's own words whether they came."""
    reach = reach_of(session, conversation_id)
    return [
        message.to_dict() | ({"reach": reach[message.id]} if message.id in reach else {})
        for message in messages_of(session, conversation_id)
    ]


def _event(event: TicketEventRow, names: dict[str, str]) -> dict[str, Any]:
    name = event.actor_name or names.get(event.actor) or {"system": "系统", "employee": "员工"}.get(event.actor_kind)
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "actor": event.actor,
        "actor_kind": event.actor_kind,
        "actor_name": name or event.actor,
        "text": event.text,
        "public": event.public,
        "detail": event.detail,
    }


def _attachment(file: AttachmentRow, names: dict[str, str]) -> dict[str, Any]:
    return file.to_dict() | {
        "by": file.by,
        "by_name": names.get(file.by, "员工" if file.by_kind == "employee" else file.by),
        "by_kind": file.by_kind,
        "at": file.at.isoformat(),
        "public": file.public,
        "sent": file.sent,
    }
