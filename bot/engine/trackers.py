"""Where conversations are kept: in Redis, or in memory; bounded in size and in time either way."""

from __future__ import annotations

import json
import time
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, SESSION_START_METADATA_SLOT
from rasa.shared.core.conversation import Dialogue
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.engine.compaction import compact

# As long as a session in bot/domain.yml: after a day of silence a conversation starts anew, and nothing of it is kept here.
EXPIRES_S = 24 * 3600
KEY = "fssc:tracker:"
# Redis on the same machine or network answers in milliseconds; one that does not must not hold every conversation up.
SOCKET_TIMEOUT_S = 5.0


def tracker_store(redis_url: str | None) -> TrackerStore:
    """The store for `redis_url`; in memory without one."""
    return RedisTrackers(redis_url) if redis_url else MemoryTrackers()


class BoundedTrackers(TrackerStore):
    """What both stores share: what is written of a conversation, and how it is read back.

    A record is JSON in the shape of Rasa's own stores, less what only the turn of a message needs: who sent it and from where
    (its metadata), and the details of the language analysis.
    """

    def __init__(self) -> None:
        super().__init__(domain=None)

    async def save(self, tracker: DialogueStateTracker) -> None:
        await self.stream_events(tracker)
        record = {
            "name": tracker.sender_id,
            "events": [slim(event) for event in compact(tracker) if not of_its_turn(event)],
        }
        self._write(tracker.sender_id, json.dumps(record, ensure_ascii=False, separators=(",", ":")))

    async def create_tracker(self, sender_id: str, append_action_listen: bool = True) -> DialogueStateTracker:
        """A new tracker, not yet written: the turn that asked for it writes it when it ends."""
        tracker = self.init_tracker(sender_id)
        if append_action_listen:
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
        return tracker

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        stored = self._read(sender_id)
        if stored is None:
            return None
        tracker = self.init_tracker(sender_id)
        tracker.recreate_from_dialogue(Dialogue.from_parameters(json.loads(stored)))
        return tracker

    async def exists(self, conversation_id: str) -> bool:
        return self._read(conversation_id) is not None

    # Where the record lies is the one thing that the two stores below do not share.
    def _read(self, sender_id: str) -> str | bytes | None:
        raise NotImplementedError

    def _write(self, sender_id: str, record: str) -> None:
        raise NotImplementedError


class MemoryTrackers(BoundedTrackers):
    """Conversations in this process: for one engine alone, lost when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[str, tuple[float, str]] = {}

    def _read(self, sender_id: str) -> str | None:
        expires, record = self._records.get(sender_id, (0.0, None))
        return record if expires > time.monotonic() else None

    def _write(self, sender_id: str, record: str) -> None:
        now = time.monotonic()
        self._records.pop(sender_id, None)
        self._records[sender_id] = (now + EXPIRES_S, record)
        while self._records:
            oldest = next(iter(self._records))
            if self._records[oldest][0] > now:
                break
            del self._records[oldest]

    async def keys(self) -> list[str]:
        return list(self._records)


class RedisTrackers(BoundedTrackers):
    """Conversations in Redis, each with an expiry: any number of engines may share them."""

    def __init__(self, url: str) -> None:
        import redis

        super().__init__()
        self._redis = redis.Redis.from_url(url, socket_timeout=SOCKET_TIMEOUT_S, health_check_interval=30)

    def _read(self, sender_id: str) -> bytes | None:
        return self._redis.get(KEY + sender_id)

    def _write(self, sender_id: str, record: str) -> None:
        self._redis.set(KEY + sender_id, record, ex=EXPIRES_S)

    async def keys(self) -> list[str]:
        return [key.decode().removeprefix(KEY) for key in self._redis.scan_iter(match=KEY + "*", count=1000)]


def of_its_turn(event: Any) -> bool:
    """Whether nothing after this turn needs the event: the metadata with which a session began is for its first action."""
    return isinstance(event, SlotSet) and event.key == SESSION_START_METADATA_SLOT


def slim(event: Any) -> dict[str, Any]:
    """An event as it is written: nothing that the next turn does not need."""
    record = event.as_dict()
    metadata = record.pop("metadata", None)
    if isinstance(event, UserUttered):
        said = event.parse_data
        record["parse_data"] = {key: said.get(key) for key in ("intent", "entities", "text")}
    elif metadata:
        kept = {key: value for key, value in metadata.items() if key not in ("model_id", "assistant_id")}
        if kept:
            record["metadata"] = kept
    return record
