"""What was approved since a release was made, as far as it takes something away: a tighter audience, an earlier end, the
retirement of an entry. Read from the database again and again, only what is new; see decision 6."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.entries import Entry
from kb.passages import passages_of, reach_of
from kb.policies import policies_to_publish
from kb.release.contents import Contents
from kb.release.releases import ReleaseMoveRow, ReleaseRow
from kb.store import DocumentRow, EntryRow, documents, entry_from_dict
from kb.visibility import Limits

_LATE = timedelta(seconds=60)
"""So much later than it says may a change be seen: clocks differ, and a transaction takes its time."""
_AT_ONCE = 500


class Narrowing:
    """The limits of one release. One thread at a time."""

    def __init__(self, row: ReleaseRow, contents: Contents) -> None:
        self._release = row.number
        self._contents = contents
        self._version = {item.id: item.version for item in contents.items}
        self._live: dict[str, Entry | None] = {}
        self._newest: datetime | None = None
        self._policies: dict[str, datetime] | None = None
        self.limits = Limits()

    def read(self, session: Session) -> bool:
        """Take up what is new; return whether the limits are others now."""
        found = self._entries(session) | self._passages(session)
        changed = False
        for entry_id, entry in found.items():
            published = self._contents.get(entry_id)
            if published is None:
                continue
            before = self._live.pop(entry_id, published)
            if entry is None or not _as_wide(entry, published):
                self._live[entry_id] = entry
            changed |= before is not self._live.get(entry_id, published)
        if changed:
            self.limits = Limits(self._live)
        return changed

    def _entries(self, session: Session) -> dict[str, Entry | None]:
        query = select(EntryRow.id, EntryRow.version, EntryRow.deleted, EntryRow.updated_at)
        if self._newest is not None:
            query = query.where(EntryRow.updated_at > self._newest - _LATE)
        rows = session.execute(query).all()
        if not rows:
            return {}
        self._newest = max([row.updated_at for row in rows] + ([self._newest] if self._newest else []))
        new = [row for row in rows if self._version.get(row.id, row.version) < row.version]
        self._version.update((row.id, row.version) for row in new)
        retired = [row for row in new if row.deleted]
        since = self._brought_back(session) if retired else None
        found: dict[str, Entry | None] = {row.id: None for row in retired if since is None or row.updated_at > since}
        bodies = _bodies(session, [row.id for row in new if row.id not in found])
        return found | {entry_id: entry_from_dict(body) for entry_id, body in bodies.items()}

    def _brought_back(self, session: Session) -> datetime | None:
        """When a publisher went back to this release, knowing what it holds: what was retired before that is shown again."""
        move = session.scalar(select(ReleaseMoveRow).order_by(ReleaseMoveRow.id.desc()).limit(1))
        return move.at if move and move.number == self._release and move.kind == "rollback" else None

    def _passages(self, session: Session) -> Mapping[str, Entry | None]:
        """Every published passage as its policy is by now, whether or not its article is still there; None without a policy."""
        query = select(DocumentRow.id, DocumentRow.updated_at).where(DocumentRow.kind == "policy")
        policies = {policy_id: at for policy_id, at in session.execute(query)}
        if policies == self._policies:
            return {}
        self._policies = policies
        published = policies_to_publish(session)
        live = {one.id: one for policy in published for one in passages_of(policy)}
        # Of several versions the one in force comes last.
        reaches = {policy["id"]: reach_of(policy) for policy in (*documents(session, "policy"), *published)}
        found: dict[str, Entry | None] = {}
        for entry in self._contents.entries:
            policy_id = entry.sources[0].policy if entry.is_passage and entry.sources else None
            if policy_id:
                reach = reaches.get(policy_id)
                found[entry.id] = live.get(entry.id) or (replace(entry, **reach) if reach else None)
        return found


def _as_wide(entry: Entry, published: Entry) -> bool:
    """Whether whoever may see what was published may see it still."""
    return (
        entry.audience == published.audience
        and (entry.effective_from or date.min) <= (published.effective_from or date.min)
        and (entry.effective_to or date.max) >= (published.effective_to or date.max)
    )


def _bodies(session: Session, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    chunks: Iterable[Sequence[str]] = (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
    return {
        entry_id: body
        for some in chunks
        for entry_id, body in session.execute(select(EntryRow.id, EntryRow.body).where(EntryRow.id.in_(some)))
    }
