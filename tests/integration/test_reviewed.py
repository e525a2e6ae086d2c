"""What employees say of answers joins what the next release is fitted to and judged by."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import now
from core.database import Database
from core.identity import Identity
from core.transcript import Message, Turn, open_conversation
from kb.encoder import load_encoder
from kb.entries import Entry
from kb.evaluation.remembering import Remembering
from kb.fitting import fit
from kb.index import texts
from kb.release.publish import NEW_VERDICTS, Candidate, Publisher
from kb.reviewed import Reviewed, lately_reviewed
from kb.store import FeedbackRow, save_entries, save_entry


def said(database: Database, question: str, entry_id: str, helpful: bool, reason: str | None = None) -> None:
    with database.write() as session:
        conversation = open_conversation(session, "widget", Identity())
        turn, message = str(uuid.uuid4()), str(uuid.uuid4())
        session.add(
            Turn(
                id=turn,
                conversation_id=conversation.id,
                owner=conversation.id,
                client_message_id=turn[:8],
                fingerprint="",
                body={},
                state="done",
                outcome={"question": question, "band": "answer", "entry_id": entry_id},
                at=now(),
            )
        )
        session.flush()
        session.add(
            Message(
                id=message,
                conversation_id=conversation.id,
                turn_id=turn,
                seq=2,
                sender="bot",
                type="answer",
                text="",
                body={"entry_id": entry_id},
                at=now(),
            )
        )
        session.flush()
        session.add(
            FeedbackRow(
                message_id=message,
                conversation_id=conversation.id,
                entry_id=entry_id,
                helpful=helpful,
                reason=reason,
                at=now(),
            )
        )


def test_a_verdict_is_the_question_with_its_entry(database: Database) -> None:
    said(database, "發票丟了咋整", "invoice-001", True)
    said(database, "火车票丢了", "invoice-001", False, "incorrect")
    said(database, "发票怎么交", "invoice-002", False, "outdated")
    with database.read() as session:
        found = lately_reviewed(session)
    assert [(one.text, one.entry_id, one.right) for one in found] == [
        ("火车票丢了", "invoice-001", False),
        ("发票丢了咋整", "invoice-001", True),
    ]


@pytest.mark.slow
def test_many_new_verdicts_are_a_reason_to_fit_again(database: Database, tmp_path: Path, encoder_dir: Path) -> None:
    publisher = Publisher(database, tmp_path, Remembering(load_encoder(None, encoder_dir.parent)))
    entries = [Entry(f"e-{i}", f"第{i}类费用怎么报销", answer="按制度办理。") for i in range(60)]

    def prepared(changed: Entry) -> Candidate:
        with database.write() as session:
            save_entry(session, changed, "tester")
        candidate = publisher.prepare(0.03, lambda _: None)
        assert candidate is not None
        return candidate

    with database.write() as session:
        save_entries(session, entries, "tester")
    publisher.publish(prepared(entries[0]), "tester")
    assert prepared(replace(entries[0], answer="新的口径。")).carried
    for i in range(NEW_VERDICTS):
        said(database, f"第{i}类费用咋报啊", f"e-{i}", True)
    assert not prepared(replace(entries[0], answer="更新的口径。")).carried


def test_verdicts_are_held_out_too(encoder_dir: Path) -> None:
    encoder = load_encoder(str(encoder_dir), encoder_dir.parent)
    entries = [
        Entry("a", "发票丢了怎么办", similar=("发票弄丢了", "发票遗失如何处理")),
        Entry("b", "住宿费能报多少", similar=("住酒店标准", "住宿标准是多少")),
    ]
    vectors = encoder.encode_queries(texts(entries))
    told = [
        Reviewed("发票找不到了", "a", True, now()),
        Reviewed("发票抬头写什么", "a", False, now()),
        Reviewed("住酒店标准", "b", True, now()),
        Reviewed("打车费", "gone", True, now()),
    ]
    before = fit(entries, vectors, encoder.encode_queries).held_out
    after = fit(entries, vectors, encoder.encode_queries, reviewed=told).held_out
    assert len(after.right) == len(before.right) + 2, "a curated question and an entry that has gone teach nothing"
    assert after.answerable.sum() == before.answerable.sum() + 1
