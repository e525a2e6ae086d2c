"""Days and times as a sheet shows them: the 15th below the format `d"日"` is 15日."""

from __future__ import annotations

import re
from datetime import datetime

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$[^\]]*\]|(?P<half>AM/PM|A/P|上午/下午)|'
    r"(?P<part>y+|m+|d+|h+|s+|aaaa?)|(?P<plain>[-/:., ]|[^\x00-\x7f])",
    re.I,
)
_WEEK = "一二三四五六日"


def moment_shown(code: str, moment: datetime) -> str | None:
    """A moment below a format as people read it; None where we do not know. A whole day is `2026-01-31`, whatever the
    format's order."""
    tokens = _tokens(code.split(";")[0])
    if tokens is None:
        return None
    parts = [text[0] for kind, text in tokens if kind == "part"]
    minutes = {at for at, (kind, text) in enumerate(tokens) if kind == "part" and _is_minute(tokens, at)}
    months = any(kind == "part" and text[0] == "m" and at not in minutes for at, (kind, text) in enumerate(tokens))
    if "y" in parts and "d" in parts and months and "a" not in parts:
        return f"{moment:%Y-%m-%d}" + (f" {moment:%H:%M}" if "h" in parts else "")
    twelve = any(kind == "half" for kind, _ in tokens)
    shown = []
    for at, (kind, text) in enumerate(tokens):
        piece = text if kind == "plain" else _half(moment) if kind == "half" else None
        if kind == "part":
            piece = _part(text, moment, at in minutes, twelve)
        if piece is None:
            return None
        shown.append(piece)
    return "".join(shown).strip()


def _tokens(code: str) -> list[tuple[str, str]] | None:
    tokens, at = [], 0
    while at < len(code):
        found = _TOKEN.match(code, at)
        if not found:
            return None
        at = found.end()
        if found["part"]:
            tokens.append(("part", found["part"].lower()))
        elif found["half"]:
            tokens.append(("half", found["half"]))
        elif literal := found["quoted"] or found["escaped"] or found["plain"]:
            tokens.append(("plain", literal))
    return tokens


def _is_minute(tokens: list[tuple[str, str]], at: int) -> bool:
    """Whether an `m` is minutes: behind hours or before seconds."""
    if tokens[at][1][0] != "m":
        return False
    before = [text[0] for kind, text in tokens[:at] if kind == "part"]
    after = [text[0] for kind, text in tokens[at + 1 :] if kind == "part"]
    return bool(before and before[-1] == "h" or after and after[0] == "s")


def _part(text: str, moment: datetime, minute: bool, twelve: bool) -> str | None:
    if text[0] == "y":
        return f"{moment:%Y}" if len(text) > 2 else f"{moment:%y}"
    if text[0] == "a":
        return ("星期" if len(text) == 4 else "") + _WEEK[moment.weekday()]
    if text[0] == "d" and len(text) > 2 or text[0] == "m" and len(text) > 2:
        return None
    hour = (moment.hour - 1) % 12 + 1 if twelve else moment.hour
    number = {"d": moment.day, "h": hour, "s": moment.second}.get(text[0], moment.minute if minute else moment.month)
    return f"{number:02}" if len(text) > 1 else str(number)


def _half(moment: datetime) -> str:
    return "上午" if moment.hour < 12 else "下午"
