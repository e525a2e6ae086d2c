"""Sending to members, within WeChat Work's limits: 2,048 bytes a text, 30 messages a minute a member, the excess silently
dropped by the platform and therefore never sent."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from html import escape

from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, Delivery, NotSent, Receipt
from connectors.plain_text import numbered, plain, split
from connectors.port import Alert
from connectors.wecom.client import WecomClient, WecomError

MOST_BYTES = 2048
MOST_A_MINUTE = 28
"""Two less than the platform takes: its minute is not ours."""
_REPEATS = timedelta(seconds=60)
"""How long the platform shows the same words once. No longer: who asks again later wants to be answered again."""
_GONE = {40003, 60011, 60111, 81013}
"""The receiver left, or the app is not visible to them: no repeat helps."""


class WecomChannel:
    """`alert(kind, advice)` is told what only an operator can put right."""

    repeats: timedelta | None = _REPEATS

    def __init__(self, client: WecomClient, agent_id: int, redis: Redis, alert: Alert) -> None:
        self._client, self._agent_id, self._redis, self._alert = client, agent_id, redis, alert

    def send(self, delivery: Delivery) -> Receipt:
        user = delivery.employee.employee_no
        if not user:
            raise NotSent("nobody to send to", for_good=True)
        parts = rendered(delivery.message)
        if wait := self._too_many(user, len(parts)):
            raise Busy(wait, everybody=False)
        ids = [self._send_one(user, part) for part in parts]
        return Receipt(ids[-1] if ids else "", {"parts": len(ids)})

    def _send_one(self, user: str, text: str) -> str:
        try:
            answer = self._client.post(
                "/cgi-bin/message/send",
                {
                    "touser": user,
                    "msgtype": "text",
                    "agentid": self._agent_id,
                    "text": {"content": text},
                    "safe": 0,
                    "enable_duplicate_check": 1,
                    "duplicate_check_interval": int(_REPEATS.total_seconds()),
                },
            )
        except WecomError as error:
            if error.advice:
                self._alert(f"wecom:{error.code}", error.advice)
            raise NotSent(str(error), for_good=error.code in _GONE or not error.advice) from error
        invalid = str(answer.get("invaliduser") or "").lower().split("|")
        if user.lower() in invalid:
            raise NotSent(f"WeChat Work knows no receiver {user}", for_good=True)
        return str(answer.get("msgid") or "")

    def _too_many(self, user: str, parts: int) -> timedelta | None:
        """How long to wait until `parts` more messages fit into the member's minute; None when they do, and are counted."""
        key, moment = f"fssc:wecom:pace:{user.lower()}", time.time()
        try:
            with self._redis.pipeline() as pipe:
                pipe.zremrangebyscore(key, 0, moment - 60)
                pipe.zrange(key, 0, -1, withscores=True)
                _, sent = pipe.execute()
            if len(sent) and len(sent) + parts > MOST_A_MINUTE:
                oldest = sent[min(len(sent) + parts - MOST_A_MINUTE, len(sent)) - 1][1]
                return timedelta(seconds=max(0.5, oldest + 60 - moment))
            self._redis.zadd(key, {uuid.uuid4().hex: moment for _ in range(parts)})
            self._redis.expire(key, 90)
        except RedisError:
            return None
        return None


def rendered(message: dict) -> list[str]:
    """`Message.to_dict()` as texts of at most MOST_BYTES bytes: an agent's name before their words, choices by number."""
    text = plain(str(message.get("text") or ""), _link)
    if message.get("from") == "agent" and message.get("agent_name"):
        text = f"【{message['agent_name']}】{text}"
    labels = [str(option.get("label") or "") for option in message.get("options") or []]
    if labels:
        text += f"\n\n回复数字选择：\n{numbered(labels)}"
    return split(text, MOST_BYTES)


def _link(label: str, address: str) -> str:
    """Texts of WeChat Work know links, and nothing else of HTML."""
    if not address.startswith(("http://", "https://")):
        return label
    return f'<a href="{escape(address, quote=True)}">{label}</a>'
