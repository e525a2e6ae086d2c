"""What quality does by itself as time goes by. Any number of schedulers may call it at once."""

from __future__ import annotations

from datetime import datetime

from core.clock import now
from core.database import Database
from handoff.quality import reviews, satisfaction, surveys
from handoff.quality.sampling import draw_due, to_draw


def keep(database: Database, moment: datetime | None = None) -> dict[str, int]:
    """Remind, expire, send, tell and draw what is due at `moment`; how many of each."""
    moment = moment or now()
    with database.read() as session:
        to_remind, to_send = satisfaction.to_remind(session, moment), surveys.to_send(session, moment)
    done = {"reminded": 0, "sent": 0}
    for satisfaction_id in to_remind:
        with database.write() as session:
            done["reminded"] += satisfaction.remind(session, satisfaction_id, moment)
    for token in to_send:
        with database.write() as session:
            done["sent"] += surveys.send(session, token, moment)
    with database.write() as session:
        done["expired"] = satisfaction.expire_due(session, moment)
        done["closed"] = surveys.close_due(session, moment)
    with database.write() as session:
        done["overdue"] = reviews.tell_overdue(session, moment)
    with database.write() as session:
        done["drawn"] = draw_due(session, moment)
    return done


def waiting(database: Database, moment: datetime | None = None) -> bool:
    """Whether anything is due at `moment`."""
    moment = moment or now()
    with database.read() as session:
        return bool(
            satisfaction.to_remind(session, moment, 1)
            or surveys.to_send(session, moment, 1)
            or satisfaction.any_over(session, moment)
            or surveys.any_over(session, moment)
            or reviews.any_overdue(session, moment)
            or to_draw(session, moment)
        )
