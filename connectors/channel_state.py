"""How a channel is doing: when something last came and went, what failed, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.arrivals import ArrivalRow
from core.outbox import DeliveryRow, DeliveryState

_LATELY = timedelta(days=7)


@dataclass(frozen=True)
class ChannelState:
    """`failed_in` and `failed_out` count what was given up, or may not have arrived, within the last seven days."""

    last_in: datetime | None
    last_out: datetime | None
    waiting_in: int
    waiting_out: int
    failed_in: int
    failed_out: int
    last_error: str


def state_of(session: Session, name: str, moment: datetime) -> ChannelState:
    """Of the channel with this name, as it stands at `moment`."""
    arrived = select(ArrivalRow.at).where(ArrivalRow.channel == name)
    gone = select(DeliveryRow.delivered_at).where(
        DeliveryRow.channel == name, DeliveryRow.state == DeliveryState.DELIVERED
    )
    lately = moment - _LATELY
    coming = {
        state: number
        for state, number in session.execute(
            select(ArrivalRow.state, func.count())
            .where(ArrivalRow.channel == name, ArrivalRow.state != "done", ArrivalRow.at > lately)
            .group_by(ArrivalRow.state)
        )
    }
    going = {
        state: number
        for state, number in session.execute(
            select(DeliveryRow.state, func.count())
            .where(DeliveryRow.channel == name, DeliveryRow.state != DeliveryState.DELIVERED, DeliveryRow.at > lately)
            .group_by(DeliveryRow.state)
        )
    }
    error = session.scalars(
        select(DeliveryRow.error)
        .where(DeliveryRow.channel == name, DeliveryRow.at > lately, DeliveryRow.error.is_not(None))
        .order_by(DeliveryRow.id.desc())
        .limit(1)
    ).first()
    return ChannelState(
        last_in=session.scalars(arrived.order_by(ArrivalRow.id.desc()).limit(1)).first(),
        last_out=session.scalars(gone.order_by(DeliveryRow.id.desc()).limit(1)).first(),
        waiting_in=coming.get("waiting", 0) + coming.get("claimed", 0),
        waiting_out=going.get(DeliveryState.WAITING, 0) + going.get(DeliveryState.SENDING, 0),
        failed_in=coming.get("failed", 0),
        failed_out=going.get(DeliveryState.DEAD, 0) + going.get(DeliveryState.UNSURE, 0),
        last_error=error or "",
    )
