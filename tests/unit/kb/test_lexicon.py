"""Rare shared terms count more than common ones; a hidden text leaves no trace; growing is the same as making anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kb.lexicon import Lexicon, Overlap
from kb.terms import Terms

TEXTS = [["发票", "丢失"], ["发票", "查验"], ["报销", "查验", "发票"]]
EVERYTHING = np.arange(3)


@pytest.fixture
def lexicon() -> Lexicon:
    return Lexicon(Terms.of(TEXTS))


def shared(lexicon: Lexicon, question: list[str], rows: np.ndarray = EVERYTHING) -> Overlap:
    return lexicon.overlap(lexicon.ask(question), rows)


def test_the_text_with_the_rare_word_shares_most(lexicon: Lexicon) -> None:
    overlap = shared(lexicon, ["发票", "丢失"])
    assert overlap.asked[0] == pytest.approx(1)
    assert overlap.cosine[0] == pytest.approx(1)
    assert overlap.asked[1] < 0.5
    assert overlap.question.unknown == 0


def test_two_texts_of_one_owner_answer_together(lexicon: Lexicon) -> None:
    overlap = shared(lexicon, ["丢失", "查验"])
    assert overlap.asked.max() < 1
    assert overlap.together(np.array([0, 2])) == pytest.approx([1, overlap.asked[2]])


def test_only_the_texts_in_question_are_weighed(lexicon: Lexicon) -> None:
    overlap = shared(lexicon, ["丢失", "查验"], np.array([2, 0]))
    everything = shared(lexicon, ["丢失", "查验"])
    assert overlap.asked == pytest.approx(everything.asked[[2, 0]])
    assert overlap.told == pytest.approx(everything.told[[2, 0]])


def test_a_text_left_out_makes_its_own_words_unknown(lexicon: Lexicon) -> None:
    assert lexicon.ask(["丢失"]).unknown == 0
    assert lexicon.ask(["丢失"], [0]).unknown == pytest.approx(1)
    assert lexicon.ask(["天气"]).unknown == pytest.approx(1)


def test_candidates_are_the_likeliest_of_the_allowed(lexicon: Lexicon) -> None:
    question = lexicon.ask(["发票", "丢失"])
    assert lexicon.candidates(question, np.ones(3, bool), 1).tolist() == [0]
    assert lexicon.candidates(question, np.array([False, True, True]), 1).tolist() == [1]
    assert sorted(lexicon.candidates(question, np.ones(3, bool), 5).tolist()) == [0, 1, 2]
    assert lexicon.candidates(lexicon.ask(["天气"]), np.ones(3, bool), 5).tolist() == []


def test_texts_are_alike_as_overlap_says(lexicon: Lexicon) -> None:
    alike = lexicon.alike(EVERYTHING)
    assert alike == pytest.approx(np.stack([shared(lexicon, text).cosine for text in TEXTS]), abs=1e-5)


def test_nothing_at_all() -> None:
    empty = Lexicon(Terms.of([]))
    assert empty.ask(["发票"]).unknown == pytest.approx(1)
    assert empty.candidates(empty.ask(["发票"]), np.empty(0, bool), 3).tolist() == []
    wordless = Lexicon(Terms.of([[]]))
    assert shared(wordless, [], np.array([0])).cosine == pytest.approx([0])
    assert np.isfinite(wordless.alike(np.array([0]))).all()


def test_grown_terms_are_those_made_anew(tmp_path: Path) -> None:
    wanted = [["查验", "税率"], *TEXTS[1:], []]
    grown = Terms.of(TEXTS).grown(np.array([-1, 1, 2, -1]), [wanted[0], wanted[3]])
    grown.save(tmp_path, "words")
    for terms in (grown, Terms.load(tmp_path, "words")):
        lexicon, anew = Lexicon(terms), Lexicon(Terms.of(wanted))
        for question in (["税率", "查验"], ["丢失"], ["报销", "发票"]):
            rows = np.arange(4)
            assert shared(lexicon, question, rows).asked == pytest.approx(shared(anew, question, rows).asked)
            assert lexicon.ask(question).unknown == pytest.approx(anew.ask(question).unknown)


def test_damaged_terms_are_not_taken(tmp_path: Path) -> None:
    Terms.of(TEXTS).save(tmp_path, "words")
    (tmp_path / "words.txt").write_text("发票")
    with pytest.raises(ValueError):
        Terms.load(tmp_path, "words")
