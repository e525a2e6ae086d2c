"""What DingTalk takes of a robot, as its documentation has it: fields, sizes, what a mention needs."""

from __future__ import annotations

import json
from typing import Any

MOST_REPLY, MOST_PARAM = 20_000, 15_000
_TEMPLATES = {
    "sampleText": {"content"},
    "sampleMarkdown": {"title", "text"},
    "sampleLink": {"text", "title", "picUrl", "messageUrl"},
    "sampleActionCard": {"title", "text", "singleTitle", "singleURL"},
}
_REPLIES = {
    "text": {"content"},
    "markdown": {"title", "text"},
    "actionCard": {"title", "text"},
    "link": {"title", "text", "messageUrl"},
}


def wrong_with_template(body: dict[str, Any]) -> tuple[str, str]:
    """The code and the words of what is wrong with a call of the robot's API; empty where nothing is."""
    key, param = body.get("msgKey"), body.get("msgParam")
    if key not in _TEMPLATES:
        return "invalidParameter.msgKey.invalid", f"msgKey {key!r}"
    if not isinstance(param, str):
        return "invalidParameter.msgParam.invalid", "msgParam is no string"
    if len(param.encode()) > MOST_PARAM:
        return "invalidParameter.msgParam.tooLong", f"msgParam of {len(param.encode())} bytes"
    try:
        said = json.loads(param)
    except ValueError:
        return "invalidParameter.msgParam.invalid", "msgParam is no JSON"
    if set(said) != _TEMPLATES[key] or not all(isinstance(one, str) and one for one in said.values()):
        return "invalidParameter.param.invalid", f"msgParam of {key}: {sorted(said)}"
    return "", ""


def wrong_with_reply(raw: bytes) -> tuple[str, dict[str, str]]:
    """What is wrong with what was sent to a session webhook, empty where nothing is; and what it says."""
    if len(raw) > MOST_REPLY:
        return f"a reply of {len(raw)} bytes", {}
    try:
        body = json.loads(raw)
    except ValueError:
        return "a reply that is no JSON", {}
    kind = body.get("msgtype")
    if kind == "empty":
        return "", {}
    said = body.get(kind)
    if kind not in _REPLIES or not isinstance(said, dict):
        return f"msgtype {kind!r}", {}
    if missing := [name for name in _REPLIES[kind] if not said.get(name)]:
        return f"{kind} without {missing}", {}
    if kind == "actionCard" and not (said.get("singleTitle") and said.get("singleURL")):
        buttons = said.get("btns")
        if not isinstance(buttons, list) or not all(one.get("title") and one.get("actionURL") for one in buttons):
            return "an actionCard without a button", {}
    text = said.get("content") or said.get("text") or ""
    for user in body.get("at", {}).get("atUserIds", []):
        if f"@{user}" not in text:
            return f"{user} is in `at`, and not in the words", {}
    return "", said
