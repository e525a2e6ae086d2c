"""The app as it is configured, and all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from connectors.wecom.channel import Alert, WecomChannel
from connectors.wecom.client import WecomClient
from connectors.wecom.directory import Directory
from connectors.wecom.envelope import Envelope
from core.errors import SettingsError
from core.settings import Settings


@dataclass(frozen=True)
class WecomApp:
    envelope: Envelope
    agent_id: str
    client: WecomClient
    directory: Directory
    channel: WecomChannel


def wecom_app(settings: Settings, redis: Redis, alert: Alert) -> WecomApp | None:
    """None where WeChat Work is not configured. Raises SettingsError where it is configured by half."""
    given = {
        "FSSC_WECOM_CORP_ID": settings.wecom_corp_id,
        "FSSC_WECOM_AGENT_ID": settings.wecom_agent_id,
        "FSSC_WECOM_SECRET": settings.wecom_secret,
        "FSSC_WECOM_TOKEN": settings.wecom_token,
        "FSSC_WECOM_AES_KEY": settings.wecom_aes_key,
    }
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise SettingsError(f"WeChat Work also needs {', '.join(missing)}")
    if not settings.wecom_agent_id.isdigit():
        raise SettingsError("FSSC_WECOM_AGENT_ID is a number")
    client = WecomClient(settings.wecom_corp_id, settings.wecom_secret, redis, settings.wecom_url)
    return WecomApp(
        Envelope(settings.wecom_token, settings.wecom_aes_key, settings.wecom_corp_id),
        settings.wecom_agent_id,
        client,
        Directory(client, redis),
        WecomChannel(client, int(settings.wecom_agent_id), redis, alert),
    )
