"""A ticket's clocks from filing to closing, on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import Conflict, InvalidInput
from core.events import EventRelay
from handoff import lifecycle
from handoff.clocks import Checked, check, kept, summary
from handoff.clocks.policies import PolicyRow, Step, Terms, Whom, all_policies, pick, save_policy
from handoff.clocks.timetable import CalendarRow, save_calendar, save_days
from handoff.tickets import Status, TicketEventRow
from handoff.timeline import TicketChanged
from tests.integration.clocked import Clocked, at, open_desk
from tests.tickets import filed, person, requester_of

CALENDARS = ("workdays", "always")


@pytest.fixture
def desk(database: Database) -> Database:
    open_desk(database)
    return database


def test_a_persons_words_stop_the_first_response_and_the_bots_do_not(desk: Database) -> None:
    case = Clocked(desk, at("11-23 11:50"))
    assert case.ticket.due_at == at("11-23 13:50") and case.ticket.due_kind == "first_response"
    case.happen("replied", at("11-23 11:51"), by="system")
    assert case.clock("first_response").stopped_at is None
    case.happen("replied", at("11-23 13:40"), Status.IN_PROGRESS)
    first = case.clock("first_response")
    assert (first.stopped_at, first.actual_min, first.promised_min) == (at("11-23 13:40"), 20, 30)
    assert first.breached_at is None
    assert case.ticket.first_response_at == at("11-23 13:40")
    assert case.ticket.due_kind == "resolution"


def test_each_message_of_the_employee_is_owed_an_answer(desk: Database) -> None:
    case = Clocked(desk, at("11-23 09:00"))
    case.happen("employee_said", at("11-23 09:05"), by="employee")
    assert case.kinds() == ["first_response", "resolution"]
    case.happen("replied", at("11-23 09:10"), Status.IN_PROGRESS)
    case.happen("employee_said", at("11-23 10:00"), by="employee")
    case.happen("employee_said", at("11-23 10:20"), by="employee")
    owed = case.clock("next_response")
    assert (owed.started_at, owed.due_at, case.kinds().count("next_response")) == (
        at("11-23 10:00"),
        at("11-23 11:00"),
        1,
    )
    case.happen("replied", at("11-23 10:40"))
    assert case.clock("next_response").actual_min == 40
    case.happen("employee_said", at("11-23 11:00"), by="employee")
    assert case.clock("next_response").round == 2


def test_waiting_for_the_requester_stops_resolution_and_nothing_is_told_meanwhile(desk: Database) -> None:
    case = Clocked(desk, at("11-23 09:00"), urgency="紧急")
    case.happen("replied", at("11-23 09:10"), Status.WAITING)
    assert case.ticket.due_at is None
    assert check(desk, at("11-25 10:00")).warned == 0
    case.happen("employee_said", at("11-25 10:00"), Status.IN_PROGRESS, by="employee")
    clock = case.clock("resolution")
    assert clock.due_at == at("11-25 15:20")  # 230 of 240 minutes are left, and lunch
    case.happen("resolved", at("11-25 11:00"), Status.RESOLVED)
    clock = case.clock("resolution")
    assert (clock.actual_min, clock.stopped_by, clock.breached_at) == (70, "resolved", None)
    assert (case.ticket.due_at, case.ticket.breached) == (None, False)


def test_a_reopened_ticket_has_a_new_promise(desk: Database) -> None:
    case = Clocked(desk, at("11-23 09:00"))
    case.happen("resolved", at("11-23 10:00"), Status.RESOLVED)
    case.happen("reopened", at("11-24 09:00"), Status.REOPENED, by="employee")
    again = case.clock("resolution")
    assert (again.round, again.started_at, again.due_at) == (2, at("11-24 09:00"), at("11-25 18:00"))
    assert case.clock("next_response").started_at == at("11-24 09:00")


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.MERGED])
def test_merging_and_cancelling_stop_everything(desk: Database, status: Status) -> None:
    case = Clocked(desk, at("11-23 09:00"))
    case.happen(status.value, at("11-23 09:20"), status)
    assert {case.clock(kind).stopped_by for kind in ("first_response", "resolution")} == {status.value}
    assert check(desk, at("11-27 09:00")).breached == 0


def test_the_warning_the_breach_and_the_chain_come_once_each_in_working_hours(desk: Database) -> None:
    case = Clocked(desk, at("11-23 17:20"))
    assert check(desk, at("11-23 17:44")).warned == 0
    assert check(desk, at("11-23 17:45")).warned == 1
    assert case.notices() == [("warned", "wang"), ("warned", "zhao")]
    assert check(desk, at("11-23 17:50:30")).breached == 1
    assert case.ticket.breached
    assert case.notices()[:3] == [("breached", "wang"), ("breached", "zhao"), ("chain_climbed", "zhao")]
    assert check(desk, at("11-23 23:30")).climbed == 0
    assert check(desk, at("11-24 09:49")).climbed == 0
    assert check(desk, at("11-24 09:51")).climbed == 1
    assert ("chain_climbed", "sun") in case.notices()
    assert case.events() == ["warned", "breached", "chain_climbed", "chain_climbed"]
    assert check(desk, at("11-24 10:00")) == Checked()


def test_what_clocks_tell_reaches_whoever_listens_to_tickets(desk: Database) -> None:
    cases = [Clocked(desk, at("11-23 09:00"), assignee="wang") for _ in range(3)]
    heard: list[tuple[str, str]] = []
    relay = EventRelay(desk)
    check(desk, at("11-23 09:30"), batch=2)

    def hear(session: Session, event_id: int, event: TicketChanged) -> None:
        told = session.get_one(TicketEventRow, event.event_id)
        assert (told.ticket, told.kind) == (event.number, event.happened)
        heard.append((event.number, event.happened))

    relay.subscribe(TicketChanged, hear)
    assert relay.deliver() == 3 and heard == [(case.number, "warned") for case in cases]


def test_an_emergency_climbs_through_the_night(desk: Database) -> None:
    case = Clocked(desk, at("11-21 23:00"), urgency="特急", assignee="wang")
    check(desk, at("11-21 23:05:01"))
    assert ("breached", "wang") in case.notices()
    check(desk, at("11-21 23:16"))
    assert ("chain_climbed", "sun") in case.notices()
    assert check(desk, at("11-21 23:36")).escalated == 1
    assert (case.ticket.tier, case.ticket.group_id) == (3, "experts")
    assert ("chain_climbed", "qian") in case.notices()
    assert check(desk, at("11-21 23:37")).escalated == 0


def test_a_checker_that_was_down_tells_only_the_breach_and_when_people_are_there(desk: Database) -> None:
    case = Clocked(desk, at("11-23 16:00"))
    assert check(desk, at("11-23 22:00")).breached == 0
    told = check(desk, at("11-24 09:00:10"))
    assert (told.warned, told.breached, told.climbed) == (0, 1, 2)
    assert case.events() == ["breached", "chain_climbed", "chain_climbed"]


def test_a_late_answer_that_no_checker_saw_is_told_all_the_same(desk: Database) -> None:
    case = Clocked(desk, at("11-23 09:00"), assignee="wang")
    case.happen("replied", at("11-23 09:31"), Status.IN_PROGRESS)
    first = case.clock("first_response")
    assert (first.breached_at, first.actual_min) == (at("11-23 09:30"), 31)
    assert case.notices() == [("breached", "wang")]
    with desk.read() as session:
        assert kept(session, [case.number, "none"]) == {case.number: False}


def test_the_most_specific_policy_wins_and_a_change_of_urgency_changes_the_promise(desk: Database) -> None:
    with desk.write() as session:
        save_policy(session, "sun", "tax", Terms("税务", "税务", resolution_min=60), calendars=CALENDARS)
        policies = all_policies(session)
    case = Clocked(desk, at("11-23 09:00"), business_type="税务")
    assert case.clock("resolution").promised_min == 60
    assert case.clock("first_response").promised_min is None
    case.happen("changed", at("11-23 09:10"), urgency="紧急", service_tier="vip")
    assert case.clock("resolution").policy == "vip-urgent"
    assert case.ticket.due_at == at("11-23 09:10")
    assert pick(policies, case.ticket).id == "vip-urgent"
    case.happen("changed", at("11-23 09:10"), sla_policy="standard")
    assert case.clock("resolution").promised_min == 900


def test_a_changed_policy_moves_open_clocks_and_keeps_their_pauses(desk: Database) -> None:
    case = Clocked(desk, at("11-23 09:00"))
    done = Clocked(desk, at("11-23 09:00"))
    done.happen("resolved", at("11-23 09:20"), Status.RESOLVED)
    case.happen("replied", at("11-23 09:10"), Status.WAITING)
    case.happen("employee_said", at("11-23 11:10"), Status.IN_PROGRESS, by="employee")
    with desk.write() as session:
        row = session.get_one(PolicyRow, "standard")
        terms = Terms(
            "默认", first_response_min=30, next_response_min=60, resolution_min=30, chain=[Step(0, Whom.LEADER)]
        )
        save_policy(session, "sun", "standard", terms, calendars=CALENDARS, version=row.version)
    assert check(desk, at("11-23 11:20")).recounted == 2
    assert case.clock("resolution").due_at == at("11-23 11:30")
    assert done.clock("resolution").promised_min == 900
    assert check(desk, at("11-23 11:31")).breached == 1
    with desk.write() as session:
        save_policy(session, "sun", "standard", Terms("默认", resolution_min=900), calendars=CALENDARS)
    check(desk, at("11-23 11:32"))
    assert (case.ticket.breached, case.clock("resolution").breached_at) == (False, None)
    with desk.read() as session:
        shown = {one["kind"]: one for one in summary(session, case.number, at("11-23 11:40"))}
    assert (shown["resolution"]["actual_min"], shown["resolution"]["breached"]) == (40, False)


def test_a_new_day_off_moves_what_is_due_on_it(desk: Database) -> None:
    case = Clocked(desk, at("11-23 17:50"))
    with desk.write() as session:
        save_days(session, "sun", "workdays", {date(2026, 11, 24): ([], "司庆放假")})
    check(desk, at("11-23 17:51"))
    assert case.ticket.due_at == at("11-25 09:20")


def test_the_verbs_of_the_desk_move_the_clocks(desk: Database) -> None:
    with desk.write() as session:
        ticket = filed(session, group="expense", business_type="差旅报销")
        number, mine = ticket.number, requester_of(ticket)
    agent = person("wang", "agent", groups=("expense",))
    stages = []
    for verb in (
        lambda session: lifecycle.claim(session, number, agent),
        lambda session: lifecycle.reply(session, number, agent, "请补充行程单。", then="waiting"),
        lambda session: lifecycle.say_to_ticket(session, number, mine, "已补充。"),
        lambda session: lifecycle.resolve(session, number, agent, "已重新提交。"),
        lambda session: lifecycle.reopen(session, number, mine, "还是不行"),
    ):
        with desk.write() as session:
            verb(session)
        with desk.read() as session:
            shown = summary(session, number)
        stages.append({f"{one['kind']}:{one['round']}": bool(one["stopped_at"]) for one in shown})
        paused = [one["paused"] for one in shown if one["kind"] == "resolution"]
        assert paused[0] == (len(stages) == 2)
    assert stages[0] == {"first_response:1": False, "resolution:1": False}
    assert stages[1] == {"first_response:1": True, "resolution:1": False}
    assert stages[2] == {**stages[1], "next_response:1": False}
    assert stages[3] == dict.fromkeys(stages[2], True)
    assert stages[4] == {**stages[3], "resolution:2": False, "next_response:2": False}


def test_two_editors_do_not_overwrite_each_other(desk: Database) -> None:
    with desk.write() as session:
        version = session.get_one(CalendarRow, "workdays").version
        week = [[["08:30", "17:30"]]] * 5 + [[], []]
        save_calendar(session, "sun", "workdays", name="工作日", weekly=week, version=version)
    with pytest.raises(Conflict), desk.write() as session:
        save_calendar(session, "zhou", "workdays", name="工作日", weekly=week, version=version)
    with pytest.raises(Conflict), desk.write() as session:
        save_policy(session, "zhou", "mine", Terms("又一个默认", resolution_min=1), calendars=CALENDARS)
    with pytest.raises(InvalidInput), desk.write() as session:
        save_calendar(session, "zhou", "closed", name="不上班", weekly=[[]] * 7)
