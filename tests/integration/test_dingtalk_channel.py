"""Answering in DingTalk, against servers that behave as documented, faults included."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select

from connectors.arrivals import ArrivalRow
from connectors.delivery import Busy, Delivery, NotSent, Unsure
from connectors.dingtalk.app import FIELDS, DingtalkConnector, connector
from connectors.dingtalk.client import DingtalkClient, DingtalkError
from connectors.port import Notice, Received
from core.clock import now
from core.database import Database
from core.errors import SettingsError
from core.identity import Identity
from service.dingtalk_stream import StreamClient
from tests.simulators.dingtalk import HTML, DingtalkSimulator

LI, GROUP = "E1001", "cidGroupOne=="
SINGLE = "/v1.0/robot/oToMessages/batchSend"
SESSION = "/robot/sendBySession"


@pytest.fixture(scope="module")
def server() -> Iterator[DingtalkSimulator]:
    simulator = DingtalkSimulator(
        members={
            LI: {"name": "李晓雯", "dept_id_list": [12, 3], "job_number": "10086"},
            "E1002": {"name": "王建国"},
        },
        departments={3: {"name": "华晟销售公司", "parent_id": 1}, 12: {"name": "销售一部", "parent_id": 3}},
    ).start()
    yield simulator
    simulator.stop()


@pytest.fixture
def dingtalk(server: DingtalkSimulator) -> Iterator[DingtalkSimulator]:
    for waiting in (server.sent, server.violations, server.answer_next, server.controlled):
        waiting.clear()
    server.calls_left = server.messages_left = None
    yield server
    assert server.violations == []


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter("fssc:dingtalk:*"):
            if b":pace:" not in key:
                client.delete(key)
        yield client


@pytest.fixture
def alerts() -> list[str]:
    return []


def config(dingtalk: DingtalkSimulator, **changes: str) -> dict[str, str]:
    given = {
        "client_id": dingtalk.client_id,
        "client_secret": dingtalk.client_secret,
        "corp_id": dingtalk.corp_id,
        "url": dingtalk.url,
        "mode": "http",
        "public_url": "https://desk.example.com",
        "links_key": "k",
    }
    return {**{one.name: one.default for one in FIELDS}, **given, **changes}


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """Where nothing depends on which database it is."""
    made = Database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'store.sqlite3')}")
    yield made
    made.close()


@pytest.fixture
def robot(dingtalk: DingtalkSimulator, store: Database, redis: Redis, alerts: list[str]) -> DingtalkConnector:
    return connector(config(dingtalk), store, redis, lambda kind, advice: alerts.append(f"{kind} {advice}"))


@pytest.fixture
def client(dingtalk: DingtalkSimulator, redis: Redis) -> DingtalkClient:
    return DingtalkClient(dingtalk.client_id, dingtalk.client_secret, redis, dingtalk.url)


def delivery(text: str, user: str | None = LI, *, thread: str = "", key: str = "k", **message: Any) -> Delivery:
    said = {"from": "bot", "type": "text", "text": text, **message}
    return Delivery(key, "dingtalk", "c", Identity(user, "李晓雯"), said, 1, thread)


def test_an_answer_goes_to_the_session_while_there_is_one(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator
) -> None:
    assert robot.take(dingtalk.message(LI, "住宿费标准"))
    robot.send(
        delivery(
            "**可以**报销。", options=[{"label": "发票", "choice": "entry:a"}, {"label": "都不是", "choice": "none"}]
        )
    )
    (one,) = dingtalk.sent_to(LI)
    assert one["by"] == "session" and one["body"]["msgtype"] == "markdown"
    assert one["text"] == "**可以**报销。\n\n**回复数字选择：**\n\n1. 发票  \n2. 都不是"
    dingtalk.expire_sessions()
    robot.send(delivery("再说一句。"))
    assert [one["by"] for one in dingtalk.sent_to(LI)] == ["session", "api"]
    robot.send(delivery("又一句。"))
    assert dingtalk.heard_by(LI)[1:] == ["再说一句。", "又一句。"]


def test_a_table_becomes_lines_and_an_agent_has_a_name(robot: DingtalkConnector, dingtalk: DingtalkSimulator) -> None:
    robot.send(
        delivery(
            "标准：\n\n| 城市 | 金额 |\n| --- | --- |\n| 北京 | 500 |\n| 上海 | 600 |\n\n见[制度](https://e.example.com/p)。"
        )
    )
    robot.send(delivery("请补交行程单。", **{"from": "agent", "agent_name": "赵敏"}))
    robot.send(delivery("每天 500 元。", sources=[{"label": "《差旅费管理办法》第三条"}], effective_from="2026-01-01"))
    table, agent, sourced = dingtalk.heard_by(LI)
    assert sourced == "每天 500 元。\n\n> 依据：《差旅费管理办法》第三条，生效日期 2026-01-01"
    assert "- 城市：北京；金额：500" in table and "|" not in table and "[制度](https://e.example.com/p)" in table
    assert agent == "**【赵敏】**\n\n请补交行程单。"


def test_a_long_answer_comes_in_parts_and_none_of_them_twice(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator
) -> None:
    text = "\n\n".join(f"第{n}段：" + '差旅费"按标准"报销。😀' * 90 for n in range(8))
    dingtalk.answer_next[SINGLE].extend([{"errcode": 0, "processQueryKey": "x"}, 503])
    with pytest.raises(NotSent):
        robot.send(delivery(text, key="long"))
    assert robot.send(delivery(text, key="long")).detail["parts"] > 2
    first_part = text.split("\n\n")[0]
    heard = "".join("".join(dingtalk.heard_by(LI)).split())
    assert first_part[:20] not in heard, "the first part was out already"
    assert "".join(text.split()).endswith(heard)
    robot.send(delivery('"' * 30_000, key="quotes"))


def test_a_group_hears_what_everybody_may_and_tickets_stay_private(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator
) -> None:
    assert robot.take(dingtalk.message(LI, "住宿费标准", group=GROUP))
    robot.send(delivery("每天 500 元。", thread=GROUP))
    (said,) = dingtalk.sent
    assert said["group"] == GROUP and said["text"].startswith(f"@{LI} ") and said["body"]["at"]["atUserIds"] == [LI]
    robot.send(delivery("已提交工单 **FW20261122-0001**。", thread=GROUP, type="ticket", number="FW20261122-0001"))
    robot.send(delivery("请补交行程单。", thread=GROUP, **{"from": "agent", "agent_name": "赵敏"}))
    assert dingtalk.heard_by(LI) == ["已提交工单 **FW20261122-0001**。", "**【赵敏】**\n\n请补交行程单。"]
    pointed = dingtalk.heard_in(GROUP)[1:]
    assert len(pointed) == 1 and "单聊" in pointed[0] and "FW" not in pointed[0] and "行程单" not in pointed[0]
    dingtalk.expire_sessions()
    robot.send(delivery("每天 600 元。", thread=GROUP))
    assert dingtalk.heard_in(GROUP)[-1] == "**李晓雯**：\n\n每天 600 元。"


def test_a_rating_is_a_card_with_a_link_or_a_number(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, store: Database, redis: Redis
) -> None:
    asked = {
        "type": "rating",
        "number": "FW20261122-0001",
        "expires_at": (now() + timedelta(days=7)).isoformat(),
        "options": [{"label": f"{n} 分", "choice": f"rate:FW20261122-0001:{n}"} for n in (5, 4, 3, 2, 1)],
    }
    robot.send(delivery("您满意吗？", **asked))
    (card,) = dingtalk.sent_to(LI)
    assert card["card"]["singleURL"].startswith("https://desk.example.com/rate/") and "1 到 5" in card["text"]
    without = connector(config(dingtalk, public_url=""), store, redis, lambda *_: None)
    without.send(delivery("您满意吗？", **asked))
    assert dingtalk.heard_by(LI)[1].startswith("您满意吗？\n\n**回复 1 到 5 的数字打分：**\n\n5 分  \n4 分")


def test_a_session_that_nobody_vouches_for_hears_of_no_ticket(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator
) -> None:
    """Whoever could send a callback of their own over HTTP would name their own session as somebody else's."""
    mine = {"type": "ticket", "number": "FW20261122-0001"}
    robot.take(dingtalk.message(LI, "我的工单"))
    robot.send(delivery("处理中。", **mine))
    robot.take(dingtalk.message(LI, "我的工单"), signed=False)
    robot.send(delivery("处理中。", **mine))
    assert [one["by"] for one in dingtalk.sent_to(LI)] == ["api", "session"]


