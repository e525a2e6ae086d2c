"""Small numbers for places and persons, kept for good."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from service.insight.store import OriginRow, PersonRow

_CHUNK = 500

Place = tuple[str, str, str, str]


class Names:
    """The numbers of origins and persons in one transaction; what has none yet gets one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        postgres = session.get_bind().dialect.name == "postgresql"
        self._insert = postgres_insert if postgres else sqlite_insert
        columns = (OriginRow.company, OriginRow.department, OriginRow.channel, OriginRow.page)
        self._origins = {tuple(row[1:]): row[0] for row in session.execute(select(OriginRow.id, *columns))}

    def origins(self, places: Iterable[Place]) -> dict[Place, int]:
        """The number of each of `places`: company, department, channel, page."""
        keys = {place: (place[0][:100], place[1][:100], place[2], place[3][:100]) for place in places}
        if new := sorted(set(keys.values()) - self._origins.keys()):
            rows = [OriginRow(company=key[0], department=key[1], channel=key[2], page=key[3]) for key in new]
            self._session.add_all(rows)
            self._session.flush()
            self._origins |= {key: row.id for key, row in zip(new, rows, strict=True)}
        return {place: self._origins[key] for place, key in keys.items()}

    def persons(self, keys: Iterable[str]) -> dict[str, int]:
        """The number of each of `keys`."""
        wanted, found = sorted(keys), {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            known = self._known(chunk)
            if new := [{"key": key} for key in chunk if key not in known]:
                self._session.execute(self._insert(PersonRow).on_conflict_do_nothing(index_elements=["key"]), new)
                known = self._known(chunk)
            found.update(known)
        return found

    def _known(self, keys: list[str]) -> dict[str, int]:
        rows = self._session.execute(select(PersonRow.key, PersonRow.id).where(PersonRow.key.in_(keys)))
        return dict(rows.all())
