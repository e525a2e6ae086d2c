"""The port: what a channel is to the rest of the product. One implementation a channel, all of them held to one contract.

A callback is verified and stored by its channel's own route (`connectors.arrivals`); from there on everything is common:
`read` says what it means, `identity` who says it, and what is answered leaves by `send` (`connectors.delivery`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from redis import Redis

from connectors.delivery import Channel, Receipt
from core.database import Database
from core.identity import Identity

Alert = Callable[[str, str], None]
"""`alert(kind, advice)`: what only an operator can put right, in Chinese; the same kind is told once an hour."""


@dataclass(frozen=True)
class Capabilities:
    """`buttons`: how many choices of one message can be pressed, 0 where they come as a numbered list. `updates`: a card can
    be changed after a click. `most_bytes`: of UTF-8 in one message; what is longer comes in parts."""

    buttons: int
    markdown: bool
    updates: bool
    most_bytes: int


@dataclass(frozen=True)
class Received:
    """What a stored callback means, in no channel's words.

    `sender` is the channel's own id of the person, empty where nobody is to be answered. `text` are the words, and for
    `unreadable` what it was (图片, 语音 …). `choice` is what was pressed. `group` is the group chat it was said in, empty where
    the person is alone with the bot. `card` is what the channel needs to change the card that was clicked.
    """

    kind: Literal["text", "choice", "opened", "unreadable", "nothing"]
    sender: str = ""
    text: str = ""
    choice: str = ""
    group: str = ""
    card: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notice:
    """Something that a member of the desk should know; `url` opens it in the console, `key` names it over all attempts. `actions`
    are what can be done at once, as (label, choice); a channel whose buttons cannot answer leaves them out."""

    title: str
    text: str
    url: str
    urgent: bool
    key: str
    actions: tuple[tuple[str, str], ...] = ()


class Connector(Channel, Protocol):
    """One configured channel. `repeats` and `send` are those of `connectors.delivery.Channel`; one that can say several messages
    in one is a `connectors.delivery.Joining`, too."""

    name: str
    label: str
    capabilities: Capabilities

    def read(self, body: dict[str, Any]) -> Received:
        """What `body`, as it was stored, means. Never raises: what nobody knows is `nothing`."""
        ...

    def identity(self, received: Received) -> Identity:
        """Who the sender is. Where the directory cannot be asked, and in a group, nothing but number and name: then they see
        what everybody may see."""
        ...

    def clicked(self, received: Received, label: str) -> None:
        """Show on the card what was chosen, as well as may be. Never raises."""
        ...

    def tell(self, employee_no: str, notice: Notice) -> Receipt:
        """Bring a notice to a member of the desk. Raises as `send` does."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the channel as it is configured, in Chinese sentences that say what to do; none when it works."""
        ...


@dataclass(frozen=True)
class Field:
    """One setting of a channel. `name` as in the environment's `FSSC_<CHANNEL>_<NAME>`, in lower case; a `secret` is never
    shown again; `default` is what an empty one means; one for a `trial` cannot be set in production's console."""

    name: str
    label: str
    help: str
    secret: bool = False
    required: bool = True
    default: str = ""
    trial: bool = False


class Package(Protocol):
    """What `connectors/<channel>/app.py` offers."""

    LABEL: str
    FIELDS: tuple[Field, ...]

    def connector(self, config: dict[str, str], database: Database, redis: Redis, alert: Alert) -> Connector:
        """`config` has every field of FIELDS, the required ones not empty, and what links in messages begin with and are signed
        with: `public_url`, `links_key`. Raises SettingsError, in Chinese, for values that none
        can be."""
        ...
