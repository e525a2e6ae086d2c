"""What only refuses is small talk; what is about a matter is searched, however short."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.questions import Answer
from bot.actions.small_talk import SmallTalk
from bot.refusal import bare
from bot.turns import Place, TurnContext
from core.identity import ANONYMOUS
from tests.answers import Desk, Nothing


@pytest.mark.parametrize(
    "text",
    ["不", "没有", "没有啊", "算了", "算了吧", "不用了", "不要", "取消", "帮我取消一下", "跳过", "没用", "一点用都没有",
     "没有解决", "问题没有解决", "不是这个", "先不填了", "不知道", "看不懂", "回答错了", "no", "never mind"],
)  # fmt: skip
def test_words_that_only_refuse(text: str) -> None:
    assert bare(text)


@pytest.mark.parametrize(
    "text",
    ["到账没有", "批了没有", "到帐没有啊", "打款没有啊", "不给报", "不能提交", "错付", "丢了", "付重了", "没水单", "没权限",
     "停用了", "不让报", "退回了"],
)  # fmt: skip
def test_what_is_about_a_matter(text: str) -> None:
    assert not bare(text)


@pytest.mark.parametrize(
    ("intent", "text", "said"),
    [
        ("skip", "到账没有", "没有找到"),
        ("deny", "错付", "没有找到"),
        ("cancel", "丢了", "没有找到"),
        ("unhelpful", "没水单", "没能帮到您"),
        ("skip", "没有", "直接输入下一个问题"),
        ("cancel", "算了", "没有需要取消的操作"),
    ],
)
def test_a_matter_is_searched_whatever_it_was_taken_for(intent: str, text: str, said: str) -> None:
    answering, dispatcher = Nothing(), CollectingDispatcher()
    asyncio.run(SmallTalk(answering, Answer(answering, Desk()))(dispatcher, _turn(intent, text), {}))
    assert said in dispatcher.messages[0]["custom"]["reply"]["text"]
    assert answering.asked == ([] if bare(text) else [text])


def test_a_risk_word_of_the_desk_offers_the_emergency_path_though_nothing_is_found() -> None:
    dispatcher, text = CollectingDispatcher(), "50万付了两遍,赶紧冻结"
    answer = Answer(Nothing(), Desk("付了两遍", "稽查"))
    events = asyncio.run(answer(dispatcher, _turn("out_of_scope", text), {}))
    (message,) = dispatcher.messages
    assert "“付了两遍”" in message["custom"]["reply"]["text"]
    assert message["custom"]["reply"]["options"] == [{"label": "马上提交应急工单", "choice": "handoff"}]
    assert message["custom"]["outcome"]["unresolved"] == "no_answer"
    assert {"last_question": text, "misses": 1}.items() <= {one["name"]: one["value"] for one in events}.items()


def _turn(intent: str, text: str) -> Tracker:
    context = TurnContext("c", "t", "widget", ANONYMOUS, Place()).to_dict()
    message: dict[str, Any] = {"text": text, "intent": {"name": intent}, "entities": [], "metadata": {"turn": context}}
    return Tracker("c", {}, message, [], False, None, {}, None)
