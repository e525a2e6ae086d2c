"""A channel's simulator beside the running product: for a newcomer without an account at WeChat Work or DingTalk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from connectors.configured import ChannelSettingRow, Vault, keep, stored
from connectors.connected import PACKAGES, configuration
from core.database import Database
from core.errors import SettingsError
from core.settings import Settings
from service.bootstrap import ROOT

_AUTHOR = "simulator"


def simulate(settings: Settings, name: str, port: int, progress: Callable[[str], None]) -> None:
    """Serve the simulator and its page until Ctrl-C, with the running product connected to it for as long.

    Raises SettingsError for an unknown channel, in production, outside a checkout, without a running product.
    """
    if settings.production:
        raise SettingsError("simulators are for development: FSSC_ENV is production")
    if name not in PACKAGES:
        raise SettingsError(f"there is no channel {name!r}; there are {', '.join(PACKAGES)}")
    address = f"http://{settings.host}:{settings.port}"
    try:
        httpx.get(f"{address}/healthz", timeout=5, trust_env=False)
    except httpx.HTTPError as error:
        raise SettingsError(f"nothing answers at {address}: start the product first, with `make run`") from error
    phone, simulator, handset = _from_checkout(name)
    database = Database(settings.database)
    simulator.callback_url = f"{address}/api/v1/channels/{name}/callback"
    simulator.start()
    try:
        prefix = f"FSSC_{name.upper()}_"
        values = {key.removeprefix(prefix).lower(): value for key, value in simulator.environment.items()}
        with _connected(database, settings, name, values):
            progress(
                f"{handset.label}: http://127.0.0.1:{port} is the phone; the console is {address}/console/. Ctrl-C ends it"
            )
            uvicorn.run(phone.phone(handset), host="127.0.0.1", port=port, log_level="warning")
        for violation in simulator.violations:
            progress(f"  the product broke a rule of the platform: {violation}")
    finally:
        simulator.stop()
        database.close()


@contextmanager
def _connected(database: Database, settings: Settings, name: str, values: dict[str, str]) -> Iterator[None]:
    """The simulator's settings in the place of the console's, which come back at the end."""
    vault = Vault(settings.signing_key)
    with database.write() as session:
        before, row = stored(session, name, vault), session.get(ChannelSettingRow, name)
        if given := configuration(PACKAGES[name], name, settings, before).given:
            names = ", ".join(sorted(f"FSSC_{name}_{one}".upper() for one in given))
            raise SettingsError(f"the environment configures this channel: unset {names}")
        old = (dict(row.shown), row.sealed, row.enabled, row.updated_by) if row else None
        secrets = {one.name for one in PACKAGES[name].FIELDS if one.secret}
        shown = {key: value for key, value in values.items() if key not in secrets}
        kept = {key: value for key, value in values.items() if key in secrets}
        keep(session, name, vault, shown, kept, True, _AUTHOR)
    try:
        yield
    finally:
        with database.write() as session:
            row = session.get_one(ChannelSettingRow, name)
            # One that was killed has left its own settings: nobody's.
            shown, sealed, enabled, author = old if old and old[3] != _AUTHOR else ({}, "", True, _AUTHOR)
            row.shown, row.sealed, row.enabled, row.updated_by = shown, sealed, enabled, author
            row.version += 1


def _from_checkout(name: str) -> tuple[Any, Any, Any]:
    sys.path.insert(0, str(ROOT))
    try:
        from tests.simulators import phone
    except ImportError as error:
        raise SettingsError("simulators come with the source: run this in a checkout") from error
    return phone, *phone.handset_of(name)
