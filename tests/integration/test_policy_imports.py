"""A policy from the manager's disk to the knowledge base: read, corrected, compared, confirmed, and what rests on it flagged."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict, InvalidInput
from kb.care.drafts import draft_of, propose
from kb.care.flags import open_flags
from kb.entries import Entry, Source
from kb.ingest import jobs
from kb.ingest.imports import ImportRow, create_import, import_of
from kb.ingest.kinds import KINDS
from kb.ingest.policies.ingester import change_details, change_table, preview
from kb.passages import passages_of
from kb.policies import policies_to_publish, policy_versions
from kb.store import EntryVersionRow, documents, live_entries, save_document, save_entry
from kb.tables import edition

FIRST = """
差旅费管理办法
华晟财〔2026〕3号
第一章 总则
第一条 适用范围
本办法适用于全体员工。
第二条 住宿费标准
住宿费在限额内据实报销，限额见下表。
住宿费限额标准表（单位：元/人·天）
城市\t集团领导\t部门负责人\t其他人员
北京\t1100\t650\t500
上海\t1,100\t600\t500
第三条 补助
伙食补助费每人每天100元，包干使用。
第四条 施行
本办法自2026年1月1日起施行。
"""
SECOND = """
差旅费管理办法（2027年修订）
华晟财〔2026〕30号
第一章 总则
第一条 适用范围
本办法适用于全体员工。
第二条 事前申请
出差应当事前提交申请单，审批以后方可订票。
第三条 住宿费标准
住宿费在限额内据实报销，限额见下表。超过限额的部分自理。
住宿费限额标准表（单位：元/人·天）
城市\t集团领导\t部门负责人\t其他人员
北京\t1100\t700\t550
上海\t1,100\t600\t500
第四条 施行
本办法自2027年1月1日起施行。
"""


def bring(
    database: Database, tmp_path: Path, text: str, *, name: str = "差旅.txt", policy_id: str | None = None
) -> str:
    path = tmp_path / "upload"
    path.write_text(text, "utf-8")
    with database.write() as session, path.open("rb") as stream:
        row = create_import(session, name=name, stream=stream, kind="auto", author="chen", policy_id=policy_id)
    assert row.kind == "policy"
    jobs.run_waiting(database, KINDS)
    return row.id


def state(database: Database, import_id: str) -> ImportRow:
    with database.read() as session:
        return import_of(session, import_id)


def shown(database: Database, import_id: str) -> dict[str, Any]:
    with database.read() as session:
        return preview(session, import_of(session, import_id))


def confirm(database: Database, import_id: str) -> ImportRow:
    with database.write() as session:
        jobs.confirm(session, KINDS, import_id, by="wang", approve=True)
    jobs.run_waiting(database, KINDS)
    return state(database, import_id)


def use_table(database: Database, import_id: str, n: int = 1, **data: Any) -> dict[str, Any]:
    with database.write() as session:
        return change_table(session, import_of(session, import_id), n, {"use": True, **data})


def cite(database: Database, entry_id: str, *articles: int, table: str | None = None) -> None:
    sources = tuple(_cited(n) for n in articles)
    if table:
        sources += (Source("《表》", table=table),)
    with database.write() as session:
        save_entry(session, Entry(entry_id, f"问题{entry_id}？", "答案", sources=sources), "chen")


def _cited(number: int) -> Source:
    return Source(f"《差旅费管理办法》{number}", policy="chailvfei", article=number)


def flags(database: Database, *ids: str) -> dict[str, list[str]]:
    with database.read() as session:
        return {key: [one["detail"] for one in found] for key, found in open_flags(session, ids).items()}


def test_a_new_policy_is_previewed_and_kept_only_after_a_yes(database: Database, tmp_path: Path):
    import_id = bring(database, tmp_path, FIRST)
    row = state(database, import_id)
    assert (row.state, row.error) == ("preview", None)
    assert row.counts["articles"] == row.counts["added"] == 4 and row.counts["tables_open"] == 1
    found = shown(database, import_id)
    details = {k: found["policy"][k] for k in ("id", "title", "number", "version", "effective_from")}
    assert details == {
        "id": "chailvfei", "title": "差旅费管理办法", "number": "华晟财〔2026〕3号", "version": "2026.1",
        "effective_from": "2026-01-01",
    }  # fmt: skip
    assert found["against"] is None and [one["change"] for one in found["articles"]] == ["added"] * 4
    with database.read() as session:
        assert documents(session, "policy") == []

    confirmed = confirm(database, import_id)
    assert (confirmed.state, confirmed.error, confirmed.counts["tables_made"]) == ("done", None, 0)
    with database.read() as session:
        [policy] = documents(session, "policy")
        assert documents(session, "table") == [], "nobody has confirmed the table"
    assert [(one["number"], one["label"], one["title"]) for one in policy["articles"]][1] == (2, "第二条", "住宿费标准")
    assert [one.title for one in passages_of(policy)][0] == "《差旅费管理办法》第一条 适用范围"
    assert shown(database, import_id)["articles"][0]["change"] == "added", "what was decided upon can be read later"


def test_a_confirmed_table_becomes_one_of_the_knowledge_base(database: Database, tmp_path: Path):
    import_id = bring(database, tmp_path, FIRST)
    [proposed] = shown(database, import_id)["tables"]
    assert proposed["header"] == ["城市", "集团领导", "部门负责人", "其他人员"] and proposed["article"] == 2
    assert proposed["proposal"]["dimensions"] == [{"name": "城市", "column": 0}]
    assert proposed["proposal"]["value_dimension"] == "人员级别" and proposed["proposal"]["unit"] == "元/人·天"
    assert (proposed["confirmed"], proposed["problem"]) == (False, None)
    with pytest.raises(InvalidInput, match="维度列"):
        use_table(
            database, import_id, dimensions=[], value_dimension="", value_columns=[{"name": "其他人员", "column": 3}]
        )
    assert use_table(database, import_id, id="lodging-limit")["confirmed"]
    assert confirm(database, import_id).counts["tables_made"] == 1
    with database.read() as session:
        [table] = documents(session, "table")
    assert {key: table[key] for key in ("id", "title", "unit", "effective_from")} == {
        "id": "lodging-limit", "title": "住宿费限额标准表", "unit": "元/人·天", "effective_from": "2026-01-01",
    }  # fmt: skip
    assert table["source"] == {"name": "《差旅费管理办法》", "policy": "chailvfei", "article": 2, "year": 2026}
    assert table["dimensions"][1] == {"name": "人员级别", "values": ["集团领导", "部门负责人", "其他人员"]}
    assert {"城市": "上海", "人员级别": "集团领导", "value": 1100} in table["rows"] and len(table["rows"]) == 6


def test_a_new_version_is_compared_and_flags_what_rests_on_it(database: Database, tmp_path: Path):
    first = bring(database, tmp_path, FIRST)
    use_table(database, first, id="lodging-limit")
    confirm(database, first)
    for entry_id, articles in {"a-1": (1,), "a-2": (2,), "a-3": (3,), "a-4": (4,)}.items():
        cite(database, entry_id, *articles)
    cite(database, "t-1", table="lodging-limit")

    second = bring(database, tmp_path, SECOND)
    found = shown(database, second)
    assert found["policy"]["id"] == "chailvfei" and found["policy"]["version"] == "2027.1"
    assert found["against"]["version"] == "2026.1" and not found["historic"]
    changes = [(one["change"], one["label"], one.get("was", {}).get("label")) for one in found["articles"]]
    assert changes == [
        ("unchanged", "第一条", None),
        ("added", "第二条", None),
        ("changed", "第三条", "第二条"),
        ("removed", "第三条", None),
        ("changed", "第四条", None),
    ]
    lines = found["articles"][2]["lines"]
    assert {"op": "+", "text": "超过限额的部分自理。"} in lines and {
        "op": "-",
        "text": "| 北京 | 1100 | 650 | 500 |",
    } in lines
    assert [one["id"] for one in found["affected_entries"]] == ["a-2", "a-3", "a-4"]
    assert found["tables"][0]["replaces"] == {"id": "lodging-limit", "title": "住宿费限额标准表"}

    use_table(database, second)
    counts = confirm(database, second).counts
    assert (counts["changed"], counts["added"], counts["removed"], counts["renumbered"]) == (2, 1, 1, 1)
    told = flags(database, "a-1", "a-2", "a-3", "a-4", "t-1")
    assert sorted(told) == ["a-2", "a-3", "a-4", "t-1"] and counts["flagged"] == 4
    assert "第二条住宿费标准已修改，现为第三条住宿费标准" in told["a-2"][0] and "版本 2027.1" in told["a-2"][0]
    assert "第三条补助已删除" in told["a-3"][0]
    with database.read() as session:
        assert [row.version for row in policy_versions(session, "chailvfei")] == ["2027.1", "2026.1"]
        in_force = policies_to_publish(session, date(2026, 12, 31))
    assert [body["version"] for body in in_force] == ["2027.1", "2026.1"]
    assert shown(database, second)["against"]["version"] == "2026.1", "also after it was applied"


TO_COME = SECOND.replace("自2027年1月1日", "自2999年1月1日")


def limits(database: Database, day: date) -> list[Any]:
    """What Beijing's heads of department may spend on a day."""
    with database.read() as session:
        [table] = documents(session, "table")
    held = edition(table, day)
    place = {"城市": "北京", "人员级别": "部门负责人"}
    return [row["value"] for row in held["rows"] if place.items() <= row.items()] if held else []


