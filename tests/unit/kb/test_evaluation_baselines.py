"""The baselines are what their names say, and their threshold is chosen as ours is."""

from __future__ import annotations

import numpy as np
import pytest

from kb.entries import Entry
from kb.evaluation.baselines import BM25, Fusion, Nearest, Rows, baselines
from kb.evaluation.questions import Questions

ENTRIES = [
    Entry("lodging", "出差住宿费能报多少？", similar=("酒店一晚上限多少",)),
    Entry("lost", "发票丢了怎么办？", similar=("发票遗失",)),
    Entry("passage", "", "增值税专用发票应当自开具之日起三百六十日内认证。", title="第八条 认证"),
]


class Counting:
    """An encoder of the test: counts what it encodes, and knows questions from passages."""

    name = fingerprint = "counting"

    def __init__(self, encode) -> None:
        self._encode = encode
        self.dim = encode(["一"]).shape[1]
        self.queries: list[str] = []
        self.passages: list[str] = []

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        self.queries += texts
        return self._encode(texts)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        self.passages += texts
        return self._encode(texts)


@pytest.fixture
def remembering(encode):
    from kb.evaluation.remembering import Remembering

    inner = Counting(encode)
    return Remembering(inner), inner


def test_rows_are_questions_and_passages_with_their_title() -> None:
    rows = Rows.of(ENTRIES)
    assert rows.texts[-1] == "第八条 认证 增值税专用发票应当自开具之日起三百六十日内认证。"
    assert rows.owner.tolist() == [0, 0, 1, 1, 2] and rows.passage.tolist() == [False] * 4 + [True]


def test_each_method_ranks_entries_once_the_nearest_first(remembering) -> None:
    encoder, inner = remembering
    rows = Rows.of(ENTRIES)
    nearest, bm25 = Nearest(rows, encoder), BM25(rows)
    assert inner.passages == [rows.texts[-1]] and len(inner.queries) == 4
    found, scores = nearest.rank("发票遗失")
    assert found[0] == 1 and scores[0] == pytest.approx(1, abs=0.02) and sorted(found) == [0, 1, 2]
    assert (np.diff(scores) <= 0).all()
    assert bm25.rank("酒店住宿")[0].tolist() == [0]
    assert bm25.rank("qwerty")[0].tolist() == []
    fused, total = Fusion(nearest, bm25).rank("发票遗失")
    assert fused[0] == 1 and total[0] == pytest.approx(2 / 61)


def test_what_was_encoded_is_not_encoded_again_until_it_is_forgotten(remembering) -> None:
    encoder, inner = remembering
    first = encoder.encode_queries(["发票", "报销", "发票"])
    assert np.array_equal(first[0], first[2]) and inner.queries == ["发票", "报销"] and encoder.encoded == 2
    encoder.encode_queries(["报销"])
    encoder.encode_passages(["报销"])
    assert inner.queries == ["发票", "报销"] and inner.passages == ["报销"]
    encoder.forget(["报销"])
    encoder.encode_queries(["报销", "发票"])
    assert inner.queries == ["发票", "报销", "报销"]


def test_the_figures_of_all_three(remembering) -> None:
    encoder, _ = remembering
    questions = Questions(ENTRIES, [("发票遗失", "lost"), ("酒店一晚上限多少", "lost")], ["qwerty"])
    heard: list[tuple[str, int, int]] = []
    found = baselines(questions, encoder, 0.03, lambda *told: heard.append(told))
    assert list(found) == ["encoder", "bm25", "rrf"]
    for figures in found.values():
        assert figures["top1"] == 0.5 and figures["ece"] is None and figures["queries"] == 2
        assert figures["wrong_rate"] <= 0.03 and figures["search_ms_p95"] >= figures["search_ms_p50"] > 0
        assert figures["coverage"] == figures["coverage_hindsight"], "two entries are no base to choose by"
        assert figures["coverage_hindsight"] <= figures["coverage_hindsight_margin"] <= 0.5
        assert figures["build_s"] > 0
    assert ("rrf", 3, 3) in heard


def test_a_threshold_chosen_beforehand_never_sees_the_questions(remembering) -> None:
    encoder, _ = remembering
    names = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄"
    entries = [
        Entry(name, f"{name}公司怎么开票", similar=(f"{name}公司如何开具发票", f"给{name}公司开票")) for name in names
    ]
    asked = [(f"怎样开{name}公司的票", name) for name in names]

    def measured(questions: Questions) -> dict:
        return baselines(questions, encoder, 0.03, lambda *_: None)["encoder"]

    alone, mixed = measured(Questions(entries, asked, [])), measured(Questions(entries, asked, ["放首歌听听"] * 9))
    assert 0 < alone["coverage"] == mixed["coverage"], "what is out of scope is not looked at"
    others = asked[:6]
    wrongly = [(f"怎样开{name}公司的票", other) for (_, name), (_, other) in zip(others, reversed(others), strict=True)]
    misled = measured(Questions(entries, [*asked[6:], *wrongly], []))
    assert misled["wrong_rate"] > 0.03 >= alone["wrong_rate"], "nor which answers are right"
    assert misled["coverage_hindsight"] <= misled["coverage"]
    poor = measured(Questions([Entry(entry.id, entry.question) for entry in entries], asked, []))
    assert poor["coverage"] == poor["coverage_hindsight"], "there is nothing to choose by"
