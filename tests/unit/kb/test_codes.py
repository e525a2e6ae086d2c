"""Found by codes, ordered by cosines: the same rows as comparing everything, whoever may see what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import kb.codes
from kb.codes import Codes

COUNT, DIM, WANTED = 3000, 64, 20


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """As near to each other as those of e5."""
    monkeypatch.setattr(kb.codes, "_FEWEST_A_THREAD", COUNT // request.param)
    monkeypatch.setattr("os.cpu_count", lambda: request.param)
    made = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32) + 2.5
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def nearest(vectors: np.ndarray, vector: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    cosines = np.where(allowed, vectors @ vector, -np.inf)
    return np.argsort(-cosines, kind="stable")[: min(WANTED, int(allowed.sum()))]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.01, 0.001])
def test_the_nearest_of_the_allowed_are_all_found(vectors: np.ndarray, share: float) -> None:
    codes = Codes(vectors)
    allowed = np.random.default_rng(1).random(COUNT) < share
    for vector in vectors[::300]:
        rows, cosines = codes.nearest(vector, allowed, WANTED)
        assert rows.tolist() == nearest(vectors, vector, allowed).tolist()
        assert cosines == pytest.approx(vectors[rows] @ vector)


def test_nothing_that_is_not_allowed_is_found_by_its_own_vector(vectors: np.ndarray) -> None:
    allowed = np.zeros(COUNT, bool)
    allowed[[5, COUNT - 1]] = True
    rows, _ = Codes(vectors).nearest(vectors[700], allowed, WANTED)
    assert set(rows.tolist()) == {5, COUNT - 1}
    assert len(Codes(vectors).nearest(vectors[700], np.zeros(COUNT, bool), WANTED)[0]) == 0


def test_many_ask_at_once(vectors: np.ndarray) -> None:
    codes, everything = Codes(vectors), np.ones(COUNT, bool)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda vector: codes.nearest(vector, everything, 1)[0].tolist(), vectors[:200]))
    assert found == [[row] for row in range(200)]


def test_vectors_in_a_file_stay_there(tmp_path: Path, vectors: np.ndarray) -> None:
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert np.shares_memory(Codes(mapped).vectors, mapped)


def test_no_vectors() -> None:
    rows, cosines = Codes(np.empty((0, DIM), np.float32)).nearest(np.zeros(DIM, np.float32), np.empty(0, bool), 5)
    assert len(rows) == len(cosines) == 0
