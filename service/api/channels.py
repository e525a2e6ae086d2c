"""Channels as administrators configure them: secrets go in and never come out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from connectors import configured
from connectors.channel_state import state_of
from connectors.configured import ChannelSettingRow, Stored
from connectors.connected import Configuration, configuration, fields_of
from core import audit
from core.clock import now
from core.errors import InvalidInput, NotFound, SettingsError
from service.api.deps import Admin, DeskDep, from_our_page
from service.bootstrap import Desk

router = APIRouter(prefix="/api/v1/console/channels", tags=["channels"])

Name = Annotated[str, Path(max_length=20, pattern=r"^[a-z]+$")]
_Value = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class ChannelIn(BaseModel):
    """`values` by field; an empty secret means the one that is stored, an empty value none."""

    values: dict[Annotated[str, Field(max_length=40)], _Value] = Field({}, max_length=20)
    enabled: bool = True


@router.get("")
def get_channels(desk: DeskDep, user: Admin) -> list[dict[str, Any]]:
    """Every channel: its fields without their secrets, whether it works, when it last did."""
    return [_channel(desk, name) for name in desk.connected.packages]


@router.put("/{name}", dependencies=[Depends(from_our_page)])
def put_channel(desk: DeskDep, user: Admin, name: Name, body: ChannelIn) -> dict[str, Any]:
    """Store what is given; every process takes it up within seconds. Refused where the channel could not run with it."""
    _known(desk, name)
    before = _stored(desk, name)
    values = _merged(desk, name, body, before)
    found = configuration(desk.connected.packages[name], name, desk.settings, Stored(body.enabled, values, 0))
    if body.enabled and not found.empty:
        _built(desk, name, found)
    secret = {one.name for one in desk.connected.packages[name].FIELDS if one.secret}
    with desk.database.write() as session:
        configured.keep(
            session,
            name,
            desk.connected.vault,
            {key: value for key, value in values.items() if key not in secret},
            {key: value for key, value in values.items() if key in secret},
            body.enabled,
            user.username,
        )
        changed = sorted(key for key in {*values, *before.values} if values.get(key, "") != before.values.get(key, ""))
        audit.append(session, user.username, "channel.set", name, {"changed": changed, "enabled": body.enabled})
    desk.connected.look_again()
    return _channel(desk, name)


@router.post("/{name}/check", dependencies=[Depends(from_our_page)])
def post_check(desk: DeskDep, user: Admin, name: Name, body: ChannelIn) -> dict[str, Any]:
    """What is wrong with the channel as it would be with these values, sentence by sentence; nothing is stored."""
    _known(desk, name)
    values = _merged(desk, name, body, _stored(desk, name))
    found = configuration(desk.connected.packages[name], name, desk.settings, Stored(True, values, 0))
    try:
        problems = _built(desk, name, found).check()
    except InvalidInput as error:
        problems = [error.message]
    return {"problems": problems}


def _known(desk: Desk, name: str) -> None:
    if name not in desk.connected.packages:
        raise NotFound("没有这个渠道。", code="channel_not_found")


def _stored(desk: Desk, name: str) -> Stored:
    with desk.database.read() as session:
        return configured.stored(session, name, desk.connected.vault)


def _merged(desk: Desk, name: str, body: ChannelIn, before: Stored) -> dict[str, str]:
    fields = {one.name: one for one in fields_of(desk.connected.packages[name], production=desk.settings.production)}
    if unknown := sorted(set(body.values) - set(fields)):
        raise InvalidInput(f"没有这个配置项：{unknown[0]}。", code="unknown_field")
    values = {}
    for key, one in fields.items():
        given = body.values.get(key, "").strip()
        value = given or (before.values.get(key, "") if one.secret or key not in body.values else "")
        if value:
            values[key] = value
    return values


def _built(desk: Desk, name: str, found: Configuration) -> Any:
    try:
        return desk.connected.build(name, found)
    except SettingsError as error:
        raise InvalidInput(error.message, code="channel_settings") from error


def _channel(desk: Desk, name: str) -> dict[str, Any]:
    package = desk.connected.packages[name]
    found = desk.connected.configuration(name)
    with desk.database.read() as session:
        row = session.get(ChannelSettingRow, name)
        state = state_of(session, name, now())
    problem = found.problem
    if not problem and not found.empty:
        try:
            desk.connected.build(name, found)
        except SettingsError as error:
            problem = error.message
    times = {
        key: value.isoformat() if value else None
        for key, value in asdict(state).items()
        if key.startswith("last_") and key != "last_error"
    }
    return {
        "name": name,
        "label": package.LABEL,
        "enabled": found.enabled,
        "connected": desk.connected.get(name) is not None,
        "problem": problem,
        "callback_url": f"{desk.settings.links_base}/api/v1/channels/{name}/callback",
        "fields": [
            {
                "name": one.name,
                "label": one.label,
                "help": one.help,
                "secret": one.secret,
                "required": one.required,
                "placeholder": one.default,
                "value": "" if one.secret else found.values.get(one.name, ""),
                "set": bool(found.values.get(one.name)),
                "from_environment": one.name in found.given,
            }
            for one in fields_of(package, production=desk.settings.production)
        ],
        "state": {**asdict(state), **times},
        "updated_by": row.updated_by if row else "",
        "updated_at": row.updated_at.isoformat() if row else None,
    }
