"""Which tickets a request asks for: the same filters for the queue, its saved views and the workbook."""

from __future__ import annotations

from inspect import signature
from typing import Annotated

from fastapi import Depends, Query

from handoff.queue import Asked
from service.api.deps import Filter


def asked(
    view: Filter = "all",
    status: Filter = "",
    urgency: Filter = "",
    business_type: Filter = "",
    group: Filter = "",
    assignee: Filter = "",
    tier: Filter = "",
    vip: bool = False,
    emergency: bool = False,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Filter = "",
) -> Asked:
    """A filter may hold several values, separated by commas, and `-` for nobody."""
    several = (status, urgency, business_type, group, assignee, tier)
    return Asked(view, *(tuple(filter(None, one.split(","))) for one in several), vip, emergency, q, sort)


AskedDep = Annotated[Asked, Depends(asked)]
FILTERS = tuple(signature(asked).parameters)
