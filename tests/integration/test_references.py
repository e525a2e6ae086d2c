"""Entries go on citing their articles from one version of a policy to the next, and are told what is true by now."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.database import Database
from kb.care.drafts import draft_of, propose
from kb.care.flags import open_flags
from kb.entries import Entry, Source
from kb.ingest.policies import citations, references
from kb.ingest.policies.references import as_of, counted_by, due, follow_due
from kb.ingest.sources import SourceReader
from kb.store import EntryRow, EntryVersionRow, documents, entry_from_dict, live_entries, save_entry
from tests.integration.test_policy_imports import bring, confirm, shown

TITLE = "《差旅费管理办法》"
AIM = "为规范差旅费管理，制定本办法。"
LODGING = "住宿费每人每天不超过500元，超过部分自理。"
MEALS = "伙食补助每人每天100元，按自然天数计发。"
SCOPE = "本办法适用于集团总部及各子公司全体员工。"
ASKING = "出差须事先在系统内提交申请并获得批准。"


def version(day: str, *texts: str) -> str:
    year, month, of_month = map(int, day.split("-"))
    lines = [f"第{'一二三四五六七八'[k]}条 {text}" for k, text in enumerate(texts)]
    end = f"第{'一二三四五六七八'[len(texts)]}条 本办法自{year}年{month}月{of_month}日起施行。"
    return "\n".join(["差旅费管理办法", *lines, end]) + "\n"


def store(database: Database, tmp_path: Path, day: str, *texts: str) -> dict[str, int]:
    return confirm(database, bring(database, tmp_path, version(day, *texts))).counts


def cite(database: Database, entry_id: str, label: str, article: int, answer: str = "答案") -> None:
    with database.write() as session:
        sources = (Source(f"{TITLE}{label}", policy="chailvfei", article=article),)
        save_entry(session, Entry(entry_id, f"问题{entry_id}？", answer, sources=sources), "chen")


def cited(database: Database) -> dict[str, tuple[str, int | None]]:
    with database.read() as session:
        found = live_entries(session)
    return {one.id: (one.sources[0].label.removeprefix(TITLE), one.sources[0].article) for one in found}


def flags(database: Database, *ids: str) -> dict[str, list[str]]:
    with database.read() as session:
        return {key: [one["detail"] for one in found] for key, found in open_flags(session, ids).items()}


def on(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    for module in (references, citations):
        monkeypatch.setattr(module, "today", lambda: day)


def test_a_reference_goes_with_its_article_through_every_renumbering(database: Database, tmp_path: Path):
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2)
    cite(database, "t-2", "第3条第一款", 3)
    with database.write() as session:
        propose(session, Entry("t-1", "问题t-1？", "新", sources=(Source(f"{TITLE}第二条", "chailvfei", 2),)), "chen")
    counts = store(database, tmp_path, "2026-03-01", AIM, SCOPE, LODGING, MEALS)
    assert (counts["flagged"], counts["moved"]) == (0, 2)
    store(database, tmp_path, "2026-05-01", AIM, SCOPE, ASKING, LODGING, MEALS)
    assert cited(database) == {"t-1": ("第四条", 4), "t-2": ("第五条第一款", 5)}
    assert flags(database, "t-1", "t-2") == {}
    with database.read() as session:
        assert session.get_one(EntryRow, "t-1").version == 3
        assert session.get_one(EntryVersionRow, ("t-1", 1)).body["sources"][0]["label"] == f"{TITLE}第二条"
        moved = session.get_one(EntryVersionRow, ("t-1", 3))
        assert (moved.author, moved.reviewer) == ("wang", "wang")
        draft = draft_of(session, "t-1")
        assert (draft.base_version, draft.body["sources"][0]["label"]) == (3, f"{TITLE}第四条")


def test_a_change_is_told_since_it_was_last_looked_at_and_taken_back_when_reverted(database: Database, tmp_path: Path):
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2)
    cite(database, "t-2", "第三条", 3)
    more = MEALS.replace("100", "120")
    store(database, tmp_path, "2026-03-01", AIM, SCOPE, LODGING, more)
    counts = store(database, tmp_path, "2026-05-01", AIM, SCOPE, ASKING, LODGING, more)
    assert counts["flagged"] == 1
    [told] = flags(database, "t-1", "t-2")["t-2"]
    assert "从版本 2026.1 更新到版本 2026.3" in told and "第三条已修改，现为第五条" in told
    reverted = bring(database, tmp_path, version("2026-06-01", AIM, LODGING, MEALS))
    assert shown(database, reverted)["affected_entries"] == []
    confirm(database, reverted)
    assert flags(database, "t-1", "t-2") == {}
    assert cited(database) == {"t-1": ("第二条", 2), "t-2": ("第三条", 3)}


def test_an_article_that_is_gone_is_cited_in_words_until_it_is_back(database: Database, tmp_path: Path):
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2)
    store(database, tmp_path, "2026-03-01", AIM, MEALS)
    assert cited(database) == {"t-1": ("第二条", None)}, "第二条 is about meals now"
    assert "第二条已删除" in flags(database, "t-1")["t-1"][0]
    store(database, tmp_path, "2026-05-01", AIM, SCOPE, MEALS)
    assert "第二条已删除" in flags(database, "t-1")["t-1"][0], "and was not brought back by another 第二条"
    store(database, tmp_path, "2026-06-01", AIM, SCOPE, LODGING, MEALS)
    assert cited(database) == {"t-1": ("第三条", 3)} and flags(database, "t-1") == {}


def test_an_answer_that_names_the_article_itself_is_looked_at(database: Database, tmp_path: Path):
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2, answer="按第二条，不超过500元。")
    store(database, tmp_path, "2026-03-01", AIM, SCOPE, LODGING, MEALS)
    assert "第二条的条号变了，现为第三条，答案里写的还是第二条" in flags(database, "t-1")["t-1"][0]


def test_references_wait_for_the_day_on_which_a_version_applies(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    on(monkeypatch, date(2026, 2, 1))
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2)
    store(database, tmp_path, "2026-03-01", AIM, SCOPE, LODGING, MEALS)
    store(database, tmp_path, "2026-05-01", AIM, SCOPE, ASKING, LODGING.replace("500", "600"), MEALS)
    assert cited(database) == {"t-1": ("第二条", 2)}
    assert "第二条已修改，现为第四条" in flags(database, "t-1")["t-1"][0]
    with database.read() as session:
        assert counted_by(session, "chailvfei") == "2026.1" and not due(session)
    for day, expected in ((date(2026, 3, 1), ("第三条", 3)), (date(2026, 6, 1), ("第四条", 4))):
        on(monkeypatch, day)
        with database.write() as session:
            assert due(session) and follow_due(session, "system") == 1
        assert cited(database) == {"t-1": expected}
    with database.read() as session:
        assert not due(session) and counted_by(session, "chailvfei") == "2026.3"


def test_an_older_version_of_an_entry_cites_by_the_numbers_of_today(database: Database, tmp_path: Path):
    store(database, tmp_path, "2026-01-01", AIM, LODGING, MEALS)
    cite(database, "t-1", "第二条", 2)
    cite(database, "t-2", "第三条", 3)
    store(database, tmp_path, "2026-03-01", AIM, SCOPE, LODGING)
    with database.read() as session:
        rows = [session.get_one(EntryVersionRow, (one, 1)) for one in ("t-1", "t-2")]
        found = [as_of(session, entry_from_dict(row.body), row.at).sources[0] for row in rows]
    assert found == [Source(f"{TITLE}第三条", "chailvfei", 3), Source(f"{TITLE}第三条")]


RESTARTING = """合同付款管理办法
第一章 总则
第一条 为规范付款，制定本办法。
第二条 本办法适用于集团全体单位。
第二章 付款
第一条 付款需三流一致。
第二条 预付款不得超过合同总额的30%，并须提供保函。
第三章 附则
第一条 本办法由财务部解释。
第二条 本办法自2026年1月1日起施行。
"""


def test_a_chapter_that_begins_again_has_articles_of_its_own(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, RESTARTING, name="付款.txt"))
    with database.write() as session:
        [policy] = documents(session, "policy")
        [source] = SourceReader([policy], []).read("《合同付款管理办法》第二章第二条")
        save_entry(session, Entry("t-1", "预付款比例？", "不超过30%", sources=(Source(**source),)), "chen")
    again = RESTARTING.replace("30%", "20%").replace("2026年1月1日", "2026年6月1日")
    confirm(database, bring(database, tmp_path, again, name="付款.txt"))
    assert "第二章第二条已修改" in flags(database, "t-1")["t-1"][0]
