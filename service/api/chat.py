"""What the chat widget talks to."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator
from sqlalchemy.orm import Session

from bot.dialogue import Inbound
from bot.replay import WITHHELD, shown_to
from bot.turns import Place
from core.clock import now
from core.errors import InvalidInput, NotFound, TooMany
from core.events import append_event
from core.identity import Identity
from core.metrics import count_turn
from core.privacy import mask
from core.redis import within_rate
from core.text import normalize
from core.transcript import (
    Conversation,
    Message,
    Turn,
    conversation_of,
    current_conversation,
    mark_read,
    messages_of,
    unread_of,
)
from handoff.quality.satisfaction import standing
from handoff.states import possible
from handoff.talk import holder, open_tickets
from handoff.tickets import TicketRow
from kb.entries import Viewer
from kb.signals import AnswerRated, QuestionUnresolved
from kb.store import FeedbackRow
from service.api.deps import DeskDep, Visitor
from service.bootstrap import Desk

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

MAX_TEXT = 2000
_WORD = re.compile(r"\w")
_SCENE = re.compile(r"[A-Za-z0-9_.-]{0,100}")

_STEPS = {"confirm": "close", "reopen": "reopen", "urge": "urge"}
"""What a button of a ticket does to it."""

ConversationId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Context(BaseModel):
    """Where the employee stands. What is not a plausible name is dropped: a page must never keep one from asking."""

    page: str = ""
    node: str = ""
    document_no: str = ""

    @model_validator(mode="before")
    @classmethod
    def _forgiving(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return {}
        return {
            name: value
            for name in ("page", "node", "document_no")
            if isinstance(value := data.get(name), str) and _SCENE.fullmatch(value)
        }


class MessageIn(BaseModel):
    client_message_id: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    conversation_id: ConversationId | None = None
    text: str | None = None
    choice: str | None = Field(None, max_length=400)
    context: Context = Field(default_factory=Context)

    @model_validator(mode="after")
    def _one_of(self) -> MessageIn:
        if (self.text is None) == (self.choice is None):
            raise ValueError("请输入问题，或选择一个选项。")
        return self


class OptionOut(BaseModel):
    label: str
    choice: str


class MessageOut(BaseModel, extra="allow"):
    """Beside these fields a message carries what its type needs; see docs/chat.md."""

    id: str
    seq: int
    sender: Literal["user", "bot", "agent"] = Field(alias="from")
    at: str
    type: str
    text: str
    options: list[OptionOut]


class OutcomeOut(BaseModel):
    band: Literal["answer", "clarify", "none"] | None
    entry_id: str | None
    probability: float | None
    release: int | None


class TurnOut(BaseModel):
    conversation_id: str
    messages: list[MessageOut]
    outcome: OutcomeOut


class ConversationOut(BaseModel):
    """Who talks in it, and how far the visitor has read. `number` is the ticket that an agent talks about; `open_tickets` are
    those that were filed in it."""

    id: str
    mode: Literal["bot", "agent"]
    number: str | None
    agent: str | None
    read_seq: int
    unread: int
    open_tickets: int


class HistoryOut(BaseModel):
    """`current` is where this employee goes on: another conversation where something newer was said to them there."""

    messages: list[MessageOut]
    conversation: ConversationOut
    current: str


class CurrentOut(BaseModel):
    conversation: ConversationOut | None


class ReadIn(BaseModel):
    seq: int = Field(ge=0, le=2**31 - 1)


class SuggestionOut(BaseModel):
    entry_id: str
    title: str


class SuggestionsOut(BaseModel):
    greeting: str
    page_label: str
    node_label: str
    items: list[SuggestionOut]


class FeedbackIn(BaseModel):
    conversation_id: ConversationId
    message_id: ConversationId
    helpful: bool
    reason: Literal["incorrect", "incomplete", "outdated", "unclear", "impolite", "other"] | None = None
    comment: str | None = Field(None, max_length=500)


@router.post("/messages")
async def post_message(desk: DeskDep, visitor: Visitor, request: Request, body: MessageIn) -> TurnOut:
    """Ask, press a button, or go on with the ticket form. The same `client_message_id` again gets the same answer."""
    await within_limits(desk, visitor, request.client.host if request.client else "")
    text = normalize(body.text or "")
    if body.text is not None and not text:
        raise InvalidInput("请输入您的问题。", code="empty_text")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"内容太长了，请控制在 {MAX_TEXT} 字以内，说清楚最关键的问题就好。", code="text_too_long")
    result = await desk.dialogue.receive(
        Inbound(
            channel="widget",
            identity=visitor,
            client_message_id=body.client_message_id,
            place=Place(body.context.page, body.context.node, body.context.document_no),
            conversation_id=body.conversation_id,
            text=text,
            said=printable(body.text or "") if text else "",
            choice=normalize(body.choice or ""),
        )
    )
    count_turn(result.outcome["band"])
    messages = await to_thread.run_sync(_shown, desk, visitor, result.messages)
    withheld = any(message["text"] == WITHHELD for message in messages)
    return TurnOut(
        conversation_id=result.conversation_id,
        messages=[MessageOut.model_validate(message) for message in messages],
        outcome=OutcomeOut.model_validate(result.outcome | ({"entry_id": None} if withheld else {})),
    )


async def within_limits(desk: Desk, visitor: Identity, otherwise: str) -> None:
    """Raises TooMany for a visitor who writes too fast; `otherwise` tells anonymous ones apart."""
    who = visitor.employee_no or f"anonymous:{otherwise}"
    if not await within_rate(desk.redis, who, desk.settings.messages_per_minute):
        raise TooMany("您发送得太快了，请稍等一分钟再试。")


def printable(text: str) -> str:
    """As it was typed, without what nobody typed: control characters and lone surrogates."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


