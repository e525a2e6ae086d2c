"""The durable outbox: what is said to an employee, kept in the transaction that says it until their channel has it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.transcript import Message


def deliver(session: Session, message: Message, *, key: str) -> None:
    """Have `message` brought to its conversation's channel; the same `key` is delivered once."""
