"""A ticket from the chat: what it is told to be about, and what somebody who calls again is told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bot.filing import Filing
from bot.turns import Outcome, Place, TurnContext
from core.clock import now
from core.database import Database
from core.events import EventRow
from core.identity import Identity
from core.transcript import Turn, open_conversation
from handoff import lifecycle
from handoff.actors import Actor
from handoff.routing.seed import seed
from handoff.tickets import UNDESCRIBED, Reason, TicketRow
from kb.signals import UnresolvedRow
from service.bootstrap import event_relay

LI = Identity("E1001", "李晓雯")
SUN = Actor("staff", "sun", "孙敏", frozenset({"supervisor"}))


@dataclass
class Chat:
    """One employee's conversation."""

    database: Database
    conversation_id: str

    @property
    def context(self) -> TurnContext:
        return TurnContext(self.conversation_id, uuid.uuid4().hex, "widget", LI, Place())

    def asked(self, question: str) -> None:
        with self.database.write() as session:
            turn = {"id": uuid.uuid4().hex, "conversation_id": self.conversation_id, "owner": "E1001", "at": now()}
            outcome = Outcome(band="answer", question=question).to_dict()
            session.add(
                Turn(**turn, client_message_id=turn["id"], fingerprint="", body={}, state="done", outcome=outcome)
            )

    def files(self, description: str) -> TicketRow:
        values = {"business_type": "资金与账户", "description": description}
        return Filing(self.database).file(self.context, values, Reason.CUSTOMER_REQUEST)

    @property
    def questions(self) -> list[str]:
        with self.database.read() as session:
            return [one.body["question"] for one in session.scalars(select(EventRow)) if one.kind == "TicketFiled"]


@pytest.fixture
def chat(database: Database) -> Chat:
    with database.write() as session:
        seed(session)
        return Chat(database, open_conversation(session, "widget", LI).id)


def test_a_ticket_is_about_the_question_that_was_asked_only_where_it_says_so(chat: Chat) -> None:
    chat.asked("出差补贴多少")
    chat.files("工资卡被冻结了，报销款退回来了")
    assert chat.questions == ["工资卡被冻结了，报销款退回来了"], "what was answered before is another matter"
    chat.asked("卡号变更后 多久生效?")
    chat.files("卡号变更后多久生效；已经等了三天")
    assert chat.questions[1:] == ["卡号变更后 多久生效?"]


def test_who_wants_a_person_at_once_asks_nothing_that_could_be_curated(chat: Chat) -> None:
    chat.asked("出差补贴多少")
    assert chat.files("").description == UNDESCRIBED
    assert chat.questions == [""]
    assert event_relay(chat.database).deliver() >= 1
    with chat.database.read() as session:
        assert session.scalars(select(UnresolvedRow)).all() == []


def test_who_calls_again_is_told_who_is_there_and_begins_anew_when_that_is_done(chat: Chat) -> None:
    filing, number = Filing(chat.database), chat.files("工资卡被冻结了").number

    def called() -> list[str]:
        reply = filing.called(number, chat.context)
        assert reply is not None and number in reply.text
        return [option.choice.partition(":")[0] for option in reply.options]

    assert called() == ["ticket", "urge"]
    with chat.database.write() as session:
        lifecycle.claim(session, number, SUN)
    assert called() == ["ticket", "talk", "urge"]
    with chat.database.write() as session:
        lifecycle.resolve(session, number, SUN, "已解冻")
    assert filing.called(number, chat.context) is None
