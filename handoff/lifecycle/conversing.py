"""What a person of the desk says to the requester."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.outbox import deliver
from core.transcript import Message, say
from handoff.actors import Actor
from handoff.talk import NOBODY
from handoff.tickets import TicketRow


def speak(
    session: Session, ticket: TicketRow, actor: Actor, text: str, files: Sequence[dict[str, Any]] = (), *, key: str
) -> Message:
    """Say `text` in the conversation that the ticket came from, and have it brought to the requester."""
    message = say(
        session,
        ticket.conversation_id,
        "agent",
        "text",
        text,
        extras={"number": ticket.number, "agent_name": actor.name or NOBODY, "attachments": list(files)},
    )
    deliver(session, message, key=key)
    return message
