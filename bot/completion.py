"""The end of a turn: what was said, by whom it is heard, and what comes of it, in one transaction.

Who hears it is decided here and nowhere else, under the locks of ticket and conversation: an agent who takes the ticket over
while the bot is still thinking is not talked over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.answering import Answering
from bot.choices import label_of
from bot.inbox import Inbound, TurnResult, result_of
from bot.orders import Order, Orders
from bot.turns import Outcome, Reply, TurnContext
from core.clock import today
from core.database import Database
from core.errors import FSSCError
from core.events import append_event
from core.outbox import PULLED, deliver
from core.privacy import mask
from core.transcript import Conversation, Message, Turn, locked, say
from handoff import lifecycle
from handoff.actors import employee
from handoff.attachments import AttachmentRow
from handoff.locking import lock
from handoff.tickets import TicketRow
from kb.search import Band
from kb.signals import EntryAnswered, QuestionUnresolved

Said = list[tuple[Reply, Outcome | None]]
Also = Callable[[Session], None]
"""What a caller wants done with a turn's completion, or not at all."""


class _Moved(Exception):
    """Somebody took or left the conversation just now: it has to be looked at again."""


class BotWanted(Exception):
    """Nobody else hears this turn, and the bot has not been asked yet."""


@dataclass(frozen=True)
class Thought:
    """What the bot would say; `degraded` without its dialogue engine. None of it is said where a person talks."""

    said: Said
    degraded: bool
    took_ms: float


