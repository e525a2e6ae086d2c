"""Who may see what on which day: of a release's entries as they were published, and of those that were narrowed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from kb.entries import Audience, Entry, Viewer

Key = tuple[date, tuple[bool, ...]]


class Visibility:
    """Immutable. The audience and the validity of some entries, answered for all of them at once."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._audiences = list({entry.audience for entry in entries})
        number = {audience: i for i, audience in enumerate(self._audiences)}
        self._audience = np.array([number[entry.audience] for entry in entries], np.int32)
        self._from = np.array([(entry.effective_from or date.min).toordinal() for entry in entries], np.int32)
        self._to = np.array([(entry.effective_to or date.max).toordinal() for entry in entries], np.int32)

    def key(self, viewer: Viewer, today: date) -> Key:
        """The same for viewers who may see the same."""
        return today, tuple(viewer.may_see(audience) for audience in self._audiences)

    def of(self, key: Key) -> np.ndarray:
        """Which entries are to be seen: (entries,) bool."""
        today, may_see = key
        day = today.toordinal()
        return (self._from <= day) & (day <= self._to) & np.array(may_see, bool)[self._audience]


class Limits:
    """What was decided after a release was made and takes effect before the next one: it only takes away.

    `live` are entries of the release, by id, as they are by now; None where one was retired.
    """

    def __init__(self, live: Mapping[str, Entry | None] | None = None) -> None:
        self._live = dict(live or {})
        self._ids = list(self._live)
        self._retired = np.array([entry is None for entry in self._live.values()], bool)
        self._visibility = Visibility([entry or Entry("", "") for entry in self._live.values()])

    def __len__(self) -> int:
        return len(self._ids)

    def audience(self, entry_id: str) -> Audience | None:
        """Whom it is for by now; None where nothing was decided about that."""
        entry = self._live.get(entry_id)
        return entry.audience if entry else None

    def closed(self, viewer: Viewer, today: date) -> list[str]:
        """The ids of the entries that this viewer may not see any more."""
        if not self._ids:
            return []
        hidden = self._retired | ~self._visibility.of(self._visibility.key(viewer, today))
        return [self._ids[place] for place in np.flatnonzero(hidden).tolist()]

    def closes(self, entry_id: str, viewer: Viewer, today: date) -> bool:
        """Whether this viewer may not see this entry any more."""
        if entry_id not in self._live:
            return False
        entry = self._live[entry_id]
        return entry is None or not entry.visible_to(viewer, today)
