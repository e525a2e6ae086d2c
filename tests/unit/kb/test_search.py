"""One question in, one band out; nobody finds what is not theirs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from kb.entries import Audience, Entry, Viewer
from kb.evaluation.remembering import Remembering
from kb.index import Index
from kb.matcher import Matcher, typical
from kb.search import Band, Query, Searcher
from kb.thresholds import TYPICAL, Thresholds
from kb.visibility import Limits

TODAY = date(2026, 11, 21)
ENTRIES = [
    Entry(
        "lodging",
        "出差住宿费能报多少？",
        similar=("酒店一晚上限多少", "住宿标准"),
        scenes=("expense.travel.fill/itinerary",),
    ),
    Entry("lost", "发票丢了怎么办？", similar=("发票弄丢还能报销吗", "发票遗失"), scenes=("invoice.pool/upload",)),
    Entry("travel-attachments", "差旅报销需要哪些附件？", scenes=("expense.travel.fill/attach-invoice",)),
    Entry("payment-attachments", "付款申请需要哪些附件？", scenes=("payment.apply/attach-invoice",)),
    Entry("loan-attachments", "借款冲销需要哪些附件？", scenes=("advance.writeoff/detail",)),
    Entry("bonus", "年终奖怎么发？", audience=Audience(groups=frozenset({"hr"}))),
    Entry("bonus-south", "南方公司年终奖怎么发？", audience=Audience(companies=frozenset({"南方公司"}))),
    Entry("old", "2025年的餐补标准是多少？", effective_to=date(2025, 12, 31)),
    Entry("future", "2027年的餐补标准是多少？", effective_from=date(2027, 1, 1)),
]


def searcher_of(
    entries: list[Entry], encoder: Remembering, thresholds: Thresholds = TYPICAL, matcher: Matcher | None = None
) -> Searcher:
    index = Index.encoded(entries, encoder)
    return Searcher.of(index, matcher or typical(), thresholds, encoder.encode_queries, 7)


@pytest.fixture(scope="module")
def searcher(encoder) -> Searcher:
    return searcher_of(ENTRIES, encoder)


def ids(searcher: Searcher, text: str, **asked) -> list[str]:
    return [
        candidate.entry.id
        for candidate in searcher.search(Query(text, **{"today": TODAY, "top_k": 20, **asked})).candidates
    ]


@pytest.mark.parametrize("text", ["发票丢了怎么办？", "发票丢了怎么办", "發票丟了，怎麼辦！", " 发票丢了 怎么办 "])
def test_a_curated_question_is_answered_however_it_is_typed(text: str, searcher: Searcher) -> None:
    result = searcher.search(Query(text, TODAY))
    assert result.band is Band.ANSWER
    assert result.candidates[0].entry.id == "lost"
    assert result.candidates[0].probability > 0.99
    assert result.candidates[0].matched_question == "发票丢了怎么办?"
    assert result.release == 7


def test_a_question_that_two_entries_hold_is_not_answered_outright(encoder) -> None:
    twins = [Entry("north", "餐补标准是多少？"), Entry("south", "餐补标准是多少")]
    result = searcher_of(twins, encoder).search(Query("餐补标准是多少", TODAY))
    assert result.band is Band.CLARIFY
    assert {candidate.entry.id for candidate in result.candidates} == {"north", "south"}


def test_the_page_decides_between_equals(searcher: Searcher) -> None:
    assert ids(searcher, "要哪些附件", page="expense.travel.fill", node="attach-invoice")[0] == "travel-attachments"
    assert ids(searcher, "要哪些附件", page="payment.apply", node="attach-invoice")[0] == "payment-attachments"
    assert ids(searcher, "要哪些附件", page="advance.writeoff", node="detail")[0] == "loan-attachments"
    assert ids(searcher, "要哪些附件", page="no.such.page", node="?") == ids(searcher, "要哪些附件")


def test_only_the_audience_finds_an_entry(searcher: Searcher) -> None:
    for text in ("年终奖怎么发？", "年终奖", "南方公司年终奖怎么发"):
        assert not {"bonus", "bonus-south"} & set(ids(searcher, text))
    assert ids(searcher, "年终奖怎么发？", viewer=Viewer(groups=frozenset({"hr"})))[0] == "bonus"
    south = ids(searcher, "年终奖怎么发？", viewer=Viewer(company="南方公司"))
    assert "bonus-south" in south and "bonus" not in south


def test_what_a_viewer_may_not_see_moves_nothing_they_see(encoder) -> None:
    secret = Entry("secret", "发票丢了怎么办", audience=Audience(groups=frozenset({"hr"})))
    assert ids(searcher_of([*ENTRIES, secret], encoder), "发票丢了怎么办")[0] == "lost"
    result = searcher_of([*ENTRIES, secret], encoder).search(Query("发票丢了怎么办", TODAY))
    assert result.candidates[0].probability > 0.99


def test_an_entry_is_found_on_its_days_only(searcher: Searcher) -> None:
    assert not {"old", "future"} & set(ids(searcher, "餐补标准是多少"))
    assert ids(searcher, "2025年的餐补标准是多少", today=date(2025, 12, 31))[0] == "old"
    assert ids(searcher, "2027年的餐补标准是多少", today=date(2027, 1, 1))[0] == "future"


def test_a_button_opens_one_entry_for_those_who_may_see_it(searcher: Searcher) -> None:
    assert searcher.get("lost", Viewer(), TODAY).question == "发票丢了怎么办？"
    assert searcher.get("bonus", Viewer(), TODAY) is None
    assert searcher.get("bonus", Viewer(groups=frozenset({"hr"})), TODAY).id == "bonus"
    assert searcher.get("old", Viewer(), TODAY) is None
    assert searcher.get("nothing", Viewer(), TODAY) is None


def test_what_was_narrowed_since_is_gone_at_once_and_nothing_is_widened(searcher: Searcher) -> None:
    by_id = {entry.id: entry for entry in ENTRIES}
    hr, everybody = Audience(groups=frozenset({"hr"})), Audience()
    live = {
        "lost": replace(by_id["lost"], audience=hr),
        "lodging": replace(by_id["lodging"], effective_to=date(2026, 11, 20)),
        "travel-attachments": None,
        "bonus": replace(by_id["bonus"], audience=everybody),
        "old": replace(by_id["old"], effective_to=None),
    }
    limited = searcher.limited(Limits(live))
    assert ids(limited, "发票丢了怎么办？")[:1] != ["lost"] and limited.get("lost", Viewer(), TODAY) is None
    inside = Viewer(groups=frozenset({"hr"}))
    assert ids(limited, "发票丢了怎么办？", viewer=inside)[0] == "lost" and limited.get("lost", inside, TODAY)
    for text, gone in (("住宿标准", "lodging"), ("差旅报销需要哪些附件？", "travel-attachments")):
        assert gone not in ids(limited, text) and limited.get(gone, inside, TODAY) is None
        assert gone in ids(searcher, text), "the release itself stays as it is"
    assert limited.get("bonus", Viewer(), TODAY) is None and "bonus" not in ids(limited, "年终奖怎么发？")
    assert limited.get("old", Viewer(), TODAY) is None
    assert limited.audiences("lost") == (everybody, hr) and limited.audiences("nothing") == ()


@pytest.mark.parametrize(
    "text", ["", " ", "😀😀", "？？？", "12345", "\x00\u200b", "asdkjh", "啊啊啊啊", "今天天气怎么样", "\ud800"]
)
def test_what_is_no_question_of_ours_is_refused(text: str, searcher: Searcher) -> None:
    assert searcher.search(Query(text, TODAY)).band is Band.NONE


def test_ten_thousand_characters_are_searched_like_any_text(searcher: Searcher) -> None:
    assert searcher.search(Query("发票丢了" * 2500, TODAY)).band in Band


def test_zero_and_one_are_thresholds_like_any_other(encoder) -> None:
    everything = searcher_of(ENTRIES, encoder, Thresholds(0.0, 0.0))
    assert everything.search(Query("今天天气怎么样", TODAY)).band is Band.ANSWER
    nothing = searcher_of(ENTRIES, encoder, Thresholds(1.0, 1.0))
    assert nothing.search(Query("发票丢了怎么办", TODAY)).band is not Band.ANSWER


def test_bands_do_not_depend_on_how_many_candidates_are_asked_for(searcher: Searcher) -> None:
    for text in ("附件", "发票丢了怎么办", "天气"):
        one, many = (searcher.search(Query(text, TODAY, top_k=k)) for k in (1, 9))
        assert (one.band, one.in_scope, one.candidates) == (many.band, many.in_scope, many.candidates[:1])


def test_candidates_are_distinct_and_best_first(searcher: Searcher) -> None:
    result = searcher.search(Query("附件", TODAY))
    assert len({candidate.entry.id for candidate in result.candidates}) == len(result.candidates) <= 5
    chances = [candidate.probability for candidate in result.candidates]
    assert chances == sorted(chances, reverse=True)
    assert 0 <= sum(chances) <= result.in_scope + 1e-9 <= 1 + 1e-9


def test_an_empty_release_answers_nothing(encoder) -> None:
    result = searcher_of([], encoder).search(Query("发票丢了怎么办", TODAY))
    assert result.band is Band.NONE and result.candidates == []


def test_many_threads_get_what_one_gets(searcher: Searcher) -> None:
    asked = ["发票丢了", "住宿能报多少", "要哪些附件", "天气"] * 10
    alone = [searcher.search(Query(text, TODAY)) for text in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: searcher.search(Query(text, TODAY)), asked))
    for one, other in zip(alone, together, strict=True):
        assert [c.entry.id for c in one.candidates] == [c.entry.id for c in other.candidates]
        assert np.allclose([c.probability for c in one.candidates], [c.probability for c in other.candidates])


PASSAGES = [
    Entry("lodging-rule", "", answer="住宿费按照城市类别限额据实报销，超出部分由个人承担。", title="住宿费"),
    Entry("seal-rule", "", answer="公章由印章管理员保管，外借须经分管领导批准。", title="印章保管与外借"),
]


def test_passages_are_found_beside_entries_and_what_is_shown_adds_up(encoder) -> None:
    both = searcher_of([*ENTRIES, *PASSAGES], encoder)
    assert ids(both, "公章外借要谁批准")[0] == "seal-rule"
    for text in ("公章外借要谁批准", "出差住宿费能报多少？", "天气"):
        shown = [candidate.probability for candidate in both.search(Query(text, TODAY, top_k=50)).candidates]
        assert sum(shown) <= 1 + 1e-9 and shown == sorted(shown, reverse=True)


def test_an_entry_that_answers_comes_before_any_passage(encoder) -> None:
    eager = replace(typical(), passages=replace(typical().passages, none=-100.0))
    both = searcher_of([*ENTRIES, *PASSAGES], encoder, Thresholds(0.0, 0.0, 1.0, 0.0), eager)
    result = both.search(Query("出差住宿费报多少", TODAY))
    assert result.band is Band.ANSWER and result.candidates[0].entry.id == "lodging"


def test_a_passage_answers_from_its_own_threshold_on(encoder) -> None:
    for threshold, band in ((0.0, Band.ANSWER), (1.0, Band.CLARIFY)):
        alone = searcher_of(PASSAGES, encoder, Thresholds(0.0, 0.0, 1.0, threshold))
        assert alone.search(Query("公章外借要谁批准", TODAY)).band is band


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What should I do if I lost the invoice?", "lost"),
        ("invoice 丢了 how to do", "lost"),
        ("出差住素费能报多少", "lodging"),
    ],
)
def test_other_languages_and_homophones_find_the_chinese_entry(text: str, found: str, searcher: Searcher) -> None:
    assert ids(searcher, text)[0] == found
