"""The durable inbox: a message is stored before anything is done with it, and worked on by one process at a time."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.turns import Outcome, Place, TurnContext
from core.clock import now
from core.database import Database
from core.errors import Conflict
from core.identity import Identity
from core.transcript import Conversation, Message, Turn, conversation_of, open_conversation

CLAIM = timedelta(seconds=20)
_NOBODY = "anonymous"
_STORE = {
    name: insert(Turn.__table__)
    .on_conflict_do_nothing(index_elements=["owner", "client_message_id"])
    .returning(Turn.__table__.c.id)
    for name, insert in (("postgresql", postgres_insert), ("sqlite", sqlite_insert))
}


@dataclass(frozen=True)
class Inbound:
    """One message as a channel hands it over: `text` is normalized, `said` is how it was typed; one of `text` and `choice`
    is set. `ticket` is the one that the words are for, where they are not for whoever talks; `attachments` are its ids;
    `thread` is the group chat it was said in."""

    channel: str
    identity: Identity
    client_message_id: str
    place: Place
    conversation_id: str | None = None
    text: str = ""
    choice: str = ""
    said: str = ""
    ticket: str = ""
    attachments: tuple[str, ...] = ()
    thread: str = ""


@dataclass(frozen=True)
class TurnResult:
    conversation_id: str
    messages: list[dict[str, Any]]
    outcome: dict[str, Any]


class Inbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, inbound: Inbound) -> tuple[str, str]:
        """Store `inbound`, or find it stored; the ids of its turn and conversation.

        Raises NotFound for another person's conversation, Conflict for an id that was used for another message.
        """
        owner, fingerprint = _owner(inbound), _fingerprint(inbound)
        known = self._known(owner, inbound.client_message_id, fingerprint)
        if known is None and owner == inbound.conversation_id:
            # An anonymous visitor's first message, sent again with the conversation that it has since opened.
            first = self._known(_NOBODY, inbound.client_message_id, fingerprint)
            known = first if first and first[1] == inbound.conversation_id else None
        if known:
            return known
        try:
            with self._database.write() as session:
                if inbound.conversation_id:
                    conversation = conversation_of(session, inbound.conversation_id, inbound.identity)
                    conversation.identity = inbound.identity.to_dict()
                else:
                    conversation = open_conversation(session, inbound.channel, inbound.identity, inbound.thread)
                conversation.last_at = now()
                turn = Turn(
                    id=str(uuid.uuid4()),
                    conversation_id=conversation.id,
                    owner=owner,
                    client_message_id=inbound.client_message_id,
                    fingerprint=fingerprint,
                    body=_body(inbound),
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

    def begin(self, session: Session, inbound: Inbound) -> TurnContext | None:
        """Store and claim a message of a known conversation, in the caller's transaction; None where it was stored before.

        Raises NotFound for another person's conversation.
        """
        conversation = conversation_of(session, inbound.conversation_id or "", inbound.identity)
        conversation.identity = inbound.identity.to_dict()
        connection = session.connection()
        moment = now()
        turn = {
            "id": str(uuid.uuid4()), "conversation_id": conversation.id, "owner": _owner(inbound),
            "client_message_id": inbound.client_message_id, "fingerprint": _fingerprint(inbound), "body": _body(inbound),
            "state": "claimed", "claimed_until": moment + CLAIM, "degraded": False, "at": moment,
        }  # fmt: skip
        if connection.execute(_STORE[connection.dialect.name], turn).scalar() is None:
            return None
        return TurnContext(conversation.id, turn["id"], conversation.channel, inbound.identity, inbound.place)

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

    def claim(self, turn_id: str) -> bool:
        """True for the one process that may work on the turn for the next `CLAIM`."""
        with self._database.write() as session:
            claimed = session.execute(
                update(Turn)
                .where(
                    Turn.id == turn_id,
                    or_(Turn.state == "accepted", (Turn.state == "claimed") & (Turn.claimed_until < now())),
                )
                .values(state="claimed", claimed_until=now() + CLAIM)
            )
            return claimed.rowcount == 1

    def abandoned(self, limit: int) -> list[tuple[str, str]]:
        """Turns whose claim ran out, or that nobody claimed within the time of one claim."""
        with self._database.read() as session:
            rows = session.execute(
                select(Turn.id, Turn.conversation_id)
                .where(
                    or_(
                        (Turn.state == "accepted") & (Turn.at < now() - CLAIM),
                        (Turn.state == "claimed") & (Turn.claimed_until < now()),
                    )
                )
                .order_by(Turn.at)
                .limit(limit)
            )
            return [(row.id, row.conversation_id) for row in rows]

    def stored(self, turn_id: str) -> TurnResult | None:
        """What a finished turn came to; None while it is being worked on."""
        with self._database.read() as session:
            turn = session.get_one(Turn, turn_id)
            return result_of(session, turn) if turn.state == "done" else None

    def load(self, turn_id: str) -> tuple[Inbound, TurnContext]:
        """A stored message as it came in, and the context in which it is answered."""
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
                said=turn.body["said"],
                ticket=turn.body.get("ticket", ""),
                attachments=tuple(turn.body.get("attachments", ())),
                thread=conversation.thread,
            )
            return inbound, TurnContext(conversation.id, turn.id, conversation.channel, identity, place)


def _owner(inbound: Inbound) -> str:
    return inbound.identity.employee_no or inbound.conversation_id or _NOBODY


def _fingerprint(inbound: Inbound) -> str:
    meant = [inbound.text, inbound.choice]
    if inbound.ticket:
        meant += [inbound.ticket, *inbound.attachments]
    return hashlib.sha256(json.dumps(meant, ensure_ascii=False).encode()).hexdigest()


def _body(inbound: Inbound) -> dict[str, Any]:
    return {
        "text": inbound.text,
        "choice": inbound.choice,
        "said": inbound.said,
        "ticket": inbound.ticket,
        "attachments": list(inbound.attachments),
        "place": vars(inbound.place),
    }


def result_of(session: Session, turn: Turn, *, told: bool = True) -> TurnResult:
    """The bot's messages of a finished turn, unless nobody is to be `told`, and its outcome."""
    said = select(Message).where(Message.turn_id == turn.id, Message.sender == "bot").order_by(Message.seq)
    rows = session.scalars(said) if told else ()
    outcome = Outcome.from_dict(turn.outcome or {}).public()
    return TurnResult(turn.conversation_id, [row.to_dict() for row in rows], outcome)
