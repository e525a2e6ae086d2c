"""What only names another case of the question before it is read from that answer's tables; anything else is searched."""

from __future__ import annotations

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.questions import Answer
from bot.follow_up import goes_on, together
from bot.turns import Place, TurnContext
from core.identity import ANONYMOUS
from kb.entries import Entry, Source, Viewer
from kb.release.live import LiveKnowledge
from kb.search import Band, Candidate, SearchResult
from kb.tables import case_of
from kb.thresholds import Thresholds
from tests.answers import Desk, Nothing

LODGING: dict[str, Any] = {
    "id": "lodging",
    "title": "住宿费限额标准表",
    "unit": "元",
    "dimensions": [{"name": "city"}, {"name": "level"}, {"name": "season"}],
    "rows": [
        *({"city": city, "level": level, "season": "平季", "value": value}
          for city, of in (("北京", (650, 500)), ("三亚", (600, 400)))
          for level, value in zip(("部门负责人", "其他人员"), of, strict=True)),
        {"city": "三亚", "level": "其他人员", "season": "旺季", "value": 480, "months": [11, 12, 1, 2]},
    ],
}  # fmt: skip
ENTRY = Entry("travel-001", "出差住宿费能报多少？", answer="据实报销。", sources=(Source("表", table="lodging"),))


class Knowledge:
    """One entry, and the table that it cites."""

    def __init__(self) -> None:
        self.searcher = SimpleNamespace(release=1, get=self._get)

    def _get(self, entry_id: str, viewer: Viewer, today: date) -> Entry | None:
        return ENTRY if entry_id == ENTRY.id else None

    def tables(self, entry: Entry, viewer: Viewer) -> list[dict[str, Any]]:
        return [LODGING]


class Knowing(Nothing):
    def __init__(self) -> None:
        super().__init__()
        self._knowledge = cast(LiveKnowledge, Knowledge())


def asked_after(
    before: str, text: str, entry_id: str | None = ENTRY.id, misses: int = 0
) -> tuple[Knowing, str, dict[str, Any]]:
    """What was said to `text` where `before` had been answered by an entry; and the slots."""
    knowing, dispatcher = Knowing(), CollectingDispatcher()
    turn = {"turn": TurnContext("c", "t", "widget", ANONYMOUS, Place()).to_dict()}
    message = {"text": text, "intent": {"name": "ask"}, "entities": [], "metadata": turn}
    slots = {"last_question": before, "last_entry": entry_id, "misses": misses}
    events = asyncio.run(
        Answer(knowing, Desk())(dispatcher, Tracker("c", slots, message, [], False, None, {}, None), {})
    )
    said = dispatcher.messages[0]["custom"]["reply"]["text"]
    return knowing, said, {one["name"]: one["value"] for one in events}


@pytest.mark.parametrize(
    ("before", "text", "rows"),
    [
        ("北京住宿标准", "那三亚呢？", ["三亚 · 部门负责人 · 平季：600", "三亚 · 其他人员 · 平季：400", "三亚 · 其他人员 · 旺季（11、12、1、2月）：480"]),
        ("部门负责人去北京住宿标准", "三亚", ["三亚 · 部门负责人 · 平季：600"]),
        ("北京住宿标准", "部门负责人呢", ["北京 · 部门负责人 · 平季：650"]),
        ("三亚住宿标准 其他人员", "如果是12月呢", ["三亚 · 其他人员 · 旺季（11、12、1、2月）：480"]),
        ("12月去三亚 其他人员", "那北京多少", ["北京 · 其他人员 · 平季：500"]),
    ],
)  # fmt: skip
def test_another_case_of_the_question_before(before: str, text: str, rows: list[str]) -> None:
    knowing, said, slots = asked_after(before, text)
    assert knowing.asked == []
    assert said.splitlines()[0] == "接着“出差住宿费能报多少？”："
    assert [line.removeprefix("- ") for line in said.splitlines() if line.startswith("- ")] == rows
    assert slots["last_entry"] == ENTRY.id


