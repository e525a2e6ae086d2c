"""What the verbs do beyond their states: at once, to each other, to the conversation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, FSSCError, InvalidInput, TooMany
from core.transcript import Conversation, messages_of
from handoff import lifecycle
from handoff.actors import SYSTEM, employee
from handoff.filing import file_ticket, joined
from handoff.notices import notices_of
from handoff.permissions import may
from handoff.tickets import Reason, TicketRow, Urgency, events_of, ticket_of
from tests.tickets import (
    ADMIN,
    CHEN,
    FANG,
    LI,
    NOBODY,
    QIAN,
    SUN,
    WANG,
    ZHANG,
    draft,
    filed,
    open_desk,
    placed,
    requester_of,
    talk,
)


@pytest.fixture
def desk(database: Database) -> Database:
    open_desk(database)
    return database


def at_once(database: Database, *works: Callable) -> list[str]:
    """Each in a session of its own, all starting together; what each came to."""
    start = Barrier(len(works))

    def run(work: Callable) -> str:
        start.wait()
        try:
            with database.write() as session:
                work(session)
        except FSSCError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_many_who_claim_at_once_one_gets_it(desk: Database) -> None:
    for _ in range(3):
        with desk.write() as session:
            number = filed(session).number
        people = (ZHANG, CHEN, SUN, ADMIN)
        found = at_once(
            desk, *[lambda session, who=who, on=number: lifecycle.claim(session, on, who) for who in people]
        )
        assert found.count("done") == 1 and set(found) <= {"done", "not_yours", "wrong_state"}
        with desk.read() as session:
            row = session.get_one(TicketRow, number)
            assert row.assignee == people[found.index("done")].id
            assert [event.kind for event in events_of(session, number)].count("claimed") == 1


def test_of_two_who_saw_the_same_version_one_is_told_to_look_again(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        number, version = ticket.number, ticket.version
    found = at_once(
        desk,
        lambda session: lifecycle.reply(session, number, ZHANG, "请补附件", then="waiting", version=version),
        lambda session: lifecycle.cancel(session, number, requester_of(ticket), "不用了", version=version),
    )
    assert sorted(found) == ["done", "version_conflict"]


def test_merging_each_into_the_other_at_once_ends_neither_both_nor_in_a_deadlock(desk: Database) -> None:
    with desk.write() as session:
        one, other = filed(session).number, filed(session).number
    found = at_once(
        desk,
        lambda session: lifecycle.merge(session, one, SUN, other),
        lambda session: lifecycle.merge(session, other, SUN, one),
    )
    assert sorted(found) == ["done", "wrong_state"]


def test_words_of_both_sides_at_once_are_all_kept_in_order(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
    li = requester_of(ticket)

    def agent(session, n):
        lifecycle.reply(session, ticket.number, ZHANG, f"答{n}")

    def asks(session, n):
        lifecycle.say_to_ticket(session, ticket.number, li, f"问{n}")

    works = [lambda session, n=n, side=side: side(session, n) for n in range(4) for side in (agent, asks)]
    assert at_once(desk, *works) == ["done"] * 8
    with desk.read() as session:
        messages = messages_of(session, ticket.conversation_id)
        assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
        said = {message.text for message in messages}
        assert said >= {f"{side}{n}" for side in "答问" for n in range(4)}
        kinds = [event.kind for event in events_of(session, ticket.number)]
        assert (kinds.count("replied"), kinds.count("employee_said")) == (4, 4)


def test_replies_are_read_by_the_employee_and_notes_never(desk: Database) -> None:
    with desk.write() as session:
        ticket = filed(session)
        lifecycle.note(session, ticket.number, ZHANG, "这家供应商有问题")
        lifecycle.reply(session, ticket.number, ZHANG, "请稍等", then="waiting")
    with desk.read() as session:
        said = "\n".join(message.text for message in messages_of(session, ticket.conversation_id))
        public = "\n".join(event.text for event in events_of(session, ticket.number) if event.public)
    assert "请稍等" in said and "供应商" not in said + public


def test_personal_data_is_masked_wherever_it_is_written(desk: Database) -> None:
    secret = "13812345678"
    with desk.write() as session:
        ticket = filed(session, description=f"请打 {secret}")
        lifecycle.note(session, ticket.number, ZHANG, f"电话 {secret}")
        lifecycle.claim(session, ticket.number, ZHANG)
        lifecycle.give_back(session, ticket.number, ZHANG, f"打 {secret} 没人接")
        lifecycle.reply(session, ticket.number, ZHANG, f"已打 {secret}", then="resolved")
        lifecycle.reopen(session, ticket.number, requester_of(ticket), f"改打 {secret}")
    with desk.read() as session:
        row = session.get_one(TicketRow, ticket.number)
        kept = [row.description, row.resolution]
        kept += [event.text + str(event.detail) for event in events_of(session, ticket.number)]
        kept += [message.text for message in messages_of(session, ticket.conversation_id)]
    assert not [text for text in kept if secret in text] and sum("138****5678" in text for text in kept) >= 6


def test_the_bot_is_silent_while_a_person_works_and_back_afterwards(desk: Database) -> None:
    def mode() -> tuple[str, str | None]:
        with desk.read() as session:
            conversation = session.get_one(Conversation, ticket.conversation_id)
            return conversation.mode, conversation.held_by

    with desk.write() as session:
        ticket = filed(session)
    assert mode() == ("bot", None)
    with desk.write() as session:
        lifecycle.claim(session, ticket.number, ZHANG)
    assert mode() == ("agent", ticket.number)
    with desk.write() as session:
        lifecycle.resolve(session, ticket.number, ZHANG, "已处理")
    assert mode() == ("bot", None)
    with desk.read() as session:
        last = [message.type for message in messages_of(session, ticket.conversation_id)]
    assert last[-3:] == ["text", "notice", "rating"]


def test_a_ticket_is_reopened_within_seven_days_and_goes_back_to_whoever_had_it(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "closed", "zhang")
        ticket.resolved_at = now() - timedelta(days=7, minutes=1)
        with pytest.raises(Conflict) as late:
            lifecycle.reopen(session, ticket.number, requester_of(ticket), "又出错了")
        ticket.resolved_at = now() - timedelta(days=6, hours=23)
        lifecycle.reopen(session, ticket.number, requester_of(ticket), "又出错了")
        assert (ticket.status, ticket.assignee, ticket.reopenings) == ("reopened", "zhang", 1)
        assert [notice.kind for notice in notices_of(session, "zhang")] == ["reopened"]
    assert late.value.code == "too_late"


def test_resolved_tickets_close_by_themselves(desk: Database) -> None:
    with desk.write() as session:
        old, young = placed(session, "resolved", "zhang"), placed(session, "resolved", "zhang")
        old.resolved_at = now() - timedelta(days=5, seconds=1)
    with desk.read() as session:
        assert lifecycle.any_due(session, now(), 5) and not lifecycle.any_due(session, now(), 6)
    with desk.write() as session:
        assert lifecycle.close_due(session, now(), 5) == 1
        assert lifecycle.close_due(session, now(), 5) == 0
    with desk.read() as session:
        closed, open_ = (session.get_one(TicketRow, one.number) for one in (old, young))
        assert (closed.status, open_.status) == ("closed", "resolved")
        assert (events_of(session, old.number)[-1].kind, events_of(session, old.number)[-1].actor) == (
            "closed",
            SYSTEM.id,
        )


def test_urging_works_once_an_hour(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        li = requester_of(ticket)
        lifecycle.urge(session, ticket.number, li)
        with pytest.raises(TooMany, match="分钟后可以再次催办"):
            lifecycle.urge(session, ticket.number, li)
        ticket.urged_at = now() - timedelta(minutes=61)
        lifecycle.urge(session, ticket.number, li)
        assert [notice.kind for notice in notices_of(session, "zhang")] == ["urged", "urged"]


def test_what_is_written_to_a_merged_ticket_reaches_the_survivor_of_the_survivor(desk: Database) -> None:
    with desk.write() as session:
        first, second, third = filed(session), filed(session), filed(session)
        lifecycle.merge(session, first.number, SUN, second.number)
        lifecycle.merge(session, second.number, SUN, third.number)
        lifecycle.claim(session, third.number, ZHANG)
        heard = lifecycle.say_to_ticket(session, first.number, requester_of(first), "单据已补")
        assert heard.number == third.number and heard.unread
        assert events_of(session, third.number)[-1].detail["written_to"] == first.number
        assert {one.number for one in lifecycle.linked(session, third.number)} == {second.number}
        assert lifecycle.survivor(session, first.number) == third.number
        assert [notice.kind for notice in notices_of(session, "zhang")] == ["employee_said"]


def test_tickets_of_two_people_are_never_merged(desk: Database) -> None:
    """A follow-up would show one of them what the other wrote."""
    with desk.write() as session:
        li, wang, nobody, other = (filed(session, requester=who) for who in (LI, WANG, NOBODY, NOBODY))
        for one, into in ((li, wang), (li, nobody), (nobody, li), (nobody, other)):
            with pytest.raises(Conflict) as refused:
                lifecycle.merge(session, one.number, SUN, into.number)
            assert refused.value.code == "other_requester"
        lifecycle.link(session, li.number, SUN, wang.number)
        assert [one.number for one in lifecycle.linked(session, wang.number)] == [li.number]
        with pytest.raises(Conflict):
            lifecycle.link(session, wang.number, SUN, li.number)
        lifecycle.unlink(session, wang.number, SUN, li.number)
        assert lifecycle.linked(session, li.number) == []


def test_merging_takes_both_tickets_to_be_ones_own(desk: Database) -> None:
    with desk.write() as session:
        mine, theirs = placed(session, "in_progress", "zhang"), placed(session, "in_progress", "chen")
        with pytest.raises(Forbidden):
            lifecycle.merge(session, mine.number, ZHANG, theirs.number)
        assert ticket_of(session, mine.number).status == "in_progress"


def test_an_expert_helps_without_owning_and_leaves_again(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        assert not may(QIAN, "read", ticket)
        lifecycle.invite(session, ticket.number, ZHANG, "qian", "看一下合同税率")
        assert [notice.kind for notice in notices_of(session, "qian")] == ["expert_invited"]
        lifecycle.reply(session, ticket.number, QIAN, "按 6% 开票")
        assert (ticket.assignee, ticket.experts) == ("zhang", ["qian"])
        with pytest.raises(Forbidden):
            lifecycle.resolve(session, ticket.number, QIAN, "好了")
        lifecycle.dismiss(session, ticket.number, ZHANG, "qian")
        assert not may(QIAN, "read", ticket)


def test_tier_three_is_reached_with_a_reason(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        with pytest.raises(InvalidInput):
            lifecycle.escalate(session, ticket.number, ZHANG, "  ")
        with pytest.raises(InvalidInput):
            lifecycle.escalate(session, ticket.number, ZHANG, "难", group="expense")
        lifecycle.escalate(session, ticket.number, ZHANG, "跨境付款，需要专家")
        assert (ticket.tier, ticket.group_id, ticket.assignee) == (3, "experts", None)
        lifecycle.claim(session, ticket.number, QIAN)
        with pytest.raises(Conflict):
            lifecycle.escalate(session, ticket.number, QIAN, "再升")


def test_a_transfer_names_a_group_that_is_there_and_a_person_who_works_here(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        for group, to, error in (("nowhere", None, InvalidInput), ("expense", "nobody", InvalidInput)):
            with pytest.raises(error):
                lifecycle.transfer(session, ticket.number, ZHANG, group, "不归我们", to=to)
        lifecycle.transfer(session, ticket.number, ZHANG, "expense", "是报销问题", to="fang")
        assert (ticket.status, ticket.assignee) == ("assigned", "fang")
        assert [notice.kind for notice in notices_of(session, "fang")] == ["assigned"]
        lifecycle.accept(session, ticket.number, FANG)


@pytest.mark.parametrize(
    "wrong",
    [{"urgency": "很急"}, {"priority": 0}, {"priority": True}, {"business_type": "别的"}, {"status": "closed"}]
    + [{"document_no": "9" * 65}, {"emergency": "yes"}, {"subtype": None}],
)
def test_corrections_are_checked(desk: Database, wrong: dict) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        with pytest.raises(InvalidInput):
            lifecycle.change(session, ticket.number, ZHANG, **wrong)


def test_a_correction_says_what_was_there_before(desk: Database) -> None:
    with desk.write() as session:
        ticket = placed(session, "in_progress", "zhang")
        before = ticket.version
        lifecycle.change(session, ticket.number, ZHANG, urgency=ticket.urgency)
        assert ticket.version == before
        lifecycle.change(session, ticket.number, ZHANG, urgency="紧急", contact="13812345678")
        event = next(one for one in reversed(events_of(session, ticket.number)) if one.kind == "changed")
        assert event.detail == {"before": {"urgency": "一般"}, "after": {"urgency": "紧急"}}
        assert "一般 → 紧急" in event.text and "138" not in event.text and ticket.contact == "13812345678"


# Duplicates


def test_who_asks_again_about_the_same_document_joins_their_open_ticket(desk: Database) -> None:
    with desk.write() as session:
        here = talk(session)
        first = file_ticket(session, draft(here, document_no="BX1"))
        first.status = "waiting"
        again = draft(talk(session), document_no="BX1", description="还是申报失败，很急", urgency=Urgency.URGENT)
        for _ in range(2):
            found = file_ticket(session, again)
            assert found.number == first.number and joined(found, again)
        assert (found.urgency, found.unread, found.status) == ("紧急", True, "new")
        said = [event for event in events_of(session, first.number) if event.kind == "employee_said"]
        assert len(said) == 1 and "还是申报失败" in said[0].text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"requester": WANG}, "another person's document is another ticket, whatever its number"),
        ({"requester": NOBODY}, "a visitor whom nobody knows"),
        ({"document_no": "BX2"}, "another document"),
        ({"document_no": None}, "no document"),
        ({"business_type": "发票"}, "another topic"),
        ({"reason": Reason.COMPLAINT}, "a complaint goes to other people"),
        ({"reason": Reason.EMERGENCY}, "an emergency may not wait behind a question"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_the_same_is_a_ticket_of_its_own(desk: Database, change: dict, why: str) -> None:
    with desk.write() as session:
        first = file_ticket(session, draft(talk(session), document_no="BX1"))
        values = {"document_no": "BX1", **change}
        other = draft(talk(session, values.get("requester", LI)), **values)
        found = file_ticket(session, other)
        assert found.number != first.number and not joined(found, other), why


def test_a_ticket_that_is_over_is_not_joined(desk: Database) -> None:
    with desk.write() as session:
        first = file_ticket(session, draft(talk(session), document_no="BX1"))
        first.status = "resolved"
        session.flush()
        assert file_ticket(session, draft(talk(session), document_no="BX1")).number != first.number


def test_without_a_document_only_nearly_the_same_words_are_the_same_question(desk: Database) -> None:
    with desk.write() as session:
        here = talk(session)
        first = file_ticket(session, draft(here, document_no=None, description="个税申报表导不出来，提示网络错误"))
        same = file_ticket(session, draft(here, document_no=None, description="个税申报表导不出来,提示网络错误!"))
        other = file_ticket(session, draft(here, document_no=None, description="社保基数怎么申报"))
        assert same.number == first.number != other.number


def test_a_visitor_without_a_name_joins_within_the_conversation_only(desk: Database) -> None:
    with desk.write() as session:
        here, there = talk(session, NOBODY), talk(session, NOBODY)
        first = file_ticket(session, draft(here, NOBODY, document_no="BX1"))
        assert file_ticket(session, draft(there, NOBODY, document_no="BX1")).number != first.number
        assert file_ticket(session, draft(here, NOBODY, document_no="BX1")).number == first.number
        assert not may(employee(NOBODY, there), "read", first)
