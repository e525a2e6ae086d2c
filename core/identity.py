"""Who is asking: an employee that the host system vouches for, or an anonymous visitor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Identity:
    """`employee_no` is None for an anonymous visitor; `groups` decide what an employee may see."""

    employee_no: str | None = None
    name: str | None = None
    company: str | None = None
    department: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def anonymous(self) -> bool:
        return self.employee_no is None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"groups": list(self.groups)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Identity:
        return cls(**{**data, "groups": tuple(data.get("groups") or ())})


ANONYMOUS = Identity()