@router.get("/conversations/{conversation_id}/messages")
def get_messages(
    desk: DeskDep,
    visitor: Visitor,
    conversation_id: ConversationId,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> HistoryOut:
    """The visitor's own conversation after message number `after`, for a reload and for what came in meanwhile."""
    with desk.database.read() as session:
        conversation = conversation_of(session, conversation_id, visitor)
        messages = [message.to_dict() for message in messages_of(session, conversation.id, after)]
        current = current_conversation(session, conversation.channel, visitor)
        stands = _conversation(session, conversation)
    shown = _shown(desk, visitor, messages)
    return HistoryOut(
        messages=[MessageOut.model_validate(message) for message in shown],
        conversation=stands,
        current=current.id if current else conversation.id,
    )


@router.get("/conversations/current")
def get_current(desk: DeskDep, visitor: Visitor) -> CurrentOut:
    """Where an employee goes on, from whatever page or device; null for an anonymous visitor, or before the first message."""
    with desk.database.read() as session:
        conversation = current_conversation(session, "widget", visitor)
        return CurrentOut(conversation=_conversation(session, conversation) if conversation else None)


@router.post("/conversations/{conversation_id}/read", status_code=204)
def post_read(desk: DeskDep, visitor: Visitor, conversation_id: ConversationId, body: ReadIn) -> Response:
    """The visitor has seen everything up to message number `seq`."""
    with desk.database.write() as session:
        mark_read(session, conversation_of(session, conversation_id, visitor), body.seq)
    return Response(status_code=204)


def _conversation(session: Session, conversation: Conversation) -> ConversationOut:
    return ConversationOut(
        id=conversation.id,
        mode="agent" if conversation.mode == "agent" else "bot",
        number=conversation.held_by,
        agent=holder(session, conversation),
        read_seq=conversation.read_seq,
        unread=unread_of(session, conversation),
        open_tickets=open_tickets(session, conversation.id),
    )


def _shown(desk: Desk, visitor: Identity, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with desk.database.read() as session:
        shown = shown_to(_viewer(visitor), messages, desk.knowledge, session)
        return [_with_rating(session, _with_steps(session, message)) for message in shown]


def _with_rating(session: Session, message: dict[str, Any]) -> dict[str, Any]:
    """A question how satisfied somebody was, with what was answered since."""
    if message["type"] != "rating":
        return message
    return {**message, "given": standing(session, message["number"])}


def _with_steps(session: Session, message: dict[str, Any]) -> dict[str, Any]:
    """A message without the buttons that its ticket's state has overtaken, such as 问题已解决 once it is closed."""

    def works(choice: str) -> bool:
        verb, _, number = choice.partition(":")
        ticket = session.get(TicketRow, number) if verb in _STEPS else None
        return ticket is None or possible(_STEPS[verb], ticket)

    if all(works(option["choice"]) for option in message["options"]):
        return message
    return {**message, "options": [option for option in message["options"] if works(option["choice"])]}


def _viewer(visitor: Identity) -> Viewer:
    return Viewer(visitor.company, frozenset(visitor.groups))


@router.get("/suggestions")
def get_suggestions(desk: DeskDep, visitor: Visitor, page: str = "", node: str = "") -> SuggestionsOut:
    """A greeting for the page and its hot questions."""
    greeting, entries = desk.knowledge.suggestions(page[:100], node[:100], _viewer(visitor))
    page_label, node_label = desk.knowledge.place_labels(page, node)
    return SuggestionsOut(
        greeting=greeting,
        page_label=page_label,
        node_label=node_label,
        items=[SuggestionOut(entry_id=entry.id, title=entry.heading) for entry in entries],
    )


@router.post("/feedback", status_code=204)
def post_feedback(desk: DeskDep, visitor: Visitor, body: FeedbackIn) -> Response:
    """有用 or 没用 on one answer; said again, the last word counts."""
    with desk.database.write() as session:
        conversation = conversation_of(session, body.conversation_id, visitor)
        message = session.get(Message, body.message_id)
        if message is None or message.conversation_id != conversation.id or message.type != "answer":
            raise NotFound("没有找到这条回答，请刷新页面后再评价。", code="message_not_found")
        entry_id = message.body.get("entry_id")
        before = message.body.get("feedback")
        message.body = {**message.body, "feedback": {"helpful": body.helpful, "reason": body.reason}}
        row = session.query(FeedbackRow).filter_by(message_id=message.id).one_or_none()
        if row is None:
            row = FeedbackRow(message_id=message.id, conversation_id=conversation.id, entry_id=entry_id)
            session.add(row)
        row.helpful, row.reason, row.at = body.helpful, body.reason, now()
        row.comment = mask(body.comment) if body.comment else None
        asked = _asked(desk, conversation.id, message)
        append_event(session, _rated(session, desk, message, asked, row))
        if not body.helpful and (before is None or before["helpful"]):
            append_event(
                session,
                QuestionUnresolved(
                    conversation.id,
                    asked,
                    "unhelpful",
                    "",
                    "",
                    [{"entry_id": entry_id, "question": message.body.get("title"), "probability": None}],
                    desk.knowledge.searcher.release,
                ),
            )
    return Response(status_code=204)


def _rated(session: Session, desk: Desk, message: Message, asked: str, row: FeedbackRow) -> AnswerRated:
    turn = session.get(Turn, message.turn_id) if message.turn_id else None
    outcome = (turn.outcome if turn else None) or {}
    place = turn.body.get("place", {}) if turn else {}
    return AnswerRated(
        message.conversation_id,
        message.id,
        asked,
        row.entry_id,
        str(message.body.get("title", "")),
        row.helpful,
        row.reason or "",
        row.comment or "",
        place.get("page", ""),
        place.get("node", ""),
        outcome.get("probability"),
        outcome.get("release") or desk.knowledge.searcher.release,
    )


def _asked(desk: DeskDep, conversation_id: str, answer: Message) -> str:
    """What the employee had said before this answer."""
    with desk.database.read() as session:
        before = [m for m in messages_of(session, conversation_id) if m.sender == "user" and m.seq < answer.seq]
    return before[-1].text if before else str(answer.body.get("title", ""))
