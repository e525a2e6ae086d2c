"""What people say to the robot, over HTTP or Stream: the bodies are the same. Source: the documentation's pages
receive-message and robot-message-type; where they disagree, both forms are read."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from connectors.dingtalk.envelope import BadCallback
from connectors.port import Received

QUOTA = "quota"
_OVER_QUOTA = "20001"
_USER = re.compile(r"[A-Za-z0-9_.@\-]{1,64}")
_GROUP = "2"
_MOST_GROUP, _MOST_TEXT = 90, 20_000
_THINGS = {"picture": "图片", "audio": "语音", "video": "视频", "file": "文件", "richText": "图片"}
_OTHER = "这类消息"


@dataclass(frozen=True)
class Incoming:
    """One message. `user` is empty where the sender is no member of the enterprise, or the robot is not published; `key` is
    the same when it comes again; `kind` is text, unreadable, quota or nothing; `group` is empty in a single chat."""

    kind: str
    key: str
    user: str = ""
    group: str = ""
    text: str = ""

    @property
    def sender(self) -> str:
        """Whose messages go in order."""
        return f"{self.group}|{self.user}" if self.group else self.user or "-"

    def stored(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Session:
    """Where a message can be answered without counting as a call of the API. `until` is in milliseconds."""

    address: str
    until: int


def loaded(body: bytes | str) -> dict[str, Any]:
    """The JSON of a callback. Raises BadCallback for what is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCallback from error
    if not isinstance(found, dict):
        raise BadCallback
    return found


def parse(
    body: dict[str, Any], corp_id: str, robot_code: str, *, signed: bool = True
) -> tuple[Incoming, Session | None]:
    """A message to this robot of this enterprise. Raises BadCallback for anybody else's, or what is no message.

    `signed` is False for what came over a connection of our own, which is for nobody else: what it leaves out is not missed.
    """
    said_corp, said_robot = _text(body, "chatbotCorpId"), _text(body, "robotCode")
    if said_corp != corp_id and (said_corp or signed):
        raise BadCallback
    if said_robot not in ("", robot_code):
        raise BadCallback
    user = _text(body, "senderStaffId")
    if not _USER.fullmatch(user) or _text(body, "senderCorpId") not in ("", corp_id):
        user = ""
    group = _text(body, "conversationId") if _text(body, "conversationType") == _GROUP else ""
    if len(group) > _MOST_GROUP:
        raise BadCallback
    kind, text = _said(body)
    if kind != QUOTA and (not user or (group and body.get("isInAtList") is not True)):
        kind, text = "nothing", ""
    incoming = Incoming(kind, _key(body), user, group, text)
    address, until = _text(body, "sessionWebhook"), body.get("sessionWebhookExpiredTime")
    if user and address and isinstance(until, int) and not isinstance(until, bool) and 0 < until < 10**14:
        return incoming, Session(address, until)
    return incoming, None


def unpublished(body: dict[str, Any]) -> bool:
    """Whether a single chat names no sender, as it is before the robot is published."""
    return _text(body, "conversationType") == "1" and not _text(body, "senderStaffId")


def meaning(body: dict[str, Any]) -> Received:
    """A stored `Incoming` as the rest of the product reads it."""
    try:
        incoming = Incoming(**{one.name: str(body.get(one.name, "")) for one in fields(Incoming)})
    except TypeError:
        return Received("nothing")
    if incoming.kind not in ("text", "unreadable") or not incoming.user:
        return Received("nothing")
    if incoming.kind == "text" and not incoming.text:
        # Nothing but the robot's name: they ask what it can do.
        return Received("choice", incoming.user, choice="greet", group=incoming.group)
    kind = "text" if incoming.kind == "text" else "unreadable"
    return Received(kind, incoming.user, text=incoming.text, group=incoming.group)


def _said(body: dict[str, Any]) -> tuple[str, str]:
    """Kind and words. In a group the robot's name is cut out of them, and leaves spaces."""
    if any(_number(body, name) == _OVER_QUOTA for name in ("errorCode", "errCode")):
        return QUOTA, ""
    kind, content = _text(body, "msgtype"), body.get("content")
    if not kind:
        raise BadCallback
    if kind == "text":
        words = body.get("text")
        return kind, _text(words, "content") if isinstance(words, dict) else _clean(content)
    given = content if isinstance(content, dict) else {}
    if kind == "richText":
        parts = given.get("richText")
        words = "".join(_raw(one, "text") for one in parts if isinstance(one, dict)) if isinstance(parts, list) else ""
        if words.strip():
            return "text", words.strip()
    if kind == "audio" and (heard := _text(given, "recognition")):
        return "text", heard
    return "unreadable", _THINGS.get(kind, _OTHER)


def _key(body: dict[str, Any]) -> str:
    if number := _text(body, "msgId"):
        return f"m:{number}"[:300]
    said = body.get("text")
    words = _text(said, "content") if isinstance(said, dict) else ""
    parts = [
        *(_text(body, name) for name in ("conversationId", "senderId", "msgtype")),
        _number(body, "createAt"),
        words,
    ]
    return "d:" + hashlib.sha256("|".join(parts).encode()).hexdigest()


def _number(body: dict[str, Any], name: str) -> str:
    """An integer, or words, as text: the documentation uses both."""
    value = body.get(name)
    return str(value) if isinstance(value, int) else _text(body, name)


def _text(body: dict[str, Any], name: str) -> str:
    return _raw(body, name).strip()


def _raw(body: dict[str, Any], name: str) -> str:
    return _clean(body.get(name), strip=False)


def _clean(value: Any, *, strip: bool = True) -> str:
    """Words that can be stored: JSON may hold half a character, and a zero that no database takes."""
    if not isinstance(value, str):
        return ""
    value = value[:_MOST_TEXT].replace("\x00", "").encode("utf-8", "ignore").decode()
    return value.strip() if strip else value
