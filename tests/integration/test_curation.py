"""Curation on both databases with the real encoder: from what stayed open to an entry that answers it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, FSSCError, InvalidInput
from core.events import EventRow
from core.identity import Identity
from core.outbox import DeliveryRow
from core.transcript import Message, Turn, open_conversation
from handoff.filing import file_ticket
from handoff.lifecycle import reply
from handoff.notices import notices_of
from handoff.tickets import TicketFiled
from handoff.timeline import TicketReopened
from kb.care import drafts
from kb.curation import again, deciding, drafting, figures, gaps, runs, view
from kb.curation.alike import alike
from kb.curation.gaps import PolicyGapOpened
from kb.curation.grouping import Space
from kb.curation.nights import Night, ticket_numbers
from kb.curation.signals import Signal, hear_rated, keep
from kb.curation.store import ClusterRow, CurationSettingRow, DecisionRow, OpenQuestionRow, RunRow, SignalRow
from kb.curation.trial import try_entry
from kb.encoder import load_encoder
from kb.entries import Entry
from kb.evaluation.remembering import Remembering
from kb.release.live import LiveKnowledge
from kb.release.publish import publish, roll_back
from kb.release.releases import CurrentReleaseRow
from kb.signals import AnswerRated
from kb.store import save_document, save_entry
from service.curating import Curating, DeskTickets, hear_filed, hear_gap, hear_reopened, minutes_of
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


def drafted(curating: Curating, cluster: int, name: str) -> drafting.Proposal:
    """As the workbench proposes it, after an agent answered one of the cluster's tickets."""
    with curating.database.write() as session:
        talk = session.scalars(
            select(OpenQuestionRow.conversation_id).where(OpenQuestionRow.cluster == cluster).limit(1)
        ).one()
        ticket = file_ticket(session, draft(talk, description=TAXI[0], asked=TAXI[0]))
        ticket.status, ticket.assignee, ticket.group_id = "assigned", "zhang", "tax"
        (event,) = [row for row in session.scalars(select(EventRow)) if row.kind == "TicketFiled"]
        hear_filed(session, event.id, TicketFiled(**{**event.body, "question": TAXI[0]}))
        session.flush()
        said = "您好，李晓雯，请补一份情况说明，由部门负责人签字后一起上传。有问题再联系我们。"
        reply(session, ticket.number, ZHANG, said, then="resolved")
    with curating.database.read() as session:
        questions = view.questions_of(session, cluster)
        facts = list(curating.tickets.facts(session, ticket_numbers(session, cluster)).values())
    assert facts[0].minutes >= 3 and len(facts) == 1
    day = datetime.now().date()
    return drafting.propose(curating.searcher, curating.encoder, curating.space(), questions, name, facts, day)


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

    proposal = drafted(curating, taxi, seen["name"])
    assert proposal.entry.answer == "请补一份情况说明，由部门负责人签字后一起上传。"
    assert [source.article for source in proposal.entry.sources] == [9]
    assert proposal.passages[0].id == "travel#9" and proposal.passages[0].owner == "差旅组"
    assert set(proposal.entry.similar) | {proposal.entry.question} == set(TAXI)

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
        told = session.scalars(select(Message).where(Message.text.contains("新的答案"))).all()
        assert len(told) == row.answered
        assert [one.body["options"][0]["choice"] for one in told].count("entry:k-taxi") >= 3
        keys = session.scalars(select(DeliveryRow.key).where(DeliveryRow.key.startswith("answered:"))).all()
        assert len(keys) == row.answered
    again.tell_askers(database, now())
    with database.read() as session:
        assert len(session.scalars(select(Message).where(Message.text.contains("新的答案"))).all()) == len(told), "once"

    roll_back(database, 1, "t", "测试")
    assert again.waiting(database), "another release serves"
    curating.follow()
    with database.read() as session:
        row = session.get_one(ClusterRow, taxi)
        assert row.state == "review" and row.answered < 3, "open again, and it waits for the next release"
        assert session.scalars(select(DecisionRow.state)).one() == "approved"
    roll_back(database, 2, "t", "测试")
    curating.follow()
    with database.read() as session:
        row = session.get_one(ClusterRow, taxi)
        assert (row.state, row.came_back) == ("closed", 1) and row.answered >= 3 and not again.waiting(database)
        assert session.scalars(select(DecisionRow.state)).one() == "live"

    asked(database, "滴滴没有行程单报销得了吗")
    night(curating)
    with database.read() as session:
        row = session.get_one(ClusterRow, taxi)
        assert (row.state, row.came_back) == ("open", 2)