class Completion:
    def __init__(self, database: Database, answering: Answering, orders: Orders) -> None:
        self._database = database
        self._answering = answering
        self._orders = orders

    def complete(
        self, turn_id: str, inbound: Inbound, context: TurnContext, thought: Thought | None, also: Also | None = None
    ) -> TurnResult:
        """Store a turn as done, once, and do `also` in the same transaction, for a caller who then does not read what was said.
        Raises BotWanted where `thought` is None and the bot should answer."""
        while True:
            with suppress(_Moved), self._database.write() as session:
                turn = session.get_one(Turn, turn_id, with_for_update=True)
                if turn.state != "done":
                    self._finish(session, turn, inbound, context, thought)
                    session.flush()
                if also:
                    also(session)
                return result_of(session, turn, told=also is None)

    def asks_bot(self, inbound: Inbound, context: TurnContext) -> bool:
        """Whether the bot should think about this, as things stand."""
        with self._database.read() as session:
            return self.wants_bot(session, inbound, context)

    def wants_bot(self, session: Session, inbound: Inbound, context: TurnContext) -> bool:
        conversation = session.get_one(Conversation, context.conversation_id)
        if inbound.ticket or self._orders.of(session, inbound, conversation):
            return False
        return conversation.mode == "bot"

    def _finish(
        self, session: Session, turn: Turn, inbound: Inbound, context: TurnContext, thought: Thought | None
    ) -> None:
        conversation = session.get_one(Conversation, context.conversation_id)
        before = (conversation.mode, conversation.held_by)
        order = self._orders.of(session, inbound, conversation)
        target: TicketRow | Reply | None = None
        number = inbound.ticket or (conversation.held_by if conversation.mode == "agent" else None)
        if order:
            target = self._orders.aim(session, context, order)
        elif number:
            # Its lock comes before the conversation's.
            lock(session, lifecycle.survivor(session, number))
        conversation = locked(session, context.conversation_id)
        if (conversation.mode, conversation.held_by) != before:
            raise _Moved
        if order:
            self._ordered(session, turn, inbound, context, order, target)
        elif number and not _has_filed(thought):
            self._to_ticket(session, turn, inbound, context, number)
        elif thought is None:
            raise BotWanted
        else:
            self._answered(session, turn, inbound, context, thought)
        turn.body = {**turn.body, **{name: mask(turn.body[name]) for name in ("text", "choice")}, "said": ""}
        turn.state = "done"

    def _hear(
        self, session: Session, turn: Turn, inbound: Inbound, context: TurnContext, number: str | None = None
    ) -> Message:
        heard = typed(inbound) or label_of(session, self._answering, context, inbound.choice)
        return say(
            session,
            context.conversation_id,
            "user",
            "text",
            heard,
            turn_id=turn.id,
            extras={
                "client_message_id": inbound.client_message_id,
                **({"choice": inbound.choice} if inbound.choice else {}),
                **({"number": number} if number else {}),
            },
        )

    def _say(self, session: Session, turn: Turn, context: TurnContext, reply: Reply) -> None:
        message = say(
            session,
            context.conversation_id,
            "bot",
            reply.type,
            reply.text,
            turn_id=turn.id,
            extras={**reply.extras, "options": [vars(option) for option in reply.options]},
        )
        if context.channel not in PULLED:
            deliver(session, message, key=f"message:{message.id}")

    def _ordered(
        self,
        session: Session,
        turn: Turn,
        inbound: Inbound,
        context: TurnContext,
        order: Order,
        target: TicketRow | Reply | None,
    ) -> None:
        if order.verb == "said" and isinstance(target, TicketRow):
            self._to_ticket(
                session, turn, inbound, context, target.number, Reply(f"已补充到工单 **{target.number}**。")
            )
            return
        self._hear(session, turn, inbound, context)
        told = target if isinstance(target, Reply) else self._orders.carry_out(session, context, order, target)
        if isinstance(told, Reply):
            self._say(session, turn, context, told)
        elif told.conversation_id == context.conversation_id:
            told.turn_id = turn.id
        turn.outcome = Outcome().to_dict()

    def _to_ticket(
        self,
        session: Session,
        turn: Turn,
        inbound: Inbound,
        context: TurnContext,
        number: str,
        done: Reply | None = None,
    ) -> None:
        """What is written joins the ticket; the bot is silent, but for `done`."""
        message = self._hear(session, turn, inbound, context, number)
        actor = employee(context.identity, context.conversation_id)
        try:
            with session.begin_nested():
                lifecycle.say_to_ticket(session, number, actor, message.text, inbound.attachments, message)
                if inbound.attachments:
                    files = [session.get_one(AttachmentRow, one).to_dict() for one in inbound.attachments]
                    message.body = {**message.body, "attachments": files}
            if done:
                self._say(session, turn, context, done)
        except FSSCError as error:
            self._say(session, turn, context, Reply(error.message))
        turn.outcome = Outcome().to_dict()

    def _answered(self, session: Session, turn: Turn, inbound: Inbound, context: TurnContext, thought: Thought) -> None:
        self._hear(session, turn, inbound, context)
        for reply, _ in thought.said:
            self._say(session, turn, context, reply)
        outcome = next((outcome for _, outcome in thought.said if outcome and outcome.band), None) or Outcome()
        turn.outcome = {**outcome.to_dict(), "question": mask(outcome.question)}
        turn.degraded, turn.took_ms = thought.degraded, thought.took_ms
        _raise_events(session, context, thought.said)


def typed(inbound: Inbound) -> str:
    """The employee's own words. Where they hold personal data, the normalized ones: only there is all of it recognized."""
    return inbound.said if inbound.said and mask(inbound.text) == inbound.text else inbound.text


def _has_filed(thought: Thought | None) -> bool:
    """A ticket that was filed on the way stands, and is told, whoever talks meanwhile."""
    return thought is not None and any(reply.type == "ticket" for reply, _ in thought.said)


def _raise_events(session: Session, context: TurnContext, said: Said) -> None:
    place = context.place
    for _, outcome in said:
        if outcome is None:
            continue
        if outcome.entry_id and outcome.band == Band.ANSWER:
            append_event(
                session,
                EntryAnswered(outcome.entry_id, context.conversation_id, today().isoformat(), place.page, place.node),
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
