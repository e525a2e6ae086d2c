"""`python -m tests.integration.dying_caller URL MOMENT [POINT]`: climbs emergency calls that are due; with POINT the process is killed
with its third: when the call was `let_in`, `noticed`, or right before it `commits`."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from core.database import Database
from handoff import lifecycle  # noqa: F401  the tables that a ticket refers to
from handoff.routing import emergency

POINTS = {"let_in": "_let_in", "noticed": "notify"}
COMMITS = "commits"
THIRD = 3


def killed_after(function: Any) -> Any:
    calls = 0

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = function(*args, **kwargs)
        calls += 1
        if calls == THIRD:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


if __name__ == "__main__":
    url, moment, *point = sys.argv[1:]
    if point and point[0] == COMMITS:
        # After everything else that runs before a commit, the audit log's entries among it.
        event.listen(Session, "before_commit", killed_after(lambda session: session.flush()))
    elif point:
        setattr(emergency, POINTS[point[0]], killed_after(getattr(emergency, POINTS[point[0]])))
    emergency.climb_due(Database(url), datetime.fromisoformat(moment))
