"""An enterprise robot as it is configured, and all that belongs to it: the port's implementation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from connectors import arrivals
from connectors.delivery import Busy, Delivery, NotSent, Receipt, Unsure
from connectors.dingtalk.channel import DingtalkChannel
from connectors.dingtalk.client import DEFAULT_URL, DingtalkClient, DingtalkError
from connectors.dingtalk.directory import Directory
from connectors.dingtalk.envelope import verify
from connectors.dingtalk.incoming import QUOTA, loaded, meaning, parse, unpublished
from connectors.dingtalk.markdown import MOST_BYTES
from connectors.dingtalk.people import People
from connectors.dingtalk.sessions import HOSTS, Sessions
from connectors.port import Alert, Capabilities, Field, Notice, Received
from connectors.rating_links import RatingLinks
from connectors.survey_links import SurveyLinks
from core.clock import now
from core.database import Database
from core.errors import SettingsError
from core.identity import Identity

LABEL = "钉钉"
HTTP, STREAM = "http", "stream"
FIELDS = (
    Field("client_id", "Client ID", "开发者后台 → 应用 → 凭证与基础信息，原名 AppKey。"),
    Field("client_secret", "Client Secret", "同一页面，原名 AppSecret。", secret=True),
    Field("corp_id", "企业 CorpId", "开发者后台首页右上角，以 ding 开头。"),
    Field("robot_code", "RobotCode", "应用能力 → 机器人；不填时与 Client ID 相同。", required=False),
    Field(
        "mode", "消息接收模式", "stream 或 http，与开发者后台机器人配置里选的一致；stream 不需要公网地址。",
        required=False, default=STREAM,
    ),
    Field(
        "employee_no", "工号取自", "userid：员工的 UserID 就是工号；job_number：取通讯录里的“工号”。",
        required=False, default="userid",
    ),
    Field("url", "接口地址", "只在试用模拟器时填写。", required=False, default=DEFAULT_URL, trial=True),
)  # fmt: skip

_QUOTA_USED = (
    "本月的机器人消息额度已用完（标准版 Webhook 与 Stream 合计每月 3000 次），员工的提问暂时收不到，"
    "请在钉钉管理后台升级版本或购买额度。"
)
_UNPUBLISHED = "收到的消息没有员工 UserID：机器人或应用还没有发布，请在开发者后台“版本管理与发布”里发布新版本。"
_NO_ADDRESS = "HTTP 模式需要钉钉能访问的 https 地址：请设置 FSSC_PUBLIC_URL，或在两边都改用 stream 模式。"
_SEEN_UNPUBLISHED = 24 * 3600
_NOBODY = "fssc-desk-check"


class DingtalkConnector:
    """Raises SettingsError, in Chinese, for values that none can be. `mode` is how messages come: `http` or `stream`."""

    name: ClassVar[str] = "dingtalk"
    label: ClassVar[str] = LABEL
    capabilities: ClassVar[Capabilities] = Capabilities(0, True, False, MOST_BYTES)
    repeats = DingtalkChannel.repeats

    def __init__(self, config: dict[str, str], database: Database, redis: Redis, alert: Alert) -> None:
        self.mode, numbers = config["mode"].lower(), config["employee_no"].lower()
        if self.mode not in (HTTP, STREAM):
            raise SettingsError("“消息接收模式”只能是 stream 或 http。")
        if numbers not in ("userid", "job_number"):
            raise SettingsError("“工号取自”只能是 userid 或 job_number。")
        if not config["corp_id"].startswith("ding"):
            raise SettingsError("“企业 CorpId”以 ding 开头，请在开发者后台首页核对。")
        self._secret, self._corp_id = config["client_secret"], config["corp_id"]
        self._robot_code = config["robot_code"] or config["client_id"]
        self._database, self._redis, self._alert = database, redis, alert
        address = urlsplit(config["url"])
        ours = [*HOSTS] if config["url"] == DEFAULT_URL else [*HOSTS, f"{address.scheme}://{address.netloc}"]
        by_job_number = numbers == "job_number"
        people = People(database, by_job_number=by_job_number)
        self.client = DingtalkClient(config["client_id"], self._secret, redis, config["url"])
        self._sessions = Sessions(redis, self.client.scope, ours)
        self._directory = Directory(self.client, redis, people, by_job_number=by_job_number)
        self._trial, self._public_url = config["url"] != DEFAULT_URL, config.get("public_url", "")
        links = self._public_url, config.get("links_key", "")
        self._channel = DingtalkChannel(
            self.client,
            self._robot_code,
            redis,
            self._sessions,
            people,
            RatingLinks(*links),
            SurveyLinks(*links),
            alert,
        )
        self._lease = hashlib.sha256(self._robot_code.encode()).hexdigest()[:16]

    @property
    def lease(self) -> str:
        """The name under which the one stream connection of this robot is held."""
        return f"fssc:dingtalk:leader:{self._lease}"

    def verify(self, timestamp: str, sign: str, body: bytes) -> dict[str, Any]:
        """What an HTTP callback says. Raises BadCallback unless DingTalk sent it."""
        verify(timestamp, sign, self._secret, now())
        return loaded(body)

    @staticmethod
    def loaded(said: Any) -> dict[str, Any]:
        """What a frame of the stream holds. Raises BadCallback."""
        return loaded(said) if isinstance(said, str | bytes) else loaded(b"")

    def alert(self, error: DingtalkError) -> None:
        """Tell the operator of an error that only they can put right."""
        if error.advice:
            self._alert(f"dingtalk:{error.code}", error.advice)

    def take(self, body: dict[str, Any], *, signed: bool = True) -> bool:
        """Store a message; False where it was here before, or where there is nothing to answer. Raises BadCallback for what is
        not ours, and whatever the database raises: then it may not be acknowledged."""
        incoming, session = parse(body, self._corp_id, self._robot_code, signed=signed)
        if incoming.kind == QUOTA:
            self._alert("dingtalk:20001", _QUOTA_USED)
            return False
        if incoming.kind == "nothing":
            if unpublished(body):
                self._noticed_unpublished()
            return False
        if session:
            self._sessions.keep(incoming, session, now(), vouched=not signed)
        return arrivals.store(self._database, self.name, incoming.key, incoming.sender, incoming.stored())

    def read(self, body: dict[str, Any]) -> Received:
        return meaning(body)

    def identity(self, received: Received) -> Identity:
        """In a group number and name only: what is said there, everybody in it reads."""
        found = self._directory.identity(received.sender)
        return Identity(employee_no=found.employee_no, name=found.name) if received.group else found

    def clicked(self, received: Received, label: str) -> None:
        """Cards of DingTalk's robots only open addresses: nothing to show."""

    def send(self, delivery: Delivery) -> Receipt:
        return self._channel.send(delivery)

    def together(self, deliveries: Sequence[Delivery]) -> int:
        return self._channel.together(deliveries)

    def tell(self, employee_no: str, notice: Notice) -> Receipt:
        return self._channel.tell(employee_no, notice)

    def check(self) -> list[str]:
        """What is wrong, as far as it can be seen from here. Costs one call of the monthly quota."""
        wrong: list[str] = []
        if self.mode == HTTP and not self._trial and not self._public_url.startswith("https://"):
            wrong.append(_NO_ADDRESS)
        for look in (self._check_directory, self._check_robot, self._check_stream):
            try:
                look()
            except DingtalkError as error:
                wrong.append(error.advice or f"钉钉返回错误：{error}")
            except (NotSent, Unsure):
                wrong.append("连不上钉钉的接口，请检查服务器能否访问 api.dingtalk.com 和 oapi.dingtalk.com。")
            except Busy:
                wrong.append("调用太频繁，被钉钉暂时限制，请几分钟后再试。")
        if self._was_unpublished():
            wrong.append(_UNPUBLISHED)
        return list(dict.fromkeys(wrong))

    def _check_directory(self) -> None:
        self.client.old("/topapi/v2/department/get", {"dept_id": 1})

    def _check_robot(self) -> None:
        """A message to nobody tells whether the robot may send."""
        template = {"msgKey": "sampleText", "msgParam": '{"content":"测试"}'}
        try:
            self.client.post(
                "/v1.0/robot/oToMessages/batchSend", {"robotCode": self._robot_code, "userIds": [_NOBODY], **template}
            )
        except DingtalkError as error:
            if not error.code.startswith(("staffId", "invalidParameter.user", "robot.oto", "illegal.receivers")):
                raise

    def _check_stream(self) -> None:
        if self.mode == STREAM:
            self.client.gateway()

    def _noticed_unpublished(self) -> None:
        self._alert("dingtalk:unpublished", _UNPUBLISHED)
        try:
            self._redis.set("fssc:dingtalk:unpublished", "1", ex=_SEEN_UNPUBLISHED)
        except RedisError:
            return

    def _was_unpublished(self) -> bool:
        try:
            return bool(self._redis.get("fssc:dingtalk:unpublished"))
        except RedisError:
            return False


def connector(config: dict[str, str], database: Database, redis: Redis, alert: Alert) -> DingtalkConnector:
    """The robot with this configuration; `public_url` and `links_key` beside its fields make links for ratings."""
    return DingtalkConnector(config, database, redis, alert)
