"""Two people in one conversation: who hears what the employee writes, and who answers."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from redis.asyncio import Redis
from sqlalchemy import select, update

from bot.actions.form import TicketFormActions
from bot.answering import Answering
from bot.dialogue import Dialogue
from bot.filing import Filing
from bot.inbox import Inbound, TurnResult
from bot.ticket_form import FIELDS
from bot.turns import Place, TurnContext
from core.clock import now
from core.database import Database
from core.identity import Identity
from core.outbox import DeliveryRow
from core.transcript import (
    Conversation,
    Message,
    Turn,
    current_conversation,
    mark_read,
    messages_of,
    open_conversation,
    unread_of,
)
from core.transcript import say as tell
from handoff import lifecycle
from handoff.actors import Actor
from handoff.filing import file_ticket
from handoff.routing.seed import seed
from handoff.staff import StaffRow
from handoff.talk import Silence, end_silence, silent
from handoff.tickets import Reason, Status, TicketDraft, TicketEventRow, TicketRow
from kb.release.live import LiveKnowledge
from tests.answers import Nothing
from tests.engines import ScriptedEngine

RULES = Path(__file__).resolve().parents[2] / "bot" / "data" / "rules.yml"
LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
SUN = Actor("staff", "sun", "孙敏", frozenset({"supervisor"}))
ZHOU = Actor("staff", "zhou", "周航", frozenset({"supervisor"}))


@dataclass
class Talk:
    """One employee and one ticket; the engine echoes, and `meanwhile` happens while it thinks."""

    database: Database
    redis_url: str
    home: Path
    conversation_id: str
    number: str
    meanwhile: Callable[[], None] | None = None
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def dialogue(self) -> AsyncIterator[Dialogue]:
        def echo(message: str) -> str:
            self.asked.append(message)
            if self.meanwhile:
                self.meanwhile()
            return f"答：{message}"

        redis = Redis.from_url(self.redis_url)
        client = ScriptedEngine(echo)
        knowledge = LiveKnowledge(self.database, self.home, None)  # type: ignore[arg-type]
        yield Dialogue(self.database, redis, client, Answering(knowledge), Filing(self.database))
        await client.close()
        await redis.aclose()

    def inbound(self, text: str = "", choice: str = "", key: str = "", ticket: str = "") -> Inbound:
        key = key or uuid.uuid4().hex
        return Inbound("widget", LI, key, Place(), self.conversation_id, text, choice, text, ticket)

    def say(self, text: str = "", **more: str) -> TurnResult:
        async def run() -> TurnResult:
            async with self.dialogue() as dialogue:
                return await dialogue.receive(self.inbound(text, **more))

        return asyncio.run(run())

    def press(self, choice: str) -> str:
        return "\n".join(message["text"] for message in self.say(choice=choice).messages)

    def agent(self, verb: Callable[..., Any], *args: Any, actor: Actor = SUN, **more: Any) -> None:
        with self.database.write() as session:
            verb(session, self.number, actor, *args, **more)

    @property
    def lines(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            return [(one.sender, one.text) for one in messages_of(session, self.conversation_id)]

    def heard(self) -> list[str]:
        """What reached the ticket."""
        with self.database.read() as session:
            query = select(TicketEventRow.text).where(TicketEventRow.kind == "employee_said")
            return list(session.scalars(query.order_by(TicketEventRow.id)))

    def count(self, words: str) -> int:
        return sum(words in text for _, text in self.lines)

    @property
    def mode(self) -> str:
        with self.database.read() as session:
            return session.get_one(Conversation, self.conversation_id).mode

    @property
    def ticket(self) -> TicketRow:
        with self.database.read() as session:
            return session.get_one(TicketRow, self.number)


@pytest.fixture
def talk(database: Database, redis_url: str, tmp_path: Path) -> Iterator[Talk]:
    with database.write() as session:
        conversation = open_conversation(session, "widget", LI)
        draft = TicketDraft("差旅报销", "退票费能报吗", conversation.id, LI, Reason.MISSING_KNOWLEDGE, "turn-1")
        number = file_ticket(session, draft).number
        session.add(StaffRow(username="zhou", name="周航", groups=[], leads=[], skills=[]))
    yield Talk(database, redis_url, tmp_path, conversation.id, number)


def test_until_somebody_takes_the_ticket_the_bot_answers(talk: Talk) -> None:
    assert talk.say("餐补多少").messages[0]["text"] == "答：餐补多少"
    assert talk.heard() == []


def test_what_is_written_joins_the_ticket_while_a_person_talks(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    assert talk.mode == "agent" and talk.count("孙敏 已接入") == 1
    talk.agent(lifecycle.reply, "请问是哪张机票？", then="waiting")
    assert talk.say("是 11 月 3 日的", key="same-key-1").messages == []
    assert talk.say("是 11 月 3 日的", key="same-key-1").messages == []
    assert talk.asked == [] and talk.heard() == ["是 11 月 3 日的"]
    assert talk.count("是 11 月 3 日的") == 1
    assert talk.ticket.status == Status.IN_PROGRESS and talk.ticket.unread
    assert talk.count("孙敏 已接入") == 1


def test_the_bot_does_not_talk_over_a_person_who_came_while_it_was_thinking(talk: Talk) -> None:
    talk.meanwhile = lambda: talk.agent(lifecycle.claim)
    assert talk.say("退票费到底能不能报").messages == []
    assert talk.asked == ["退票费到底能不能报"]
    assert talk.heard() == ["退票费到底能不能报"] and talk.count("答：") == 0


def test_a_ticket_that_was_resolved_meanwhile_leaves_the_words_to_the_bot(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    inbound = talk.inbound("还有个问题")

    async def run() -> TurnResult:
        async with talk.dialogue() as dialogue:
            turn_id, _ = dialogue._inbox.accept(inbound)
            assert dialogue._inbox.claim(turn_id)
            loaded = dialogue._load(turn_id)
            assert not loaded[2]
            await asyncio.to_thread(talk.agent, lifecycle.resolve, "可以报")
            return await dialogue._run(turn_id)

    assert [one["text"] for one in asyncio.run(run()).messages] == ["答：还有个问题"]
    assert talk.heard() == []


def test_resolved_the_bot_is_back_and_says_so_once(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "可以报，附退票凭证即可。")
    assert talk.mode == "bot" and talk.count("智能客服回来了") == 1 and talk.count("可以报，附退票凭证即可。") == 1
    assert talk.say("谢谢").messages[0]["text"] == "答：谢谢"
    with talk.database.write() as session:
        lifecycle.close_due(session, now() + timedelta(days=30), 7)
    assert talk.ticket.status == Status.CLOSED and talk.count("智能客服回来了") == 1


@pytest.mark.parametrize("words", ["机器人", "回到机器人", "转智能客服吧", "我想回到机器人。"])
def test_the_employee_calls_the_bot_back_in_words(talk: Talk, words: str) -> None:
    talk.agent(lifecycle.claim)
    told = talk.say(words).messages
    assert len(told) == 1 and "智能客服回来了" in told[0]["text"] and talk.mode == "bot"
    assert "一直在" in talk.press("bot") and talk.count("智能客服回来了") == 1
    assert talk.heard() == [] and talk.ticket.status == Status.IN_PROGRESS


def test_and_goes_on_with_the_person_or_is_called_by_them(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.press("bot")
    assert "转给孙敏" in talk.press(f"talk:{talk.number}") and talk.mode == "agent"
    talk.press("bot")
    talk.agent(lifecycle.reply, "查到了，可以报。")
    assert talk.mode == "agent" and talk.lines[-1] == ("agent", "查到了，可以报。")


def test_whoever_takes_over_is_named_once(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.assign, "zhou")
    talk.agent(lifecycle.accept, actor=ZHOU)
    talk.agent(lifecycle.reply, "我来继续处理。", actor=ZHOU)
    talk.agent(lifecycle.reply, "马上好。", actor=ZHOU)
    assert talk.mode == "agent" and talk.count("周航 已接") == 1


def test_after_a_silence_the_bot_is_back_and_says_so_once(talk: Talk) -> None:
    silence = Silence(timedelta(minutes=30), timedelta(hours=72))
    talk.agent(lifecycle.claim)
    soon, later = now() + timedelta(minutes=29), now() + timedelta(minutes=31)
    assert silent(talk.database, silence, soon) == []
    assert silent(talk.database, silence, later) == [talk.number]

    def end(_: int) -> bool:
        with talk.database.write() as session:
            return end_silence(session, talk.number, silence, later) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(end, range(12))) == 1
    assert talk.mode == "bot" and talk.count("智能客服回来了") == 1
    assert talk.say("餐补多少").messages[0]["text"] == "答：餐补多少"


def test_who_was_asked_for_something_has_longer(talk: Talk) -> None:
    silence = Silence(timedelta(minutes=30), timedelta(hours=72))
    talk.agent(lifecycle.reply, "请上传退票凭证", then="waiting")
    assert silent(talk.database, silence, now() + timedelta(hours=71)) == []
    assert silent(talk.database, silence, now() + timedelta(hours=73)) == [talk.number]


def test_urge_once_an_hour_by_button_and_in_words(talk: Talk) -> None:
    assert "已为您催办" in talk.press(f"urge:{talk.number}")
    assert "分钟后可以再次催办" in talk.say("催办一下").messages[0]["text"]
    assert "没有找到您名下" in talk.press("urge:FW20200101-9999")
    with talk.database.read() as session:
        urged = session.scalars(select(TicketEventRow).where(TicketEventRow.kind == "urged")).all()
    assert len(urged) == 1


def test_urging_does_not_give_the_words_to_the_person_who_talks(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    assert "已为您催办" in talk.say("催办").messages[0]["text"]
    assert talk.heard() == [] and talk.mode == "agent"


def test_reopen_with_a_reason_in_the_chat(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "可以报")
    choices = talk.say("重新打开工单").messages[0]["options"]
    assert talk.ticket.status == Status.RESOLVED
    assert "已重新打开" in talk.press(choices[0]["choice"])
    assert talk.ticket.status == Status.REOPENED and talk.ticket.reopenings == 1


def test_confirm_and_rate_in_the_chat(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "可以报")
    assert talk.lines[-1][0] == "bot" and "满意" in talk.lines[-1][1]
    assert "谢谢您的评价" in talk.say("5 分").messages[0]["text"]
    assert (talk.ticket.rating, talk.ticket.status) == (5, Status.CLOSED)
    assert "已经关闭，不用再确认" in talk.press(f"confirm:{talk.number}"), (
        "an old card in a channel may still say 问题已解决"
    )


def test_words_from_the_panel_join_the_ticket_whoever_talks(talk: Talk) -> None:
    talk.say("补充：是国航的票", key="panel-key-1", ticket=talk.number)
    talk.say("补充：是国航的票", key="panel-key-1", ticket=talk.number)
    assert talk.heard() == ["补充：是国航的票"] and talk.asked == []


def test_a_turn_whose_process_died_reaches_the_ticket_once(talk: Talk) -> None:
    talk.agent(lifecycle.claim)

    async def run() -> None:
        async with talk.dialogue() as dialogue:
            turn_id, _ = dialogue._inbox.accept(talk.inbound("进程死了也要送到"))
            assert dialogue._inbox.claim(turn_id)
            with talk.database.write() as session:
                session.execute(update(Turn).values(claimed_until=now() - timedelta(seconds=1)))
            assert await dialogue.resume() == 1
            assert await dialogue.resume() == 0

    asyncio.run(run())
    assert talk.heard() == ["进程死了也要送到"] and talk.count("进程死了也要送到") == 1


def test_both_write_at_once_and_nothing_is_lost(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    threads = [threading.Thread(target=talk.say, args=(f"员工第 {n} 句",)) for n in range(6)] + [
        threading.Thread(target=talk.agent, args=(lifecycle.reply, f"坐席第 {n} 句")) for n in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with talk.database.read() as session:
        numbers = [one.seq for one in session.scalars(select(Message).order_by(Message.seq))]
        outgoing = session.scalars(select(DeliveryRow)).all()
    assert numbers == list(range(1, len(numbers) + 1))
    assert sorted(talk.heard()) == [f"员工第 {n} 句" for n in range(6)]
    assert sum(text.startswith("坐席第") for _, text in talk.lines) == 6
    assert sum("ticket-event" in one.key for one in outgoing) == 6


def test_read_markers_follow_the_employee_from_device_to_device(talk: Talk) -> None:
    talk.agent(lifecycle.reply, "查到了")
    with talk.database.write() as session:
        open_conversation(session, "widget", Identity("E1002"))
        conversation = current_conversation(session, "widget", LI)
        assert conversation is not None and conversation.id == talk.conversation_id
        assert unread_of(session, conversation) == 2
        mark_read(session, conversation, 10**6)
        session.refresh(conversation)
        assert unread_of(session, conversation) == 0
        mark_read(session, conversation, 1)
        session.refresh(conversation)
        assert conversation.read_seq == 2
    talk.agent(lifecycle.reply, "可以报")
    with talk.database.read() as session:
        assert unread_of(session, session.get_one(Conversation, talk.conversation_id)) == 1


@pytest.mark.parametrize("words", ["没解决", "问题没有解决", "还是没解决。", "没有解决 重新打开", "没有解决,重新打开"])
def test_who_says_that_it_is_not_solved_is_asked_why_and_reopens_in_their_own_words(talk: Talk, words: str) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "已处理")
    assert "是因为" in talk.say(words).messages[0]["text"] and talk.asked == []
    assert "已重新打开" in talk.say("系统还是登不上去,你们根本没处理").messages[0]["text"]
    assert talk.ticket.status == Status.REOPENED
    with talk.database.read() as session:
        reopened = select(TicketEventRow.text).where(TicketEventRow.kind == "reopened")
        assert session.scalars(reopened).all() == ["系统还是登不上去,你们根本没处理"]


def test_who_does_not_reopen_after_all_leaves_it_resolved(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "已处理")
    talk.say("没解决")
    assert "没有重新打开" in talk.say("算了").messages[0]["text"]
    assert talk.ticket.status == Status.RESOLVED
    assert talk.say("餐补多少").messages[0]["text"] == "答：餐补多少"


def test_not_solved_is_about_the_answer_where_the_bot_answered_since_or_nothing_was_resolved(talk: Talk) -> None:
    assert talk.say("没解决").messages[0]["text"] == "答：没解决"
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "已处理")
    with talk.database.write() as session:
        tell(session, talk.conversation_id, "bot", "answer", "餐补每天 100 元")
    assert talk.say("没解决").messages[0]["text"] == "答：没解决"


def test_urging_says_who_hears_of_it(talk: Talk) -> None:
    assert "还没有同事接手，已记下您的催办" in talk.say("催办").messages[0]["text"], "there is nobody to tell"
    with talk.database.write() as session:
        session.get_one(TicketRow, talk.number).urged_at = None
        session.get_one(StaffRow, "zhou").roles = ["supervisor"]
    assert "还没有同事接手，已提醒服务组" in talk.say("催办").messages[0]["text"]
    talk.agent(lifecycle.claim)
    with talk.database.write() as session:
        session.get_one(TicketRow, talk.number).urged_at = None
    assert "已提醒负责的同事" in talk.say("催办").messages[0]["text"]


@pytest.mark.parametrize("words", ["刚才那个工单取消", "撤回工单", "把我刚才提交的工单撤销一下", "取消工单"])
def test_a_ticket_is_withdrawn_in_words_after_a_yes(talk: Talk, words: str) -> None:
    asked = talk.say(words).messages[0]
    assert talk.number in asked["text"] and asked["options"][0]["choice"] == f"cancel:{talk.number}:yes"
    assert talk.ticket.status == Status.NEW
    assert "已撤销" in talk.say("确定").messages[0]["text"]
    assert talk.ticket.status == Status.CANCELLED
    assert "没有可以撤销的工单" in talk.say(words).messages[0]["text"]


def test_withdrawing_in_words_is_the_forms_while_it_asks_and_the_agents_while_they_talk(talk: Talk) -> None:
    Form(talk)
    assert talk.say("取消工单").messages[0]["text"] == "答：取消工单"
    assert talk.say("怎么撤回工单附件").messages[0]["text"] == "答：怎么撤回工单附件"
    talk.agent(lifecycle.claim)
    assert talk.say("刚才那个工单取消").messages == []
    assert talk.heard() == ["刚才那个工单取消"]


class Form:
    """The ticket form of `talk`, which asks how urgent it is."""

    def __init__(self, talk: Talk, *, asking: bool = True) -> None:
        self.talk = talk
        if asking:
            self.asks("question", field="urgency")

    def asks(self, kind: str, **extras: Any) -> None:
        with self.talk.database.write() as session:
            tell(session, self.talk.conversation_id, "bot", kind, "……", extras=extras)

    def hears(self, text: str, intent: str = "ask", asked: str = "urgency") -> tuple[dict[str, Any], list[str]]:
        """The slots afterwards, and what was said."""
        context = TurnContext(self.talk.conversation_id, "t", "widget", LI, Place())
        message = {"text": text, "intent": {"name": intent}, "entities": [], "metadata": {"turn": context.to_dict()}}
        slots = dict.fromkeys(FIELDS) | {"business_type": "发票", "description": "验真失败", "requested_slot": asked}
        tracker = Tracker("c", slots | {asked: text}, message, [], False, None, {"name": "ticket_form"}, None)
        dispatcher = CollectingDispatcher()
        actions = TicketFormActions(Nothing(), Filing(self.talk.database))
        events = asyncio.run(actions.hear(dispatcher, tracker, {}))
        said = [one["custom"]["reply"] for one in dispatcher.messages]
        for one in said:
            self.asks(one["type"], **one["extras"])
        return {one["name"]: one["value"] for one in events}, [one["text"] for one in said]

    def left(self, intent: str) -> str:
        """The action that answers what was said when the form had been left."""
        message = {"text": "…", "intent": {"name": intent}, "entities": []}
        tracker = Tracker("c", {"form_outcome": "left"}, message, [], False, None, {}, None)
        actions = TicketFormActions(Nothing(), Filing(self.talk.database))
        events = asyncio.run(actions.finish(CollectingDispatcher(), tracker, {}))
        return next(one["name"] for one in events if one["event"] == "followup")


def test_a_half_filled_form_ends_when_a_person_comes(talk: Talk) -> None:
    form = Form(talk)
    assert form.hears("特急")[0]["urgency"] == "特急"
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.resolve, "已重新付到新卡")
    slots, said = form.hears("钱还是打到旧卡了")
    assert slots["form_outcome"] == "left" and slots["requested_slot"] is None and said == []
    assert "钱还是打到旧卡了" not in slots.values()


def test_a_form_whose_question_nobody_saw_since_a_person_came_ends_too(talk: Talk) -> None:
    talk.agent(lifecycle.claim)
    assert Form(talk, asking=False).hears("钱还是打到旧卡了")[0]["form_outcome"] == "left"


def test_what_is_said_after_the_form_was_left_is_answered_by_the_rules(talk: Talk) -> None:
    form = Form(talk)
    rules = yaml.safe_load(RULES.read_text("utf-8"))["rules"]
    for first, second, *_ in (rule["steps"] for rule in rules):
        if "intent" in first:
            assert form.left(first["intent"]) == second["action"]


def test_after_news_of_a_ticket_the_form_asks_whether_to_go_on(talk: Talk) -> None:
    form = Form(talk)
    talk.agent(lifecycle.claim)
    talk.agent(lifecycle.reply, "处理中")
    form.asks("question", field="urgency")
    talk.agent(lifecycle.cancel, "重复", actor=SUN)
    slots, said = form.hears("特急")
    assert slots["urgency"] is None and "要继续填写吗" in said[0]
    assert form.hears("好的", "affirm", "confirmed")[0]["requested_slot"] == "confirmed"
    form.asks("question", field="urgency")
    assert form.hears("特急")[0]["urgency"] == "特急"


def test_whoever_does_not_go_on_with_the_form_files_nothing(talk: Talk) -> None:
    form = Form(talk)
    form.asks("question", field="urgency", resuming=True)
    assert form.hears("不用了", "deny")[0]["form_outcome"] == "cancelled"


def test_a_telephone_number_told_in_a_story_is_the_contact(talk: Talk) -> None:
    slots, said = Form(talk).hears("供应商一直催,赶紧打我手机13812345678", asked="confirmed")
    assert slots["contact"] == "13812345678" and "联系方式" in said[0]
    assert slots["description"] == "验真失败；供应商一直催,赶紧打我手机13812345678", "masked where it is kept"


def test_an_emergency_told_in_the_form_is_urgent(talk: Talk) -> None:
    with talk.database.write() as session:
        seed(session)
    for asked in ("description", "urgency", "document_no"):
        assert Form(talk).hears("昨天的货款付了两遍,怎么办", asked=asked)[0]["urgency"] == "特急"
    assert Form(talk).hears("昨天的货款还没有到账", asked="description")[0]["urgency"] is None
