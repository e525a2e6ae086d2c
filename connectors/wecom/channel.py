"""Sending to members, within WeChat Work's limits: 2,048 bytes a text, 30 messages a minute and 1,000 an hour for a member, the
excess silently dropped by the platform and therefore never sent.

What may have been sent is sent again without being shown twice: a card bears a name that is the same in every attempt, and the
platform shows the same text once within some minutes. The same words that are meant to be said again differ by characters that
nobody sees. What was sent of a message in parts is remembered, so that another attempt goes on where the last one broke off.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, Delivery, NotSent, Receipt
from connectors.plain_text import offered, plain, sources, split
from connectors.port import Alert, Notice
from connectors.wecom import cards
from connectors.wecom.client import WecomClient, WecomError

log = structlog.get_logger()

MOST_BYTES = 2048
MOST_A_MINUTE, MOST_AN_HOUR = 28, 980
"""A little less than the platform takes: its minute is not ours."""
_MINUTE, _HOUR = 60, 3600
_REPEATS = timedelta(minutes=10)
"""How long the platform shows the same words once: longer than a dead process's claim lasts, and some attempts after it."""
_UNSEEN = str.maketrans("01", "\u200b\u200c")
_ROOM = 30
"""Bytes left for them: ten characters."""
_GONE = {40003, 60011, 60111, 81013}
"""The receiver left, or the app is not visible to them: no repeat helps."""
_NAMED_BEFORE = 42014
_CARD_REFUSED = {_NAMED_BEFORE, 40008, 40016, 40058, 45002, *range(42015, 42046)}
"""Something about the card, not about who sends or receives it: the same is said as text."""
_REMEMBERED = 24 * 3600
_BETWEEN = "\n\n"
"""Between messages that are said in one."""
_ASKING = ("ticket", "rating", "reasons", "survey")
"""Kinds of messages that stand alone, even where nothing can be chosen."""


@dataclass(frozen=True)
class Part:
    """One message of the platform: `body` is its `msgtype` and content; `instead`, for a card, the texts that say the same."""

    body: dict[str, Any]
    instead: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        return max(1, len(self.instead))


@dataclass(frozen=True)
class _Progress:
    """What earlier attempts came to: how many parts were sent, which cards were refused, and whether text and card became one."""

    sent: int = 0
    refused: frozenset[int] = frozenset()
    merged: bool = False


_NOTHING_SENT = _Progress()

_NAME_WORDS = """
local place = redis.call('hget', KEYS[1], ARGV[1])
if not place then
  place = redis.call('hlen', KEYS[1])
  redis.call('hset', KEYS[1], ARGV[1], place)
  redis.call('expire', KEYS[1], ARGV[2])
end
return tonumber(place)
"""
"""The place of a name among those that said the same words lately; a new one gets the next."""


@dataclass(frozen=True)
class _Standing:
    """Where a message and its receiver stand: the times of what the member was sent within a minute, and how much within an hour."""

    progress: _Progress = _NOTHING_SENT
    lately: tuple[float, ...] = ()
    in_hour: int = 0


