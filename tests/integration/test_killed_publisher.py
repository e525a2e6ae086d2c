"""A publisher that is killed anywhere leaves the last release serving, and the next publish works."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from core.clock import today
from core.database import Database
from kb.encoder import load_encoder
from kb.evaluation.remembering import Remembering
from kb.release.live import LiveKnowledge
from kb.release.publish import publish
from kb.release.releases import current_number, find_releases
from kb.search import Query
from tests.integration.dying_publisher import POINTS, publish_and_die
from tests.integration.test_releases import entry, save

pytestmark = pytest.mark.slow
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.integration.dying_publisher"])


def test_the_last_release_serves_wherever_the_publisher_dies(
    database: Database, tmp_path: Path, encoder_dir: Path
) -> None:
    encoder = Remembering(load_encoder(None, encoder_dir.parent))
    save(database, entry(0), entry(1))
    publish(database, tmp_path, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    number = 1
    for n, point in enumerate(POINTS):
        answer = f"改第{n}次。"
        save(database, entry(0, answer))
        arguments = (database.url, str(tmp_path), str(encoder_dir.parent), point)
        publisher = PROCESSES.Process(target=publish_and_die, args=arguments)
        publisher.start()
        publisher.join(120)
        assert publisher.exitcode == -signal.SIGKILL, point
        number += point in ("committed", "writing")
        for replica in (knowledge, LiveKnowledge(database, tmp_path, encoder)):
            replica.refresh()
            found = replica.searcher.search(Query(entry(0).question, today()))
            assert found.release == number and found.candidates[0].entry.id == "e-00", point
            assert found.candidates[0].entry.answer.endswith(answer) == (point in ("committed", "writing")), point
        done = publish(database, tmp_path, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
        number += done.new
        assert done.new == (point not in ("committed", "writing"))
        with database.read() as session:
            assert current_number(session) == number == len(find_releases(session)), point
