"""What the benchmarks stand on: knowledge bases of any size, parts of the matcher, and a picture that can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree

from bench.ablation import PARTS, part_of
from bench.plot import growth
from bench.synthetic import WORDINGS, Prepared, Synthetic
from kb.features import CIRCUMSTANCES, FEATURES
from kb.index import answers, texts

SVG = "{http://www.w3.org/2000/svg}"


class Alike:
    """An encoder of the test: every text to a vector of its own, the same each time."""

    name = fingerprint = "alike"
    dim = 384

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        self.encoded += texts
        found = [np.random.default_rng(sum(map(ord, text))).standard_normal(self.dim) for text in texts]
        vectors = np.array(found, np.float32).reshape(-1, self.dim)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    encode_passages = encode_queries


def test_a_synthetic_base_has_entries_of_six_questions_near_each_other() -> None:
    made, again = Synthetic(50, Alike()), Synthetic(50, Alike())
    assert made.entries == again.entries and np.array_equal(made.vectors, again.vectors)
    assert len({entry.id for entry in made.entries}) == 50
    assert all(len(entry.questions) == WORDINGS and all(entry.questions) and entry.answer for entry in made.entries)
    assert len(texts(made.entries)) == len(made.vectors) == 50 * WORDINGS
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_only_what_is_not_synthetic_is_encoded() -> None:
    encoder = Alike()
    made = Synthetic(3, encoder)
    prepared = Prepared(made, encoder)
    encoder.encoded.clear()
    asked = [texts(made.entries)[4], "报销多久到账"]
    vectors = prepared.encode_queries(asked)
    assert encoder.encoded == ["报销多久到账"]
    assert np.array_equal(vectors[0], made.vectors[4]) and np.array_equal(vectors[1], encoder.encode_queries(asked)[1])
    encoder.encoded.clear()
    told = prepared.encode_passages([answers(made.entries)[2], "三个工作日"])
    assert encoder.encoded == ["三个工作日"] and np.array_equal(told[0], made.answer_vectors[2])


def test_every_feature_belongs_to_a_part_that_the_table_names() -> None:
    assert {part_of(name) for name in (*FEATURES, *CIRCUMSTANCES)} == set(PARTS)


def test_the_picture_names_its_lines_where_they_do_not_cover_each_other(tmp_path: Path) -> None:
    lines = {"ours": [(1000, 5.0), (100_000, 20.0)], "theirs": [(1000, 4.0), (100_000, 19.9)]}
    growth(tmp_path / "growth.svg", "One search", "questions", "milliseconds", lines)
    drawn = ElementTree.parse(tmp_path / "growth.svg").getroot()
    labels = {text.text: float(text.get("y")) for text in drawn.iter(f"{SVG}text")}
    assert abs(labels["ours"] - labels["theirs"]) >= 12
    assert {"One search", "1,000", "100,000", "questions", "milliseconds"} <= set(labels)
    assert len(list(drawn.iter(f"{SVG}circle"))) == 4
