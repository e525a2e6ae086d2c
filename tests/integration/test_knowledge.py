"""Entries, versions, releases and hot questions on both databases, with the real encoder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.clock import today
from core.database import Database
from core.errors import InvalidInput, Unavailable
from kb.encoder import Encoder, load_encoder
from kb.entries import PUBLIC, Audience, Entry, Source, Viewer
from kb.release.live import LiveKnowledge
from kb.release.publish import publish, roll_back
from kb.search import Query
from kb.store import (
    EntryVersionRow,
    count_hit,
    find_entries,
    live_entries,
    retire_entry,
    save_document,
    save_entries,
    save_entry,
)

LODGING = Entry(
    id="t-1",
    question="出差住宿费能报多少？",
    answer="按《住宿费标准表》执行。",
    similar=("酒店一晚上限多少", "住宿标准"),
    business_type="差旅报销",
    scenes=("expense.travel.fill/itinerary",),
    sources=(Source("《差旅费管理办法》第十二条", policy="travel", article=12),),
    effective_from=date(2026, 1, 1),
    related=("t-2",),
    owner="报销组",
)
ADVANCE = Entry(
    id="t-2", question="借款多久要冲销？", answer="30日内。", similar=("备用金什么时候还",), business_type="借款与冲销"
)
SECRET = Entry(
    id="t-3", question="手工付款怎么补录？", answer="内部口径。", audience=Audience(groups=frozenset({"finance"}))
)


@pytest.fixture(scope="module")
def encoder(encoder_dir: Path) -> Encoder:
    return load_encoder(None, encoder_dir.parent)


def released(database: Database, home: Path, encoder: Encoder, *entries: Entry):
    with database.write() as session:
        for entry in entries:
            save_entry(session, entry, "tester")
    return publish(database, home, encoder, author="tester", wrong_rate=0.03, progress=lambda _: None)


def test_an_entry_comes_back_as_it_went_in_and_keeps_its_versions(database: Database) -> None:
    with database.write() as session:
        assert save_entry(session, LODGING, "li")
        assert not save_entry(session, LODGING, "li")
        assert save_entry(session, replace(LODGING, answer="见新表。"), "wang")
    with database.read() as session:
        assert live_entries(session) == [replace(LODGING, answer="见新表。", version=2)]
        versions = session.query(EntryVersionRow).order_by(EntryVersionRow.version).all()
        assert [(row.version, row.author, row.body["answer"]) for row in versions] == [
            (1, "li", "按《住宿费标准表》执行。"),
            (2, "wang", "见新表。"),
        ]
        assert find_entries(session, text="酒店 上限")[1] == 1
        assert find_entries(session, text="没有的词")[1] == 0


def test_publishing_encodes_only_what_is_new(database: Database, tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(InvalidInput):
        publish(database, tmp_path, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    first = released(database, tmp_path, encoder, LODGING, ADVANCE)
    assert (first.number, first.new, first.encoded) == (1, True, 7), "five questions, two answers"
    again = released(database, tmp_path, encoder, LODGING)
    assert (again.number, again.new, again.encoded) == (1, False, 0)
    other = replace(ADVANCE, similar=("备用金什么时候还", "借款期限"))
    more = released(database, tmp_path, encoder, other)
    assert (more.number, more.new, more.encoded) == (2, True, 1)
    told = released(database, tmp_path, encoder, replace(other, answer=f"{ADVANCE.answer}逾期从工资里扣。"))
    assert (told.number, told.new, told.encoded) == (3, True, 1)


def test_a_release_goes_live_and_is_rebuilt_when_its_files_are_gone(
    database: Database, tmp_path: Path, encoder: Encoder
) -> None:
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    with pytest.raises(Unavailable):
        _ = knowledge.searcher
    released(database, tmp_path, encoder, LODGING, ADVANCE)
    knowledge.refresh()
    found = knowledge.searcher.search(Query("酒店一晚上限多少", today()))
    assert found.candidates[0].entry.id == "t-1" and found.release == 1

    shutil.rmtree(tmp_path / "releases")
    other = LiveKnowledge(database, tmp_path, encoder)
    other.refresh()
    same = other.searcher.search(Query("酒店一晚上限多少", today()))
    assert [c.entry.id for c in same.candidates] == [c.entry.id for c in found.candidates]
    assert [c.probability for c in same.candidates] == pytest.approx([c.probability for c in found.candidates])
    assert len(list(tmp_path.glob("releases/*/vectors.npy"))) == 1


def test_nobody_outside_its_audience_sees_an_entry(database: Database, tmp_path: Path, encoder: Encoder) -> None:
    released(database, tmp_path, encoder, LODGING, ADVANCE, SECRET)
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    finance = Viewer(groups=frozenset({"finance"}))
    query = Query(SECRET.question, today())
    assert "t-3" not in {c.entry.id for c in knowledge.searcher.search(query).candidates}
    assert knowledge.searcher.search(replace(query, viewer=finance)).candidates[0].entry.id == "t-3"
    assert knowledge.searcher.get("t-3", PUBLIC, today()) is None
    assert "t-3" not in {entry.id for entry in knowledge.suggestions("", "", PUBLIC)[1]}


def test_what_is_approved_takes_away_at_once_and_gives_with_the_next_release(
    database: Database, tmp_path: Path, encoder: Encoder
) -> None:
    finance, day = Viewer(groups=frozenset({"finance"})), today()
    released(database, tmp_path, encoder, LODGING, ADVANCE, SECRET)
    knowledge, other = (LiveKnowledge(database, tmp_path, encoder) for _ in range(2))
    knowledge.refresh()

    def shown(viewer: Viewer = PUBLIC, where: LiveKnowledge = knowledge) -> set[str]:
        where.refresh()
        found = {one for one in ("t-1", "t-2", "t-3") if where.searcher.get(one, viewer, day)}
        texts = (LODGING.question, ADVANCE.question, SECRET.question)
        searched = [where.searcher.search(Query(text, day, viewer=viewer)) for text in texts]
        listed = {entry.id for entry in where.suggestions("", "", viewer)[1]}
        assert {one.entry.id for result in searched for one in result.candidates} <= found and listed <= found
        return found

    def approve(*entries: Entry) -> None:
        with database.write() as session:
            save_entries(session, entries, "t")

    approve(replace(LODGING, audience=SECRET.audience), replace(SECRET, audience=LODGING.audience))
    assert (shown(), shown(finance)) == ({"t-2"}, {"t-1", "t-2", "t-3"}), "the wider audience waits"
    approve(replace(LODGING, answer="同样的可见范围。"), replace(ADVANCE, effective_to=day - timedelta(days=1)))
    assert (shown(), shown(finance)) == ({"t-1"}, {"t-1", "t-3"})
    with database.write() as session:
        retire_entry(session, "t-1", "t")
    assert shown() == shown(where=other) == set(), "a replica that starts now knows it too"

    approve(replace(ADVANCE, effective_to=None, answer="新口径。"))
    told = {"author": "t", "wrong_rate": 0.03, "progress": lambda _: None}
    publish(database, tmp_path, encoder, override_reason="少了一条", **told)
    assert shown() == {"t-2", "t-3"}
    roll_back(database, 1, "t", "停用错了")
    assert shown() == {"t-1", "t-2"}, "going back brings back what was retired, and widens nothing"
    with database.write() as session:
        retire_entry(session, "t-2", "t")
    assert shown() == {"t-1"}


def test_a_policy_for_fewer_people_is_no_longer_shown_to_the_others(
    database: Database, tmp_path: Path, encoder: Encoder
) -> None:
    article = {"number": 1, "label": "第一条", "title": "", "chapter": "", "text": "住宿费限额内据实报销。"}
    policy = {"id": "travel", "title": "差旅费管理办法", "version": "1", "articles": [article]}
    with database.write() as session:
        save_document(session, "policy", policy)
    released(database, tmp_path, encoder, ADVANCE)
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    assert knowledge.searcher.get("travel#1", PUBLIC, today())
    with database.write() as session:
        save_document(session, "policy", {**policy, "audience": {"companies": [], "groups": ["finance"]}})
    knowledge.refresh()
    assert knowledge.searcher.get("travel#1", PUBLIC, today()) is None
    assert knowledge.searcher.get("travel#1", Viewer(groups=frozenset({"finance"})), today())


def test_hot_questions_of_a_page_come_first(database: Database, tmp_path: Path, encoder: Encoder) -> None:
    released(database, tmp_path, encoder, LODGING, ADVANCE)
    with database.write() as session:
        for _ in range(3):
            count_hit(session, "t-2", today(), "expense.travel.fill", "itinerary")
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    greeting, entries = knowledge.suggestions("expense.travel.fill", "itinerary", PUBLIC)
    assert [entry.id for entry in entries][:1] != [] and "财务共享" in greeting