def test_a_table_to_come_leaves_the_one_in_force_until_its_day(database: Database, tmp_path: Path):
    first = bring(database, tmp_path, FIRST)
    use_table(database, first, id="lodging-limit")
    confirm(database, first)
    cite(database, "a-2", 2, table="lodging-limit")
    cite(database, "t-1", table="lodging-limit")
    second = bring(database, tmp_path, TO_COME)
    told = "《住宿费限额标准表》自 2999-01-01 起按新标准，之前仍按现行标准"
    assert shown(database, second)["notes"] == [f"{told}。"]
    assert [one["id"] for one in shown(database, second)["affected_entries"]] == ["a-2"]
    use_table(database, second)
    both, alone = shown(database, second)["affected_entries"]
    assert (both["id"], alone["id"], alone["reason"]) == ("a-2", "t-1", told) and both["reason"].endswith(f"；{told}")
    assert confirm(database, second).counts["flagged"] == 3
    assert flags(database, "t-1")["t-1"] == [f"{told}，请核对答案里的金额和等级。"]
    assert limits(database, date(2998, 12, 31)) == [650] and limits(database, date(2999, 1, 1)) == [700]
    assert shown(database, second)["notes"] == []


def test_a_version_to_come_is_put_off_with_its_table(database: Database, tmp_path: Path):
    for text, since in ((FIRST, None), (TO_COME, None), (TO_COME, "2999-03-01")):
        import_id = bring(database, tmp_path, text)
        use_table(database, import_id, id="lodging-limit")
        if since:
            with database.write() as session:
                change_details(session, import_of(session, import_id), {"effective_from": since})
        confirm(database, import_id)
    assert limits(database, date(2999, 2, 28)) == [650] and limits(database, date(2999, 3, 1)) == [700]


