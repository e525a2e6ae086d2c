"""What a release holds: its entries by version and digest. A body is stored once, however many releases hold it."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Json
from kb.entries import Entry
from kb.passages import passages_of
from kb.policies import policies_to_publish
from kb.release.keeping import keep
from kb.store import EntryRow, entry_from_dict, entry_to_dict

_AT_ONCE = 500


class FrozenEntryRow(Base):
    """The body of an entry or a passage, by its own digest: nothing that a release holds can change under it."""

    __tablename__ = "kb_frozen_entry"

    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class Item(NamedTuple):
    """One entry of a release. `version` is 0 for a passage, which has none of its own."""

    id: str
    version: int
    digest: str


@dataclass(frozen=True)
class Contents:
    """The entries of a release in its order, and what tells them from those of another one."""

    items: tuple[Item, ...]
    entries: tuple[Entry, ...]
    by_id: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {item.id: place for place, item in enumerate(self.items)})

    def pack(self) -> bytes:
        """As stored with a release; `load` reads it."""
        return zlib.compress(json.dumps(self.items, ensure_ascii=False, separators=(",", ":")).encode(), 1)

    def get(self, entry_id: str) -> Entry | None:
        place = self.by_id.get(entry_id)
        return None if place is None else self.entries[place]


EMPTY = Contents((), ())


@dataclass(frozen=True)
class Changes:
    """Entries that came, became different and went, from one release to another."""

    added: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]
    removed: tuple[Entry, ...]

    @property
    def counts(self) -> dict[str, int]:
        return {"added": len(self.added), "changed": len(self.changed), "removed": len(self.removed)}

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


def changes_between(before: Contents, after: Contents) -> Changes:
    """What `after` holds that `before` did not, and the other way round; `changed` are (before, after)."""
    known = {item.id: item.digest for item in before.items}
    added, changed = [], []
    for item, entry in zip(after.items, after.entries, strict=True):
        digest = known.pop(item.id, None)
        if digest is None:
            added.append(entry)
        elif digest != item.digest:
            changed.append((before.entries[before.by_id[item.id]], entry))
    return Changes(tuple(added), tuple(changed), tuple(before.entries[before.by_id[entry_id]] for entry_id in known))


def different(before: Sequence[Item], after: Sequence[Item]) -> int:
    """How many entries came, changed or went."""
    old = {item.id: item.digest for item in before}
    new = {item.id: item.digest for item in after}
    return sum(old.get(entry_id) != digest for entry_id, digest in new.items()) + len(old.keys() - new.keys())


def live_contents(session: Session, base: Contents = EMPTY) -> Contents:
    """What a release made now would hold: every live entry by id, then the passages of the policies in force.

    Reads only the bodies that `base` does not know: a version of an entry never changes.
    """
    query = select(EntryRow.id, EntryRow.version).where(EntryRow.deleted.is_(False)).order_by(EntryRow.id)
    versions = [(entry_id, version) for entry_id, version in session.execute(query)]
    places = base.by_id
    new = [
        entry_id
        for entry_id, version in versions
        if (place := places.get(entry_id)) is None or base.items[place].version != version
    ]
    bodies: dict[str, dict[str, Any]] = {}
    for some in _chunks(new):
        rows = session.execute(select(EntryRow.id, EntryRow.body).where(EntryRow.id.in_(some)))
        bodies.update((entry_id, body) for entry_id, body in rows)
    items, entries = [], []
    for entry_id, _ in versions:
        if entry_id in bodies:
            entry = entry_from_dict(bodies[entry_id])
            items.append(Item(entry_id, entry.version, digest_of(entry)))
        else:
            entry = base.entries[places[entry_id]]
            items.append(base.items[places[entry_id]])
        entries.append(entry)
    for passage in live_passages(session):
        digest = digest_of(passage)
        place = places.get(passage.id)
        known = place is not None and base.items[place].digest == digest
        items.append(Item(passage.id, 0, digest))
        entries.append(base.entries[place] if known and place is not None else passage)
    return Contents(tuple(items), tuple(entries))


def freeze(session: Session, contents: Contents, base: Contents = EMPTY) -> None:
    """Store the bodies that no release has held before. A body that two publishers store at once is the same."""
    known = {item.digest for item in base.items}
    new = {
        item.digest: entry
        for item, entry in zip(contents.items, contents.entries, strict=True)
        if item.digest not in known
    }
    for some in _chunks(list(new)):
        stored = set(session.scalars(select(FrozenEntryRow.digest).where(FrozenEntryRow.digest.in_(some))))
        rows = [{"digest": digest, "body": entry_to_dict(new[digest])} for digest in some if digest not in stored]
        keep(session, FrozenEntryRow, rows)


def unpack(packed: bytes) -> tuple[Item, ...]:
    return tuple(Item(*item) for item in json.loads(zlib.decompress(packed)))


def load(session: Session, packed: bytes, known: Contents = EMPTY) -> Contents:
    """The contents of a release; entries that `known` holds too are the very same objects. KeyError when one is lost."""
    items = unpack(packed)
    have = {item.digest: entry for item, entry in zip(known.items, known.entries, strict=True)}
    for some in _chunks([item.digest for item in items if item.digest not in have]):
        query = select(FrozenEntryRow.digest, FrozenEntryRow.body).where(FrozenEntryRow.digest.in_(some))
        have.update((digest, entry_from_dict(body)) for digest, body in session.execute(query))
    return Contents(items, tuple(have[item.digest] for item in items))


def digest_of(entry: Entry) -> str:
    made = json.dumps(entry_to_dict(entry), ensure_ascii=False, sort_keys=True)
    return hashlib.blake2b(made.encode(), digest_size=16).hexdigest()


def live_passages(session: Session) -> list[Entry]:
    """Those of the policies in force and to come."""
    return [passage for policy in policies_to_publish(session) for passage in passages_of(policy)]


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
