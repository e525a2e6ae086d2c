"""Sentences that are nobody's business are known by the company they keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.entries import Entry
from kb.features import CIRCUMSTANCES, Probe, gather
from kb.fitting import beside, fit
from kb.index import Index, texts
from kb.lessons import out_of_scope
from kb.matcher import Matcher
from kb.strangers import Strangers

ENTRIES = [
    Entry("lodging", "出差住宿费能报多少？", similar=("酒店一晚上限多少", "住宿标准")),
    Entry("lost", "发票丢了怎么办？", similar=("发票弄丢还能报销吗", "发票遗失")),
]


@pytest.fixture(scope="module")
def index(encode) -> Index:
    return Index(ENTRIES, encode(texts(ENTRIES)))


def asked(index: Index, text: str, encode):
    return gather(index, Probe(text, encode([text])[0]), np.ones(len(index.texts), bool))


def nearness(found: np.ndarray) -> float:
    return float(found[CIRCUMSTANCES.index("stranger")])


def test_a_question_like_one_of_the_sentences_is_near_and_one_of_this_field_is_not(index: Index, encode) -> None:
    strangers = Strangers.of(encode(["给妈妈打电话", "今天天气怎么样"]))
    near, far = (nearness(strangers.met(asked(index, text, encode))) for text in ("给爸爸打个电话", "住宿费怎么报"))
    assert near > far + 0.3


def test_a_sentence_that_teaches_is_not_its_own_neighbour(index: Index, encode) -> None:
    strangers = Strangers.of(encode(["给妈妈打电话", "今天天气怎么样"]))
    evidence = asked(index, "今天天气怎么样", encode)
    assert nearness(strangers.met(evidence)) == pytest.approx(1, abs=0.01)
    assert nearness(strangers.met(evidence, but_itself=True)) < 0.6


def test_eight_bits_are_enough(encode) -> None:
    vectors = encode(list(out_of_scope()[:50]))
    questions = encode(texts(ENTRIES))
    kept = Strangers.of(vectors)
    exact = (vectors @ questions.T).max(0)
    codes = kept.codes.astype(np.float32)
    found = ((codes / np.linalg.norm(codes, axis=1, keepdims=True)) @ questions.T).max(0)
    assert found == pytest.approx(exact, abs=0.005)


def test_a_matcher_keeps_the_sentences_it_was_fitted_beside(tmp_path: Path, index: Index, encode) -> None:
    fitted = fit(ENTRIES, encode(texts(ENTRIES)), encode)
    fitted.matcher.save(tmp_path)
    loaded = Matcher.load(tmp_path)
    assert loaded.strangers is not None and loaded.passages is not None and loaded.passages.strangers
    for text in ("给爸爸打电话", "住宿费怎么报"):
        evidence = asked(index, text, encode)
        assert loaded.probabilities(evidence) == pytest.approx(fitted.matcher.probabilities(evidence), abs=1e-4)


def test_a_matcher_that_knows_no_sentences_judges_all_the_same(index: Index, encode) -> None:
    evidence = asked(index, "住宿费怎么报", encode)
    bare = replace(fit(ENTRIES, encode(texts(ENTRIES)), encode).matcher, strangers=None)
    assert 0 < bare.probabilities(evidence).sum() <= 1
    assert beside(Strangers.of(np.empty((0, 384), np.float32)), []) == []
