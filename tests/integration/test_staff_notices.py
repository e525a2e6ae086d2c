"""What the console tells the desk's people comes to their channel too: once, urgent first, and not when it is no news any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import select

from connectors.port import Connector
from connectors.staff_notices import StaffMessageRow, bring, waiting
from connectors.wecom.app import connector
from core.clock import now
from core.database import Database
from core.errors import Conflict, InvalidInput
from core.links import LinkInvalid
from core.settings import Settings
from core.transcript import open_conversation
from handoff.filing import file_ticket
from handoff.notices import mark_read, notify
from handoff.routing import emergency
from handoff.routing.emergency import EmergencyCallRow, raise_alarm
from handoff.staff import StaffRow, change_staff
from handoff.tickets import TicketRow
from service.staff_choices import act
from service.ticket_links import ticket_address, ticket_in
from tests.simulators.wecom import WecomSimulator
from tests.tickets import LI, SUN, draft, open_desk


@pytest.fixture
def wecom(redis_url: str) -> Iterator[WecomSimulator]:
    simulator = WecomSimulator(members={"S1": {"name": "张敏"}, "S2": {"name": "孙敏"}}).start()
    yield simulator
    simulator.stop()
    assert simulator.violations == []


@pytest.fixture
def channels(wecom: WecomSimulator, database: Database, redis_url: str) -> dict[str, Connector]:
    redis = Redis.from_url(redis_url)
    for key in redis.scan_iter("fssc:wecom:*"):
        redis.delete(key)
    names = ("corp_id", "secret", "token", "aes_key", "url")
    config = {name: str(getattr(wecom, name)) for name in names} | {"agent_id": str(wecom.agent_id), "cards": "on"}
    open_desk(database)
    with database.write() as session:
        change_staff(session, SUN, "zhang", employee_no="S1")
        change_staff(session, SUN, "sun", employee_no="s2")
    return {"wecom": connector(config, database, redis, lambda *_: None)}


def address(number: str) -> str:
    return f"https://desk.example.com/t/{number}"


def told(database: Database, *usernames: str, kind: str = "assigned", key: str = "k", urgent: bool = False) -> None:
    with database.write() as session:
        notify(
            session,
            list(usernames),
            kind,
            f"工单 FW20261121-0001（{kind}）",
            key=key,
            ticket="FW20261121-0001",
            urgent=urgent,
        )


def states(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.state, row.error) for row in session.scalars(select(StaffMessageRow).order_by(StaffMessageRow.id))]


def test_a_notice_comes_once_as_a_card_urgent_ones_first(
    database: Database, channels: dict[str, Connector], wecom: WecomSimulator
) -> None:
    told(database, "zhang", "chen")
    told(database, "zhang", kind="breached", key="k2", urgent=True)
    told(database, "zhang", kind="employee_said", key="k3")
    assert waiting(database)
    assert bring(database, channels, address) == 2
    assert bring(database, channels, address) == 0 and not waiting(database)
    first, second = wecom.sent_to("S1")
    assert first["text"].startswith("已超时\n") and second["text"].startswith("新工单\n")
    assert second["card"]["card_action"]["url"] == "https://desk.example.com/t/FW20261121-0001"
    assert len(wecom.sent) == 2, "chen has no employee number, and what an employee adds is for the console"


def test_what_cannot_be_sent_waits_and_what_nobody_can_receive_stays_in_the_console(
    database: Database, channels: dict[str, Connector], wecom: WecomSimulator
) -> None:
    told(database, "zhang")
    wecom.answer_next["/cgi-bin/message/send"].append({"errcode": -1, "errmsg": "busy"})
    assert bring(database, channels, address) == 0 and states(database)[0][0] == "waiting"
    assert bring(database, channels, address, now() + timedelta(seconds=5)) == 1
    del wecom.members["S1"]
    told(database, "zhang", key="k2")
    told(database, "sun", key="k2")
    assert bring(database, channels, address) == 1
    assert [state for state, _ in states(database)] == ["delivered", "kept", "delivered"]
    told(database, "sun", key="k3")
    assert bring(database, {}, address) == 0 and states(database)[-1] == ("kept", "no channel is connected")


def test_an_answer_that_was_lost_is_no_second_card(
    database: Database, channels: dict[str, Connector], wecom: WecomSimulator
) -> None:
    told(database, "zhang")
    with database.write() as session:
        bring_one = session.scalars(select(StaffRow).where(StaffRow.username == "zhang")).one()
        assert bring_one.employee_no == "S1"
    wecom.answer_next["/cgi-bin/message/send"].append(502)
    bring(database, channels, address)
    assert states(database)[0][0] == "waiting"
    bring(database, channels, address, now() + timedelta(seconds=5))
    bring(database, channels, address, now() + timedelta(seconds=10))
    assert len(wecom.sent) == 1 and states(database)[0][0] == "delivered"


def test_what_was_read_or_is_an_hour_old_is_not_brought(
    database: Database, channels: dict[str, Connector], wecom: WecomSimulator
) -> None:
    told(database, "zhang")
    with database.write() as session:
        mark_read(session, "zhang", 10_000)
    told(database, "sun")
    assert bring(database, channels, address, now() + timedelta(hours=2)) == 0 and wecom.sent == []


def test_an_emergency_is_acknowledged_from_its_card(
    database: Database, channels: dict[str, Connector], wecom: WecomSimulator
) -> None:
    with database.write() as session:
        conversation = open_conversation(session, "widget", LI)
        ticket = file_ticket(session, draft(conversation.id))
        number = ticket.number
        raise_alarm(session, session.get_one(TicketRow, number, with_for_update=True), "疑似重复付款", now())
        called = session.get_one(EmergencyCallRow, number).called[0]["usernames"]
    with database.write() as session:
        for n, username in enumerate(name for name in called if name not in ("zhang", "sun")):
            change_staff(session, SUN, username, employee_no=f"S{n + 3}")
            wecom.members[f"S{n + 3}"] = {"name": username}
        caller = session.scalars(select(StaffRow).where(StaffRow.username == called[0])).one().employee_no
    assert bring(database, channels, address) >= 1
    user = next(member for member in wecom.members if member.lower() == str(caller).lower())
    button = wecom.card_of(user)["card"]["button_list"][0]
    assert button["text"] == "我来处理"
    assert "没有对应的服务台人员" in act(database, "E1001", button["key"])
    assert act(database, str(caller), button["key"]).startswith(f"已确认：工单 {number}")
    assert act(database, str(caller), button["key"]).startswith(f"已确认：工单 {number}"), "pressed twice"
    with database.read() as session:
        assert session.get_one(EmergencyCallRow, number).acknowledged_by == called[0]
    assert "不能用了" in act(database, str(caller), "staff:drop:everything")


def test_a_climb_does_not_wait_for_a_channel(database: Database, channels: dict[str, Connector]) -> None:
    with database.write() as session:
        ticket = file_ticket(session, draft(open_conversation(session, "widget", LI).id))
        raise_alarm(session, session.get_one(TicketRow, ticket.number, with_for_update=True), "疑似", now())
        number = ticket.number
    bring(database, {}, address)
    assert emergency.climb_due(database, now() + timedelta(hours=1)) == 1
    with database.read() as session:
        assert len(session.get_one(EmergencyCallRow, number).called) == 2


def test_an_employee_number_is_one_persons(database: Database, channels: dict[str, Connector]) -> None:
    with database.write() as session, pytest.raises(Conflict):
        change_staff(session, SUN, "chen", employee_no="s1")
    with database.write() as session, pytest.raises(InvalidInput):
        change_staff(session, SUN, "chen", employee_no="a b")
    with database.write() as session:
        assert change_staff(session, SUN, "zhang", employee_no="").employee_no is None


def test_a_link_opens_its_ticket_and_no_other(tmp_path) -> None:
    settings = Settings(home=tmp_path, public_url="https://desk.example.com/")
    link = ticket_address(settings, "FW20261121-0001")
    token = link.removeprefix("https://desk.example.com/t/")
    assert ticket_in(settings, token) == "FW20261121-0001"
    with pytest.raises(LinkInvalid):
        ticket_in(settings, ("A" if token[0] != "A" else "B") + token[1:])
    with pytest.raises(LinkInvalid):
        ticket_in(Settings(home=tmp_path / "other"), token)
