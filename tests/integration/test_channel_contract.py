"""Each channel against the contract, with its platform simulated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from redis import Redis

from connectors.delivery import Delivery
from connectors.dingtalk import app as dingtalk_app
from connectors.dingtalk.incoming import parse as parse_dingtalk
from connectors.wecom import app as wecom_app
from connectors.wecom.incoming import parse as parse_wecom
from connectors.widget import WidgetChannel
from core.database import Database
from core.identity import Identity
from tests.integration.channel_contract import LI, MESSAGES, WANG, ChannelContract, Subject
from tests.simulators import wecom_cards
from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator

LINKS = {"public_url": "https://desk.example.com", "links_key": "k"}
PEOPLE = {LI: "李晓雯", WANG: "王建国"}


@pytest.fixture(scope="module")
def store(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """What the channels keep does not depend on which database it is."""
    made = Database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path_factory.mktemp('store') / 'db.sqlite3')}")
    yield made
    made.close()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        for channel in ("wecom", "dingtalk"):
            for key in client.scan_iter(f"fssc:{channel}:*"):
                if b"dingtalk:pace:" not in key:  # its simulator counts the second of all tests
                    client.delete(key)
        yield client


class TestWecom(ChannelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls) -> Iterator[WecomSimulator]:
        simulator = WecomSimulator(
            members={no: {"name": name, "department": [3], "main_department": 3} for no, name in PEOPLE.items()},
            departments={1: {"name": "集团", "parentid": 0}, 3: {"name": "华晟销售公司", "parentid": 1}},
        ).start()
        yield simulator
        simulator.stop()

    @pytest.fixture(params=["on", "off"])
    def subject(
        self, platform: WecomSimulator, store: Database, redis: Redis, request: pytest.FixtureRequest
    ) -> Subject:
        for one in (
            platform.sent,
            platform.violations,
            platform.answer_next,
            platform._hour,
            platform._tasks,
            platform._seen,
        ):
            one.clear()
        given = {key.removeprefix("FSSC_WECOM_").lower(): value for key, value in platform.environment.items()}
        alerts: list[str] = []
        connector = wecom_app.connector(
            {one.name: one.default for one in wecom_app.FIELDS} | given | LINKS | {"cards": request.param},
            store, redis, lambda kind, advice: alerts.append(advice),
        )  # fmt: skip

        def stored(kind: str, more: str) -> dict:
            return asdict(parse_wecom(platform.message(LI, kind, more).encode()))

        def breaks(fault: str) -> None:
            path = "/cgi-bin/user/get" if fault == "directory" else "/cgi-bin/message/send"
            path = "/cgi-bin/agent/get" if fault == "check" else path
            code = {"down": -1, "busy": 45009, "refused": 60020, "directory": 60011, "check": 60020}.get(fault)
            platform.answer_next[path].append(502 if code is None else {"errcode": code, "errmsg": fault})

        return Subject(
            connector,
            {
                "text": stored("text", "<Content>怎么报销</Content><MsgId>1</MsgId>"),
                "choice": stored("event", "<Event>click</Event><EventKey>my_tickets</EventKey>"),
                "opened": stored("event", "<Event>enter_agent</Event><EventKey></EventKey>"),
                "unreadable": stored("voice", "<MediaId>m</MediaId><MsgId>2</MsgId>"),
                "nothing": stored("event", "<Event>never_heard_of</Event>"),
            },
            platform.heard_by,
            lambda user: [wecom_cards.labels(one["card"]) for one in platform.sent_to(user) if one["card"]],
            breaks,
            platform.violations,
            alerts=alerts,
        )


class TestDingtalk(ChannelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls) -> Iterator[DingtalkSimulator]:
        simulator = DingtalkSimulator(
            members={no: {"name": name, "dept_id_list": [3]} for no, name in PEOPLE.items()},
            departments={3: {"name": "华晟销售公司", "parent_id": 1}},
        ).start()
        yield simulator
        simulator.stop()

    @pytest.fixture
    def subject(self, platform: DingtalkSimulator, store: Database, redis: Redis) -> Subject:
        for one in (platform.sent, platform.violations, platform.answer_next):
            one.clear()
        given = {key.removeprefix("FSSC_DINGTALK_").lower(): value for key, value in platform.environment.items()}
        alerts: list[str] = []
        connector = dingtalk_app.connector(
            {one.name: one.default for one in dingtalk_app.FIELDS} | given | LINKS,
            store, redis, lambda kind, advice: alerts.append(advice),
        )  # fmt: skip

        def stored(**more: object) -> dict:
            body = platform.message(LI, "怎么报销", **more)
            incoming, _ = parse_dingtalk(body, platform.corp_id, platform.robot_code)
            return incoming.stored()

        def breaks(fault: str) -> None:
            path = {"directory": "/topapi/v2/user/get", "check": "/topapi/v2/department/get"}.get(
                fault, "/v1.0/robot/oToMessages/batchSend"
            )
            platform.answer_next[path].append(FAULTS[fault])

        return Subject(
            connector,
            {
                "text": stored(),
                "unreadable": stored(msgtype="picture", content={"downloadCode": "x"}),
                "nothing": stored(senderStaffId=""),
            },
            platform.heard_by,
            lambda user: [],
            breaks,
            platform.violations,
            group="cidGroupOne==",
            alerts=alerts,
        )


FAULTS: dict[str, dict | int] = {
    "down": {"code": "ServiceUnavailable", "message": "x", "_status": 503},
    "busy": {"code": "Forbidden.AccessDenied.QpsLimitForApi", "message": "x", "_status": 403},
    "unclear": 502,
    "refused": {"code": "Forbidden.AccessDenied.IpNotInWhiteList", "message": "x", "_status": 403},
    "directory": {"errcode": 60011, "errmsg": "no privilege"},
    "check": {"errcode": 60011, "errmsg": "no privilege"},
}


class TestWidget:
    """It pulls: what is in the transcript has arrived, whatever it is."""

    @pytest.mark.parametrize("name", MESSAGES)
    def test_every_message_has_arrived(self, name: str) -> None:
        message = {"id": "m1", "from": "bot", "type": "text", "options": [], **MESSAGES[name]}
        channel = WidgetChannel()
        assert channel.send(Delivery("k", "widget", "c", Identity(LI), message, 1)).id == "m1"
        assert channel.repeats is not None