def test_the_case_goes_on_from_turn_to_turn() -> None:
    slots = asked_after("部门负责人去北京住宿标准", "那三亚呢")[2]
    assert asked_after(slots["last_question"], "其他人员呢")[1].count("三亚 · 其他人员") == 2


@pytest.mark.parametrize(
    ("before", "text", "entry_id", "searched"),
    [
        ("北京住宿标准", "三亚打车能报吗", ENTRY.id, 1),  # it asks for something else
        ("北京住宿标准", "超标的部分怎么办", ENTRY.id, 1),
        ("北京住宿标准", "那常州呢", ENTRY.id, 2),  # the table does not know it
        ("北京住宿标准", "那三亚呢", "travel-999", 2),  # the entry may not be seen any more
        ("北京住宿标准", "那三亚呢", None, 2),  # it was asked back about
    ],
)
def test_anything_else_is_searched(before: str, text: str, entry_id: str | None, searched: int) -> None:
    knowing, _, slots = asked_after(before, text, entry_id)
    assert knowing.asked == [text, f"{before}，{text}"][:searched] and slots["last_entry"] is None


def test_what_follows_a_question_that_found_nothing_is_searched_alone() -> None:
    assert asked_after("北京住宿标准", "那三亚呢", None, misses=1)[0].asked == ["那三亚呢"]


@pytest.mark.parametrize(
    ("text", "band", "best", "expected"),
    [
        ("多久到账", Band.CLARIFY, 0.4, True),
        ("多久到账", Band.CLARIFY, 0.6, False),  # It is clear enough by itself.
        ("多久到账", Band.ANSWER, 0.95, False),
        ("多久到账", Band.NONE, 0.1, False),  # It may be about anything.
        ("那餐费呢？", Band.NONE, 0.1, True),
        ("酒呢", Band.NONE, 0.1, True),
        ("如果没有水单", Band.NONE, 0.1, True),
        ("如果我下个月离职了社保公积金应该怎么转走", Band.NONE, 0.1, False),
        ("报销单提交了一个星期还没有人审核", Band.CLARIFY, 0.4, False),
    ],
)
def test_what_the_question_before_may_explain(text: str, band: Band, best: float, expected: bool) -> None:
    assert goes_on(text, found(band, one=best)) is expected


def found(band: Band, **probabilities: float) -> SearchResult:
    candidates = [Candidate(Entry(name, name), probability, "") for name, probability in probabilities.items()]
    return SearchResult(band, candidates, 0.9, Thresholds(0.9, 0.3), 1)


def ids(result: SearchResult) -> tuple[Band, list[str]]:
    return result.band, [one.entry.id for one in result.candidates]


def test_choices_are_what_is_found_alone_and_with_the_question_before() -> None:
    alone = found(Band.CLARIFY, expense=0.49, fund=0.27, payment=0.1)
    joint = found(Band.ANSWER, advance=0.97, arrival=0.02, extension=0.002)
    assert ids(together(alone, joint, "advance")) == (
        Band.CLARIFY, ["expense", "arrival", "fund", "payment", "advance"],
    )  # fmt: skip
    assert ids(together(found(Band.NONE, wine=0.04), joint, "other"))[0] is Band.CLARIFY
    assert ids(together(found(Band.NONE), found(Band.ANSWER, arrival=0.97), "advance")) == (Band.CLARIFY, ["arrival"])


def test_where_the_question_before_says_nothing_more_it_stays_as_it_was() -> None:
    alone = found(Band.CLARIFY, expense=0.49, fund=0.27)
    assert together(alone, found(Band.NONE, arrival=0.1), "advance") is alone
    assert together(alone, found(Band.ANSWER, advance=0.99), "advance") is alone


def test_a_case_is_what_the_text_names_and_of_the_rest_what_stood_before_it() -> None:
    assert case_of([LODGING], "三亚呢", "12月部门负责人去北京") == (["三亚", "部门负责人", "12月"], " 呢")
    assert case_of([LODGING], "怎么报", "12月部门负责人去北京") == ([], "怎么报")