class WecomChannel:
    """`alert(kind, advice)` is told what only an operator can put right. Without `with_cards` everything is text."""

    repeats: timedelta | None = _REPEATS

    def __init__(
        self, client: WecomClient, agent_id: int, redis: Redis, alert: Alert, *, with_cards: bool = True
    ) -> None:
        self._client, self._agent_id, self._redis, self._alert = client, agent_id, redis, alert
        self._with_cards = with_cards
        self._name_words = redis.register_script(_NAME_WORDS)

    def send(self, delivery: Delivery) -> Receipt:
        user, key = delivery.employee.employee_no, delivery.key
        standing = self._standing(user or "", key)
        if delivery.along:
            return self._send(user, _in_one(delivery.messages), key, delivery.attempt, standing)
        progress, crowded = standing.progress, len(standing.lately) >= MOST_A_MINUTE // 2
        parts = rendered(delivery.message, key, with_cards=self._with_cards and not progress.merged)
        if len(parts) > 1 and self._with_cards and progress == _NOTHING_SENT and crowded:
            merged = rendered(delivery.message, key, with_cards=False)
            if len(merged) < len(parts):
                parts = merged
                self._remember(key, "merged", 1)
        return self._send(user, parts, key, delivery.attempt, standing)

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """As many texts as fit into one; after an agent only what says who speaks."""
        room, named = MOST_BYTES - _ROOM, ""
        for n, message in enumerate(one.message for one in deliveries):
            room -= len((_said(message) + (_BETWEEN if n else "")).encode())
            if room < 0 or (named and not _name(message)) or not _only_words(message):
                return max(n, 1)
            named = _name(message)
        return len(deliveries)

    def tell(self, employee_no: str, notice: Notice) -> Receipt:
        """Bring a notice to a member of the desk, as a card that opens it."""
        text = f"【{notice.title}】\n{plain(notice.text)}"
        texts = split(f"{text}\n\n{_link('打开查看', notice.url)}" if notice.url else text, MOST_BYTES - _ROOM)
        card = cards.notice_card(notice, cards.task_id(notice.key, 0)) if self._with_cards else None
        parts = [Part(_card(card), tuple(texts))] if card else [Part(_text(one)) for one in texts]
        # Whether it was tried before is not ours to know: a name that was used is taken for a card that arrived.
        key = f"notice:{notice.key}"
        return self._send(employee_no, parts, key, 2, self._standing(employee_no, key))

    def update(self, user: str, response_code: str, label: str) -> None:
        """Put `label` on the card that was clicked, which takes no more clicks. Raises as `send`; a code is good for once."""
        self._client.post(
            "/cgi-bin/message/update_template_card",
            {
                "userids": [user],
                "agentid": self._agent_id,
                "response_code": response_code,
                "button": {"replace_name": label},
            },
        )

    def _send(self, user: str | None, parts: Sequence[Part], key: str, attempt: int, standing: _Standing) -> Receipt:
        if not user:
            raise NotSent("nobody to send to", for_good=True)
        progress, done = standing.progress, standing.progress.sent
        if wait := self._too_many(user, sum(part.weight for part in parts[done:]), standing):
            raise Busy(wait, everybody=False)
        ids: list[str] = []
        for n, part in enumerate(parts[done:], done):
            ids += self._send_part(user, part, key, n, repeated=attempt > 1, refused=n in progress.refused)
            self._remember(key, "sent", n + 1)
        return Receipt(ids[-1] if ids else "", {"parts": len(parts)})

    def _send_part(self, user: str, part: Part, key: str, n: int, *, repeated: bool, refused: bool) -> list[str]:
        if not part.instead:
            return [self._say(user, str(part.body["text"]["content"]), f"{key}:{n}")]
        if not refused:
            try:
                return [self._post(user, part.body)]
            except _Refused as error:
                if error.code == _NAMED_BEFORE and repeated:
                    return [""]
                log.warning("wecom_card_refused", code=error.code, kind=part.body["template_card"]["card_type"])
                self._remember(key, f"refused:{n}", 1)
        return [self._say(user, text, f"{key}:{n}:{m}") for m, text in enumerate(part.instead)]

    def _say(self, user: str, text: str, name: str) -> str:
        return self._post(user, _text(text + self._unlike(user, text, name)))

    def _unlike(self, user: str, text: str, name: str) -> str:
        """What tells `text` from the same words that were said lately under another name."""
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        key = f"fssc:wecom:said:{user.lower()}:{digest}"
        try:
            number = int(self._name_words(keys=[key], args=[name, int(_REPEATS.total_seconds())]))
        except RedisError as error:
            log.warning("wecom_words_not_told_apart", error=str(error))
            return ""
        return f"{number:b}".translate(_UNSEEN) if number else ""

    def _post(self, user: str, body: dict[str, Any]) -> str:
        once = {"enable_duplicate_check": 1, "duplicate_check_interval": int(_REPEATS.total_seconds())}
        # A card is told from others by its name; whether the platform's check looks at that is not documented.
        told_apart = once if body["msgtype"] == "text" else {}
        try:
            answer = self._client.post(
                "/cgi-bin/message/send", {"touser": user, "agentid": self._agent_id, **body, **told_apart}
            )
        except WecomError as error:
            if "template_card" in body and error.code in _CARD_REFUSED:
                raise _Refused(error) from error
            if error.advice:
                self._alert(f"wecom:{error.code}", error.advice)
            gone = error.code in _GONE
            words = not gone and not error.advice
            raise NotSent(str(error), for_good=gone or words, words=words) from error
        except Busy:
            self._alert("wecom:45009", "调用过于频繁，或当天可发的消息数已用完，消息正在排队，恢复后自动发出。")
            raise
        invalid = str(answer.get("invaliduser") or "").lower().split("|")
        if user.lower() in invalid:
            raise NotSent(f"WeChat Work knows no receiver {user}", for_good=True)
        return str(answer.get("msgid") or "")

    def _standing(self, user: str, key: str) -> _Standing:
        pace, moment = _pace_key(user), time.time()
        try:
            with self._redis.pipeline() as pipe:
                pipe.hgetall(_sent_key(key))
                pipe.zremrangebyscore(pace, 0, moment - _HOUR)
                pipe.zcard(pace)
                pipe.zrangebyscore(pace, moment - _MINUTE, "+inf", withscores=True)
                kept, _, in_hour, lately = pipe.execute()
        except RedisError:
            return _Standing()
        found = {name.decode(): int(value) for name, value in kept.items()}
        refused = frozenset(int(name.removeprefix("refused:")) for name in found if name.startswith("refused:"))
        progress = _Progress(found.get("sent", 0), refused, "merged" in found)
        return _Standing(progress, tuple(at for _, at in lately), int(in_hour))

    def _remember(self, key: str, name: str, value: int) -> None:
        try:
            with self._redis.pipeline() as pipe:
                pipe.hset(_sent_key(key), name, value)
                pipe.expire(_sent_key(key), _REMEMBERED)
                pipe.execute()
        except RedisError as error:
            log.warning("wecom_progress_not_kept", error=str(error))

    def _too_many(self, user: str, parts: int, standing: _Standing) -> timedelta | None:
        """How long to wait until `parts` more messages fit into the member's minute and hour; None when they do, and are
        counted."""
        key, moment, lately, in_hour = _pace_key(user), time.time(), standing.lately, standing.in_hour
        if lately and len(lately) + parts > MOST_A_MINUTE:
            oldest = lately[min(len(lately) + parts - MOST_A_MINUTE, len(lately)) - 1]
            return timedelta(seconds=max(0.5, oldest + _MINUTE - moment))
        try:
            if in_hour and in_hour + parts > MOST_AN_HOUR:
                place = min(in_hour + parts - MOST_AN_HOUR, in_hour) - 1
                oldest = self._redis.zrange(key, place, place, withscores=True)[0][1]
                return timedelta(seconds=max(0.5, oldest + _HOUR - moment))
            if parts:
                with self._redis.pipeline() as pipe:
                    pipe.zadd(key, {uuid.uuid4().hex: moment for _ in range(parts)})
                    pipe.expire(key, _HOUR + 30)
                    pipe.execute()
        except RedisError:
            return None
        return None


