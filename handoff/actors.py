"""Who does something to a ticket: somebody of the desk, the employee who asks, or the desk itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.identity import Identity


@dataclass(frozen=True)
class Actor:
    """`groups` are those that a person of the desk works in, `leads` those that they lead. An anonymous visitor's `id` is
    their conversation's."""

    kind: Literal["staff", "employee", "system"]
    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    leads: frozenset[str] = frozenset()

    def has(self, *roles: str) -> bool:
        """Whether any of `roles` is theirs; an administrator has all."""
        return bool(self.roles & {*roles, "admin"})


SYSTEM = Actor("system", "system", "系统")


def employee(identity: Identity, conversation_id: str) -> Actor:
    return Actor("employee", identity.employee_no or conversation_id, identity.name or "")
