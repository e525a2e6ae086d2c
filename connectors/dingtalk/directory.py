"""Who a member is: name, department and company from DingTalk's directory, kept for some hours.

Source: the documentation's pages query-user-details and query-department-details. Where the directory cannot be asked a
member is known by number alone, and sees what everybody may see.
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, NotSent, Unsure
from connectors.dingtalk.client import DingtalkClient, DingtalkError
from connectors.dingtalk.people import People
from core.identity import Identity

log = structlog.get_logger()

_KEPT, _KEPT_UNKNOWN = 6 * 3600, 60
_ROOT = 1
_DEEPEST = 20


class Directory:
    """`company` is the department directly below the root under which the member's first department lies. `by_job_number`:
    the employee number is 工号, not the userid."""

    def __init__(self, client: DingtalkClient, redis: Redis, people: People, *, by_job_number: bool = False) -> None:
        self._client, self._redis, self._people = client, redis, people
        self._scope = f"{client.scope}:{'number' if by_job_number else 'userid'}"

    def identity(self, user: str) -> Identity:
        """The member with this userid."""
        key = f"fssc:dingtalk:member:{self._scope}:{user}"
        if (cached := self._cached(key)) is not None:
            return Identity.from_dict(cached)
        try:
            found, kept = self._looked_up(user), _KEPT
        except (DingtalkError, NotSent, Busy, Unsure) as error:
            log.warning("dingtalk_member_unknown", error=str(error))
            found, kept = Identity(employee_no=self._people.known(user)), _KEPT_UNKNOWN
        self._keep(key, found.to_dict(), kept)
        return found

    def _looked_up(self, user: str) -> Identity:
        member = self._client.old("/topapi/v2/user/get", {"userid": user})
        departments = [one for one in member.get("dept_id_list") or [] if isinstance(one, int)]
        line = self._line(departments[0]) if departments else []
        return Identity(
            employee_no=self._people.learned(user, str(member.get("job_number") or "")),
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
        key = f"fssc:dingtalk:department:{self._scope}:{number}"
        if (cached := self._cached(key)) is not None:
            return cached["name"], cached["parent"]
        found = self._client.old("/topapi/v2/department/get", {"dept_id": number})
        name, parent = str(found.get("name") or number)[:100], int(found.get("parent_id") or 0)
        self._keep(key, {"name": name, "parent": parent}, _KEPT)
        return name, parent

    def _cached(self, key: str) -> dict[str, Any] | None:
        try:
            found = self._redis.get(key)
        except RedisError:
            return None
        return json.loads(found) if found else None

    def _keep(self, key: str, value: dict[str, Any], seconds: int) -> None:
        try:
            self._redis.set(key, json.dumps(value, ensure_ascii=False), ex=seconds)
        except RedisError as error:
            log.warning("dingtalk_member_not_kept", error=type(error).__name__)
