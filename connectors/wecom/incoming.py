"""What WeChat Work calls back with: messages, events, and kinds that nobody has heard of, all accepted.

Source: the documentation's pages 96467 (messages), 96468 (events) and 94670; names of events vary in case between its
generations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.wecom.envelope import BadCallback

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_DEEPEST = 200
"""More elements than this in a callback, and it is none."""


@dataclass(frozen=True)
class Incoming:
    """One callback. `user` is empty where nobody is behind it; `key` is the same when it comes again, and only then.

    `kind` is text, image, voice, …, or event:NAME in lower case; `selected` are the options of a card by question; `member` is
    whom the directory changed.
    """

    kind: str
    user: str
    key: str
    agent_id: str = ""
    text: str = ""
    event_key: str = ""
    task_id: str = ""
    response_code: str = ""
    change: str = ""
    member: str = ""
    selected: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def event(self) -> str:
        return self.kind.removeprefix("event:") if self.kind.startswith("event:") else ""


def sealed_in(body: bytes) -> str:
    """What the envelope of a POST holds. Raises BadCallback."""
    sealed = _text(_parsed(body), "Encrypt").strip()
    if not sealed:
        raise BadCallback
    return re.sub(r"\s", "", sealed)


def parse(message: bytes) -> Incoming:
    """A decrypted callback. Raises BadCallback for what is no XML of theirs."""
    root = _parsed(message)
    kind, user = _text(root, "MsgType").lower(), _text(root, "FromUserName")
    if not kind:
        raise BadCallback
    user = user if _USER.fullmatch(user) and user != "sys" else ""
    agent_id, created = _text(root, "AgentID"), _text(root, "CreateTime")
    if kind != "event":
        number = _text(root, "MsgId")
        key = f"m:{number}" if number else f"m:{user}:{created}:{kind}"
        return Incoming(kind, user, key[:200], agent_id, _text(root, "Content"))
    event = _text(root, "Event").lower()
    found = {name: _text(root, name) for name in ("ChangeType", "EventKey", "TaskId", "ResponseCode")}
    selected = tuple(
        (_text(item, "QuestionKey"), tuple((one.text or "").strip() for one in item.iter("OptionId")))
        for item in root.iter("SelectedItem")
    )
    # The documented key, sender and second, drops events that are different; see WxJava#2314 and #3311.
    parts = [event, *found.values(), agent_id, user, created, _text(root, "Token"), _text(root, "UserID")]
    key = "e:" + "|".join(parts)
    if event == "template_card_event" and found["TaskId"]:
        # A button that is pressed twice comes with another second and another response code, and is pressed once.
        key = f"c:{found['TaskId']}|{user}|{found['EventKey']}|{selected}"
    return Incoming(
        f"event:{event}",
        user,
        key[:2000],
        agent_id,
        event_key=found["EventKey"],
        task_id=found["TaskId"],
        response_code=found["ResponseCode"],
        change=found["ChangeType"],
        member=_text(root, "UserID")[:64],
        selected=selected,
    )


def _parsed(body: bytes) -> Element:
    try:
        root = fromstring(body.decode("utf-8"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeDecodeError, ValueError) as error:
        raise BadCallback from error
    if sum(1 for _ in root.iter()) > _DEEPEST:
        raise BadCallback
    return root


def _text(root: Element, name: str) -> str:
    found = root.find(name)
    return (found.text or "").strip() if found is not None else ""