def night_on(database: Database, encoder: Remembering, at: datetime | None = None) -> dict:
    """A run without a release: nothing but the questions themselves says what is alike."""
    with database.read() as session:
        texts = list(session.scalars(select(OpenQuestionRow.text)))
    vectors = encoder.encode_queries([*texts, *STRANGE])
    space = Space(vectors, np.arange(len(vectors)))
    return Night(database, encoder, space, DeskTickets(), at or now()).run(None, lambda _: None)


STRANGE = ("食堂饭卡在哪里充值", "电脑蓝屏找谁", "社保基数什么时候调整", "门禁卡丢了", "会议室怎么预订", "年假还剩几天")


def cluster_of(database: Database, text: str) -> ClusterRow:
    with database.read() as session:
        question = session.scalars(select(OpenQuestionRow).where(OpenQuestionRow.text == text)).one()
        return session.get_one(ClusterRow, question.cluster)


def test_every_signal_keeps_where_it_came_from_and_names_nobody(database: Database) -> None:
    open_desk(database)
    with database.write() as session:
        talk = open_conversation(session, "wecom", LI).id
        rated = AnswerRated(
            talk, "m-1", "李晓雯的住宿费怎么超标了", "e-01", "住宿费标准", False, "", "", "travel.claim", "", 0.8, 3
        )
        hear_rated(session, 1, rated)
        hear_rated(session, 2, replace(rated, reason="outdated", comment="让同事张伟看看，13812345678"))
        ticket = file_ticket(session, draft(talk, description="报销单一直没人审批", asked="报销单一直没人审批"))
        for row in list(session.scalars(select(EventRow))):
            if row.kind == "TicketFiled":
                hear_filed(session, row.id, TicketFiled(**row.body))
        hear_reopened(session, 9, TicketReopened(ticket.number, "还是不行", "E1001"))
        hear_reopened(session, 9, TicketReopened(ticket.number, "还是不行", "E1001"))
        keep(session, Signal("x", "no_answer", talk, "？？！"))
    with database.read() as session:
        rows = {row.text: row for row in session.scalars(select(OpenQuestionRow))}
        assert set(rows) == {"某某的住宿费怎么超标了", "报销单一直没人审批"}
        first = rows["某某的住宿费怎么超标了"]
        assert (first.company, first.department, first.channel, first.page) == (
            "华晟销售公司",
            "销售一部",
            "wecom",
            "travel.claim",
        )
        assert (first.asker, first.shown[0]["entry_id"], first.release) == ("E1001", "e-01", 3)
        assert rows["报销单一直没人审批"].signals == ["handoff", "reopened"]
        signals = {row.kind: row for row in session.scalars(select(SignalRow))}
        assert len(signals) == 3 and signals["reopened"].ticket == ticket.number
        assert signals["rated_bad"].detail["reason"] == "outdated"
        assert signals["rated_bad"].detail["comment"] == "让同事某某看看，138****5678"
    with database.write() as session:
        hear_rated(session, 3, replace(rated, helpful=True))
    with database.read() as session:
        assert session.scalars(select(OpenQuestionRow.text)).all() == ["报销单一直没人审批"], (
            "a good word takes it back"
        )


def test_rephrasing_and_leaving_are_seen_in_finished_turns(database: Database, encoder: Remembering) -> None:
    long_ago = now() - timedelta(hours=3)

    def said(talk: str, minute: int, text: str, band: str, probability: float = 0.95) -> None:
        with database.write() as session:
            session.add(
                Turn(
                    id=f"{talk[:8]}-{minute}",
                    conversation_id=talk,
                    owner="E1001",
                    client_message_id=f"{talk}-{minute}",
                    fingerprint="",
                    body={"text": text, "choice": "", "place": {"page": "travel.claim", "node": ""}},
                    state="done",
                    outcome={"band": band, "question": text, "probability": probability, "release": 7, "shown": []},
                    at=long_ago + timedelta(minutes=minute),
                )
            )

    with database.write() as session:
        again_, left, settled = (open_conversation(session, "widget", LI).id for _ in range(3))
    for minute, text in enumerate(TAXI[1:]):
        said(again_, minute, text, "answer")
    said(again_, 50, "住宿费标准是多少", "answer")
    said(left, 0, "合同章在哪里盖", "answer", 0.71)
    said(settled, 0, "合同盖章去哪里办", "answer", 0.71)
    said(settled, 1, "谢谢，明白了", "answer")
    assert night_on(database, encoder)["gathered"] == 2
    assert night_on(database, encoder)["gathered"] == 0, "seen once"
    with database.read() as session:
        kinds = {row.text: row.signals for row in session.scalars(select(OpenQuestionRow))}
    assert kinds == {TAXI[3]: ["rephrased"], "合同章在哪里盖": ["abandoned"]}


