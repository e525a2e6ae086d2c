"""The on-call lists: who is called about which emergency, in which order, how long each has to acknowledge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.text import normalize
from handoff.routing import versions

MINUTES = 5
_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class OnCallList:
    """`words` are the risk words that it is for; the one without words is for all others."""

    id: str
    name: str
    words: tuple[str, ...]
    people: tuple[str, ...]
    minutes: int


NOBODY = OnCallList("general", "应急值班", (), (), MINUTES)


def lists(session: Session) -> list[OnCallList]:
    row = versions.in_force(session, versions.EMERGENCY)
    return [
        OnCallList(one["id"], one["name"], tuple(one["words"]), tuple(one["people"]), one["minutes"])
        for one in (row.body["lists"] if row else ())
    ]


def list_for(session: Session, words: Iterable[str]) -> OnCallList:
    """The first list for any of these words, else the general one."""
    found, words = lists(session), set(words)
    return (
        next((one for one in found if words & set(one.words)), None)
        or next((one for one in found if not one.words), None)
        or NOBODY
    )


def lists_body(rows: list[dict[str, Any]], known: set[str]) -> dict[str, Any]:
    """What is stored for `rows`; `known` are the people who may be on call. Raises InvalidInput."""
    made = []
    for row in rows:
        name = normalize(str(row.get("name") or ""))
        if not 1 <= len(name) <= 40 or not _ID.fullmatch(str(row.get("id") or "")):
            raise InvalidInput("每份应急名单需要一个 40 个字以内的名称。", code="oncall_invalid")
        people = list(dict.fromkeys(row.get("people") or ()))
        if unknown := [one for one in people if one not in known]:
            raise InvalidInput(f"{name}：没有用户 {'、'.join(unknown)}，请从名单中移除。", code="oncall_invalid")
        minutes = row.get("minutes")
        if not isinstance(minutes, int) or not 1 <= minutes <= 120:
            raise InvalidInput(f"{name}：确认时限需要 1 到 120 分钟。", code="oncall_invalid")
        words = list(dict.fromkeys(filter(None, (normalize(word) for word in row.get("words") or ()))))
        made.append({"id": row["id"], "name": name, "words": words, "people": people, "minutes": minutes})
    if len(made) > 20 or len({one["id"] for one in made}) < len(made):
        raise InvalidInput("应急名单最多 20 份，不能重复。", code="oncall_invalid")
    if sum(not one["words"] for one in made) != 1:
        raise InvalidInput("需要正好一份不限风险词的名单，接收其余的应急工单。", code="oncall_invalid")
    return {"lists": made}