def test_the_table_in_force_is_kept_though_the_next_one_came_before_it(database: Database, tmp_path: Path):
    for text in (TO_COME, FIRST):
        import_id = bring(database, tmp_path, text)
        use_table(database, import_id, id="lodging-limit")
        assert confirm(database, import_id).counts["tables_made"] == 1
    assert limits(database, date(2998, 12, 31)) == [650] and limits(database, date(2999, 1, 1)) == [700]


def test_the_table_of_an_edition_that_is_over_changes_nothing(database: Database, tmp_path: Path):
    for text, made in ((SECOND.replace("自2027年1月1日", "自2026年3月1日"), 1), (FIRST, 0)):
        import_id = bring(database, tmp_path, text)
        use_table(database, import_id, id="lodging-limit")
        assert confirm(database, import_id).counts["tables_made"] == made
    assert limits(database, date(2026, 11, 1)) == [700]


def test_an_appendix_that_stays_flags_nobody_and_is_still_cited(database: Database, tmp_path: Path):
    text = (
        FIRST.replace("第三条 补助", "第三条之一 补助")
        + "附件1 限额\n总监每月不超过300元。\n附件2 表单\n表单从系统下载。\n"
    )
    confirm(database, bring(database, tmp_path, text))
    cite(database, "a-5", 5)
    cite(database, "a-6", 6)
    cite(database, "a-7", 7)
    with database.write() as session:
        propose(session, Entry("a-7", "问题a-7？", "新答案", sources=(_cited(7),)), "chen")
        numbers = {one["label"]: one["number"] for one in documents(session, "policy")[0]["articles"]}
    assert numbers == {"第一条": 1, "第二条": 2, "第四条": 4, "第三条之一": 5, "附件1": 6, "附件2": 7}

    longer = text.replace("本办法自2026年1月1日起施行。", "单据应当真实。\n第五条 施行\n本办法自2026年3月1日起施行。")
    second = bring(database, tmp_path, longer.replace("第四条 施行", "第四条 单据").replace("从系统下载", "从门户下载"))
    assert [(one["id"], one["reason"]) for one in shown(database, second)["affected_entries"]] == [
        ("a-7", "附件2表单已修改")
    ]
    assert confirm(database, second).counts["flagged"] == 1
    assert sorted(flags(database, "a-5", "a-6", "a-7")) == ["a-7"]
    with database.read() as session:
        labels = {one["number"]: one["label"] for one in documents(session, "policy")[0]["articles"]}
        stored = {entry.id: entry for entry in live_entries(session)}
        assert draft_of(session, "a-7").body["sources"][0]["article"] == 8
        versions = [session.get(EntryVersionRow, (name, 1)) for name in stored]
    cited = {name: labels[entry.sources[0].article or 0] for name, entry in stored.items()}
    assert cited == {"a-5": "第三条之一", "a-6": "附件1", "a-7": "附件2"}
    assert [entry.version for entry in stored.values()] == [1, 1, 1]
    assert [row and row.body["sources"][0]["article"] for row in versions] == [6, 7, 8]


