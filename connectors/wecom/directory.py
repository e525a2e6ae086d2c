"""Who a member is: name, department and company from WeChat Work's directory, kept for some hours.

Source: the documentation's pages 96255 (user/get) and 95350 (department/get). The userid is the employee number. Where the
directory cannot be asked a member is known by number alone, and sees what everybody may see.
"""

from __future__ import annotations

import json

import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, NotSent, Unsure
from connectors.wecom.client import WecomClient, WecomError
from core.identity import Identity

log = structlog.get_logger()

_KEPT, _KEPT_UNKNOWN = 6 * 3600, 60
_ROOT = 1
_DEEPEST = 20


class Directory:
    """`company` is the department directly below the root under which the member's main department lies."""

    def __init__(self, client: WecomClient, redis: Redis) -> None:
        self._client, self._redis = client, redis

    def identity(self, user: str) -> Identity:
        """The member with this userid."""
        key = f"fssc:wecom:member:{user.lower()}"
        if (cached := self._cached(key)) is not None:
            return Identity.from_dict(cached)
        try:
            found, kept = self._looked_up(user), _KEPT
        except (WecomError, NotSent, Busy, Unsure) as error:
            log.warning("wecom_member_unknown", error=str(error))
            found, kept = Identity(employee_no=user), _KEPT_UNKNOWN
        self._keep(key, found.to_dict(), kept)
        return found

    def forget(self, user: str) -> None:
        """Ask anew: the member was changed."""
        try:
            self._redis.delete(f"fssc:wecom:member:{user.lower()}")
        except RedisError as error:
            log.warning("wecom_member_not_forgotten", error=str(error))

    def _looked_up(self, user: str) -> Identity:
        member = self._client.get("/cgi-bin/user/get", userid=user)
        departments = member.get("department") or []
        main = member.get("main_department") or (departments[0] if departments else None)
        line = self._line(int(main)) if main else []
        return Identity(
            employee_no=user,
            name=str(member.get("name") or "")[:100] or None,
            company=line[-1] if line else None,
            department=line[0] if line else None,
        )

    def _line(self, department: int) -> list[str]:
        """The names from this department up to the one below the root."""
        names: list[str] = []
        while department > _ROOT and len(names) < _DEEPEST:
            name, department = self._department(department)
            names.append(name)
        return names

    def _department(self, number: int) -> tuple[str, int]:
        key = f"fssc:wecom:department:{number}"
        if (cached := self._cached(key)) is not None:
            return cached["name"], cached["parent"]
        found = self._client.get("/cgi-bin/department/get", id=str(number))["department"]
        name, parent = str(found.get("name") or number)[:100], int(found.get("parentid") or 0)
        self._keep(key, {"name": name, "parent": parent}, _KEPT)
        return name, parent

    def _cached(self, key: str) -> dict | None:
        try:
            found = self._redis.get(key)
        except RedisError:
            return None
        return json.loads(found) if found else None

    def _keep(self, key: str, value: dict, seconds: int) -> None:
        try:
            self._redis.set(key, json.dumps(value, ensure_ascii=False), ex=seconds)
        except RedisError as error:
            log.warning("wecom_member_not_kept", error=str(error))
