"""What a question may see of the base while it is asked: never itself, and nobody is at an advantage."""

from __future__ import annotations

import numpy as np
import pytest

from kb.entries import Entry, Source
from kb.features import Probe, gather
from kb.index import Index, texts
from kb.lessons import Asked, about_passages, asked_lessons, lessons

RICH = [
    Entry("lodging", "出差住宿费能报多少？", similar=("酒店一晚上限多少", "住宿标准", "住酒店能报几百块")),
    Entry("lost", "发票丢了怎么办？", similar=("发票弄丢还能报销吗", "发票遗失", "纸质发票找不到了")),
    Entry("advance", "借款多久要冲销？", similar=("备用金什么时候还", "借的钱多久要还清", "借款冲销期限")),
]
BARE = [Entry(f"bare-{i}", text) for i, text in enumerate(("怎么打印", "印章在哪", "合同归档", "预算调整", "账号解锁"))]
PASSAGES = [
    Entry("p#1", "", answer="住宿费按城市限额报销。", title="《差旅办法》第一条", sources=(Source("一", "p", 1),)),
    Entry("p#2", "", answer="发票遗失应当取得证明。", title="《差旅办法》第二条", sources=(Source("二", "p", 2),)),
]


def seen(monkeypatch: pytest.MonkeyPatch, entries: list[Entry], encode) -> list[tuple[Probe, np.ndarray, list[int]]]:
    """What `gather` is shown for each question asked about the entries."""
    calls: list[tuple[Probe, np.ndarray, list[int]]] = []

    def watched(index: Index, probe: Probe, allowed: np.ndarray, without=()):
        calls.append((probe, allowed.copy(), list(without)))
        return gather(index, probe, allowed, without)

    monkeypatch.setattr("kb.lessons.gather", watched)
    lessons(Index(entries, encode(texts(entries))), encode, 0)
    return [call for call in calls if call[2]]


def test_every_entry_lacks_a_question_while_one_is_asked(monkeypatch: pytest.MonkeyPatch, encode) -> None:
    index = Index(RICH, encode(texts(RICH)))
    calls = [call for call in seen(monkeypatch, RICH, encode) if len(call[2]) < 4]
    assert calls
    for _, allowed, hidden in calls:
        left = np.add.reduceat(allowed, index.starts[:-1])
        owner = index.owner[hidden[0]]
        assert not allowed[hidden].any() and allowed[index.starts[owner]]
        assert (np.delete(left, owner) == 3).all() and 1 <= left[owner] <= 3


def test_where_most_entries_have_one_question_the_asked_ones_mostly_have_one_too(monkeypatch, encode) -> None:
    entries = [
        *RICH,
        *BARE,
        *(Entry(f"more-{i}", f"{text}呢") for i, text in enumerate(("报表", "税率", "网银", "凭证"))),
    ]
    index = Index(entries, encode(texts(entries)))
    calls = [
        (allowed, hidden) for _, allowed, hidden in seen(monkeypatch, entries, encode) if index.owner[hidden[0]] < 3
    ]
    left = [allowed[index.owner == index.owner[hidden[0]]].sum() for allowed, hidden in calls]
    assert np.mean([count == 1 for count in left if count]) > 0.5


def test_curated_questions_teach_about_the_articles_that_their_entries_cite(encode) -> None:
    cited = [
        Entry("a", "住宿费能报多少", sources=(Source("一", "p", 1),)),
        Entry("b", "发票丢了怎么办", sources=(Source("二", "p", 2),)),
        Entry("c", "怎么打印"),
    ]
    index = Index([*cited, *PASSAGES], encode(texts([*cited, *PASSAGES])))
    taught = about_passages(index, encode, 0)
    right = [lesson for lesson in taught if lesson.answerable]
    assert len(right) == 2
    assert all(lesson.evidence.entries[lesson.right.argmax()] == 3 + i for i, lesson in enumerate(right))
    assert all(set(lesson.evidence.entries.tolist()) <= {3, 4} for lesson in taught)
    assert about_passages(Index(cited, encode(texts(cited))), encode, 0) == []


def test_questions_from_outside_are_asked_as_they_are(encode) -> None:
    index = Index(RICH, encode(texts(RICH)))
    asked = [Asked(Probe("住店能报多少钱", encode(["住店能报多少钱"])[0]), frozenset([0]))] * 8
    taught = asked_lessons(index, ~index.passage, asked, encode)
    right = [lesson for lesson in taught if lesson.answerable]
    assert len(right) == 8 and right[0].right.sum() == 1
    assert sum(lesson.weight for lesson in right) == pytest.approx(
        sum(lesson.weight for lesson in taught if not lesson.answerable)
    )
