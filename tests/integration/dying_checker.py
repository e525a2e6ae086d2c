"""`python -m tests.integration.dying_checker URL MOMENT BATCH [POINT]`: checks clocks until nothing is due; with POINT the process is
killed in its second batch: after it `claimed`, `advanced` or was `told`."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from typing import Any

from core.database import Database
from handoff.clocks import checking

POINTS = {"claimed": "_claim", "advanced": "_step", "told": "tell"}


def killed_after(function: Any) -> Any:
    calls = 0

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = function(*args, **kwargs)
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


if __name__ == "__main__":
    url, moment, batch, *point = sys.argv[1:]
    if point:
        setattr(checking, POINTS[point[0]], killed_after(getattr(checking, POINTS[point[0]])))
    checking.check(Database(url), datetime.fromisoformat(moment), batch=int(batch))
