"""The index finds among what is allowed, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from kb.entries import Entry
from kb.index import Index, texts

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


def test_the_best_question_speaks_for_its_entry(index: Index) -> None:
    assert index.best(np.array([0.1, 0.5, 0.2, 0.3])).tolist() == [0.5, 0.2, 0.3]
    assert list(index.rows(0)) == [0, 1]


def test_no_entries() -> None:
    empty = Index([], np.empty((0, 384), np.float32))
    assert empty.best(np.empty(0)).shape == (0,)
    assert len(empty.nearest(np.ones(384, np.float32), np.empty(0, bool), 5)[0]) == 0
