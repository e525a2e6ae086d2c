"""Channels as the console configures them: one row a channel, its secrets encrypted with a key that lies in no database."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment

log = structlog.get_logger()


class ChannelSettingRow(Base):
    """`shown` are values anybody with the right may read again; `sealed` holds the secrets. Each change raises `version`."""

    __tablename__ = "channel_setting"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    shown: Mapped[dict[str, str]] = mapped_column(Json)
    sealed: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(String(64), default="")
    updated_at: Mapped[datetime] = mapped_column(Moment)


@dataclass(frozen=True)
class Stored:
    """A channel's row, opened. `unreadable`: its secrets were encrypted with another key, and have to be typed again."""

    enabled: bool
    values: dict[str, str]
    version: int
    unreadable: bool = False


class Vault:
    """Encrypts with a key derived from the signing key of the settings."""

    def __init__(self, signing_key: str) -> None:
        digest = hashlib.sha256(b"fssc channel settings\0" + signing_key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))

    def seal(self, secrets: dict[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(secrets, ensure_ascii=False).encode()).decode() if secrets else ""

    def open(self, sealed: str) -> dict[str, str]:
        """Raises InvalidToken for what another key encrypted."""
        return json.loads(self._fernet.decrypt(sealed.encode())) if sealed else {}


def versions(session: Session) -> dict[str, int]:
    """By channel; it changes whenever the row does."""
    return {row.name: row.version for row in session.execute(select(ChannelSettingRow.name, ChannelSettingRow.version))}


def stored(session: Session, name: str, vault: Vault) -> Stored:
    """What the console has set for a channel; nothing, and on, where nobody has set anything."""
    row = session.get(ChannelSettingRow, name)
    if row is None:
        return Stored(True, {}, 0)
    try:
        return Stored(row.enabled, {**row.shown, **vault.open(row.sealed)}, row.version)
    except InvalidToken:
        log.error("channel_secrets_unreadable", channel=name)
        return Stored(row.enabled, dict(row.shown), row.version, unreadable=True)


def keep(
    session: Session, name: str, vault: Vault, shown: dict[str, str], secrets: dict[str, str], enabled: bool, author: str
) -> ChannelSettingRow:  # fmt: skip
    """Store everything that a channel is configured with."""
    row = session.get(ChannelSettingRow, name, with_for_update=True)
    if row is None:
        row = ChannelSettingRow(name=name, version=0)
        session.add(row)
    row.enabled, row.shown, row.sealed = enabled, shown, vault.seal(secrets)
    row.version, row.updated_by, row.updated_at = row.version + 1, author, now()
    session.flush()
    return row