def test_a_table_is_renewed_although_its_article_and_its_title_are_others(database: Database, tmp_path: Path):
    rows = "\n地区\t初级\t中级（元/天）\n西藏\t150\t180\n新疆\t120\t150\n"
    first = (
        "无人机巡检费用管理办法\n第一条 本办法适用于全体员工。\n第二章 费用标准\n第二条 超出下列金额的部分不予报销。"
        f"{rows}第三条 本办法自2025年1月1日起施行。\n"
    )
    second = (
        "无人机巡检费用管理办法\n第一条 本办法适用于全体员工。\n第二条 飞手出勤应当登记。\n第二章 费用标准\n"
        f"第三条 飞手驻外补贴按下表执行。{rows.replace('180', '230')}第四条 本办法自2026年3月1日起施行。\n"
    )
    one = bring(database, tmp_path, first, name="无人机.txt")
    use_table(database, one, id="uav", title="驻外补贴标准", value_dimension="飞手级别")
    confirm(database, one)
    two = bring(database, tmp_path, second, name="无人机.txt")
    [proposed] = shown(database, two)["tables"]
    assert proposed["replaces"] == {"id": "uav", "title": "驻外补贴标准"}
    assert proposed["proposal"]["value_dimension"] == "飞手级别"
    use_table(database, two)
    confirm(database, two)
    with database.read() as session:
        [table] = documents(session, "table")
    assert {"地区": "西藏", "飞手级别": "中级", "value": 230} in table["rows"] and table["source"]["article"] == 3


def test_details_are_corrected_by_a_person(database: Database, tmp_path: Path):
    save = {
        "id": "travel",
        "title": "差旅费管理办法",
        "version": "2025.1",
        "effective_from": "2025-01-01",
        "articles": [],
    }
    with database.write() as session:
        save_document(
            session, "policy", {**save, "owner": "报销组", "audience": {"companies": ["华晟制造公司"], "groups": []}}
        )
    import_id = bring(database, tmp_path, FIRST)
    found = shown(database, import_id)["policy"]
    assert (found["id"], found["owner"], found["audience"]["companies"]) == ("travel", "报销组", ["华晟制造公司"])

    with database.write() as session:
        change_details(session, import_of(session, import_id), {"title": "出差办法", "id": "chucai", "version": "1"})
    assert shown(database, import_id)["against"] is None
    for wrong in ({"id": "../x"}, {"title": " "}, {"effective_to": "2025-12-31"}):
        with pytest.raises(InvalidInput), database.write() as session:
            change_details(session, import_of(session, import_id), wrong)
    confirm(database, import_id)
    with database.read() as session:
        assert [one["id"] for one in documents(session, "policy")] == ["chucai", "travel"]


