"""A visitor's turn, from the moment it is accepted to its replies: answered once, whatever breaks in between.

accept   the message is stored in the inbox before anything is done with it; the same message again finds itself
claim    one process works on it; a claim that expires is taken over
answer   through the dialogue engine, or without it from the knowledge base, or as a ticket
complete replies, outcome and events in one transaction; a replay returns what is stored

While a person holds the conversation nothing is answered: what is written joins their ticket.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from anyio import sleep, to_thread
from redis.asyncio import Redis

from bot.answering import Answering
from bot.choices import engine_text
from bot.completion import Also, BotWanted, Completion, Thought
from bot.engine_client import EngineClient
from bot.filing import Filing, filed
from bot.inbox import Inbound, Inbox, TurnResult
from bot.orders import Orders, pressed
from bot.ticket_form import beside_order, guess_business_type, wants_person
from bot.turns import Outcome, Reply, TurnContext
from core.database import Database
from core.errors import Conflict, Unavailable
from core.metrics import step
from core.redis import exclusive
from handoff.tickets import OTHER, Reason
from kb.search import Band

log = structlog.get_logger()

_WAIT_FOR_TWIN = 12.0


@dataclass(frozen=True)
class Begun:
    """A message that was taken up; without a context where it had been before."""

    inbound: Inbound
    context: TurnContext | None
    bot: bool


class Dialogue:
    def __init__(
        self, database: Database, redis: Redis, engine: EngineClient, answering: Answering, filing: Filing
    ) -> None:
        self._database = database
        self._inbox = Inbox(database)
        self._redis = redis
        self._engine = engine
        self._answering = answering
        self._filing = filing
        self._completion = Completion(database, answering, Orders(filing))

    async def receive(self, inbound: Inbound) -> TurnResult:
        """Answer `inbound`, or return the answer it already got.

        Raises InvalidInput for a choice that is none, NotFound for another person's conversation, Conflict when the
        message id was used for a different message or its first sending is still being worked on.
        """
        _meant(inbound)
        with step("accept"):
            turn_id, conversation_id = await to_thread.run_sync(self._inbox.accept, inbound)
        async with exclusive(self._redis, f"conversation:{conversation_id}", hold=20, wait=20):
            if not await to_thread.run_sync(self._inbox.claim, turn_id):
                return await self._wait_for(turn_id)
            return await self._run(turn_id)

    def begin(self, inbound: Inbound) -> Begun:
        """Take up what the caller has stored, comes again with if this process dies, and has no other of that person answered
        beside: it need not lie in the inbox before its turn. Called in a thread. Raises InvalidInput and NotFound as `receive`."""
        _meant(inbound)
        with step("accept"), self._database.write() as session:
            context = self._inbox.begin(session, inbound)
            return Begun(inbound, context, bool(context) and self._completion.wants_bot(session, inbound, context))

    async def go_on(self, begun: Begun, also: Also) -> None:
        """Answer what was begun; what is said leaves by the outbox. `also` is done in the transaction that completes the turn, or
        after it where somebody else completed it. Raises Conflict as `receive`."""
        if begun.context:
            await self._answer(begun.inbound, begun.context, begun.bot, also)
        else:
            await self.receive(begun.inbound)
            await to_thread.run_sync(self._do, also)

    def _do(self, also: Also) -> None:
        with self._database.write() as session:
            also(session)

    async def resume(self, limit: int = 20) -> int:
        """Run turns that were accepted but never finished, because a process died; return how many."""
        waiting = await to_thread.run_sync(self._inbox.abandoned, limit)
        for turn_id, conversation_id in waiting:
            try:
                async with exclusive(self._redis, f"conversation:{conversation_id}", hold=20, wait=1):
                    if await to_thread.run_sync(self._inbox.claim, turn_id):
                        await self._run(turn_id)
            except TimeoutError:
                continue
        return len(waiting)

    async def _wait_for(self, turn_id: str) -> TurnResult:
        deadline = time.monotonic() + _WAIT_FOR_TWIN
        while time.monotonic() < deadline:
            if result := await to_thread.run_sync(self._inbox.stored, turn_id):
                return result
            await sleep(0.1)
        raise Conflict("这条消息正在处理，请稍候再看。", code="in_progress")

    async def _run(self, turn_id: str) -> TurnResult:
        inbound, context, bot = await to_thread.run_sync(self._load, turn_id)
        return await self._answer(inbound, context, bot)

    async def _answer(self, inbound: Inbound, context: TurnContext, bot: bool, also: Also | None = None) -> TurnResult:
        thought = await self._think(inbound, context) if bot else None
        while True:
            try:
                with step("complete"):
                    return await to_thread.run_sync(
                        self._completion.complete, context.turn_id, inbound, context, thought, also
                    )
            except BotWanted:
                thought = await self._think(inbound, context)

    def _load(self, turn_id: str) -> tuple[Inbound, TurnContext, bool]:
        inbound, context = self._inbox.load(turn_id)
        return inbound, context, self._completion.asks_bot(inbound, context)

    async def _think(self, inbound: Inbound, context: TurnContext) -> Thought:
        """What the bot says to this, through the engine or without it."""
        started = time.perf_counter()
        degraded = False
        try:
            with step("engine"):
                answers = await self._engine.talk(
                    context.conversation_id, engine_text(inbound), {"turn": context.to_dict()}
                )
            said = [_understood(answer) for answer in answers]
        except Unavailable as error:
            log.warning("engine_unavailable", error=error.message, conversation=context.conversation_id)
            said = await to_thread.run_sync(self._without_engine, inbound, context)
            degraded = True
        return Thought(said, degraded, (time.perf_counter() - started) * 1000)

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
        if text and not wants_person(text):
            reply, outcome = self._answering.respond(text, context)
            if outcome.band != Band.NONE:
                return [(reply, outcome)]
        values = {
            "business_type": guess_business_type(text)
            or (outcome.shown[0]["business_type"] if outcome.shown else OTHER),
            "description": beside_order(text),
            "document_no": context.place.document_no,
        }
        ticket = self._filing.file(context, values, Reason.TOOL_FAILURE)
        return [(filed(ticket, context), outcome)]


def _meant(inbound: Inbound) -> None:
    """A choice that means nothing is refused before anything is stored."""
    if not inbound.ticket and not pressed(inbound.choice):
        engine_text(inbound)


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
