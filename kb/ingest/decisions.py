"""What a person decides about the rows that collide, and how many are still to be decided."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from kb.ingest.imports import ImportRow, LineRow

RESOLUTIONS = ("merge", "overwrite", "skip", "create")
ACTIONS = ("create", "update", "same", "collide", "invalid")


def count_actions(session: Session, import_id: str) -> dict[str, int]:
    """How many rows there are by what would become of them; `open` collisions wait for a person."""
    query = (
        select(LineRow.action, LineRow.resolution.is_(None), func.count())
        .where(LineRow.import_id == import_id)
        .group_by(LineRow.action, LineRow.resolution.is_(None))
    )
    counts = dict.fromkeys(("rows", *ACTIONS, "open"), 0)
    for action, undecided, count in session.execute(query):
        counts[action] += count
        counts["rows"] += count
        if action == "collide" and undecided:
            counts["open"] += count
    return counts


def resolve(session: Session, row: ImportRow, n: int, resolution: str) -> None:
    """Decide one collision. Raises NotFound when the row is not one that collides."""
    if not _set(session, row, resolution, LineRow.n == n):
        raise NotFound("这一行没有冲突，不用选择。")


def resolve_open(session: Session, row: ImportRow, resolution: str) -> int:
    """Decide every collision that is still open; return how many. Overwriting leaves those open by which an audience would
    change, and creating those that name their own entry: nobody opens an entry, takes it away or doubles it without having
    looked at the row."""
    which = LineRow.resolution.is_(None)
    if resolution == "overwrite":
        which &= func.coalesce(LineRow.body["reach"].as_string(), "") == ""
    if resolution == "create":
        which &= func.coalesce(LineRow.other_id, "") != LineRow.entry_id
    return _set(session, row, resolution, which)


def _set(session: Session, row: ImportRow, resolution: str, which: Any) -> int:
    if resolution not in RESOLUTIONS:
        raise InvalidInput("处理方式只能是合并（merge）、覆盖（overwrite）、跳过（skip）或新建（create）。")
    done = session.execute(
        update(LineRow)
        .where(LineRow.import_id == row.id, LineRow.action == "collide", which)
        .values(resolution=resolution)
    )
    row.counts = count_actions(session, row.id)
    return done.rowcount