def test_a_day_that_is_not_certain_is_asked_for_until_it_is_filled_in(database: Database, tmp_path: Path):
    text = FIRST.replace("本办法自2026年1月1日起施行。", "原《差旅费规定》（2023年5月1日起施行）同时废止。")
    import_id = bring(database, tmp_path, text)
    found = shown(database, import_id)
    assert found["policy"]["effective_from"] is None
    assert any("2023-05-01" in note and "请填写这份制度的施行日期" in note for note in found["notes"])
    with database.write() as session:
        change_details(session, import_of(session, import_id), {"effective_from": "2026-01-01"})
    assert shown(database, import_id)["notes"] == []


def test_an_article_that_is_not_there_is_told_before_anything_is_stored(database: Database, tmp_path: Path):
    text = FIRST.replace("第三条 补助", "第四条 补助").replace("第四条 施行", "第五条 施行")
    found = shown(database, bring(database, tmp_path, text))
    assert found["notes"] == ["第三条缺号，其余条号照原文保留；请核对原文，确认没有漏掉条款。"]


def test_another_companys_policy_of_the_same_name_is_one_of_its_own(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, FIRST.replace("差旅费管理", "云帆科技集团差旅费管理")))
    import_id = bring(database, tmp_path, SECOND.replace("差旅费管理", "云帆科技海南有限公司差旅费管理"))
    found = shown(database, import_id)
    assert (found["policy"]["id"], found["against"]) == ("chailvfei-2", None)
    assert found["notes"] == [
        "已入库的《云帆科技集团差旅费管理办法》只有公司不同；如果这份文件是它的新版本，请在“入库为”里选它。"
    ]
    with database.write() as session:
        change_details(session, import_of(session, import_id), {"id": "chailvfei"})
    assert "请在“入库为”里选“一份新制度”" in shown(database, import_id)["notes"][0]

    perhaps = shown(database, bring(database, tmp_path, SECOND))
    assert perhaps["policy"]["id"] == "chailvfei" and "《云帆科技集团差旅费管理办法》的新版本" in perhaps["notes"][0]
    chosen = bring(database, tmp_path, SECOND, policy_id="chailvfei")
    assert shown(database, chosen)["notes"] == []


def test_a_policy_needs_a_reviewer_and_a_version_of_its_own(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, FIRST))
    again = bring(database, tmp_path, FIRST.replace("100元", "120元"))
    assert shown(database, again)["policy"]["version"] == "2026.2", "2026.1 is taken"
    with pytest.raises(Conflict, match="审核权限"), database.write() as session:
        jobs.confirm(session, KINDS, again, by="wang", approve=False)
    with database.write() as session:
        change_details(session, import_of(session, again), {"version": "2026.1"})
    with pytest.raises(Conflict, match="已有版本 2026"), database.write() as session:
        jobs.confirm(session, KINDS, again, by="wang", approve=True)
    assert state(database, again).state == "preview"


def test_the_same_file_again_is_the_same_version(database: Database, tmp_path: Path):
    """For the tables that nobody had confirmed, or to correct who may see it."""
    confirm(database, bring(database, tmp_path, FIRST))
    again = bring(database, tmp_path, FIRST, name="差旅（最终版）.txt")
    assert shown(database, again)["policy"]["version"] == "2026.1"
    use_table(database, again)
    with database.write() as session:
        change_details(session, import_of(session, again), {"audience": {"companies": ["华晟制造公司"], "groups": []}})
    counts = confirm(database, again).counts
    assert (counts["unchanged"], counts["tables_made"], counts["flagged"]) == (4, 1, 0)
    with database.read() as session:
        [policy] = documents(session, "policy")
        assert policy["audience"]["companies"] == ["华晟制造公司"] and len(policy_versions(session, "chailvfei")) == 1


