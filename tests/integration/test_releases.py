"""Releases on both databases: what is carried over, compared, refused, previewed, rolled back, and served meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import now, today
from core.database import Database
from core.errors import Conflict, NotFound
from kb.encoder import load_encoder
from kb.entries import PUBLIC, Entry, Source, Viewer
from kb.evaluation.remembering import Remembering
from kb.policies import save_policy
from kb.release import preview
from kb.release.live import LiveKnowledge
from kb.release.pending import pending
from kb.release.publish import Publisher, publish, roll_back
from kb.release.releases import ReleaseRow, accepted_wrong_rate, current_number, find_releases, moves_of, set_wrong_rate
from kb.release.vectors import VectorRow
from kb.search import Query
from kb.store import EntryRow, retire_entry, save_document, save_entry
from kb.tables import with_edition

THINGS = ("差旅费", "住宿费", "招待费", "会议费", "培训费", "办公费", "通讯费", "快递费", "租赁费", "维修费", "广告费")
DEEDS = ("怎么报销", "需要哪些附件", "由谁审批", "多久到账", "可以补报吗")


def entry(i: int, answer: str = "按制度办理。") -> Entry:
    question = f"{THINGS[i % len(THINGS)]}{DEEDS[i // len(THINGS)]}"
    return Entry(id=f"e-{i:02d}", question=question, answer=f"{question}：{answer}", business_type="费用报销")


@pytest.fixture(scope="module")
def encoder(encoder_dir: Path) -> Remembering:
    """The real encoder; what one test encoded, the next need not encode again."""
    return Remembering(load_encoder(None, encoder_dir.parent))


@pytest.fixture
def publisher(database: Database, tmp_path: Path, encoder: Remembering) -> Publisher:
    return Publisher(database, tmp_path, encoder)


def save(database: Database, *entries: Entry) -> None:
    with database.write() as session:
        for one in entries:
            save_entry(session, one, "tester")


def released(database: Database, publisher: Publisher, *entries: Entry, wrong_rate: float = 0.03) -> ReleaseRow:
    save(database, *entries)
    candidate = publisher.prepare(wrong_rate, lambda _: None)
    assert candidate is not None
    return publisher.publish(candidate, "tester")


def current(database: Database) -> int | None:
    with database.read() as session:
        return current_number(session)


@pytest.mark.slow
def test_one_change_among_many_is_encoded_alone_and_carries_the_matcher(
    database: Database, publisher: Publisher
) -> None:
    first = released(database, publisher, *map(entry, range(55)))
    assert (first.number, first.base, first.fitted_in, first.changes["added"]) == (1, None, None, 55)
    changed = replace(entry(3), similar=("开会的钱怎么报",), answer="新的口径。")
    save(database, changed)
    candidate = publisher.prepare(0.03, lambda _: None)
    assert candidate is not None and candidate.carried and candidate.encoded == 2
    second = publisher.publish(candidate, "tester")
    assert (second.base, second.fitted_in, second.changes) == (1, 1, {"added": 0, "changed": 1, "removed": 0})
    assert second.report["changes"]["changed"] == [{"id": "e-03", "question": changed.question}]
    told = {one["question"]: one for one in second.report["answer_changes"]}
    assert told[changed.question]["before"]["answer"].endswith("按制度办理。")
    assert told[changed.question]["after"]["answer"] == "新的口径。"
    assert second.report["before"] == first.evaluation

    third = released(database, publisher, *(entry(i, "又改了。") for i in range(2)))
    assert third.fitted_in is None, "3 of 55 entries changed since the matcher was fitted"


def test_what_waits_to_be_published_is_told_before_anything_is_prepared(
    database: Database, publisher: Publisher
) -> None:
    article = {"number": 1, "label": "第一条", "title": "", "chapter": "", "text": "差旅费按标准报销。"}
    policy = {"id": "travel", "title": "差旅费管理办法", "version": "1", "articles": [article]}
    save(database, *map(entry, range(3)))
    with database.write() as session:
        save_document(session, "policy", policy)
        assert pending(session)["base"] is None and pending(session)["counts"]["added"] == 4
    released(database, publisher)
    with database.write() as session:
        assert not any(pending(session)["counts"].values())
        retire_entry(session, "e-02", "tester")
        save_document(session, "policy", {**policy, "articles": [{**article, "text": "差旅费包干使用。"}]})
        found = pending(session)
    assert found["base"] == 1 and found["counts"] == {"added": 0, "changed": 1, "removed": 1}
    assert [one["id"] for one in found["changes"]["changed"]] == ["travel#1"]
    assert found["changes"]["removed"] == [{"id": "e-02", "question": entry(2).question}]


def test_the_same_again_is_no_release_unless_it_is_fitted_anew(database: Database, publisher: Publisher) -> None:
    released(database, publisher, entry(0), entry(1))
    assert publisher.prepare(0.03, lambda _: None) is None
    assert publisher.prepare(0.05, lambda _: None) is not None
    again = publisher.prepare(0.03, lambda _: None, refit=True)
    assert again is not None and not again.carried and publisher.publish(again, "tester").number == 2


@pytest.mark.usefixtures("every_stranger")
def test_a_release_that_loses_quality_is_refused_and_can_be_overridden(
    database: Database, publisher: Publisher
) -> None:
    released(database, publisher, *map(entry, range(20)))
    twins = [replace(entry(i), id=f"twin-{i}", answer="另一个答案。") for i in range(20)]
    save(database, *twins)
    candidate = publisher.prepare(0.03, lambda _: None)
    assert candidate is not None and not candidate.gate.passed and candidate.gate.reasons
    with pytest.raises(Conflict) as refused:
        publisher.publish(candidate, "tester")
    assert refused.value.code == "gate_refused" and current(database) == 1
    with pytest.raises(Conflict):
        publisher.publish(candidate, "tester", "  ")
    row = publisher.publish(candidate, "tester", "两套口径过渡一周")
    with database.read() as session:
        assert find_releases(session)[0].override_reason == "两套口径过渡一周" and current_number(session) == row.number


def test_rollback_moves_the_pointer_and_is_kept(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    released(database, publisher, entry(0), entry(1))
    released(database, publisher, entry(0, "新口径。"))
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    roll_back(database, 1, "li", "新口径有误")
    knowledge.refresh()
    found = knowledge.searcher.search(Query(entry(0).question, today()))
    assert found.release == 1 and found.candidates[0].entry.answer.endswith("按制度办理。")
    with database.read() as session:
        move = moves_of(session)[0]
        assert (move.kind, move.before, move.number, move.author, move.reason) == ("rollback", 2, 1, "li", "新口径有误")
    with pytest.raises(Conflict):
        roll_back(database, 1, "li", "又一次")
    with pytest.raises(NotFound):
        roll_back(database, 7, "li", "没有")
    again = publisher.prepare(0.03, lambda _: None)
    assert again is not None and again.prepared["base"] == 1 and again.prepared["changes"]["changed"] == 1
    assert publisher.publish(again, "tester").number == 3


def test_of_two_publishers_at_once_one_wins_and_the_other_hears_of_it(
    database: Database, tmp_path: Path, encoder: Remembering
) -> None:
    for base, entries in ((None, [entry(0), entry(1)]), (1, [entry(2), entry(3)])):
        save(database, *entries)
        publishers = [Publisher(database, tmp_path / str(i), encoder) for i in range(2)]
        candidates = [one.prepare(0.03, lambda _: None) for one in publishers]
        outcomes: list[object] = []
        start = threading.Barrier(2)

        def run(publisher: Publisher, candidate, start=start, outcomes=outcomes) -> None:
            start.wait()
            try:
                outcomes.append(publisher.publish(candidate, "tester").number)
            except Conflict as error:
                outcomes.append(error.code)

        threads = [threading.Thread(target=run, args=pair) for pair in zip(publishers, candidates, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        number = (base or 0) + 1
        assert sorted(map(str, outcomes)) == [str(number), "preview_stale"]
        with database.read() as session:
            assert len(find_releases(session)) == number and current_number(session) == number


def test_a_publisher_that_was_overtaken_starts_again_from_what_is_there(
    database: Database, tmp_path: Path, encoder: Remembering
) -> None:
    save(database, entry(0), entry(1))
    other = Publisher(database, tmp_path, encoder)

    def overtake(_) -> None:
        if current(database) is None:
            candidate = other.prepare(0.03, lambda _: None)
            assert candidate is not None
            other.publish(candidate, "other")

    done = publish(database, tmp_path, encoder, author="t", wrong_rate=0.03, progress=lambda _: None, shown=overtake)
    assert (done.number, done.new) == (1, False)


@pytest.mark.slow
def test_search_goes_on_while_releases_swap_and_never_mixes_them(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    def version(n: int) -> Entry:
        return replace(entry(3), answer=f"第{n}版。", similar=tuple(f"会议费的第{i}种问法" for i in range(n)))

    released(database, publisher, *map(entry, range(55)), version(1))
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    stop = threading.Event()
    seen: set[int] = set()
    wrong: list[object] = []

    def ask(number: int) -> None:
        question = [entry(3).question, "会议费的第0种问法", "会议费怎么报"][number]
        while not stop.is_set():
            try:
                found = knowledge.searcher.search(Query(question, today()))
                seen.add(found.release)
                answers = [one.entry.answer for one in found.candidates if one.entry.id == "e-03"]
                if answers != [f"第{found.release}版。"]:
                    wrong.append((found.release, answers))
                knowledge.suggestions("", "", Query("", today()).viewer)
            except Exception as error:
                wrong.append(error)

    def refresh() -> None:
        while not stop.is_set():
            knowledge.refresh()
            time.sleep(0.05)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(3)] + [threading.Thread(target=refresh)]
    for thread in threads:
        thread.start()
    for n in (2, 3, 4):
        assert released(database, publisher, version(n)).fitted_in == 1
    deadline = time.monotonic() + 20
    while 4 not in seen and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and {1, 4} <= seen


def test_what_changed_alone_is_read_by_a_replica(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    released(database, publisher, *map(entry, range(55)))
    knowledge = LiveKnowledge(database, tmp_path / "replica", encoder)
    knowledge.refresh()
    before = knowledge.searcher
    released(database, publisher, entry(7, "改过。"))
    with database.write() as session:
        session.query(VectorRow).delete()  # The replica has them already.
    knowledge.refresh()
    kept = {id(one) for one in before.entries}
    assert [one.id for one in knowledge.searcher.entries if id(one) not in kept] == ["e-07"]
    assert len(list((tmp_path / "replica" / "releases").iterdir())) == 2


def test_old_directories_go_and_releases_stay(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    released(database, publisher, *map(entry, range(55)), entry(0, "第0版。"))
    for n in range(1, 6):
        released(database, publisher, entry(0, f"第{n}版。"))
    assert len(list((tmp_path / "releases").iterdir())) == 4
    roll_back(database, 1, "li", "很久以前")
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    assert knowledge.searcher.entries[0].answer.endswith("第0版。")


def test_passages_of_policies_are_frozen_with_the_release(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    policy = {
        "id": "travel",
        "title": "差旅费管理办法",
        "version": "2026",
        "effective_from": "2026-01-01",
        "owner": "报销组",
        "articles": [{"number": 1, "label": "第一条", "title": "目的", "text": "为规范差旅费管理，制定本办法。"}],
    }
    with database.write() as session:
        save_document(session, "policy", policy)
    released(database, publisher, entry(0), entry(1))
    policy = {**policy, "articles": [{**policy["articles"][0], "text": "另一段。"}]}
    with database.write() as session:
        save_document(session, "policy", policy)
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    passage = knowledge.searcher.get("travel#1", Query("", today()).viewer, today())
    assert passage is not None and passage.answer == "为规范差旅费管理，制定本办法。"
    candidate = publisher.prepare(0.03, lambda _: None)
    assert candidate is not None and candidate.prepared["changes"] == {"added": 0, "changed": 1, "removed": 0}


def test_the_rows_of_a_narrowed_policy_are_told_to_its_audience_alone(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
) -> None:
    articles = [
        {"number": n, "label": "", "title": "", "text": text} for n, text in ((1, "总则。"), (2, "签约奖金见表。"))
    ]
    policy = {
        "id": "bonus",
        "title": "奖金管理办法",
        "version": "1",
        "effective_from": "2026-01-01",
        "articles": articles,
    }
    table = {"id": "bonus-table", "title": "签约奖金表", "rows": [], "source": {"policy": "bonus", "article": 2}}
    citing = replace(entry(0), sources=(Source("签约奖金表", table="bonus-table"),))
    with database.write() as session:
        save_policy(session, policy, "tester")
        save_document(session, "table", table)
    released(database, publisher, citing, entry(1))
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    assert knowledge.tables(citing, PUBLIC) == [table]
    narrowed = {"audience": {"companies": [], "groups": ["finance"]}, "articles": articles[:1]}
    with database.write() as session:
        save_policy(session, {**policy, **narrowed, "version": "2", "effective_from": "2026-03-01"}, "tester")
    knowledge.refresh()
    assert knowledge.tables(citing, PUBLIC) == []
    assert knowledge.tables(citing, Viewer(groups=frozenset({"finance"}))) == [table]


def test_the_rows_of_a_table_are_those_in_force_on_the_day(
    database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = today() + timedelta(days=9)
    old = {"id": "lodging", "title": "住宿费限额表", "effective_from": "2026-01-01", "rows": []}
    new = {**old, "effective_from": begins.isoformat()}
    citing = replace(entry(0), sources=(Source("住宿费限额表", table="lodging"),))
    with database.write() as session:
        save_document(session, "table", with_edition(old, new, today()))
    released(database, publisher, citing, entry(1))
    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    assert knowledge.tables(citing, PUBLIC) == [old]
    monkeypatch.setattr("kb.release.live.today", lambda: begins)
    [table] = knowledge.tables(citing, PUBLIC)
    assert table["effective_from"] == begins.isoformat()


class TestPreview:
    @pytest.fixture(autouse=True)
    def _base(self, database: Database, publisher: Publisher) -> Iterator[None]:
        released(database, publisher, entry(0), entry(1))
        yield

    def view(self, database: Database) -> dict:
        with database.read() as session:
            return preview.view(session)

    def ask(self, database: Database) -> None:
        with database.write() as session:
            preview.ask(session, "li")

    def test_it_is_made_looked_at_and_published_as_it_was_seen(
        self, database: Database, publisher: Publisher, tmp_path: Path, encoder: Remembering
    ) -> None:
        assert self.view(database)["state"] == "none" and not preview.make(database, publisher, 0.03)
        save(database, entry(0, "新口径。"))
        self.ask(database)
        assert self.view(database)["state"] == "working" and preview.waiting(database)
        assert preview.make(database, publisher, 0.03)
        seen = self.view(database)
        assert seen["state"] == "ready" and seen["changes"]["changed"][0]["id"] == "e-00"
        assert seen["before"] and seen["after"] and seen["gate"]["passed"] and seen["curve"] is not None
        with database.write() as session:
            row = preview.publish_preview(session, "wang", None)
            assert (row.number, row.author, row.report["changes"]) == (2, "wang", seen["changes"])
        assert self.view(database)["state"] == "none"
        knowledge = LiveKnowledge(database, tmp_path / "elsewhere", encoder)
        knowledge.refresh()
        assert knowledge.searcher.release == 2 and knowledge.searcher.entries[0].answer.endswith("新口径。")

    @pytest.mark.parametrize("meanwhile", ["entry", "rate", "release"])
    def test_what_changed_meanwhile_makes_it_stale(
        self, database: Database, publisher: Publisher, meanwhile: str
    ) -> None:
        save(database, entry(0, "新口径。"))
        self.ask(database)
        preview.make(database, publisher, 0.03)
        if meanwhile == "entry":
            save(database, entry(1, "又改。"))
        elif meanwhile == "rate":
            with database.write() as session:
                set_wrong_rate(session, 0.01)
                assert accepted_wrong_rate(session, 0.03) == 0.01
        else:
            released(database, publisher)
        assert self.view(database)["state"] == "stale"
        with pytest.raises(Conflict) as refused, database.write() as session:
            preview.publish_preview(session, "wang", None)
        assert refused.value.code == "preview_stale"
        self.ask(database)
        assert preview.make(database, publisher, 0.03) and self.view(database)["state"] == "ready"

    def test_nothing_to_publish_is_said(self, database: Database, publisher: Publisher) -> None:
        with pytest.raises(Conflict) as refused, database.write() as session:
            preview.publish_preview(session, "wang", None)
        assert refused.value.code == "preview_stale"
        self.ask(database)
        preview.make(database, publisher, 0.03)
        assert self.view(database)["nothing_changed"]
        with pytest.raises(Conflict) as refused, database.write() as session:
            preview.publish_preview(session, "wang", None)
        assert refused.value.code == "nothing_changed"
        save(database, entry(0, "新口径。"))
        assert self.view(database)["state"] == "stale"
        with pytest.raises(Conflict) as refused, database.write() as session:
            preview.publish_preview(session, "wang", None)
        assert refused.value.code == "preview_stale"

    def test_a_worker_that_died_is_followed_by_another_and_its_ghost_changes_nothing(
        self, database: Database, publisher: Publisher
    ) -> None:
        save(database, entry(0, "新口径。"))
        self.ask(database)
        ghost = preview._claim(database)
        assert ghost == 1 and not preview.waiting(database) and not preview.make(database, publisher, 0.03)
        with database.write() as session:
            session.get_one(preview.PreviewRow, 1).claimed_until = now() - timedelta(seconds=1)
        assert preview.waiting(database) and preview.make(database, publisher, 0.03)
        preview._update(database, ghost, state="failed", error="ghost")
        assert self.view(database)["state"] == "ready"

    def test_what_goes_wrong_is_told(self, database: Database, publisher: Publisher) -> None:
        with database.write() as session:
            session.query(EntryRow).update({"deleted": True})
        self.ask(database)
        preview.make(database, publisher, 0.03)
        found = self.view(database)
        assert found["state"] == "failed" and "没有可发布的知识" in found["error"]