def test_a_curator_decides_and_the_night_keeps_it(database: Database, encoder: Remembering) -> None:
    asked(database, *TAXI, by=WANG)
    asked(database, *SEAL)
    night_on(database, encoder)
    taxi, seal = cluster_of(database, TAXI[0]), cluster_of(database, SEAL[0])
    assert taxi.id != seal.id and taxi.questions == 4

    with database.read() as session:
        odd = session.scalars(select(OpenQuestionRow.id).where(OpenQuestionRow.text == TAXI[1])).one()
    with database.write() as session:
        with pytest.raises(InvalidInput):
            deciding.split(session, deciding.locked(session, seal.id), [odd], "edit", DeskTickets())
        fresh = deciding.split(
            session, deciding.locked(session, taxi.id, 1), [odd], "edit", DeskTickets(), "忘开行程单"
        )
    night_on(database, encoder)
    assert cluster_of(database, TAXI[1]).id == fresh.id and cluster_of(database, TAXI[1]).name == "忘开行程单"
    likely = alike(database, encoder, Space(encoder.encode_queries(STRANGE), np.arange(len(STRANGE))), fresh.id, now())
    assert likely[0]["id"] == taxi.id and likely[0]["likeness"] > 0.3, "offered to be merged with"
    with database.write() as session:
        merged = deciding.merge(session, deciding.locked(session, fresh.id), taxi.id, "edit", DeskTickets())
        assert merged.questions == 4
    with database.write() as session, pytest.raises(Conflict, match=str(taxi.id)):
        deciding.locked(session, fresh.id)

    with database.write() as session:
        with pytest.raises(InvalidInput):
            deciding.dismiss(session, deciding.locked(session, seal.id), " ", "edit")
        deciding.dismiss(session, deciding.locked(session, seal.id), "属于法务部", "edit")
        deciding.snooze(session, deciding.locked(session, taxi.id), 7, "edit")
    asked(database, "盖合同章去哪里", by=WANG)
    night_on(database, encoder, now() + timedelta(days=6))
    later = cluster_of(database, "盖合同章去哪里")
    assert (later.id, later.state, later.answered) == (seal.id, "dismissed", 4), "joins what is none of ours"
    assert cluster_of(database, TAXI[0]).state == "snoozed"
    night_on(database, encoder, now() + timedelta(days=8))
    assert cluster_of(database, TAXI[0]).state == "open"
    with database.write() as session:
        deciding.wake(session, deciding.locked(session, seal.id), "edit")
    assert (cluster_of(database, SEAL[0]).state, cluster_of(database, SEAL[0]).answered) == ("open", 0)


def test_similar_questions_wait_for_review_and_a_rejected_draft_comes_back(
    database: Database, encoder: Remembering
) -> None:
    asked(database, *TAXI)
    night_on(database, encoder)
    taxi = cluster_of(database, TAXI[0])
    with database.write() as session:
        save_entry(session, Entry("k-1", "打车费怎么报销", "凭票。", similar=("打车没行程单怎么报销？",)), "t")
    with database.write() as session:
        new = deciding.with_similar(session, "k-1", TAXI, "edit")
        assert new.similar == ("打车没行程单怎么报销？", TAXI[0], TAXI[1], TAXI[3]), "one that it has is left out"
        deciding.add_similar(session, deciding.locked(session, taxi.id, taxi.version), new, TAXI, "edit", [])
        again_ = deciding.with_similar(session, "k-1", ["网约车票据怎么交"], "edit")
        assert again_.similar[-2:] == (TAXI[3], "网约车票据怎么交"), "goes on with one's own draft"
        with pytest.raises(InvalidInput):
            deciding.with_similar(session, "k-1", ["打车费怎么报销"], "edit")
    assert cluster_of(database, TAXI[0]).state == "review" and not again.waiting(database)
    with database.write() as session, pytest.raises(Conflict):
        drafts.propose(session, new, "other")
    with database.write() as session:
        drafts.reject(session, "k-1", "review", "问法太宽")
    assert again.waiting(database)
    with database.write() as session:
        assert again.follow_drafts(session) == 1
        assert view.decision_of(session, session.scalars(select(DecisionRow)).one())["comment"] == "问法太宽"
    assert cluster_of(database, TAXI[0]).state == "open" and not again.waiting(database)