def test_the_file_of_an_earlier_version_is_that_version(database: Database, tmp_path: Path):
    changed = FIRST.replace("100元", "120元").replace("2026年1月1日", "2026年3月1日")
    for text in (FIRST, changed):
        confirm(database, bring(database, tmp_path, text))
    again = bring(database, tmp_path, FIRST)
    found = shown(database, again)
    assert (found["policy"]["version"], found["historic"]) == ("2026.1", True)
    assert found["notes"] == [
        "这份文件的内容与第 2026.1 版（2026-01-01 起施行）相同，不是现行版本；确认后不会新增版本。"
        "要让它重新施行，请填写新的版本号和施行日期。"
    ]
    confirm(database, again)
    with database.read() as session:
        assert [row.version for row in policy_versions(session, "chailvfei")] == ["2026.2", "2026.1"]
    back = bring(database, tmp_path, FIRST)
    with database.write() as session:
        details = {"version": "2026.3", "effective_from": "2026-06-01"}
        change_details(session, import_of(session, back), details)
    confirm(database, back)
    with database.read() as session:
        assert [body["version"] for body in policies_to_publish(session)] == ["2026.3"]


def test_an_older_edition_flags_nobody(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, SECOND.replace("自2027年1月1日", "自2026年3月1日")))
    cite(database, "a-2", 2)
    older = bring(database, tmp_path, FIRST)
    assert shown(database, older)["historic"] and shown(database, older)["affected_entries"] == []
    assert confirm(database, older).counts["flagged"] == 0
    assert shown(database, older)["historic"], "also after it was stored"
    assert flags(database, "a-2") == {}
    with database.read() as session:
        assert documents(session, "policy")[0]["version"] == "2027.1"
        assert [body["version"] for body in policies_to_publish(session)] == ["2027.1"]


def test_an_edition_before_one_to_come_is_no_history(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, SECOND.replace("自2027年1月1日", "自2999年1月1日")))
    older = bring(database, tmp_path, FIRST)
    assert not shown(database, older)["historic"]
    confirm(database, older)
    assert not shown(database, older)["historic"]
    with database.read() as session:
        assert [body["version"] for body in policies_to_publish(session)] == ["2027.1", "2026.1"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.html", b"<html><head><title>x</title><script>var a = 1</script></head><body></body></html>", "没有"),
        ("picture.md", b"---\ntitle: x\n---\n", "没有可以读取的文字"),
    ],
)
def test_a_file_without_text_fails_with_what_to_do(
    database: Database, tmp_path: Path, name: str, data: bytes, message: str
):
    path = tmp_path / "upload"
    path.write_bytes(data)
    with database.write() as session, path.open("rb") as stream:
        row = create_import(session, name=name, stream=stream, kind="policy", author="chen")
    jobs.run_waiting(database, KINDS)
    failed = state(database, row.id)
    assert failed.state == "failed" and message in (failed.error or "")


def test_a_notice_of_changes_takes_no_policy_away(database: Database, tmp_path: Path):
    confirm(database, bring(database, tmp_path, FIRST))
    notice = (
        "关于修订《差旅费管理办法》部分条款的通知\n华晟财〔2026〕12号\n各部门：\n一、将第二条修改为：“住宿费不超过600元。”\n"
        "二、删除第三条。\n本通知自2026年6月1日起施行。\n"
    )
    one = bring(database, tmp_path, notice, name="通知.txt")
    assert (
        state(database, one).body["policy"]["id"] != "chailvfei"
        and "不能作为它的新版本" in shown(database, one)["notes"][0]
    )
    chosen = bring(database, tmp_path, notice, name="通知.txt", policy_id="chailvfei")
    for import_id in (one, chosen):
        with pytest.raises(Conflict, match="修改后的全文"):
            confirm(database, import_id)
    assert any(
        "其中 4 条在这份文件里没有了" in note or "其中 3 条" in note for note in shown(database, chosen)["notes"]
    )
    with database.read() as session:
        assert [len(one["articles"]) for one in policies_to_publish(session)] == [4]


def test_what_says_that_it_is_secret_needs_an_audience(database: Database, tmp_path: Path):
    text = "机密★3年\n仅限财务部查阅，不得外传\n薪酬管理办法\n第一条 年薪为120万元。\n第二条 本办法自2026年1月1日起施行。\n"
    one = bring(database, tmp_path, text)
    assert any("机密★3年" in note and "可见公司" in note for note in shown(database, one)["notes"])
    with pytest.raises(Conflict, match="不能让所有人看到"):
        confirm(database, one)
    with database.write() as session:
        change_details(session, import_of(session, one), {"audience": {"companies": [], "groups": ["财务部"]}})
    assert confirm(database, one).state == "done"
    with database.read() as session:
        [policy] = documents(session, "policy")
    assert policy["audience"]["groups"] == ["财务部"]
