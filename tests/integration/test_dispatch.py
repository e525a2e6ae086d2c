"""Who gets a ticket, on both databases: placing, dispatch, absence, the emergency channel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import audit
from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, InvalidInput
from core.identity import Identity
from core.transcript import open_conversation
from handoff import lifecycle
from handoff.actors import Actor, employee
from handoff.clocks import defaults as clocks
from handoff.clocks.clock import clocks_of
from handoff.filing import file_ticket
from handoff.notices import NoticeRow, notices_of
from handoff.routing import supervision, versions
from handoff.routing.absence import Swept, sweep
from handoff.routing.dispatching import loads
from handoff.routing.emergency import EmergencyCallRow, acknowledge, climb_due
from handoff.routing.oncall import lists_body
from handoff.routing.placing import rules_in_force
from handoff.routing.rules import rules_from
from handoff.routing.seed import first_rules, seed
from handoff.routing.shifts import Roster, save_shift, set_roster
from handoff.routing.trying import try_out
from handoff.routing.units import units_body
from handoff.staff import StaffRow, change_group, change_staff, follow_user, groups, set_duty
from handoff.tickets import Reason, Status, TicketDraft, TicketEventRow, TicketRow, events_of

BOSS = Actor("staff", "boss", "周主管", frozenset({"supervisor"}))
SUPERVISOR = frozenset({"supervisor"})
AGENT = frozenset({"agent"})


@pytest.fixture
def desk(database: Database) -> Database:
    """A new desk with its first groups and rules; four people in the group of expenses, nobody on duty."""
    with database.write() as session:
        seed(session, ["admin"])
        clocks.seed(session)
        follow_user(session, BOSS, "boss", "周主管", ["supervisor"])
        for username in ("ann", "bob", "cat", "dan"):
            follow_user(session, BOSS, username, username.upper(), ["agent"])
            change_staff(session, BOSS, username, groups=["expense"])
        change_group(session, BOSS, "expense", dispatch="auto")
    return database


def on_duty(database: Database, *usernames: str, on: bool = True, moment: datetime | None = None) -> None:
    with database.write() as session:
        for username in usernames:
            set_duty(session, BOSS, username, on, moment)


def file(database: Database, description: str = "住宿费怎么填", key: str = "", **changes: Any) -> str:
    """File as a person of their own, so that nothing is a duplicate; the number."""
    with database.write() as session:
        key = key or f"{description}{now().timestamp()}"
        identity = changes.pop("identity", None) or Identity(
            f"E{abs(hash(key)) % 10**8}", "李晓雯", "华晟销售公司", "销售一部"
        )
        conversation = open_conversation(session, "widget", identity)
        values = {"business_type": "差旅报销", "reason": Reason.CUSTOMER_REQUEST} | changes
        draft = TicketDraft(
            description=description, conversation_id=conversation.id, requester=identity, idempotency_key=key, **values
        )
        return file_ticket(session, draft).number


def ticket(database: Database, number: str) -> TicketRow:
    with database.read() as session:
        return session.get_one(TicketRow, number)


def actor(username: str, *roles: str, groups: frozenset[str] = frozenset()) -> Actor:
    return Actor("staff", username, username, frozenset(roles), groups)


# Placing


def test_a_filed_ticket_has_its_group_priority_and_reasons(desk: Database) -> None:
    with desk.write() as session:
        versions.put(session, versions.UNITS, units_body([{"company": "华晟集团总部"}]), BOSS, number=1)
    number = file(desk, "借款怎么冲销", urgency="紧急", identity=Identity("E2", "陈思远", "华晟集团总部", "集团财务部"))
    row = ticket(desk, number)
    assert (row.group_id, row.tier, row.priority, row.service_tier, row.emergency) == ("expense", 2, 1, "vip", False)
    with desk.read() as session:
        routed = [one for one in events_of(session, number) if one.kind == "routed"]
        assert len(routed) == 1 and "报销组的业务" in routed[0].text and not routed[0].public


def test_no_ticket_stays_without_a_group(desk: Database) -> None:
    """Even where the rules name one that takes no tickets any more."""
    with desk.write() as session:
        body = first_rules().to_dict()
        body["default"]["group"] = "experts"
        versions.put(session, versions.RULES, {**body, "rules": []}, BOSS, number=1)
        row = next(one for one in groups(session) if one.id == "experts")
        row.active = False
    assert ticket(desk, file(desk, business_type="资金与账户")).group_id == "treasury"


def test_without_any_group_or_rule_tickets_are_still_filed(database: Database) -> None:
    assert ticket(database, file(database)).group_id is None


# Rules as versions


def test_a_draft_is_tried_on_past_tickets_and_takes_effect_only_when_activated(desk: Database) -> None:
    numbers = [file(desk, f"发票查验失败 {n}", business_type="发票") for n in range(3)]
    file(desk, "供应商催款", business_type="应付与付款")
    with desk.read() as session:
        tiers = {row.id: row.tier for row in groups(session)}
        body = rules_in_force(session).to_dict()  # type: ignore[union-attr]
    moved = {
        "id": "verify",
        "name": "查验",
        "when": {"risk_words": ["查验"]},
        "then": {"group": "system", "priority": 2},
    }
    body["rules"].insert(0, moved)
    checked = rules_from(body, tiers)
    with desk.read() as session:
        trial = try_out(session, rules_in_force(session), checked, now())
    assert (trial.found, trial.tickets, trial.moved) == (4, 4, 3)
    assert trial.groups_before == {"tax": 3, "payable": 1} and trial.groups_after == {"system": 3, "payable": 1}
    assert trial.by_rule == {"verify": 3, "payable": 1}
    assert {one.number for one in trial.moves} == set(numbers)
    assert trial.moves[0].before.rule == "税务组的业务" and trial.moves[0].after.rule == "查验"

    with desk.write() as session:
        draft = versions.save_draft(session, versions.RULES, checked.to_dict(), BOSS)
        assert draft.revision == 1
    assert ticket(desk, file(desk, "又是查验", business_type="发票")).group_id == "tax"
    with desk.write() as session:
        versions.activate(session, versions.RULES, BOSS, revision=1)
    assert ticket(desk, file(desk, "还是查验", business_type="发票")).group_id == "system"
    with desk.read() as session:
        assert [(one.number, one.state) for one in versions.versions(session, versions.RULES)] == [
            (2, "active"),
            (1, "past"),
        ]
        assert audit.verify(session) is None
        actions = [row.action for row in audit.entries(session)]
        assert {"rules.drafted", "rules.activated"} <= set(actions)


def test_two_supervisors_do_not_overwrite_each_other(desk: Database) -> None:
    body = first_rules().to_dict()
    with desk.write() as session:
        versions.save_draft(session, versions.RULES, body, BOSS)
    with desk.write() as session:
        versions.save_draft(session, versions.RULES, body, BOSS, revision=1)
    for revision in (0, 1):
        with pytest.raises(Conflict, match="别人改过"), desk.write() as session:
            versions.save_draft(session, versions.RULES, body, BOSS, revision=revision)
    with pytest.raises(Conflict, match="重新试算"), desk.write() as session:
        versions.activate(session, versions.RULES, BOSS, revision=1)

    def put(n: int) -> bool:
        try:
            with desk.write() as session:
                versions.put(session, versions.UNITS, units_body([{"company": f"公司{n}"}]), BOSS, number=1)
            return True
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(put, range(4))) == 1


def test_a_group_in_use_stays(desk: Database) -> None:
    file(desk)
    with pytest.raises(Conflict, match="1 张未结工单"), desk.write() as session:
        change_group(session, BOSS, "expense", active=False)
    with pytest.raises(Conflict, match="派工规则"), desk.write() as session:
        change_group(session, BOSS, "tax", active=False)


# Dispatch


def test_filings_at_once_are_spread_evenly_and_nobody_gets_more_than_they_can_carry(desk: Database) -> None:
    with desk.write() as session:
        for username, capacity in (("ann", 6), ("bob", 6), ("cat", 2)):
            change_staff(session, BOSS, username, capacity=capacity)
    on_duty(desk, "ann", "bob", "cat")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: file(desk, f"问题 {n}", key=f"k{n}"), range(12)))
    with desk.read() as session:
        carried = loads(session, ["ann", "bob", "cat", "dan"])
        states = list(session.scalars(select(TicketRow.status)))
    assert carried == {"ann": 5, "bob": 5, "cat": 2, "dan": 0}
    assert states == ["assigned"] * 12
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: file(desk, f"更多 {n}", key=f"m{n}"), range(4)))
    with desk.read() as session:
        assert loads(session, ["ann", "bob", "cat"]) == {"ann": 6, "bob": 6, "cat": 2}
        assert supervision.view(session, now()).counts["pool"] == 2


def test_ties_go_to_who_was_idle_the_longest_and_skill_comes_first(desk: Database) -> None:
    on_duty(desk, "ann", "bob", "cat")
    first = [ticket(desk, file(desk, f"问题 {n}")).assignee for n in range(3)]
    assert first == ["ann", "bob", "cat"]
    with desk.write() as session:
        change_staff(session, BOSS, "cat", skills=["借款与冲销"])
    assert ticket(desk, file(desk, "冲销", business_type="借款与冲销")).assignee == "cat"
    assert ticket(desk, file(desk, "又一问")).assignee == "ann"
    with desk.write() as session:
        change_staff(session, BOSS, "cat", capacity=1)
    assert ticket(desk, file(desk, "再冲销", business_type="借款与冲销")).assignee == "bob"
    with desk.write() as session:
        change_group(session, BOSS, "expense", skill_required=True)
    assert ticket(desk, file(desk, "还冲销", business_type="借款与冲销")).assignee is None


def test_a_pool_is_claimed_from(desk: Database) -> None:
    with desk.write() as session:
        change_group(session, BOSS, "expense", dispatch="pool")
    on_duty(desk, "ann")
    number = file(desk)
    assert ticket(desk, number).assignee is None
    with desk.write() as session:
        lifecycle.claim(session, number, actor("ann", "agent", groups=frozenset({"expense"})))
    assert ticket(desk, number).assignee == "ann"


def test_whoever_is_there_hears_of_a_pool_until_somebody_takes_it(desk: Database) -> None:
    with desk.write() as session:
        change_group(session, BOSS, "expense", dispatch="pool")
        change_staff(session, BOSS, "dan", leads=["expense"])
    ann, bob = (actor(name, "agent", groups=frozenset({"expense"})) for name in ("ann", "bob"))

    def told(number: str) -> list[str]:
        """Whose bell still says that it waits."""
        with desk.read() as session:
            query = select(NoticeRow.username).where(NoticeRow.ticket == number, NoticeRow.read_at.is_(None))
            return sorted(session.scalars(query.where(NoticeRow.kind == "pooled")))

    alone = file(desk, "没有人在岗")
    assert told(alone) == ["dan"], "nobody is there: the leader has to see to it"
    on_duty(desk, "ann", "bob")
    number = file(desk)
    assert told(number) == ["ann", "bob"]
    assert sweep(desk) == Swept(0, 0) and told(number) == ["ann", "bob"]
    with desk.write() as session:
        lifecycle.claim(session, number, ann)
    assert told(number) == []
    with desk.write() as session:
        lifecycle.give_back(session, number, ann, "不懂税务")
    assert told(number) == ["bob"], "not who has just handed it back"
    with desk.write() as session:
        lifecycle.transfer(session, number, bob, "tax", "税务问题")
    assert told(number) == [], "nobody works in that group"


def test_urging_a_ticket_in_a_pool_reaches_whoever_is_there_else_who_leads_else_the_supervisors(desk: Database) -> None:
    with desk.write() as session:
        change_group(session, BOSS, "expense", dispatch="pool")

    def urged() -> list[str]:
        number = file(desk)
        with desk.write() as session:
            row = session.get_one(TicketRow, number)
            lifecycle.urge(session, number, employee(Identity.from_dict(row.requester), row.conversation_id))
            query = select(NoticeRow.username).where(NoticeRow.ticket == number, NoticeRow.kind == "urged")
            return sorted(session.scalars(query))

    assert urged() == ["boss"]
    with desk.write() as session:
        change_staff(session, BOSS, "dan", leads=["expense"])
    assert urged() == ["dan"]
    on_duty(desk, "ann", "bob")
    assert urged() == ["ann", "bob"]


MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
"""10:00 in Shanghai."""
NATIONAL_DAY = datetime(2026, 10, 1, 2, tzinfo=UTC)
MADE_UP_SATURDAY = datetime(2026, 10, 10, 2, tzinfo=UTC)


WORKS = [
    (None, MONDAY, True),
    ("day", MONDAY, True),
    ("day", MONDAY + timedelta(hours=9), False),
    ("day", NATIONAL_DAY, False),
    ("day", MADE_UP_SATURDAY, True),
    ("night", MONDAY.replace(hour=15), True),
    ("night", MONDAY.replace(hour=21), True),
    ("night", MONDAY + timedelta(hours=1), False),
    ("night", MONDAY.replace(day=22, hour=15), False),
    ("day", MONDAY + timedelta(days=1), False),
    ("day", MONDAY + timedelta(days=2, hours=4), False),
    ("day", MONDAY + timedelta(days=2, hours=13), True),
]


def test_shifts_follow_the_calendar_and_the_roster_says_otherwise(desk: Database) -> None:
    """On Tuesday ann is off, on Wednesday she works the night."""
    with desk.write() as session:
        save_shift(session, BOSS, "night", {"name": "夜班", "days": [1], "starts": "22:00", "ends": "06:00"})
        set_roster(session, BOSS, "ann", MONDAY.date() + timedelta(days=1), None, usual=False)
        set_roster(session, BOSS, "ann", MONDAY.date() + timedelta(days=2), "night", usual=False)
        ann = session.get_one(StaffRow, "ann")
        for shift, moment, works in WORKS:
            ann.shift = shift
            assert Roster(session, moment).at_work(ann) is works, (shift, moment)


# Absence


def test_going_off_duty_returns_what_was_not_answered(desk: Database) -> None:
    on_duty(desk, "ann")
    unanswered, answered = file(desk, "还没看"), file(desk, "已回复")
    ann = actor("ann", "agent", groups=frozenset({"expense"}))
    with desk.write() as session:
        lifecycle.accept(session, answered, ann)
        lifecycle.reply(session, answered, ann, "请上传水单。")
    on_duty(desk, "bob")
    on_duty(desk, "ann", on=False)
    swept = sweep(desk)
    assert swept.returned == 1
    assert (ticket(desk, unanswered).assignee, ticket(desk, answered).assignee) == ("bob", "ann")
    with desk.read() as session:
        returned = [one for one in events_of(session, unanswered) if one.kind == "returned"]
        assert len(returned) == 1 and "已离岗" in returned[0].text
    assert sweep(desk).returned == 0


def test_two_sweeps_at_once_return_once(desk: Database) -> None:
    on_duty(desk, "ann")
    numbers = [file(desk, f"问题 {n}") for n in range(4)]
    on_duty(desk, "ann", on=False)
    with ThreadPoolExecutor(2) as pool:
        assert sum(one.returned for one in pool.map(sweep, [desk, desk])) == 4
    with desk.read() as session:
        kinds = list(session.scalars(select(TicketEventRow.kind).where(TicketEventRow.ticket.in_(numbers))))
    assert kinds.count("returned") == 4


def test_what_nobody_takes_up_goes_to_somebody_else_after_a_while(desk: Database) -> None:
    on_duty(desk, "ann", "bob")
    number = file(desk)
    assert ticket(desk, number).assignee == "ann"
    assert sweep(desk, now() + timedelta(minutes=29)).returned == 0
    assert sweep(desk, now() + timedelta(minutes=31)).returned == 1
    assert ticket(desk, number).assignee == "bob"
    assert sweep(desk, now() + timedelta(minutes=62)).returned == 1
    assert ticket(desk, number).assignee is None, "both had it: now it waits for whoever claims it"
    assert sweep(desk, now() + timedelta(minutes=93)).given == 0


def test_who_leaves_the_desk_leaves_their_tickets_to_the_group(desk: Database) -> None:
    on_duty(desk, "ann")
    number = file(desk)
    ann = actor("ann", "agent", groups=frozenset({"expense"}))
    with desk.write() as session:
        lifecycle.accept(session, number, ann)
        lifecycle.reply(session, number, ann, "请补充发票。", then="waiting")
    with desk.write() as session:
        follow_user(session, BOSS, "ann", "ANN", None)
    assert sweep(desk).returned == 1
    assert (ticket(desk, number).assignee, ticket(desk, number).status) == (None, Status.WAITING)


def test_an_administrator_without_a_group_keeps_what_they_claimed(desk: Database) -> None:
    number = file(desk)
    with desk.write() as session:
        lifecycle.claim(session, number, actor("admin", "admin"))
    assert sweep(desk, now() + timedelta(days=2)).returned == 0
    assert ticket(desk, number).assignee == "admin"


def test_whoever_comes_gets_what_waited_the_most_urgent_first(desk: Database) -> None:
    file(desk, "一般的"), file(desk, "紧急的", urgency="紧急")
    urgent = file(desk, "特急的", urgency="特急")
    with desk.write() as session:
        change_staff(session, BOSS, "dan", capacity=1)
    on_duty(desk, "dan")
    assert sweep(desk).given == 1
    assert ticket(desk, urgent).assignee == "dan"


def test_a_transfer_is_dispatched_in_the_other_group(desk: Database) -> None:
    with desk.write() as session:
        follow_user(session, BOSS, "eve", "EVE", ["expert"])
        change_staff(session, BOSS, "eve", groups=["experts"])
        change_group(session, BOSS, "experts", dispatch="auto")
    on_duty(desk, "ann", "eve")
    number = file(desk)
    with desk.write() as session:
        lifecycle.escalate(session, number, actor("ann", "agent", groups=frozenset({"expense"})), "涉及税务风险")
    row = ticket(desk, number)
    assert (row.group_id, row.tier, row.assignee) == ("experts", 3, "eve")


# The emergency channel


def call(database: Database, number: str) -> EmergencyCallRow:
    with database.read() as session:
        return session.get_one(EmergencyCallRow, number)


@pytest.fixture
def on_call(desk: Database) -> Database:
    """ann, then bob, five minutes each."""
    body = lists_body(
        [{"id": "general", "name": "应急值班", "people": ["ann", "bob"], "minutes": 5}], {"ann", "bob", "admin"}
    )
    with desk.write() as session:
        versions.put(session, versions.EMERGENCY, body, BOSS, number=1)
    return desk


def test_an_emergency_climbs_until_somebody_acknowledges(on_call: Database) -> None:
    number = file(on_call, "这笔款重复付款了", business_type="应付与付款")
    row = ticket(on_call, number)
    assert (row.emergency, row.priority, row.group_id, row.risk_words) == (True, 1, "experts", ["重复付款"])
    began = call(on_call, number).called_at

    def called() -> list[list[str]]:
        return [one["usernames"] for one in call(on_call, number).called]

    assert called() == [["ann"]]
    assert climb_due(on_call, began + timedelta(minutes=4, seconds=59)) == 0
    assert climb_due(on_call, began + timedelta(minutes=5)) == 1
    assert climb_due(on_call, began + timedelta(minutes=5)) == 0, "a second scheduler, or the first one started again"
    assert called() == [["ann"], ["bob"]]
    assert climb_due(on_call, began + timedelta(minutes=60)) == 1, (
        "after an outage one step, and the next has its minutes"
    )
    assert called()[2] == ["ann", "bob", "boss"]
    assert climb_due(on_call, began + timedelta(minutes=64)) == 0
    assert climb_due(on_call, began + timedelta(minutes=65)) == 1
    with on_call.read() as session:
        assert [len(notices_of(session, one)) for one in ("ann", "bob", "boss")] == [3, 3, 2]
        assert all(one.urgent and one.ticket == number for one in notices_of(session, "bob"))
    with on_call.write() as session:
        acknowledge(
            session, number, actor("bob", "agent"), words="已联系银行止付", moment=began + timedelta(minutes=66)
        )
    done = call(on_call, number)
    assert (done.state, done.acknowledged_by, done.next_at) == ("acknowledged", "bob", None)
    assert climb_due(on_call, began + timedelta(days=1)) == 0
    with on_call.read() as session:
        kinds = [one.kind for one in events_of(session, number) if one.kind.startswith("emergency")]
    assert kinds == ["emergency_called", *["emergency_climbed"] * 3, "emergency_acknowledged"]


def test_two_schedulers_at_once_climb_each_call_once(on_call: Database) -> None:
    numbers = [file(on_call, f"供应商 {n} 重复付款", business_type="应付与付款") for n in range(4)]
    moment = now() + timedelta(minutes=6)
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: climb_due(on_call, moment), range(3))) == 4
    assert [len(call(on_call, number).called) for number in numbers] == [2] * 4


def test_only_one_acknowledges_and_only_who_is_called(on_call: Database) -> None:
    number = file(on_call, "税务局来稽查", business_type="税务")
    with pytest.raises(Forbidden, match="应急名单"), on_call.write() as session:
        acknowledge(session, number, actor("cat", "agent"))

    def try_it(username: str) -> bool:
        try:
            with on_call.write() as session:
                acknowledge(session, number, actor(username, "agent"))
            return True
        except Conflict:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(try_it, ["ann", "bob"])) == 1


def test_a_false_alarm_is_no_emergency_any_more(on_call: Database) -> None:
    number = file(on_call, "怎样避免重复付款", business_type="应付与付款")

    def promised() -> list[int | None]:
        with on_call.read() as session:
            return [clock.promised_min for clock in clocks_of(session, number)]

    assert promised() == [5, 120], "round the clock, whatever urgency was given"
    with on_call.write() as session:
        acknowledge(session, number, BOSS, false_alarm=True)
    assert not ticket(on_call, number).emergency and call(on_call, number).false_alarm
    assert promised() == [30, 900]


def test_what_the_employee_adds_later_raises_the_alarm(on_call: Database) -> None:
    identity = Identity("E9", "王建国", "华晟制造公司", "采购部")
    number = file(on_call, "供应商催款", business_type="应付与付款", identity=identity)
    conversation = ticket(on_call, number).conversation_id
    with on_call.write() as session:
        lifecycle.say_to_ticket(session, number, employee(identity, conversation), "查了一下，是重复付款")
    row = ticket(on_call, number)
    assert row.emergency and row.risk_words == ["重复付款"]
    assert call(on_call, number).called[0]["usernames"] == ["ann"]


def test_a_call_ends_with_its_ticket(on_call: Database) -> None:
    number = file(on_call, "重复付款", business_type="应付与付款")
    with on_call.write() as session:
        lifecycle.cancel(session, number, BOSS, "员工撤回")
    assert call(on_call, number).state == "ended"
    assert climb_due(on_call, now() + timedelta(hours=1)) == 0
    with pytest.raises(Conflict, match="不用再确认"), on_call.write() as session:
        acknowledge(session, number, BOSS)


def test_a_list_for_certain_words_is_called_first_and_an_empty_one_calls_the_supervisors(desk: Database) -> None:
    body = lists_body(
        [
            {"id": "tax", "name": "税务应急", "words": ["稽查"], "people": ["cat"], "minutes": 10},
            {"id": "general", "name": "应急值班", "people": [], "minutes": 5},
        ],
        {"cat"},
    )
    with desk.write() as session:
        versions.put(session, versions.EMERGENCY, body, BOSS, number=1)
    assert call(desk, file(desk, "要稽查了", business_type="税务")).called[0]["usernames"] == ["cat"]
    assert call(desk, file(desk, "被骗了", business_type="资金与账户")).called[0]["usernames"] == ["boss"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"people": ["nobody"]}, "没有用户 nobody"),
        ({"minutes": 0}, "1 到 120"),
        ({"name": ""}, "名称"),
        ({"words": ["稽查"]}, "不限风险词"),
    ],
)
def test_on_call_lists_that_cannot_be_used_are_refused(row: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        lists_body([{"id": "general", "name": "应急值班", "people": [], "minutes": 5} | row], {"ann"})