def test_a_questionnaire_is_a_card_with_a_link(robot: DingtalkConnector, dingtalk: DingtalkSimulator) -> None:
    until = (now() + timedelta(days=7)).isoformat()
    robot.send(delivery("请您填写问卷。", thread=GROUP, type="survey", survey="abcdef", expires_at=until))
    (card,) = dingtalk.sent_to(LI)
    assert card["card"]["singleURL"].startswith("https://desk.example.com/survey/") and dingtalk.heard_in(GROUP) == []
    assert card["text"] == "请您填写问卷。"


def test_a_gateway_that_refuses_the_secret_tells_the_operator(
    dingtalk: DingtalkSimulator, store: Database, redis: Redis, alerts: list[str]
) -> None:
    wrong = connector(config(dingtalk, client_secret="other"), store, redis, lambda kind, advice: alerts.append(advice))
    assert StreamClient(wrong, lambda: None).open_connection() is None
    assert "Client Secret" in alerts[0]


def test_without_redis_everything_still_goes_out(dingtalk: DingtalkSimulator, store: Database) -> None:
    gone = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=0.2)
    robot = connector(config(dingtalk), store, gone, lambda *_: None)
    assert robot.take(dingtalk.message(LI, "你好"))
    assert robot.identity(Received("text", LI)).name == "李晓雯"
    robot.send(delivery("您好。"))
    assert [one["by"] for one in dingtalk.sent_to(LI)] == ["api"]