class _Refused(Exception):
    def __init__(self, error: WecomError) -> None:
        super().__init__(str(error))
        self.code = error.code


def rendered(message: dict[str, Any], key: str, *, with_cards: bool = True) -> list[Part]:
    """`Message.to_dict()` as the platform's messages: an agent's name before their words, an answer's sources below it, choices on
    a card, or by number where they do not fit on one."""
    text = _said(message)
    choices = offered(message)
    everything = split(f"{text}\n\n{choices}" if choices else text, MOST_BYTES - _ROOM)
    made = cards.card_of(message, cards.task_id(key, 0)) if with_cards and choices else None
    if made is None:
        return [Part(_text(one)) for one in everything]
    card, whole = made
    if whole:
        return [Part(_card(card), tuple(everything))]
    return [
        *(Part(_text(one)) for one in split(text, MOST_BYTES - _ROOM)),
        Part(_card(card), tuple(split(choices, MOST_BYTES - _ROOM))),
    ]


def _said(message: dict[str, Any]) -> str:
    text = plain(str(message.get("text") or ""), _link)
    if name := _name(message):
        text = f"【{name}】{text}"
    if below := sources(message):
        text += f"\n\n{below}"
    return text


def _in_one(messages: Sequence[dict[str, Any]]) -> list[Part]:
    said = _BETWEEN.join(text for text in map(_said, messages) if text)
    return [Part(_text(one)) for one in split(said, MOST_BYTES - _ROOM)]


def _only_words(message: dict[str, Any]) -> bool:
    return not message.get("options") and message.get("type") not in _ASKING


def _name(message: dict[str, Any]) -> str:
    """Whose words they are, as far as they say so: an agent's."""
    return str(message.get("agent_name") or "") if message.get("from") == "agent" else ""


def on_button(label: str, choice: str) -> str:
    """What a clicked card shows: what stood on its button, in as many characters as a button has."""
    said = "已提交" if label == choice else label
    return said if len(said) <= cards.MOST_BUTTON else said[: cards.MOST_BUTTON - 1] + "…"


def _text(content: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content}, "safe": 0}


def _card(card: cards.Card) -> dict[str, Any]:
    return {"msgtype": "template_card", "template_card": card}


def _pace_key(user: str) -> str:
    return f"fssc:wecom:pace:{user.lower()}"


def _sent_key(key: str) -> str:
    return f"fssc:wecom:sent:{key}"


def _link(label: str, address: str) -> str:
    """Texts of WeChat Work know links, and nothing else of HTML."""
    if not address.startswith(("http://", "https://")):
        return label
    return f'<a href="{escape(address, quote=True)}">{label}</a>'
