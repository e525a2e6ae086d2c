"""The matcher learns from the entries themselves, and its probability means what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.entries import Entry
from kb.features import CIRCUMSTANCES, FEATURES, Evidence, Probe, gather
from kb.fitting import fit
from kb.index import Index, texts
from kb.lessons import lessons, out_of_scope, shared_words
from kb.matcher import EXACT, Matcher, typical

ENTRIES = [
    Entry("lodging", "出差住宿费能报多少？", similar=("酒店一晚上限多少", "住宿标准", "住酒店能报几百块")),
    Entry("lost", "发票丢了怎么办？", similar=("发票弄丢还能报销吗", "发票遗失", "纸质发票找不到了")),
    Entry("advance", "借款多久要冲销？", similar=("备用金什么时候还", "借的钱多久要还清", "借款冲销期限")),
    Entry("train", "出差坐高铁能坐一等座吗？", similar=("高铁几等座能报", "动车一等座报销吗", "火车票座位标准")),
    Entry("returned", "报销单为什么被退回？", similar=("单子被退了", "退单原因在哪看", "报销单驳回怎么处理")),
    Entry("vat", "专票和普票有什么区别？", similar=("要开专票还是普票", "什么时候必须开专票", "普通发票可以吗")),
]


def evidence(**features: float) -> Evidence:
    """One candidate with the given features, in plain circumstances."""
    row = [features.get(name, 0.0) for name in FEATURES]
    return Evidence(np.array([0]), np.array([0]), np.array([row]), np.zeros(len(CIRCUMSTANCES)))


@pytest.fixture(scope="module")
def fitted(encode):
    return fit(ENTRIES, encode(texts(ENTRIES)), encode)


@pytest.mark.parametrize("name", FEATURES)
def test_more_evidence_never_makes_an_entry_less_likely(name: str, fitted) -> None:
    for matcher in (typical(), fitted.matcher):
        chances = [matcher.probabilities(evidence(**{name: value}))[0] for value in np.linspace(-1, 1, 21)]
        assert (np.diff(chances) >= -1e-12).all()


def test_probabilities_of_one_question_add_up_to_at_most_one(encode, fitted) -> None:
    index = Index(ENTRIES, encode(texts(ENTRIES)))
    for text in ("发票丢了", "天气", "出差"):
        found = fitted.matcher.probabilities(
            gather(index, Probe(text, encode([text])[0]), np.ones(len(index.texts), bool))
        )
        assert found.min() >= 0 and found.sum() <= 1


def test_the_only_entry_with_this_very_question_is_nearly_certain() -> None:
    plain = evidence()
    exact = Evidence(plain.entries, plain.nearest, plain.features, plain.circumstances, (0,))
    assert typical().probabilities(exact)[0] == pytest.approx(EXACT)


def test_the_same_entries_and_seed_fit_the_same_matcher(encode, fitted) -> None:
    again = fit(ENTRIES, encode(texts(ENTRIES)), encode)
    assert again.matcher.features.tolist() == fitted.matcher.features.tolist()
    assert again.held_out.probability.tolist() == fitted.held_out.probability.tolist()


def test_held_out_questions_find_their_entry_and_strangers_do_not(fitted) -> None:
    held_out = fitted.held_out
    assert held_out.right[held_out.answerable].mean() > 0.7
    strangers = ~held_out.answerable
    assert np.average(held_out.probability[strangers], weights=held_out.weight[strangers]) < 0.15
    assert held_out.weight[held_out.answerable].sum() == pytest.approx(held_out.weight[~held_out.answerable].sum())


@pytest.mark.parametrize("entries", [[], ENTRIES[:1], ENTRIES[:2], [Entry("lone", "发票丢了怎么办？")]])
def test_any_number_of_entries_will_do(entries: list[Entry], encode) -> None:
    fitted = fit(entries, encode(texts(entries)), encode)
    assert np.isfinite(fitted.matcher.features).all()
    assert len(fitted.held_out.right) == len(fitted.held_out.weight)


def test_a_matcher_comes_back_as_it_was_saved(tmp_path: Path, fitted) -> None:
    fitted.matcher.save(tmp_path)
    loaded = Matcher.load(tmp_path)
    assert loaded.features == pytest.approx(fitted.matcher.features, abs=1e-6)
    assert loaded.none == fitted.matcher.none


def test_a_matcher_of_other_features_is_refused(tmp_path: Path) -> None:
    typical().save(tmp_path)
    stored = json.loads((tmp_path / "matcher.json").read_text())
    stored["features"]["kriging"] = [1.0]
    (tmp_path / "matcher.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="other features"):
        Matcher.load(tmp_path)


def test_a_hidden_question_never_answers_itself(encode) -> None:
    vectors = encode(texts(ENTRIES))
    index = Index(ENTRIES, vectors)
    for lesson in lessons(index, encode, 0):
        if lesson.counted:
            assert not lesson.evidence.holders


def test_the_sentences_out_of_scope_are_many_and_different() -> None:
    assert len(out_of_scope()) == len(set(out_of_scope())) >= 200


def test_words_that_many_entries_share_are_ambiguous() -> None:
    assert "发票" not in shared_words(ENTRIES[:1])
    assert {"出差", "报销"} & set(shared_words(ENTRIES))


def test_the_lessons_of_a_poor_base_bend_its_matcher_less_and_judge_it_less(encode) -> None:
    def moved(similar: int) -> tuple[float, float]:
        entries = [replace(entry, similar=entry.similar[:similar]) for entry in ENTRIES]
        found = fit(entries, encode(texts(entries)), encode)
        right = found.held_out.answerable
        return float(np.abs(found.matcher.features - typical().features).sum()), float(
            found.held_out.weight[right].mean()
        )

    poor, rich = moved(1), moved(3)
    assert poor[0] < rich[0]
    assert poor[1] == pytest.approx(1 / 9) and rich[1] == pytest.approx(1)
