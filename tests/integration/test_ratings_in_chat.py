"""Ratings and additions typed into a chat without forms: a number, words, reasons, a sentence."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from bot.answering import Answering
from bot.dialogue import Dialogue
from bot.filing import Filing
from bot.inbox import Inbound
from bot.turns import Place
from core.database import Database
from core.transcript import open_conversation, say
from handoff import lifecycle
from handoff.filing import file_ticket
from handoff.quality.satisfaction import SatisfactionRow
from handoff.tickets import TicketEventRow, TicketRow
from tests.engines import ScriptedEngine
from tests.tickets import LI, SUN, draft, open_desk


@dataclass
class Chat:
    """李晓雯 in WeChat Work; the engine knows one word."""

    database: Database
    redis_url: str
    home: Path
    conversation: str
    number: str

    def says(self, text: str = "", choice: str = "") -> list[dict]:
        return asyncio.run(self._says(text, choice))

    async def _says(self, text: str, choice: str) -> list[dict]:
        redis, client = Redis.from_url(self.redis_url), ScriptedEngine(lambda _: "答")
        answering = Answering(_Nothing())  # type: ignore[arg-type]
        dialogue = Dialogue(self.database, redis, client, answering, Filing(self.database))
        inbound = Inbound("wecom", LI, uuid.uuid4().hex, Place(), self.conversation, text, choice)
        result = await dialogue.receive(inbound)
        await client.close()
        await redis.aclose()
        return result.messages

    def rating(self) -> tuple[str, int | None, list[str], str]:
        with self.database.read() as session:
            row = session.scalars(select(SatisfactionRow).where(SatisfactionRow.ticket == self.number)).one()
            return row.state, row.score, row.reasons, row.words

    def bot_says(self, kind: str, options: list[dict] | None = None) -> None:
        with self.database.write() as session:
            say(session, self.conversation, "bot", kind, "……", extras={"options": options or []})


class _Nothing:
    """No knowledge."""

    class searcher:
        release = 0

        @staticmethod
        def get(*_: object) -> None:
            return None


@pytest.fixture
def open_ticket(database: Database, redis_url: str, tmp_path: Path) -> Chat:
    open_desk(database)
    with database.write() as session:
        conversation = open_conversation(session, "wecom", LI)
        number = file_ticket(session, draft(conversation.id, channel="wecom")).number
        return Chat(database, redis_url, tmp_path, conversation.id, number)


@pytest.fixture
def chat(open_ticket: Chat) -> Chat:
    """Their ticket is solved, and they are asked how it was."""
    with open_ticket.database.write() as session:
        lifecycle.claim(session, open_ticket.number, SUN)
        lifecycle.resolve(session, open_ticket.number, SUN, "已处理")
    return open_ticket


@pytest.mark.parametrize(
    ("words", "score"),
    [
        ("5", 5),
        ("4分", 4),
        ("非常满意", 5),
        ("五星", 5),
        ("不满意。", 2),
        ("打1分吧", 1),
        ("五分好评", 5),
        ("差评 1分", 1),
        ("4分,满意", 4),
        ("给个好评", 5),
        ("2分 很不满意", 2),
        ("全五星", 5),
        ("非常不满意", 1),
    ],
)
def test_a_score_in_whatever_words(chat: Chat, words: str, score: int) -> None:
    (thanks,) = chat.says(words)
    assert chat.rating() == ("rated", score, [], "") and thanks["type"] == "reasons"
    side = "时效·回复太慢" if score <= 3 else "时效·回复很快"
    assert thanks["options"][0]["label"] == side


def test_reasons_by_number_and_then_a_sentence(chat: Chat) -> None:
    chat.says("2")
    assert "谢谢" in chat.says("1、3")[0]["text"]
    assert chat.rating() == ("rated", 2, ["时效:回复太慢", "专业:没有答对问题"], "")
    chat.says("评价: 等了两天")
    assert chat.rating() == ("rated", 2, ["时效:回复太慢", "专业:没有答对问题"], "等了两天")


def test_reasons_from_a_card_and_what_stands_in_the_transcript(chat: Chat) -> None:
    chat.says(choice=f"rate:{chat.number}:1")
    chat.says(choice=f"rate:{chat.number}:1:时效:回复太慢|流程:被转来转去")
    assert chat.rating() == ("rated", 1, ["时效:回复太慢", "流程:被转来转去"], "")
    assert chat.says(choice=f"rate:{chat.number}:9")[0]["text"] == "请点 1 到 5 分。"


def test_an_answer_in_between_does_not_close_the_question_and_a_list_takes_its_digits(chat: Chat) -> None:
    chat.bot_says("answer")
    chat.says("3")
    assert chat.rating()[1] == 3


def test_a_digit_after_a_newer_list_is_no_rating_but_a_score_in_words_after_an_answer_is(chat: Chat) -> None:
    chat.bot_says("answer", [{"label": "相关", "choice": "entry:a"}])
    assert chat.says("3")[0]["text"] == "答" and chat.rating()[0] == "open"
    with chat.database.write() as session:
        say(session, chat.conversation, "bot", "question", "紧急程度？")
    assert chat.says("一般")[0]["text"] == "答" and chat.rating()[0] == "open"


@pytest.mark.parametrize("kind", ["text", "answer", "choices", "notice"])
def test_a_score_in_words_is_recorded_while_the_invitation_is_open_whatever_was_said_since(
    chat: Chat, kind: str
) -> None:
    chat.bot_says(kind, [{"label": "相关", "choice": "entry:a"}])
    assert chat.says("谢谢")[0]["text"] == "答"
    chat.says("五分好评")
    assert chat.rating()[:2] == ("rated", 5)
    assert chat.says("五星")[0]["text"] == "答", "the invitation is answered"


def test_words_that_only_look_like_a_rating_are_a_question(chat: Chat) -> None:
    for words in ("满意度怎么统计？", "5月的发票", "我不满意处理结果，发票没退"):
        assert chat.says(words)[0]["text"] == "答"
    assert chat.rating()[0] == "open"


def test_what_follows_an_addition_joins_the_ticket(open_ticket: Chat) -> None:
    assert "要补充的内容" in open_ticket.says(choice=f"add:{open_ticket.number}")[0]["text"]
    assert "已补充到工单" in open_ticket.says("发票号是 12345")[0]["text"]
    assert open_ticket.says("发票号是 12345")[0]["text"] == "答", "only what follows"
    open_ticket.says(choice=f"add:{open_ticket.number}")
    assert "没有补充" in open_ticket.says("不用了")[0]["text"]
    with open_ticket.database.read() as session:
        said = select(TicketEventRow.text).where(TicketEventRow.kind == "employee_said")
        assert session.scalars(said).all() == ["发票号是 12345"]
        assert session.get_one(TicketRow, open_ticket.number).status == "new"


def test_somebody_elses_ticket_is_not_rated(chat: Chat) -> None:
    chat.says(choice="rate:FW20990101-9999:5")
    assert chat.rating()[0] == "open"
