"""The index finds among what is allowed, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from kb.entries import PUBLIC, Audience, Entry, Viewer
from kb.index import Index, passage_rows, texts
from kb.tokens import Tokens

ENTRIES = [
    Entry("a", "發票丟了怎麼辦？", similar=("发票弄丢",)),
    Entry("b", "住宿费标准"),
    Entry("c", "发票丢了，怎么办"),
]
VECTORS = np.eye(4, dtype=np.float32)


@pytest.fixture
def index() -> Index:
    return Index(ENTRIES, VECTORS)


def test_questions_are_read_in_order_and_normalized() -> None:
    assert texts(ENTRIES) == ["发票丢了怎么办?", "发票弄丢", "住宿费标准", "发票丢了,怎么办"]


def test_as_many_vectors_as_questions() -> None:
    with pytest.raises(ValueError, match="4 questions, but 3 vectors"):
        Index(ENTRIES, VECTORS[:3])


def test_nearest_first_and_only_what_is_allowed(index: Index) -> None:
    vector = np.array([0.6, 0.8, 0, 0], np.float32)
    rows, cosines = index.nearest(vector, np.ones(4, bool), 2)
    assert rows.tolist() == [1, 0] and cosines == pytest.approx([0.8, 0.6])
    rows, _ = index.nearest(vector, np.array([True, False, True, False]), 4)
    assert sorted(rows.tolist()) == [0, 2]
    assert len(index.nearest(vector, np.zeros(4, bool), 4)[0]) == 0


def test_equal_questions_whatever_their_punctuation(index: Index) -> None:
    assert index.equal("发票丢了怎么办!!") == [0, 3]
    assert index.equal("住宿 费标准") == [2]
    assert index.equal("？") == []


def test_the_rows_of_entries_follow_one_another(index: Index) -> None:
    assert list(index.rows(0)) == [0, 1]
    rows, nth = index.rows_of(np.array([2, 0]))
    assert rows.tolist() == [3, 0, 1] and nth.tolist() == [0, 1, 1]


def test_a_passage_is_found_by_its_text() -> None:
    entries = [ENTRIES[1], Entry("travel#12", "", answer="住宿費按標準報銷", title="第十二條")]
    assert texts(entries) == ["住宿费标准", "第十二条 住宿费按标准报销"]
    assert passage_rows(entries).tolist() == [False, True]


def test_who_may_see_what_on_which_day() -> None:
    entries = [
        Entry("a", "一"),
        Entry("b", "二", similar=("二二",), audience=Audience(groups=frozenset({"财务"}))),
        Entry("c", "三", effective_from=date(2026, 1, 1), effective_to=date(2026, 6, 30)),
    ]
    index = Index(entries, VECTORS)
    finance = Viewer(groups=frozenset({"财务"}))
    assert index.visible(PUBLIC, date(2026, 6, 30)).tolist() == [True, False, False, True]
    assert index.visible(finance, date(2026, 7, 1)).tolist() == [True, True, True, False]
    assert index.visible(PUBLIC, date(2025, 12, 31)).tolist() == [True, False, False, False]


def test_tokens_kept_from_before_are_those_made_anew(tmp_path: Path) -> None:
    before = Index(ENTRIES, VECTORS)
    changed = [ENTRIES[2], Entry("b", "住宿费标准", similar=("住酒店能报多少",)), ENTRIES[0]]
    before.tokens.save(tmp_path)
    for known in (before.tokens, Tokens.load(tmp_path)):
        grown, anew = Tokens.of(changed, known), Tokens.of(changed)
        assert grown.texts == anew.texts == texts(changed)
        for part, other in ((grown.words, anew.words), (grown.characters, anew.characters)):
            names, others = list(part.vocabulary), list(other.vocabulary)
            for row in range(len(part)):
                held = {names[t] for t in part.held[part.starts[row] : part.starts[row + 1]]}
                assert held == {others[t] for t in other.held[other.starts[row] : other.starts[row + 1]]}


def test_no_entries() -> None:
    empty = Index([], np.empty((0, 384), np.float32))
    assert len(empty.nearest(np.ones(384, np.float32), np.empty(0, bool), 5)[0]) == 0


def test_answers_are_compared_by_meaning_where_they_are_known() -> None:
    entries = [Entry("a", "甲", "答一"), Entry("b", "乙"), Entry("p", "", "一条规定"), Entry("c", "丙", "答三")]
    told = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32)
    index = Index(entries, VECTORS, answer_vectors=told)
    near = index.meaning(np.array([0, 1, 0, 0], np.float32), np.arange(4))
    assert near[3] > near[0] and near[0] < 0 and near[1] == near[2] == 0
    same = index.meaning(told[0], np.array([0]))
    assert same == pytest.approx(1)
    assert Index(entries, VECTORS).meaning(VECTORS[0], np.arange(4)).tolist() == [0, 0, 0, 0]


def test_texts_and_answers_are_encoded_each_as_what_it_is() -> None:
    class Encoder:
        name = fingerprint = "test"
        dim = 4

        def __init__(self) -> None:
            self.asked: list[tuple[str, list[str]]] = []

        def encode_queries(self, texts: list[str]) -> np.ndarray:
            self.asked.append(("query", list(texts)))
            return VECTORS[: len(texts)]

        def encode_passages(self, texts: list[str]) -> np.ndarray:
            self.asked.append(("passage", list(texts)))
            return VECTORS[4 - len(texts) :]

    encoder = Encoder()
    index = Index.encoded(
        [Entry("a", "甲", "答Ａ"), Entry("b", "乙"), Entry("p", "", "一条规定", title="第一条")], encoder
    )
    assert encoder.asked == [("query", ["甲", "乙"]), ("passage", ["第一条 一条规定"]), ("passage", ["答A"])]
    assert index.vectors.tolist() == [*VECTORS[:2].tolist(), VECTORS[3].tolist()]
    assert index.answer_vectors is not None and index.answer_vectors.any(1).tolist() == [True, False, False]
