"""A visitor's turn, from the moment it is accepted to its replies: answered once, whatever breaks in between.

accept   the message is stored in the inbox before anything is done with it; the same message again finds itself
claim    one process works on it; a claim that expires is taken over
answer   through the dialogue engine, or without it from the knowledge base, or as a ticket
complete replies, outcome and events in one transaction; a replay returns what is stored
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from anyio import sleep, to_thread
from redis.asyncio import Redis
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.answering import Answering
from bot.engine_client import EngineClient
from bot.filing import Filing, filed
from bot.ticket_form import guess_business_type
from bot.turns import Outcome, Place, Reply, TurnContext
from core.clock import now, today
from core.database import Database
from core.errors import Conflict, InvalidInput, Unavailable
from core.events import append_event
from core.identity import Identity
from core.privacy import mask
from core.redis import exclusive
from core.transcript import Conversation, Message, Turn, conversation_of, open_conversation, say
from handoff.tickets import OTHER, Reason
from kb.search import Band
from kb.signals import EntryAnswered, QuestionUnresolved

log = structlog.get_logger()

_CLAIM = timedelta(seconds=30)
_WAIT_FOR_TWIN = 12.0
_CHOICE = re.compile(
    r"(?P<kind>entry|ticket|say):(?P<value>.{1,300})|(?P<order>none|handoff|file|my_tickets|greet)", re.S
)
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Inbound:
    """One message as a channel hands it over: `text` is normalized; exactly one of `text` and `choice` is set."""

    channel: str
    identity: Identity
    client_message_id: str
    place: Place
    conversation_id: str | None = None
    text: str = ""
    choice: str = ""


@dataclass(frozen=True)
class TurnResult:
    conversation_id: str
    messages: list[dict[str, Any]]
    outcome: dict[str, Any]


class Dialogue:
    def __init__(
        self, database: Database, redis: Redis, engine: EngineClient, answering: Answering, filing: Filing
    ) -> None:
        self._database = database
        self._redis = redis
        self._engine = engine
        self._answering = answering
        self._filing = filing

    async def receive(self, inbound: Inbound) -> TurnResult:
        """Answer `inbound`, or return the answer it already got.

        Raises InvalidInput for a choice that is none, NotFound for another person's conversation, Conflict when the
        message id was used for a different message or its first sending is still being worked on.
        """
        engine_text(inbound)  # A choice that means nothing is refused before anything is stored.
        turn_id, conversation_id = await to_thread.run_sync(self._accept, inbound)
        async with exclusive(self._redis, f"conversation:{conversation_id}", hold=60, wait=20):
            if not await to_thread.run_sync(self._claim, turn_id):
                return await self._wait_for(turn_id)
            return await self._run(turn_id)

    async def resume(self, limit: int = 20) -> int:
        """Run turns that were accepted but never finished, because a process died; return how many."""
        waiting = await to_thread.run_sync(self._abandoned, limit)
        for turn_id, conversation_id in waiting:
            try:
                async with exclusive(self._redis, f"conversation:{conversation_id}", hold=60, wait=1):
                    if await to_thread.run_sync(self._claim, turn_id):
                        await self._run(turn_id)
            except TimeoutError:
                continue
        return len(waiting)

    def _accept(self, inbound: Inbound) -> tuple[str, str]:
        owner = inbound.identity.employee_no or (inbound.conversation_id or "anonymous")
        fingerprint = hashlib.sha256(
            json.dumps([inbound.text, inbound.choice, inbound.conversation_id], ensure_ascii=False).encode()
        ).hexdigest()
        known = self._known(owner, inbound.client_message_id, fingerprint)
        if known:
            return known
        try:
            with self._database.write() as session:
                if inbound.conversation_id:
                    conversation = conversation_of(session, inbound.conversation_id, inbound.identity)
                    conversation.identity = inbound.identity.to_dict()
                else:
                    conversation = open_conversation(session, inbound.channel, inbound.identity)
                conversation.last_at = now()
                turn = Turn(
                    id=str(uuid.uuid4()),
                    conversation_id=conversation.id,
                    owner=owner,
                    client_message_id=inbound.client_message_id,
                    fingerprint=fingerprint,
                    body={"text": inbound.text, "choice": inbound.choice, "place": vars(inbound.place)},
                    state="accepted",
                    at=now(),
                )
                session.add(turn)
                session.flush()
                return turn.id, conversation.id
        except IntegrityError:
            # The same message was accepted by another request between our look and our write.
            known = self._known(owner, inbound.client_message_id, fingerprint)
            if known is None:
                raise
            return known

    def _known(self, owner: str, client_message_id: str, fingerprint: str) -> tuple[str, str] | None:
        with self._database.read() as session:
            turn = session.scalars(
                select(Turn).where(Turn.owner == owner, Turn.client_message_id == client_message_id)
            ).one_or_none()
        if turn is None:
            return None
        if turn.fingerprint != fingerprint:
            raise Conflict("这个消息编号已用于另一条消息，请刷新页面后重新发送。", code="message_id_reused")
        return turn.id, turn.conversation_id

    def _claim(self, turn_id: str) -> bool:
        with self._database.write() as session:
            claimed = session.execute(
                update(Turn)
                .where(
                    Turn.id == turn_id,
                    or_(Turn.state == "accepted", (Turn.state == "claimed") & (Turn.claimed_until < now())),
                )
                .values(state="claimed", claimed_until=now() + _CLAIM)
            )
            return claimed.rowcount == 1

    def _abandoned(self, limit: int) -> list[tuple[str, str]]:
        """Turns whose claim ran out, or that nobody claimed within the time of one claim."""
        with self._database.read() as session:
            rows = session.execute(
                select(Turn.id, Turn.conversation_id)
                .where(
                    or_(
                        (Turn.state == "accepted") & (Turn.at < now() - _CLAIM),
                        (Turn.state == "claimed") & (Turn.claimed_until < now()),
                    )
                )
                .order_by(Turn.at)
                .limit(limit)
            )
            return [(row.id, row.conversation_id) for row in rows]

    async def _wait_for(self, turn_id: str) -> TurnResult:
        deadline = time.monotonic() + _WAIT_FOR_TWIN
        while time.monotonic() < deadline:
            if result := await to_thread.run_sync(self._stored, turn_id):
                return result
            await sleep(0.1)
        raise Conflict("这条消息正在处理，请稍候再看。", code="in_progress")

    def _stored(self, turn_id: str) -> TurnResult | None:
        with self._database.read() as session:
            turn = session.get_one(Turn, turn_id)
            return _result(session, turn) if turn.state == "done" else None

    async def _run(self, turn_id: str) -> TurnResult:
        started = time.perf_counter()
        inbound, context = await to_thread.run_sync(self._load, turn_id)
        degraded = False
        try:
            answers = await self._engine.talk(
                context.conversation_id, engine_text(inbound), {"turn": context.to_dict()}
            )
            said = [_understood(answer) for answer in answers]
        except Unavailable as error:
            log.warning("engine_unavailable", error=error.message, conversation=context.conversation_id)
            said = await to_thread.run_sync(self._without_engine, inbound, context)
            degraded = True
        took_ms = (time.perf_counter() - started) * 1000
        return await to_thread.run_sync(self._complete, turn_id, inbound, context, said, degraded, took_ms)

    def _load(self, turn_id: str) -> tuple[Inbound, TurnContext]:
        with self._database.read() as session:
            turn = session.get_one(Turn, turn_id)
            conversation = session.get_one(Conversation, turn.conversation_id)
            place = Place(**turn.body["place"])
            identity = Identity.from_dict(conversation.identity)
            inbound = Inbound(
                channel=conversation.channel,
                identity=identity,
                client_message_id=turn.client_message_id,
                place=place,
                conversation_id=conversation.id,
                text=turn.body["text"],
                choice=turn.body["choice"],
            )
            return inbound, TurnContext(conversation.id, turn.id, conversation.channel, identity, place)

    def _without_engine(self, inbound: Inbound, context: TurnContext) -> list[tuple[Reply, Outcome | None]]:
        """Tier 1 without its dialogue: choices and plain questions still work, everything else becomes a ticket."""
        kind, _, value = inbound.choice.partition(":")
        if kind == "entry":
            return [self._answering.open(value, context)]
        if kind == "ticket":
            return [(self._filing.one(value, context), None)]
        if kind == "my_tickets":
            return [(self._filing.mine(context), None)]
        if kind == "greet":
            return [(self._answering.greet(context), None)]
        text = inbound.text or (value if kind == "say" else "")
        outcome = Outcome()
        if text:
            reply, outcome = self._answering.respond(text, context)
            if outcome.band != Band.NONE:
                return [(reply, outcome)]
        values = {
            "business_type": guess_business_type(text)
            or (outcome.shown[0]["business_type"] if outcome.shown else OTHER),
            "description": text or "员工要求转人工，详见对话记录",
            "document_no": context.place.document_no,
        }
        ticket = self._filing.file(context, values, Reason.TOOL_FAILURE)
        return [(filed(ticket), outcome)]

    def _complete(
        self,
        turn_id: str,
        inbound: Inbound,
        context: TurnContext,
        said: list[tuple[Reply, Outcome | None]],
        degraded: bool,
        took_ms: float,
    ) -> TurnResult:
        with self._database.write() as session:
            turn = session.get_one(Turn, turn_id, with_for_update=True)
            if turn.state == "done":
                return _result(session, turn)
            heard = inbound.text or self._label(session, context, inbound.choice)
            say(
                session,
                context.conversation_id,
                "user",
                "text",
                heard,
                turn_id=turn_id,
                extras={
                    "client_message_id": inbound.client_message_id,
                    **({"choice": inbound.choice} if inbound.choice else {}),
                },
            )
            for reply, _ in said:
                say(
                    session,
                    context.conversation_id,
                    "bot",
                    reply.type,
                    reply.text,
                    turn_id=turn_id,
                    extras={**reply.extras, "options": [vars(option) for option in reply.options]},
                )
            outcome = next((outcome for _, outcome in said if outcome and outcome.band), None) or Outcome()
            turn.outcome = {**outcome.to_dict(), "question": mask(outcome.question)}
            turn.body = {**turn.body, "text": mask(turn.body["text"]), "choice": mask(turn.body["choice"])}
            turn.state, turn.degraded, turn.took_ms = "done", degraded, took_ms
            self._raise_events(session, context, said)
            session.flush()
            return _result(session, turn)

    def _raise_events(self, session: Session, context: TurnContext, said: list[tuple[Reply, Outcome | None]]) -> None:
        place = context.place
        for _, outcome in said:
            if outcome is None:
                continue
            if outcome.entry_id and outcome.band == Band.ANSWER:
                append_event(
                    session,
                    EntryAnswered(
                        outcome.entry_id, context.conversation_id, today().isoformat(), place.page, place.node
                    ),
                )
            if outcome.unresolved:
                append_event(
                    session,
                    QuestionUnresolved(
                        context.conversation_id,
                        mask(outcome.question),
                        outcome.unresolved,
                        place.page,
                        place.node,
                        list(outcome.shown),
                        outcome.release,
                    ),
                )

    def _label(self, session: Session, context: TurnContext, choice: str) -> str:
        """What stood on the button that was pressed."""
        recent = session.scalars(
            select(Message.body)
            .where(Message.conversation_id == context.conversation_id, Message.sender == "bot")
            .order_by(Message.seq.desc())
            .limit(20)
        )
        for body in recent:
            for option in body.get("options", []):
                if option["choice"] == choice:
                    return option["label"]
        kind, _, value = choice.partition(":")
        if kind == "entry":
            return self._answering.title(value, context) or value
        return {
            "handoff": "转人工",
            "file": "提交工单",
            "my_tickets": "我的工单",
            "none": "都不是",
            "greet": "你好",
        }.get(kind, value)


def engine_text(inbound: Inbound) -> str:
    """What the engine is told: plain text, or an intent payload for a button.

    Rasa reads a text that starts with a slash as a payload, so nobody may type one. Raises InvalidInput.
    """
    if not inbound.choice:
        return inbound.text.lstrip("/ ") or "?"
    match = _CHOICE.fullmatch(inbound.choice)
    if not match:
        raise InvalidInput("这个选项无法识别，请直接输入您的问题。", code="unknown_choice")
    if order := match["order"]:
        return f"/{_ORDERS[order]}"
    value = match["value"]
    if match["kind"] == "say":
        return value.lstrip("/ ") or "?"
    if not _ID.fullmatch(value):
        raise InvalidInput("这个选项无法识别，请直接输入您的问题。", code="unknown_choice")
    intent, entity = {"entry": ("open_entry", "entry_id"), "ticket": ("ticket_status", "ticket_number")}[match["kind"]]
    return f"/{intent}{json.dumps({entity: value})}"


_ORDERS = {
    "none": "none_of_these",
    "handoff": "handoff",
    "file": "file_ticket",
    "my_tickets": "my_tickets",
    "greet": "greet",
}


def _understood(answer: dict[str, Any]) -> tuple[Reply, Outcome | None]:
    """Raises Unavailable when the engine said something that is none of our actions' replies."""
    custom = answer.get("custom")
    if custom is None:
        return Reply(answer.get("text") or ""), None
    try:
        outcome = custom.get("outcome")
        return Reply.from_dict(custom["reply"]), Outcome.from_dict(outcome) if outcome else None
    except (KeyError, TypeError) as error:
        raise Unavailable(f"dialogue engine: {error!r}", code="engine_unavailable") from error


def _result(session: Session, turn: Turn) -> TurnResult:
    rows = session.scalars(
        select(Message).where(Message.turn_id == turn.id, Message.sender == "bot").order_by(Message.seq)
    )
    outcome = Outcome.from_dict(turn.outcome or {}).public()
    return TurnResult(turn.conversation_id, [row.to_dict() for row in rows], outcome)
