"""Answering in DingTalk: by the session webhook while there is one, else by the robot's API. What concerns a ticket is said in
the single chat only, wherever it was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, Delivery, NotSent, Receipt, Unsure
from connectors.dingtalk.client import DingtalkClient, DingtalkError
from connectors.dingtalk.markdown import choices, parts, shown, title_of
from connectors.dingtalk.people import People
from connectors.dingtalk.sessions import Sessions
from connectors.plain_text import sources
from connectors.port import Alert, Notice
from connectors.rating_links import RatingLinks
from connectors.survey_links import SurveyLinks

log = structlog.get_logger()

_SINGLE, _GROUP = "/v1.0/robot/oToMessages/batchSend", "/v1.0/robot/groupMessages/send"
_GONE = {"staffId.notExisted", "robot.oto.notExist", "invalidParameter.userIds.empty", "illegal.receivers", "60121"}
"""The receiver left, or never met the robot: no repeat helps."""
_WITHOUT_QUOTA = timedelta(minutes=10)
_CONTROLLED = timedelta(seconds=30)
_REMEMBERED = 24 * 3600
_BETWEEN = "\n\n"
"""Between messages that are said in one."""
_TICKET_CHOICES = ("ticket:", "talk:", "urge:", "reopen:", "cancel:", "confirm:", "rate:")
_ASKING = ("ticket", "rating", "reasons", "survey")
"""Kinds of messages that stand alone, and for nobody but the person who asked."""
_ELSEWHERE = "涉及您个人的工单，详细内容已在单聊里发给您，请打开与我的单聊查看。"


@dataclass(frozen=True)
class Part:
    """One message: Markdown, with a button that opens an address where there is one."""

    title: str
    text: str
    button: str = ""
    address: str = ""

    def webhook(self, at: str) -> dict[str, Any]:
        if self.address:
            return {"msgtype": "actionCard", "actionCard": self._card() | {"btnOrientation": "0"}}
        if at:
            text = f"@{at} \n\n{self.text}"
            return {
                "msgtype": "markdown",
                "markdown": {"title": self.title, "text": text},
                "at": {"atUserIds": [at], "isAtAll": False},
            }
        return {"msgtype": "markdown", "markdown": {"title": self.title, "text": self.text}}

    def template(self) -> dict[str, str]:
        """`msgKey` and `msgParam`, which is JSON within JSON."""
        if self.address:
            return {"msgKey": "sampleActionCard", "msgParam": json.dumps(self._card(), ensure_ascii=False)}
        said = {"title": self.title, "text": self.text}
        return {"msgKey": "sampleMarkdown", "msgParam": json.dumps(said, ensure_ascii=False)}

    def _card(self) -> dict[str, str]:
        return {"title": self.title, "text": self.text, "singleTitle": self.button, "singleURL": self.address}


@dataclass(frozen=True)
class _To:
    """`vouched`: only at an address that is surely this person's."""

    group: str
    user: str
    name: str
    vouched: bool