def test_sessions_of_other_hosts_are_never_called(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    for address in (
        "https://evil.example.com/robot/sendBySession?session=s3cret",
        "https://oapi.dingtalk.com.evil.example.com/x",
        "https://oapi.dingtalk.com@evil.example.com/x",
        "http://oapi.dingtalk.com/x",
        "https://oapi.dingtalk.com:8443/x",
        "file:///etc/passwd",
        "http://[::1",
    ):
        robot.take(dingtalk.message("E1002", "你好", sessionWebhook=address))
        assert list(redis.scan_iter("fssc:dingtalk:session:*")) == []
    robot.take(dingtalk.message("E1002", "你好"))
    (key,) = redis.scan_iter("fssc:dingtalk:session:*")
    assert 0 < redis.ttl(key) <= dingtalk.session_seconds
    assert "session=" not in caplog.text


def test_every_process_asks_for_the_token_once_and_again_when_it_expires(
    dingtalk: DingtalkSimulator, client: DingtalkClient
) -> None:
    dingtalk.tokens_given = 0
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: client.old("/topapi/v2/user/get", {"userid": LI}), range(8)))
    assert dingtalk.tokens_given == 1
    dingtalk.expire_tokens()
    assert client.old("/topapi/v2/user/get", {"userid": LI})["name"] == "李晓雯"
    assert dingtalk.tokens_given == 2
    dingtalk.answer_next["/topapi/v2/user/get"].extend([{"errcode": 40014, "errmsg": "x"}] * 5)
    with pytest.raises(DingtalkError):
        client.old("/topapi/v2/user/get", {"userid": LI})
    assert dingtalk.tokens_given == 3, "one retry, no more"


