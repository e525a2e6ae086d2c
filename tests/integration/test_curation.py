"""Curation on both databases with the real encoder: from what stayed open to an entry that answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, InvalidInput
from core.identity import Identity
from core.outbox import DeliveryRow
from core.transcript import Message, Turn, open_conversation
from handoff.filing import file_ticket
from handoff.lifecycle import reply
from kb.care import drafts
from kb.curation import again, deciding, drafting, figures, gaps, runs, view
from kb.curation.nights import ticket_numbers
from kb.curation.signals import Signal, hear_rated, keep
from kb.curation.store import ClusterRow, CurationSettingRow, DecisionRow, OpenQuestionRow, SignalRow
from kb.curation.trial import try_entry
from kb.encoder import load_encoder
from kb.entries import Entry
from kb.evaluation.remembering import Remembering
from kb.release.live import LiveKnowledge
from kb.release.publish import publish
from kb.signals import AnswerRated
from kb.store import save_document, save_entry
from service.curating import Curating, hear_filed, hear_reopened, minutes_of
from tests.integration.test_releases import entry
from tests.tickets import LI, WANG, ZHANG, draft, open_desk

TAXI = (
    "网约车没有行程单能报销吗",
    "滴滴打车忘了开行程单还能报吗",
    "打车没行程单怎么报销",
    "没有行程单的网约车费可以报吗",
)
SEAL = ("合同章在哪里盖", "盖合同章要找哪个部门", "合同盖章去哪里办")
POLICY = {
    "id": "travel",
    "title": "差旅费管理办法",
    "version": "2026",
    "effective_from": "2026-01-01",
    "owner": "差旅组",
    "articles": [
        {"number": 9, "label": "第九条", "title": "市内交通", "text": "乘坐网约车的，凭发票和行程单据实报销。"},
        {"number": 10, "label": "第十条", "title": "住宿", "text": "住宿费在限额标准以内凭据报销。"},
    ],
}


@pytest.fixture(scope="module")
def encoder(encoder_dir: Path) -> Remembering:
    return Remembering(load_encoder(None, encoder_dir.parent))


@pytest.fixture
def curating(database: Database, tmp_path: Path, encoder: Remembering) -> Curating:
    """A desk with a first release of a few entries and one policy."""
    open_desk(database)
    with database.write() as session:
        save_document(session, "policy", POLICY)
        for i in range(12):
            save_entry(session, entry(i), "t")
    tools = Curating(database, encoder, LiveKnowledge(database, tmp_path, encoder))
    release(tools, tmp_path)
    return tools


def release(curating: Curating, home: Path) -> None:
    publish(
        curating.database,
        home,
        curating.encoder,
        author="t",
        wrong_rate=0.03,
        progress=lambda _: None,
        override_reason="测试",
    )
    curating.knowledge.refresh()


def asked(
    database: Database, *texts: str, by: Identity = LI, ago: timedelta = timedelta(), kind: str = "no_answer"
) -> None:
    """Each in a conversation of its own."""
    with database.write() as session:
        for text in texts:
            talk = open_conversation(session, "widget", by).id
            keep(session, Signal(f"{kind}:{talk}", kind, talk, text, "travel.claim", "transport", at=now() - ago))


def night(curating: Curating) -> dict:
    with curating.database.write() as session:
        runs.ask(session, "edit")
    assert curating.run_waiting()
    with curating.database.read() as session:
        row = runs.newest(session)
        assert row is not None and row.state == "done", row and row.error
        return row.counts


def clusters(database: Database) -> dict[str, int]:
    """By each question's text, its cluster."""
    with database.read() as session:
        rows = session.execute(select(OpenQuestionRow.text, OpenQuestionRow.cluster))
        return {row.text: row.cluster for row in rows}


def test_from_open_questions_to_an_entry_that_answers_them(
    curating: Curating, tmp_path: Path, database: Database
) -> None:
    asked(database, *TAXI[:3])
    asked(database, *SEAL, by=WANG)
    assert night(curating)["new_clusters"] == 2
    found = clusters(database)
    taxi = found[TAXI[0]]
    assert {found[text] for text in TAXI[:3]} == {taxi} and {found[text] for text in SEAL} == {found[SEAL[0]]} != {taxi}

    asked(database, TAXI[3], by=WANG)
    assert night(curating)["new_clusters"] == 0, "what was there keeps its identity"
    assert clusters(database)[TAXI[3]] == taxi
    with database.read() as session:
        seen = view.detail(session, taxi, curating.tickets, curating.searcher, now())
    assert (seen["questions"], seen["people"], seen["name"] in TAXI) == (4, 2, True)
    assert seen["trend"][-1]["questions"] == 4 and seen["places"] == [{"name": "travel.claim/transport", "count": 4}]
    assert {one["name"] for one in seen["units"]} == {"华晟销售公司 销售一部", "华晟制造公司 生产部"}

    new = Entry("k-taxi", TAXI[0], "不能。请补开行程单后再报销。", similar=TAXI[1:3], business_type="差旅报销")
    tried = try_entry(database, curating.encoder, curating.knowledge.loaded, new, TAXI, datetime.now().date())
    assert tried.answered_before == 0 and tried.answered_after >= 3 and {"top1", "wrong_rate"} <= tried.after.keys()

    with database.write() as session:
        cluster = deciding.locked(session, taxi, seen["version"])
        deciding.new_entry(session, cluster, new, "edit", [], ["zhang"])
        with pytest.raises(Conflict):
            deciding.locked(session, taxi, seen["version"])
    with database.write() as session, pytest.raises(Forbidden):
        drafts.approve(session, "k-taxi", "edit")
    assert not again.waiting(database) or curating.follow() is None
    with database.write() as session:
        drafts.approve(session, "k-taxi", "review")
    assert again.waiting(database)
    release(curating, tmp_path)
    with database.write() as session:
        session.merge(CurationSettingRow(name=again.TELL, value=True))
    curating.follow()
    assert not again.waiting(database)

    with database.read() as session:
        row = session.get_one(ClusterRow, taxi)
        assert row.state == "closed" and row.answered >= 3
        decision = session.scalars(select(DecisionRow)).one()
        assert (decision.state, decision.version) == ("live", 1)
        people = {one["person"]: one for one in figures.contributions(session, row.created_at, now())}
        assert people["edit"]["curated"] == people["zhang"]["answered"] == people["review"]["reviewed"] == 1
        closed = figures.closed_within(session, now() - timedelta(days=1), now())
        assert closed.volume == 7 and closed.closed == row.answered
        told = session.scalars(select(Message).where(Message.sender == "bot")).all()
        assert len(told) == row.answered
        assert [one.body["options"][0]["choice"] for one in told].count("entry:k-taxi") >= 3
        assert len(session.scalars(select(DeliveryRow)).all()) == row.answered
    again.tell_askers(database, now())
    with database.read() as session:
        assert len(session.scalars(select(Message)).all()) == len(told), "told once"

    asked(database, "滴滴没有行程单报销得了吗")
    night(curating)
    with database.read() as session:
        row = session.get_one(ClusterRow, taxi)
        assert (row.state, row.came_back) == ("open", 1)
