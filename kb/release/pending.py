"""What the next release would change, by versions alone: at hand at once, before anything is prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.release.contents import FrozenEntryRow, Item, digest_of, live_passages, unpack
from kb.release.releases import current_number, release_of
from kb.store import EntryRow

MOST_LISTED = 500


def pending(session: Session) -> dict[str, Any]:
    """`{base, counts, changes: {added, changed, removed: [{id, question}]}}` against the release that serves; each list holds
    the first `MOST_LISTED`."""
    number = current_number(session)
    row = release_of(session, number) if number is not None else None
    before = {item.id: item for item in unpack(row.contents)} if row else {}
    added, changed = [], []
    query = select(EntryRow.id, EntryRow.version, EntryRow.question).where(EntryRow.deleted.is_(False))
    live = [(entry_id, version, None, question) for entry_id, version, question in session.execute(query)]
    live += [(one.id, 0, digest_of(one), one.title) for one in live_passages(session)]
    for entry_id, version, digest, question in sorted(live, key=lambda one: one[0]):
        item = before.pop(entry_id, None)
        name = {"id": entry_id, "question": question}
        if item is None:
            added.append(name)
        elif item.version != version or digest not in (None, item.digest):
            changed.append(name)
    gone = sorted(before.values())
    return {
        "base": number,
        "counts": {"added": len(added), "changed": len(changed), "removed": len(gone)},
        "changes": {
            "added": added[:MOST_LISTED],
            "changed": changed[:MOST_LISTED],
            "removed": _named(session, gone[:MOST_LISTED]),
        },
    }


def _named(session: Session, items: Sequence[Item]) -> list[dict[str, str]]:
    rows = session.execute(
        select(FrozenEntryRow.digest, FrozenEntryRow.body).where(
            FrozenEntryRow.digest.in_([item.digest for item in items])
        )
    )
    headings = {digest: body.get("question") or body.get("title") or "" for digest, body in rows}
    return [{"id": item.id, "question": headings.get(item.digest, item.id)} for item in items]
