"""What travels with every turn: who speaks, from where, and what the bot says and decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from core.identity import Identity
from kb.entries import Viewer


@dataclass(frozen=True)
class Place:
    """Where the employee stands: page, process node, and the document in front of them. Empty where unknown."""

    page: str = ""
    node: str = ""
    document_no: str = ""


@dataclass(frozen=True)
class TurnContext:
    """Sent to the dialogue engine as the message's metadata, and back to the actions with the tracker."""

    conversation_id: str
    turn_id: str
    channel: str
    identity: Identity
    place: Place

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.identity.company, frozenset(self.identity.groups))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "identity": self.identity.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TurnContext:
        return cls(**{**data, "identity": Identity.from_dict(data["identity"]), "place": Place(**data["place"])})


@dataclass(frozen=True)
class Option:
    """A button. `choice` is what comes back when it is pressed: `entry:ID`, `none`, `handoff`, `say:TEXT` …"""

    label: str
    choice: str


@dataclass(frozen=True)
class Reply:
    """One message of the bot. `text` says everything by itself, for channels that cannot show the rest."""

    text: str
    type: str = "text"
    options: tuple[Option, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "text": self.text,
            "options": [asdict(option) for option in self.options],
            "extras": self.extras,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reply:
        return cls(data["text"], data["type"], tuple(Option(**option) for option in data["options"]), data["extras"])


@dataclass(frozen=True)
class Outcome:
    """What a turn came to. `shown` is what was offered; `unresolved` says why a question stays open, if it does."""

    band: str | None = None
    entry_id: str | None = None
    probability: float | None = None
    release: int | None = None
    question: str = ""
    shown: tuple[dict[str, Any], ...] = ()
    unresolved: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "shown": list(self.shown)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        return cls(**{**data, "shown": tuple(data.get("shown", ()))})

    def public(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("band", "entry_id", "probability", "release")}
