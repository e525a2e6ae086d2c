"""Nearly the same question, found by the scorer of the chat with the real encoder."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import today
from core.database import Database
from kb.care.checks import findings, known
from kb.encoder import Encoder, load_encoder
from kb.entries import Audience, Entry
from kb.release.live import LiveKnowledge
from kb.release.publish import publish
from kb.store import save_entry
from service.likeness import nearest

LOST = Entry("t-1", "发票丢了怎么办？", "补开。", audience=Audience(groups=frozenset({"finance"})))
REVIEW = Entry("t-2", "差旅报销单谁审批？", "部门负责人。")


@pytest.fixture(scope="module")
def encoder(encoder_dir: Path) -> Encoder:
    return load_encoder(None, encoder_dir.parent)


def test_an_editor_is_told_of_nearly_the_same_question_whatever_its_audience(
    database: Database, tmp_path: Path, encoder: Encoder
) -> None:
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    assert nearest(knowledge) is None  # Before the first release.
    with database.write() as session:
        for entry in (LOST, REVIEW):
            save_entry(session, entry, "t")
    publish(database, tmp_path, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    knowledge.refresh()

    def told(*questions: str, entry_id: str = "new") -> set[str]:
        entry = Entry(entry_id, questions[0], "答", similar=questions[1:])
        with database.read() as session:
            found = findings(entry, known(session), today(), nearest(knowledge))
        return {one["entry_id"] for one in found if one["kind"] == "duplicate" and one["severity"] == "warning"}

    assert told("发票丢失怎么办") == {"t-1"}
    assert told("完全无关的问题是什么", "发票丢失怎么办") == {"t-1"}
    assert told("发票丢失怎么办", entry_id="t-1") == set()
    assert told("差旅申请单怎么填") == set()
