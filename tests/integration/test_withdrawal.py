"""A policy or a table that was brought in by mistake is taken out of use at once, and can be brought back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import today
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from kb import policies
from kb.care.checks import findings, known
from kb.care.flags import open_flags
from kb.encoder import load_encoder
from kb.entries import PUBLIC, Entry, Source
from kb.evaluation.remembering import Remembering
from kb.ingest.policies import withdrawal
from kb.ingest.policies.references import counted
from kb.ingest.policies.withdrawal import bring_back, withdraw
from kb.policies import policies_to_publish, policy_versions, save_policy
from kb.release.live import LiveKnowledge
from kb.release.publish import Publisher
from kb.store import save_document, save_entry
from tests.integration.test_policy_imports import FIRST, bring, confirm, shown
from tests.integration.test_releases import entry, released

LODGING = Entry(
    "t-1", "住宿限额？", "见标准。", sources=(Source("《差旅费管理办法》第二条", policy="travel", article=2),)
)
ALLOWANCE = Entry("t-2", "补贴标准？", "见标准表。", sources=(Source("《补贴表》", table="allowance"),))


def store(database: Database) -> None:
    texts = ("适用于全体员工。", "住宿费不超过500元。")
    articles = [
        {"number": n, "label": f"第{'一二'[n - 1]}条", "title": "", "chapter": "", "text": text}
        for n, text in enumerate(texts, 1)
    ]
    policy = {"id": "travel", "title": "差旅费管理办法", "version": "1", "effective_from": None, "articles": articles}
    later = {**policy, "version": "2", "effective_from": (today() + timedelta(days=30)).isoformat()}
    table = {
        "id": "allowance", "title": "补贴表", "unit": "元", "effective_from": None, "source": None,
        "dimensions": [{"name": "城市", "values": ["成都"]}], "rows": [{"城市": "成都", "value": 80}],
    }  # fmt: skip
    with database.write() as session:
        save_policy(session, policy, "wang")
        save_policy(session, later, "wang")
        save_document(session, "table", table)
        for one in (LODGING, ALLOWANCE):
            save_entry(session, one, "chen")


@pytest.mark.slow
def test_what_is_withdrawn_leaves_at_once_and_comes_back(
    database: Database, tmp_path: Path, encoder_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    encoder = Remembering(load_encoder(None, encoder_dir.parent))
    store(database)
    released(database, Publisher(database, tmp_path, encoder), *map(entry, range(12)))
    live = LiveKnowledge(database, tmp_path, encoder)
    later = today() + timedelta(days=40)

    def seen() -> tuple[bool, bool, bool]:
        live.refresh()
        now, then = (live.searcher.get(one, PUBLIC, day) for one, day in (("travel#2", today()), ("travel@2#2", later)))
        return now is not None, then is not None, bool(live.tables(ALLOWANCE, PUBLIC))

    assert seen() == (True, True, True)
    with database.write() as session:
        assert withdraw(session, "policy", "travel", "li", "导错了文件") == 1
        assert withdraw(session, "table", "allowance", "li", "导错了表") == 1
    assert seen() == (False, False, False)
    with database.write() as session:
        bring_back(session, "policy", "travel", "li")
        bring_back(session, "table", "allowance", "li")
    assert seen() == (True, True, True)
    for module in (policies, withdrawal):
        monkeypatch.setattr(module, "today", lambda: later)
    with database.write() as session:
        withdraw(session, "policy", "travel", "li", "作废")
    live.refresh()
    assert not live.searcher.get("travel@2#2", PUBLIC, later), "published while it was still to come"


def test_what_rests_on_it_is_flagged_until_it_is_back(database: Database):
    store(database)
    with database.write() as session:
        withdraw(session, "policy", "travel", "li", "作废")
        withdraw(session, "table", "allowance", "li", "作废")
        told = open_flags(session, ["t-1", "t-2"])
        assert "《差旅费管理办法》已停用" in told["t-1"][0]["detail"] and "《补贴表》已停用" in told["t-2"][0]["detail"]
        assert counted(session) == []
        for one in (LODGING, ALLOWANCE):
            [error] = [found for found in findings(one, known(session), today()) if found["severity"] == "error"]
            assert "已停用，请重新选择" in error["message"]
        ended = [body["effective_to"] for body in policies_to_publish(session)]
        assert ended and max(ended) < today().isoformat()
        assert [row.author for row in policy_versions(session, "travel")] == ["wang", "wang"]
        bring_back(session, "policy", "travel", "li")
        bring_back(session, "table", "allowance", "li")
        assert open_flags(session, ["t-1", "t-2"]) == {}
        assert {body["effective_to"] for body in policies_to_publish(session)} >= {None}


def test_it_is_told_what_cannot_be(database: Database):
    store(database)
    with database.write() as session:
        with pytest.raises(NotFound, match="没有编号为 nope 的标准表"):
            withdraw(session, "table", "nope", "li", "错")
        with pytest.raises(InvalidInput, match="原因"):
            withdraw(session, "policy", "travel", "li", " ")
        with pytest.raises(Conflict, match="没有停用"):
            bring_back(session, "policy", "travel", "li")
        withdraw(session, "policy", "travel", "li", "错")
        with pytest.raises(Conflict, match="已经停用"):
            withdraw(session, "policy", "travel", "li", "错")


def test_a_version_that_is_brought_in_anew_is_in_use(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, FIRST))
    cited = Entry("t-1", "住宿？", "限额内。", sources=(Source("《差旅费管理办法》第二条", "chailvfei", 2),))
    with database.write() as session:
        save_entry(session, cited, "chen")
        withdraw(session, "policy", "chailvfei", "li", "导错了")
    again = bring(database, tmp_path, FIRST.replace("100元", "120元").replace("1月1日", "2月1日"))
    assert any("已停用；确认后，这次导入的版本会投入使用" in note for note in shown(database, again)["notes"])
    confirm(database, again)
    with database.read() as session:
        assert [(body["version"], body["effective_to"]) for body in policies_to_publish(session)] == [("2026.2", None)]
        assert open_flags(session, ["t-1"]) == {}