def test_a_policy_gap_goes_to_its_owner_and_comes_back(database: Database, encoder: Remembering) -> None:
    asked(database, *TAXI)
    night_on(database, encoder)
    taxi = cluster_of(database, TAXI[0])
    with database.write() as session:
        save_document(session, "policy", POLICY)
        cluster = deciding.locked(session, taxi.id)
        for wrong in (gaps.Missing(" "), gaps.Missing("没有写"), gaps.Missing("没有写", "nowhere")):
            with pytest.raises(FSSCError):
                gaps.open_(session, cluster, wrong, {}, "edit")
        gap = gaps.open_(
            session, cluster, gaps.Missing("没有行程单怎么办", "travel", 9, assignee="sun"), {"people": 1}, "edit"
        )
        assert (gap.owner, gap.policy, gap.article, cluster.state) == ("差旅组", "差旅费管理办法", 9, "gap")
        with pytest.raises(Conflict):
            gaps.open_(session, cluster, gaps.Missing("再来一次", "travel"), {}, "edit")
        hear_gap(session, 1, PolicyGapOpened(gap.id, gap.question, gap.policy, gap.owner, gap.assignee))
        assert "差旅费管理办法" in notices_of(session, "sun")[0].text
    with database.write() as session:
        with pytest.raises(Forbidden):
            gaps.close(session, gap.id, "amended", "12 月起可凭说明报销", "li", may_any=False)
        gaps.close(session, gap.id, "amended", "12 月起可凭说明报销", "sun", may_any=False)
    assert cluster_of(database, TAXI[0]).state == "open", "now it can be written down"
    with database.read() as session:
        assert [row.outcome for row in gaps.find(session, "closed")] == ["amended"] and gaps.find(session) == []


def test_a_run_is_due_once_a_night_and_taken_up_again(database: Database) -> None:
    four, one = datetime(2026, 11, 21, 20, 0, tzinfo=UTC), datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert runs.last_night(four) == datetime(2026, 11, 21, 18, 0, tzinfo=UTC), "02:00 in Shanghai"
    assert runs.last_night(one) == datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    assert not runs.waiting(database), "nothing is published"
    with database.write() as session:
        session.add(CurrentReleaseRow(id=1, number=1))
    assert runs.waiting(database)

    def fails(since: datetime | None, tell: object) -> dict:
        raise InvalidInput("不行")

    seen: list[datetime | None] = []
    assert runs.run_waiting(database, lambda since, tell: seen.append(since) or {"placed": 1})
    assert not runs.waiting(database) and not runs.run_waiting(database, fails)
    with database.write() as session:
        assert runs.ask(session, "edit").id == runs.ask(session, "other").id
    assert runs.run_waiting(database, fails)
    with database.read() as session:
        assert (runs.shown(runs.newest(session)) or {})["error"] == "不行"
        until = session.scalars(select(RunRow.until).where(RunRow.state == "done")).one()
    with database.write() as session:
        runs.ask(session, "edit")
    assert runs.run_waiting(database, lambda since, tell: seen.append(since) or {})
    assert seen == [None, until], "a failed run is looked at again"


def test_a_killed_run_is_taken_up_within_a_minute_and_a_long_one_keeps_its_claim(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        session.add(CurrentReleaseRow(id=1, number=1))
        runs.ask(session, "edit")

    class Killed(BaseException):
        pass

    def dies(since: datetime | None, tell: object) -> dict:
        raise Killed

    with pytest.raises(Killed):
        runs.run_waiting(database, dies)
    with database.read() as session:
        row = runs.newest(session)
        assert (runs.shown(row) or {})["interrupted"] is False
        assert (runs.shown(row, now() + timedelta(seconds=61)) or {})["interrupted"] is True
    assert not runs.waiting(database) and runs.waiting(database, now() + timedelta(seconds=61))
    monkeypatch.setattr(runs, "now", lambda: now() + timedelta(seconds=61))
    monkeypatch.setattr(runs, "BEAT", 0.02)

    def takes_long(since: datetime | None, tell: object) -> dict:
        monkeypatch.setattr(runs, "now", lambda: now() + timedelta(seconds=200))
        time.sleep(0.2)
        assert not runs.waiting(database, now() + timedelta(seconds=240)), "its heart beats without a word of progress"
        return {}

    assert runs.run_waiting(database, takes_long)
    with database.read() as session:
        row = runs.newest(session)
        assert row is not None and (row.state, row.attempt) == ("done", 2)


def test_agent_minutes_are_bounded_by_stretches() -> None:
    start = now()
    assert minutes_of([]) == 0
    assert minutes_of([start, start + timedelta(minutes=4), start + timedelta(hours=5)]) == 3 + 4 + 15
