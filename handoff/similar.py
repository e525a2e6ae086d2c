"""Solved tickets that are like a new one: what a colleague answered then may answer it now."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.text import normalize
from handoff.actors import Actor
from handoff.permissions import visible
from handoff.search import grams_of
from handoff.tickets import Status, TicketRow

_LOOKED_AT = 600
"""The newest solved tickets of the same business: old solutions rest on old rules."""
_LEAST = 0.12


@dataclass(frozen=True)
class Similar:
    number: str
    description: str
    resolution: str
    likeness: float


def similar_solved(session: Session, actor: Actor, ticket: TicketRow, most: int = 5) -> list[Similar]:
    """The solved tickets most like `ticket` that `actor` may read, best first; `likeness` in [0, 1] weighs rare pieces."""
    rows = session.execute(
        select(TicketRow.number, TicketRow.description, TicketRow.resolution)
        .where(
            TicketRow.status.in_((Status.RESOLVED, Status.CLOSED)),
            TicketRow.business_type == ticket.business_type,
            TicketRow.resolution != "",
            TicketRow.number != ticket.number,
            visible(actor),
        )
        .order_by(TicketRow.created_at.desc(), TicketRow.number.desc())
        .limit(_LOOKED_AT)
    ).all()
    asked = _pieces(ticket.description)
    others = [(row, _pieces(row.description)) for row in rows]
    common = Counter(piece for _, pieces in others for piece in pieces & asked)
    weight = {piece: math.log(1 + (len(others) + 1) / (common[piece] + 0.5)) for piece in asked}
    whole = sum(weight.values())
    if whole <= 0:
        return []
    scored = []
    for row, pieces in others:
        shared = sum(weight[piece] for piece in pieces & asked)
        likeness = shared / whole * min(1.0, math.sqrt(len(asked) / max(len(pieces), 1)))
        if likeness >= _LEAST:
            scored.append(Similar(row.number, row.description, row.resolution, round(min(likeness, 1.0), 3)))
    return sorted(scored, key=lambda one: -one.likeness)[:most]


def _pieces(description: str) -> set[str]:
    return {piece for piece in grams_of(normalize(description).lower()) if any(c.isalnum() for c in piece)}
