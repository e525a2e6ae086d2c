"""What every test of the stores shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb import lessons


@contextmanager
def strangers_from(file: Path) -> Iterator[None]:
    """The matcher learns what is out of scope from `file`."""
    before, lessons.OUT_OF_SCOPE = lessons.OUT_OF_SCOPE, file
    lessons.out_of_scope.cache_clear()
    yield
    lessons.OUT_OF_SCOPE = before
    lessons.out_of_scope.cache_clear()


@pytest.fixture(scope="session")
def all_strangers() -> Path:
    return lessons.OUT_OF_SCOPE


@pytest.fixture(scope="module", autouse=True)
def few_strangers(tmp_path_factory: pytest.TempPathFactory, all_strangers: Path) -> Iterator[None]:
    """A tenth of them is plenty where it does not matter how well a release answers: each publish is 1 s shorter."""
    few = tmp_path_factory.mktemp("strangers") / "few.txt"
    few.write_text("\n".join(all_strangers.read_text(encoding="utf-8").splitlines()[::10]), encoding="utf-8")
    with strangers_from(few):
        yield


@pytest.fixture
def every_stranger(all_strangers: Path) -> Iterator[None]:
    """For a test of how well a release answers."""
    with strangers_from(all_strangers):
        yield
