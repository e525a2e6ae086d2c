"""What curation needs to know of tickets; the desk is another room, so whoever wires them hands this over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Answer:
    """What an agent told the requester; `resolution` where it settled the ticket. `agent` is a username."""

    agent: str
    name: str
    text: str
    resolution: bool
    at: datetime


@dataclass(frozen=True)
class TicketFacts:
    """`minutes` are those that people of the desk spent on it; `rating` is 1 to 5, if it was rated."""

    number: str
    status: str
    business_type: str
    minutes: float
    rating: int | None
    answers: tuple[Answer, ...]


class Tickets(Protocol):
    def facts(self, session: Session, numbers: Iterable[str]) -> dict[str, TicketFacts]:
        """By number; one that does not exist is left out."""
        ...


class NoTickets:
    """Where there is no desk."""

    def facts(self, session: Session, numbers: Iterable[str]) -> dict[str, TicketFacts]:
        return {}
