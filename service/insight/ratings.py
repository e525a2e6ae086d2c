"""What requesters thought, by the day on which they said so: a rating counts whatever became of its ticket later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, literal_column

from handoff.quality.satisfaction import SatisfactionRow as Rating
from service.insight.asking import Filter, narrowed
from service.insight.calendar import midnight
from service.insight.store import TicketFactRow as Fact

COUNTS = {"rated": func.count(Rating.score), "scored": func.coalesce(func.sum(Rating.score), 0)}

GROUP = func.coalesce(Rating.group_id, literal_column("''")).label("group_id")
"""The group that had the ticket when it was resolved; it may have gone to another one since."""


def given(query: Select[Any], asked: Filter) -> Select[Any]:
    """`query`, over the ratings that were given in the period to tickets within the filters."""
    start, end = midnight(asked.since), midnight(asked.until + timedelta(days=1))
    return query.join_from(Rating, Fact, Fact.number == Rating.ticket).where(
        Rating.state == "rated",
        Rating.rated_at >= start,
        Rating.rated_at < end,
        # Nobody rates after a question has expired: the index by that time leaves out what is older than the period.
        Rating.expires_at >= start,
        *narrowed(Fact, Fact.filed_day, asked)[2:],
    )