@pytest.mark.parametrize(
    ("answer", "raised", "told"),
    [
        ({"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "_status": 403}, Busy, ""),
        ({"code": "Forbidden.AccessDenied.QpsLimitForApi", "_status": 403}, Busy, ""),
        ({"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "_status": 403}, Busy, "每月 5000 次"),
        ({"code": "Forbidden.AccessDenied.IpNotInWhiteList", "_status": 403}, NotSent, "出口 IP"),
        ({"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied", "_status": 403}, NotSent, "发送消息权限"),
        ({"code": "invalidParameter.robotCode.notExsit", "_status": 400}, NotSent, "RobotCode"),
        ({"code": "staffId.notExisted", "_status": 400}, NotSent, ""),
        ({"status": 1111, "wait": 5}, Busy, ""),
        (HTML, Busy, ""),
        (503, NotSent, ""),
        (502, Unsure, ""),
    ],
)
def test_each_error_has_its_reaction(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, alerts: list[str], answer: Any, raised: type, told: str
) -> None:
    dingtalk.answer_next[SINGLE].append(dict(answer) if isinstance(answer, dict) else answer)
    with pytest.raises(raised) as caught:
        robot.send(delivery("x"))
    assert (told in alerts[0]) if told else alerts == []
    gone = isinstance(answer, dict) and answer.get("code") == "staffId.notExisted"
    assert getattr(caught.value, "for_good", False) == gone


def test_who_left_is_given_up_and_who_is_flooded_waits(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, alerts: list[str]
) -> None:
    with pytest.raises(NotSent) as left:
        robot.send(delivery("x", "E9999"))
    assert left.value.for_good
    dingtalk.controlled.add(LI)
    with pytest.raises(Busy) as flooded:
        robot.send(delivery("x"))
    assert not flooded.value.everybody and alerts == []


def test_a_session_that_fails_is_answered_by_the_api(robot: DingtalkConnector, dingtalk: DingtalkSimulator) -> None:
    robot.take(dingtalk.message(LI, "你好"))
    dingtalk.answer_next[SESSION].append({"errcode": 300001, "errmsg": "token is not exist"})
    robot.send(delivery("您好。"))
    assert [one["by"] for one in dingtalk.sent_to(LI)] == ["api"]
    robot.take(dingtalk.message(LI, "你好"))
    dingtalk.answer_next[SESSION].append({"errcode": 90018, "errmsg": "qps"})
    with pytest.raises(Busy):
        robot.send(delivery("您好。"))
    dingtalk.answer_next[SESSION].append(502)
    with pytest.raises(Unsure):
        robot.send(delivery("您好。"))


def test_the_quota_message_tells_the_operator(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, alerts: list[str], store: Database
) -> None:
    dingtalk.messages_left = 0
    assert not robot.take(dingtalk.message(LI, "你好"))
    assert not robot.take(dingtalk.message(LI, "", errCode=20001, errMessage="x"))
    assert len(alerts) == 2 and alerts[0].startswith("dingtalk:20001 ") and "3000" in alerts[0]
    with store.read() as session:
        assert session.scalars(select(ArrivalRow)).all() == []


def test_a_message_is_stored_once_without_its_secret(
    dingtalk: DingtalkSimulator, database: Database, redis: Redis
) -> None:
    robot = connector(config(dingtalk), database, redis, lambda *_: None)
    body = dingtalk.message(LI, "你好", group=GROUP)
    assert [robot.take(body), robot.take(body), robot.take({**body, "createAt": 1})] == [True, False, False]
    with database.read() as session:
        (row,) = session.scalars(select(ArrivalRow)).all()
        assert row.sender == f"{GROUP}|{LI}" and "session" not in str(row.body)
        assert robot.read(row.body) == Received("text", LI, "你好", group=GROUP)


def test_no_more_calls_a_second_than_the_free_edition_takes(
    dingtalk: DingtalkSimulator, client: DingtalkClient
) -> None:
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: client.old("/topapi/v2/user/get", {"userid": LI}), range(25)))
    assert len(found) == 25


def test_who_somebody_is(robot: DingtalkConnector, dingtalk: DingtalkSimulator) -> None:
    assert robot.identity(Received("text", LI)) == Identity(LI, "李晓雯", "华晟销售公司", "销售一部")
    assert robot.identity(Received("text", LI, group=GROUP)) == Identity(LI, "李晓雯")
    dingtalk.answer_next["/topapi/v2/user/get"].append(503)
    assert robot.identity(Received("text", "E1002")) == Identity("E1002")


def test_who_somebody_is_is_asked_again_when_the_second_was_full(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator
) -> None:
    full = {"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "_status": 403}
    dingtalk.answer_next["/topapi/v2/user/get"].append(full)
    assert robot.identity(Received("text", LI)) == Identity(LI, "李晓雯", "华晟销售公司", "销售一部")
    dingtalk.answer_next["/topapi/v2/user/get"] += [full, full]
    assert robot.identity(Received("text", "E1002")) == Identity("E1002")


def test_employee_numbers_of_the_directory(dingtalk: DingtalkSimulator, database: Database, redis: Redis) -> None:
    by_number = connector(config(dingtalk, employee_no="job_number"), database, redis, lambda *_: None)
    assert by_number.identity(Received("text", LI)).employee_no == "10086"
    assert by_number.identity(Received("text", "E1002")).employee_no == "dingtalk:E1002"
    redis.flushdb()
    by_number.send(delivery("您好。", "10086"))
    by_number.send(delivery("您好。", "dingtalk:E1002"))
    assert dingtalk.heard_by(LI) == ["您好。"] and dingtalk.heard_by("E1002") == ["您好。"]
    dingtalk.answer_next["/topapi/v2/user/get"].append(503)
    assert by_number.identity(Received("text", LI)) == Identity("10086")
    with pytest.raises(NotSent):
        by_number.tell("10087", Notice("t", "x", "", False, "k"))


def test_a_member_of_the_desk_is_told_with_a_link(robot: DingtalkConnector, dingtalk: DingtalkSimulator) -> None:
    robot.tell(LI, Notice("工单即将超时", "FW20261122-0001 还剩 10 分钟。", "https://desk.example.com/t/x", True, "k"))
    (card,) = dingtalk.sent_to(LI)
    assert card["card"]["singleURL"] == "https://desk.example.com/t/x" and "【紧急】" in card["text"]


def test_the_test_button_says_what_is_wrong(
    robot: DingtalkConnector, dingtalk: DingtalkSimulator, store: Database, redis: Redis
) -> None:
    assert robot.check() == []

    def wrong(**changes: str) -> str:
        return "".join(connector(config(dingtalk, **changes), store, redis, lambda *_: None).check())

    assert "Client Secret" in wrong(client_secret="other", mode="stream")
    assert "RobotCode" in wrong(robot_code="dingother")
    assert "连不上" in wrong(url="http://127.0.0.1:9", client_id="dingx")
    dingtalk.answer_next["/topapi/v2/department/get"].append({"errcode": 88, "sub_code": "60011", "sub_msg": "no"})
    assert "成员信息读权限" in "".join(robot.check())
    robot.take(dingtalk.message("", "你好"))
    assert "没有发布" in "".join(robot.check())
    for changes in ({"mode": "x"}, {"employee_no": "x"}, {"corp_id": "x"}):
        with pytest.raises(SettingsError):
            connector(config(dingtalk, **changes), store, redis, lambda *_: None)