class DingtalkChannel:
    """`alert(kind, advice)` is told what only an operator can put right."""

    repeats: timedelta | None = None

    def __init__(
        self, client: DingtalkClient, robot_code: str, redis: Redis, sessions: Sessions, people: People,
        ratings: RatingLinks, surveys: SurveyLinks, alert: Alert,
    ) -> None:  # fmt: skip
        self._client, self._robot_code, self._redis, self._alert = client, robot_code, redis, alert
        self._sessions, self._people, self._ratings, self._surveys = sessions, people, ratings, surveys

    def send(self, delivery: Delivery) -> Receipt:
        user = self._people.user_of(delivery.employee.employee_no or "")
        if not user:
            raise NotSent("nobody to send to", for_good=True)
        group = delivery.thread
        if group and personal(delivery.message):
            self._point_elsewhere(delivery.key, group, user)
            group = ""
        to = _To(group, user, delivery.employee.name or "", vouched=personal(delivery.message))
        return self._all(delivery.key, to, self._rendered(delivery))

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """As many texts as fit into one part, all of them about a ticket or none; after an agent only what says who speaks."""
        texts: list[str] = []
        named = ""
        for n, message in enumerate(one.message for one in deliveries):
            texts.append(_said(message))
            if (
                not _only_words(message)
                or (named and not _name(message))
                or personal(message) != personal(deliveries[0].message)
                or len(parts(_BETWEEN.join(texts))) > 1
            ):
                return max(n, 1)
            named = _name(message)
        return len(deliveries)

    def tell(self, employee_no: str, notice: Notice) -> Receipt:
        """A notice for a member of the desk, in their single chat."""
        user = self._people.user_of(employee_no)
        if not user:
            raise NotSent("never heard of in DingTalk", for_good=True)
        title = f"【紧急】{notice.title}" if notice.urgent else notice.title
        text = f"**{title}**\n\n{notice.text}"
        part = Part(title, text, "打开查看" if notice.url else "", notice.url)
        return Receipt(self._by_api(_To("", user, "", vouched=True), part))

    def _all(self, key: str, to: _To, said: list[Part]) -> Receipt:
        """The parts in order. Those that are out stay out when the next one fails."""
        done, last = self._done(key), ""
        for n, part in enumerate(said):
            if n >= done:
                last = self._one(to, part)
                self._remember(key, n + 1, len(said))
        return Receipt(last, {"parts": len(said)})

    def _one(self, to: _To, part: Part) -> str:
        if address := self._sessions.of(to.group, to.user, vouched=to.vouched):
            try:
                self._client.webhook(address, part.webhook(to.user if to.group else ""))
                return ""
            except DingtalkError as error:
                # Expired early, or used up: the API may still take it.
                log.info("dingtalk_session_over", code=error.code)
                self._sessions.forget(to.group, to.user, address)
        return self._by_api(to, part)

    def _by_api(self, to: _To, part: Part) -> str:
        body: dict[str, Any] = {"robotCode": self._robot_code}
        if to.group:
            # Nobody can be mentioned this way.
            part = Part(
                part.title, f"**{to.name}**：\n\n{part.text}" if to.name else part.text, part.button, part.address
            )
            body["openConversationId"] = to.group
        else:
            body["userIds"] = [to.user]
        try:
            answer = self._client.post(_GROUP if to.group else _SINGLE, body | part.template())
        except DingtalkError as error:
            if error.advice:
                self._alert(f"dingtalk:{error.code}", error.advice)
            if error.no_quota:
                raise Busy(_WITHOUT_QUOTA, everybody=False) from error
            gone = error.code in _GONE
            words = not gone and not error.advice
            raise NotSent(str(error), for_good=gone or words, words=words) from error
        if not to.group and answer.get("invalidStaffIdList"):
            raise NotSent(f"DingTalk knows no receiver {to.user}", for_good=True)
        if not to.group and answer.get("flowControlledStaffIdList"):
            raise Busy(_CONTROLLED, everybody=False)
        return str(answer.get("processQueryKey") or "")

    def _point_elsewhere(self, key: str, group: str, user: str) -> None:
        """Say in the group where the answer is, once, and only as long as it costs no call of the API."""
        if not (address := self._sessions.of(group, user)):
            return
        try:
            if self._redis.set(f"fssc:dingtalk:elsewhere:{group}|{user}", key, nx=True, ex=60):
                self._client.webhook(address, Part("工单", _ELSEWHERE).webhook(user))
        except (DingtalkError, NotSent, Busy, Unsure, RedisError) as error:
            log.info("dingtalk_not_pointed", error=type(error).__name__)

    def _rendered(self, delivery: Delivery) -> list[Part]:
        message = self._surveys.opened_by(delivery).message
        title, text = _titled(message), _said(message)
        if delivery.along:
            said = _BETWEEN.join(one for one in map(_said, delivery.messages) if one)
            return [Part(title, part) for part in parts(said)]
        if address := self._ratings.address(delivery):
            return [Part(title, f"{text}\n\n也可以直接回复 1 到 5 的数字打分。", "打分评价", address)]
        if address := self._surveys.address(delivery):
            asked = shown(str(delivery.message.get("text") or ""))
            return [Part(title, asked, "填写问卷", address)]
        text = "\n\n".join(one for one in (text, choices(message)) if one)
        return [Part(title, part) for part in parts(text)]

    def _done(self, key: str) -> int:
        try:
            return int(self._redis.get(f"fssc:dingtalk:parts:{key}") or 0)
        except RedisError:
            return 0

    def _remember(self, key: str, done: int, of: int) -> None:
        if of > 1:
            try:
                self._redis.set(f"fssc:dingtalk:parts:{key}", done, ex=_REMEMBERED)
            except RedisError as error:
                log.warning("dingtalk_parts_not_kept", error=type(error).__name__)


def _said(message: dict[str, Any]) -> str:
    text = shown(str(message.get("text") or ""))
    if source := sources(message):
        text = f"{text}\n\n> {source}"
    return f"**【{name}】**\n\n{text}" if (name := _name(message)) else text


def _titled(message: dict[str, Any]) -> str:
    title = title_of(shown(str(message.get("text") or "")))
    return f"{name}：{title}" if (name := _name(message)) else title


def _name(message: dict[str, Any]) -> str:
    """Whose words they are, as far as they say so: an agent's."""
    return str(message.get("agent_name") or "") if message.get("from") == "agent" else ""


def _only_words(message: dict[str, Any]) -> bool:
    return not message.get("options") and message.get("type") not in _ASKING


def personal(message: dict[str, Any]) -> bool:
    """Whether a message is about a ticket, and so for nobody but the person who asked."""
    if message.get("from") == "agent" or message.get("number") or message.get("type") in _ASKING:
        return True
    offered = [str(option.get("choice") or "") for option in message.get("options") or []]
    return any(choice.startswith(_TICKET_CHOICES) for choice in offered)
