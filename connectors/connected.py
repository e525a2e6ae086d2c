"""Which channels are connected: built from the environment and from the console's settings, of which the environment wins.

Changes of the console are taken up by every process within two seconds, without a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import structlog
from redis import Redis
from sqlalchemy.exc import SQLAlchemyError

from connectors import configured
from connectors.configured import Stored, Vault
from connectors.delivery import Channel, Delivery, NotSent, Receipt
from connectors.dingtalk import app as dingtalk
from connectors.port import Alert, Connector, Field, Package
from connectors.wecom import app as wecom
from connectors.widget import WidgetChannel
from core.database import Database
from core.errors import SettingsError
from core.settings import Settings

log = structlog.get_logger()

PACKAGES: dict[str, Package] = {"wecom": wecom, "dingtalk": dingtalk}
_LOOK_EVERY = 2.0
LINKS_PURPOSE = "links"


@dataclass(frozen=True)
class Configuration:
    """What a channel is configured with. `given` are the fields that the environment sets; `missing` the labels of those that
    nobody does; `problem` is why it cannot run, in Chinese, empty where it can or where nothing is set at all."""

    values: dict[str, str]
    given: frozenset[str]
    missing: tuple[str, ...]
    enabled: bool
    problem: str

    @property
    def empty(self) -> bool:
        return not self.values


def configuration(package: Package, name: str, settings: Settings, stored: Stored) -> Configuration:
    """The environment's values over the console's."""
    environment = {
        one.name: value
        for one in package.FIELDS
        if (value := str(getattr(settings, f"{name}_{one.name}", "") or "").strip()) and value != one.default
    }
    allowed = {one.name for one in package.FIELDS if not (one.trial and settings.production)}
    values = {key: value for key, value in stored.values.items() if key in allowed and value} | environment
    missing = tuple(one.label for one in package.FIELDS if one.required and not values.get(one.name))
    problem = ""
    if stored.unreadable:
        problem = "已保存的密钥无法解密（服务器的签名密钥换过），请重新填写所有密钥。"
    elif values and missing:
        problem = f"还缺少：{'、'.join(missing)}。"
    return Configuration(values, frozenset(environment), missing, stored.enabled, problem)


class Connected:
    """The channels of this process. Safe to ask from several threads; `alert` gets the channel's name before its advice."""

    def __init__(
        self, database: Database, settings: Settings, redis: Redis, alert: Alert,
        packages: Mapping[str, Package] | None = None,
    ) -> None:  # fmt: skip
        self._database, self._settings, self._redis, self._alert = database, settings, redis, alert
        self.packages = PACKAGES if packages is None else packages
        self.vault = Vault(settings.signing_key)
        self._lock = threading.Lock()
        self._looked = 0.0
        self._built: dict[str, tuple[int, Connector | None]] = {}

    def get(self, name: str) -> Connector | None:
        """The channel; None where it is off, or not or wrongly configured."""
        return self.all().get(name)

    def all(self) -> dict[str, Connector]:
        """Every channel that is on."""
        with self._lock:
            if not self._built or time.monotonic() - self._looked >= _LOOK_EVERY:
                self._look()
            return {name: connector for name, (_, connector) in self._built.items() if connector}

    def look_again(self) -> None:
        """Something was changed here, just now."""
        with self._lock:
            self._look()

    def configuration(self, name: str) -> Configuration:
        """What the channel is configured with now. Raises KeyError for a name that is no channel's."""
        package = self.packages[name]
        with self._database.read() as session:
            stored = configured.stored(session, name, self.vault)
        return configuration(package, name, self._settings, stored)

    def build(self, name: str, found: Configuration) -> Connector:
        """The channel with this configuration, on or off. Raises SettingsError with what is wrong, in Chinese."""
        package = self.packages[name]
        if found.problem or found.empty:
            raise SettingsError(found.problem or "还没有填写任何配置。")
        config = {one.name: found.values.get(one.name) or one.default for one in package.FIELDS}
        config |= {"public_url": self._settings.links_base, "links_key": self._settings.internal_token(LINKS_PURPOSE)}
        return package.connector(config, self._database, self._redis, partial(self._tell, package.LABEL))

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Where employees read what is said to them, by the channel of their conversation."""
        return _Channels(self)

    def _look(self) -> None:
        try:
            with self._database.read() as session:
                versions = configured.versions(session)
        except SQLAlchemyError as error:
            log.warning("channels_not_looked_at", error=repr(error)[:200])
            if not self._built:
                raise
            return
        self._looked = time.monotonic()
        for name in self.packages:
            version = versions.get(name, 0)
            if name not in self._built or self._built[name][0] != version:
                self._built[name] = (version, self._made(name))

    def _made(self, name: str) -> Connector | None:
        found = self.configuration(name)
        if found.empty or not found.enabled:
            return None
        try:
            return self.build(name, found)
        except SettingsError as error:
            log.error("channel_not_connected", channel=name, error=error.message)
            return None

    def _tell(self, label: str, kind: str, advice: str) -> None:
        self._alert(kind, f"{label}：{advice}")


class _Off:
    """A channel that is off for now: what is said there waits."""

    repeats = None

    def send(self, delivery: Delivery) -> Receipt:
        raise NotSent(f"the channel {delivery.channel} is off")


class _Channels(Mapping[str, Channel]):
    def __init__(self, connected: Connected) -> None:
        self._connected = connected
        self._widget = WidgetChannel()

    def __getitem__(self, name: str) -> Channel:
        if name == "widget":
            return self._widget
        if name not in self._connected.packages:
            raise KeyError(name)
        return self._connected.get(name) or _Off()

    def __iter__(self) -> Iterator[str]:
        return iter(("widget", *self._connected.packages))

    def __len__(self) -> int:
        return 1 + len(self._connected.packages)


def fields_of(package: Package, *, production: bool) -> tuple[Field, ...]:
    """What the console asks for."""
    return tuple(one for one in package.FIELDS if not (one.trial and production))
