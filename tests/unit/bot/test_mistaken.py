"""What the language model takes for an order or for none of ours, and the knowledge base answers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.questions import Answer, NoneOfThese
from bot.actions.small_talk import SmallTalk
from bot.actions.tickets import Handoff
from bot.turns import Place, TurnContext
from core.identity import ANONYMOUS
from kb.entries import Entry
from kb.release.live import LiveKnowledge
from kb.search import Band, Candidate, SearchResult
from kb.thresholds import Thresholds
from tests.answers import Desk, Nothing


class Sure(Nothing):
    """Finds one entry for everything; `similarity` of its nearest question."""

    def __init__(self, band: Band = Band.ANSWER, similarity: float = 0.63) -> None:
        super().__init__()
        self._band = band
        self._similarity = similarity
        self._knowledge = cast(
            LiveKnowledge,
            SimpleNamespace(tables=lambda *_: [], searcher=SimpleNamespace(get=lambda *_: None)),
        )

    def search(self, text: str, context: TurnContext) -> SearchResult:
        self.asked.append(text)
        entry = Entry("expense-033", "商务宴请的人均标准是多少？", answer="每人每餐不超过200元。")
        junk = Entry("travel-001", "出差住宿费能报多少？")
        found = [
            Candidate(entry, 0.98, entry.question, {"similarity": self._similarity}),
            Candidate(junk, 0.004, junk.question),
        ]
        return SearchResult(self._band, found, 0.98, Thresholds(0.9, 0.3), 1)


def heard(
    run: Any, intent: str, text: str, confidence: float = 0.9
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The reply, and the action's events."""
    context = TurnContext("c", "t", "widget", ANONYMOUS, Place()).to_dict()
    said = {"name": intent, "confidence": confidence}
    message = {"text": text, "intent": said, "entities": [], "metadata": {"turn": context}}
    dispatcher = CollectingDispatcher()
    slots = {"last_question": "住宿费标准", "last_shown": [], "misses": 1}
    events = asyncio.run(run(dispatcher, Tracker("c", slots, message, [], False, None, {}, None), {}))
    return (dispatcher.messages[0]["custom"]["reply"] if dispatcher.messages else None), events


def handoff(answering: Nothing) -> Handoff:
    return Handoff(Answer(answering, Desk()), answering, Desk())


@pytest.mark.parametrize("text", ["请客人均多少", "让助理帮我填单"])
def test_a_question_is_no_order_for_a_person(text: str) -> None:
    reply, _ = heard(handoff(Sure()), "handoff", text)
    assert reply is not None and reply["type"] == "answer"


@pytest.mark.parametrize(
    ("answering", "text"),
    [
        (Sure(similarity=0.46), "给个联系方式"),
        (Sure(), "转人工"),
        (Sure(Band.CLARIFY), "客服电话"),
        (Nothing(), "有人吗"),
    ],
)
def test_a_person_is_called_where_nothing_near_is_asked(answering: Nothing, text: str) -> None:
    reply, events = heard(handoff(answering), "handoff", text)
    assert reply is None and any(event.get("name") == "ticket_form" for event in events)


def test_a_statement_is_no_refusal_of_all_choices() -> None:
    answering = Sure()
    run = NoneOfThese(answering, Answer(answering, Desk()))
    reply, _ = heard(run, "none_of_these", "表里没有我去的那个城市")
    assert reply is not None and reply["type"] == "answer"
    nothing = Nothing()
    for text in ("都不是", "/none_of_these"):
        reply, _ = heard(NoneOfThese(nothing, Answer(nothing, Desk())), "none_of_these", text)
        assert reply is not None and "我已记录下来" in reply["text"]


def test_what_is_surely_none_of_ours_is_offered_and_not_told() -> None:
    reply, _ = heard(Answer(Sure(similarity=0.72), Desk()), "out_of_scope", "邮箱密码忘了")
    assert reply is not None and reply["type"] == "choices"
    assert [option["label"] for option in reply["options"]] == ["商务宴请的人均标准是多少？", "都不是"]
    for answering, confidence in ((Sure(similarity=0.9), 0.9), (Sure(similarity=0.72), 0.5)):
        reply, _ = heard(Answer(answering, Desk()), "out_of_scope", "密码忘了", confidence)
        assert reply is not None and reply["type"] == "answer"


def test_anger_alone_is_no_question() -> None:
    reply, events = heard(Answer(Nothing(), Desk()), "ask", "垃圾系统")
    assert reply is not None and "很抱歉" in reply["text"] and events == []


@pytest.mark.parametrize(
    ("text", "band", "kind"),
    [("垫付6000", Band.CLARIFY, "choices"), ("88", Band.CLARIFY, "text"), ("谢谢", Band.CLARIFY, "text"), ("押金退", Band.ANSWER, "answer")],
)  # fmt: skip
def test_a_short_matter_is_no_small_talk(text: str, band: Band, kind: str) -> None:
    answering = Sure(band)
    reply, _ = heard(SmallTalk(answering, Answer(answering, Desk())), "goodbye", text)
    assert reply is not None and reply["type"] == kind
