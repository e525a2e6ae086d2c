"""A self-built app of WeChat Work as it is configured, and all that belongs to it: the port's implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from redis import Redis

from connectors.delivery import Busy, Delivery, NotSent, Receipt, Unsure
from connectors.port import Alert, Capabilities, Field, Notice, Received
from connectors.survey_links import SurveyLinks
from connectors.wecom.cards import MOST_BUTTONS, chosen
from connectors.wecom.channel import MOST_BYTES, WecomChannel, on_button
from connectors.wecom.client import DEFAULT_URL, WecomClient, WecomError
from connectors.wecom.directory import Directory
from connectors.wecom.envelope import Envelope
from connectors.wecom.incoming import Incoming
from core.database import Database
from core.errors import SettingsError
from core.identity import Identity

log = structlog.get_logger()

LABEL = "企业微信"
FIELDS = (
    Field("corp_id", "企业 ID", "管理后台 → 我的企业 → 企业信息，最下面一行，以 ww 开头。"),
    Field("agent_id", "AgentId", "应用详情页最上面的数字。"),
    Field("secret", "Secret", "应用详情页的 Secret，点“查看”后在企业微信手机端收取。", secret=True),
    Field("token", "Token", "应用 → 接收消息 → 设置 API 接收，点“随机获取”后复制到这里。", secret=True),
    Field("aes_key", "EncodingAESKey", "与 Token 在同一页，点“随机获取”，正好 43 个字符。", secret=True),
    Field(
        "cards",
        "模板卡片",
        "填 on 或 off，默认 on。员工主要在微信插件里看消息、看不到卡片时填 off，选项改为回复数字。",
        required=False,
        default="on",
    ),
    Field("url", "接口地址", "只在试用模拟器时填写。", required=False, default=DEFAULT_URL, trial=True),
)
_CANNOT_READ = {
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "location": "位置",
    "link": "链接",
    "file": "文件",
}


def connector(config: dict[str, str], database: Database, redis: Redis, alert: Alert) -> WecomApp:
    """See `connectors.port.Package`."""
    if not config["agent_id"].isdigit():
        raise SettingsError("AgentId 应当是一个数字，请到应用详情页复制。")
    if config["cards"] not in ("on", "off"):
        raise SettingsError("“模板卡片”只能填 on 或 off。")
    with_cards = config["cards"] == "on"
    client = WecomClient(config["corp_id"], config["secret"], redis, config["url"])
    return WecomApp(
        Envelope(config["token"], config["aes_key"], config["corp_id"]),
        config["agent_id"],
        client,
        Directory(client, redis),
        WecomChannel(client, int(config["agent_id"]), redis, alert, with_cards=with_cards),
        SurveyLinks(config.get("public_url", ""), config.get("links_key", "")),
        Capabilities(MOST_BUTTONS if with_cards else 0, markdown=False, updates=with_cards, most_bytes=MOST_BYTES),
    )


@dataclass(frozen=True)
class WecomApp:
    """A `connectors.port.Connector`."""

    envelope: Envelope
    agent_id: str
    client: WecomClient
    directory: Directory
    channel: WecomChannel
    surveys: SurveyLinks
    capabilities: Capabilities

    name: ClassVar[str] = "wecom"
    label: ClassVar[str] = LABEL

    @property
    def repeats(self) -> timedelta | None:
        return self.channel.repeats

    def send(self, delivery: Delivery) -> Receipt:
        return self.channel.send(self.surveys.opened_by(delivery))

    def together(self, deliveries: Sequence[Delivery]) -> int:
        return self.channel.together(deliveries)

    def read(self, body: dict[str, Any]) -> Received:
        try:
            incoming = Incoming(**body)
        except TypeError:
            return Received("nothing")
        if not all(isinstance(one, str) for one in (incoming.kind, incoming.user, incoming.text, incoming.event_key)):
            return Received("nothing")
        user = incoming.user
        if incoming.kind == "text":
            return Received("text", user, incoming.text)
        if incoming.kind in _CANNOT_READ:
            return Received("unreadable", user, _CANNOT_READ[incoming.kind])
        if incoming.event in ("enter_agent", "subscribe"):
            return Received("opened", user)
        if incoming.event == "click" and incoming.event_key:
            return Received("choice", user, choice=incoming.event_key)
        if incoming.event == "template_card_event" and (choice := chosen(incoming.event_key, incoming.selected)):
            return Received("choice", user, choice=choice, card={"response_code": incoming.response_code})
        return Received("nothing", user)

    def identity(self, received: Received) -> Identity:
        return self.directory.identity(received.sender)

    def clicked(self, received: Received, label: str) -> None:
        code = str(received.card.get("response_code") or "")
        if not code:
            return
        try:
            self.channel.update(received.sender, code, on_button(label, received.choice))
        except (WecomError, NotSent, Busy, Unsure) as error:
            log.warning("wecom_card_not_updated", error=str(error))

    def tell(self, employee_no: str, notice: Notice) -> Receipt:
        return self.channel.tell(employee_no, notice)

    def check(self) -> list[str]:
        try:
            app = self.client.get("/cgi-bin/agent/get", agentid=self.agent_id)
        except WecomError as error:
            return [error.advice or f"企业微信拒绝了请求：{error}。"]
        except (NotSent, Unsure):
            return ["连不上企业微信的服务器（qyapi.weixin.qq.com），请检查服务器能否访问外网。"]
        except Busy:
            return ["企业微信暂时限制了调用频率，请一分钟后再试。"]
        wrong = []
        if app.get("close"):
            wrong.append("应用已停用，请在企业微信管理后台启用。")
        visible = (("allow_userinfos", "user"), ("allow_partys", "partyid"), ("allow_tags", "tagid"))
        if not any((app.get(whom) or {}).get(which) for whom, which in visible):
            wrong.append("应用的可见范围是空的，谁也收不到消息，请在应用详情页设置可见范围。")
        return wrong
