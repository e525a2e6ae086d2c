"""Rare shared terms count more than common ones; a hidden text leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest

from kb.lexicon import Lexicon

TEXTS = [["发票", "丢失"], ["发票", "查验"], ["报销", "查验", "发票"]]
EVERYTHING = np.ones(3, bool)


@pytest.fixture
def lexicon() -> Lexicon:
    return Lexicon(TEXTS, np.array([0, 0, 1]))


def test_the_text_with_the_rare_word_shares_most(lexicon: Lexicon) -> None:
    overlap = lexicon.overlap(["发票", "丢失"], EVERYTHING)
    assert overlap.asked[0] == pytest.approx(1)
    assert overlap.cosine[0] == pytest.approx(1)
    assert overlap.asked[1] < 0.5
    assert overlap.unknown == 0


def test_two_texts_of_one_owner_answer_together(lexicon: Lexicon) -> None:
    overlap = lexicon.overlap(["丢失", "查验"], EVERYTHING)
    assert overlap.asked.max() < 1
    assert overlap.together == pytest.approx([1, overlap.asked[2]])


def test_what_is_not_allowed_shares_nothing(lexicon: Lexicon) -> None:
    overlap = lexicon.overlap(["丢失", "查验"], np.array([False, True, True]))
    assert overlap.asked[0] == 0
    assert overlap.together[0] == overlap.asked[1]


def test_a_text_left_out_makes_its_own_words_unknown(lexicon: Lexicon) -> None:
    allowed = np.array([False, True, True])
    assert lexicon.overlap(["丢失"], allowed).unknown == 0
    assert lexicon.overlap(["丢失"], allowed, [0]).unknown == pytest.approx(1)
    assert lexicon.overlap(["天气"], EVERYTHING).unknown == pytest.approx(1)


def test_texts_are_alike_as_overlap_says(lexicon: Lexicon) -> None:
    alike = lexicon.alike(np.arange(3))
    assert alike == pytest.approx(np.stack([lexicon.overlap(text, EVERYTHING).cosine for text in TEXTS]), abs=1e-5)


def test_nothing_at_all() -> None:
    empty = Lexicon([], np.empty(0, int)).overlap(["发票"], np.empty(0, bool))
    assert empty.asked.shape == (0,) and empty.unknown == pytest.approx(1)
    wordless = Lexicon([[]], np.array([0]))
    assert wordless.overlap([], np.ones(1, bool)).cosine == pytest.approx([0])
    assert np.isfinite(wordless.alike(np.array([0]))).all()
