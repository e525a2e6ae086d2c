"""Session webhooks: addresses at which a message can be answered for a while. Whoever has one can speak as the robot, so they
are kept in Redis until they expire, nowhere else, and used only where they are DingTalk's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.dingtalk.incoming import Incoming, Session

log = structlog.get_logger()

HOSTS = ("https://oapi.dingtalk.com", "https://api.dingtalk.com")
_SPARE = 10
_VOUCHED, _SAID = "v", "s"
_LONGEST = 24 * 3600


class Sessions:
    """`origins` are scheme and host of the addresses that may be called; `scope` is the robot's."""

    def __init__(self, redis: Redis, scope: str, origins: Iterable[str] = HOSTS) -> None:
        self._redis, self._scope, self._origins = redis, scope, frozenset(origins)

    def keep(self, incoming: Incoming, session: Session, moment: datetime, *, vouched: bool) -> None:
        """Until it expires; without Redis the answer goes by the API. `vouched`: that it is this sender's is sure, as it is over
        a connection of our own; the signature of an HTTP callback does not cover it."""
        seconds = min(session.until // 1000 - int(moment.timestamp()) - _SPARE, _LONGEST)
        if seconds <= 0:
            return
        if not self._ours(session.address):
            log.warning("dingtalk_session_refused")
            return
        try:
            mark = _VOUCHED if vouched else _SAID
            self._redis.set(self._key(incoming.group, incoming.user), mark + session.address, ex=seconds)
        except RedisError as error:
            log.warning("dingtalk_session_not_kept", error=type(error).__name__)

    def of(self, group: str, user: str, *, vouched: bool = False) -> str:
        """The address where this person, in this group or alone, can be answered now; empty where there is none, or none that is
        surely theirs where it has to be `vouched` for."""
        try:
            found = self._redis.get(self._key(group, user))
        except RedisError:
            return ""
        kept = found.decode() if found else ""
        mark, address = kept[:1], kept[1:]
        return address if self._ours(address) and (mark == _VOUCHED or not vouched) else ""

    def forget(self, group: str, user: str, address: str) -> None:
        """It has expired early. One that came meanwhile stays."""
        try:
            found = self._redis.get(self._key(group, user))
            if found and found.decode()[1:] == address:
                self._redis.delete(self._key(group, user))
        except RedisError as error:
            log.warning("dingtalk_session_not_forgotten", error=type(error).__name__)

    def _ours(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            return f"{parts.scheme}://{parts.netloc}" in self._origins
        except ValueError:
            return False

    def _key(self, group: str, user: str) -> str:
        return f"fssc:dingtalk:session:{self._scope}:{group}|{user}"
