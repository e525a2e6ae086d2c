"""A manager's FAQ sheets, from the file to the entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from sqlalchemy import select

from core.clock import now
from core.database import Database
from core.errors import Conflict, NotFound
from kb.care.drafts import DraftRow, propose
from kb.entries import Audience, Entry, Source
from kb.ingest.decisions import resolve, resolve_open
from kb.ingest.imports import (
    DONE,
    FAILED,
    PREVIEW,
    FileChunkRow,
    LineRow,
    forget,
    import_of,
    in_preview,
    lock_import,
)
from kb.ingest.report import rows_of, write_report
from kb.store import EntryVersionRow, live_entries, save_document, save_entry
from tests.ingesters import confirm, read, seen, work
from tests.workbooks import workbook

STAY = Entry(
    id="t-1", question="出差住宿费能报多少？", answer="限额内据实。", similar=("酒店一晚上限多少",), owner="报销组"
)
LOAN = Entry(id="t-2", question="怎么申请员工借款？", answer="提交借款单。", business_type="借款")


def csv(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("utf-8-sig")


def stored(database: Database) -> dict[str, Entry]:
    with database.read() as session:
        return {entry.id: entry for entry in live_entries(session)}


def by_question(database: Database) -> dict[str, Entry]:
    return {entry.question: entry for entry in stored(database).values()}


def keep(database: Database, *entries: Entry) -> None:
    with database.write() as session:
        for entry in entries:
            save_entry(session, entry, "starter")


def shown(database: Database, import_id: str, only: str = "") -> list[dict[str, Any]]:
    with database.read() as session:
        return rows_of(session, seen(database, import_id), only=only, page_size=100)[0]


def decide(database: Database, import_id: str, resolution: str, row: int | None = None) -> None:
    with database.write() as session:
        held = in_preview(lock_import(session, import_id))
        if row is None:
            resolve_open(session, held, resolution)
        else:
            resolve(session, held, row, resolution)


def applied(database: Database, import_id: str, approve: bool = True) -> dict[str, int]:
    confirm(database, import_id, approve=approve)
    work(database)
    row = seen(database, import_id)
    assert row.state == DONE, row.error
    return row.counts


def test_a_departments_sheet_as_it_comes(database: Database) -> None:
    """A title above, remarks in the headers, merged cells, a section between the rows, two sheets, a sheet of notes."""
    with database.write() as session:
        policy = {
            "id": "travel",
            "title": "差旅费管理办法",
            "articles": [{"number": 12, "label": "第十二条", "text": "x"}],
        }
        save_document(session, "policy", policy)

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A1:G1")
        for column in "ACDEF":
            sheet.merge_cells(f"{column}3:{column}5")
        sheet.merge_cells("A6:G6")

    first = [
        ["财务共享常见问题（2026 年）"],
        ["*问题（必填）", "扩展问", "回答", "所属分类", "生效日期", "来源", "备注"],
        ["住宿费能报多少", "酒店上限", "见限额表", "差旅", "2026年1月1日", "《差旅费管理办法》第十二条", "新"],
        [None, "宾馆能报多少|旅馆标准"],
        [None, "住店费用\n住宿限额"],
        ["二、发票"],
        ["发票抬头怎么写", None, "写公司全称", "发票", "2026/3/1", None, None],
    ]
    second = [["Question", "Answer", "受众"], ["How to pay", "Ask AP", "用户组:finance"]]
    row = read(database, "FAQ.xlsx", workbook(first, second, [["填写说明"], ["请联系张三"]], [], change=merge))
    assert row.state == PREVIEW, row.error
    assert row.counts["create"] == 3 and row.counts["invalid"] == 0
    assert row.summary["sheets"] == ["表1", "表2"] and row.summary["passed_over"] == ["表3"]
    assert row.summary["ignored"] == ["备注"]
    assert stored(database) == {}
    assert applied(database, row.id)["created"] == 3
    entries = by_question(database)
    stay = entries["住宿费能报多少"]
    assert stay.similar == ("酒店上限", "宾馆能报多少", "旅馆标准", "住店费用", "住宿限额")
    assert (stay.business_type, str(stay.effective_from), stay.extra) == ("差旅", "2026-01-01", (("备注", "新"),))
    assert (stay.sources[0].policy, stay.sources[0].article) == ("travel", 12)
    assert entries["How to pay"].audience == Audience(groups=frozenset({"finance"}))
    with database.read() as session:
        version = session.scalars(select(EntryVersionRow).where(EntryVersionRow.entry_id == stay.id)).one()
    assert (version.author, version.reviewer) == ("li", "wang")


def test_a_header_of_two_rows_keeps_the_answers_to_whom_they_belong(database: Database) -> None:
    def merge(sheet: Any) -> None:
        for cells in ("A1:A2", "B1:B2", "C1:D1", "E1:F1"):
            sheet.merge_cells(cells)

    rows = [
        ["问题", "答案", "可见范围", None, "有效期", None],
        [None, None, "公司", "人员组", "开始", "结束"],
        ["采购返利怎么入账", "冲减采购成本", None, "财务部", date(2026, 1, 1), date(2026, 6, 30)],
        ["进口关税谁来付", "采购部先行垫付", "公司:2000", None, None, None, "没有列名的话"],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows, change=merge))
    assert (row.counts["create"], row.counts["rows"]) == (2, 2)
    assert row.summary["ignored"] == ["G 列"]
    applied(database, row.id)
    entries = by_question(database)
    inside = entries["采购返利怎么入账"]
    assert inside.audience == Audience(groups=frozenset({"财务部"}))
    assert (inside.effective_from, inside.effective_to) == (date(2026, 1, 1), date(2026, 6, 30))
    assert entries["进口关税谁来付"].audience == Audience(companies=frozenset({"2000"}))
    assert entries["进口关税谁来付"].extra == (("G 列", "没有列名的话"),)


def test_a_merged_header_of_the_audience_covers_all_its_columns(database: Database) -> None:
    rows = [
        ["问题", "答案", "适用范围", None],
        ["甲", "答", None, "财务部"],
        ["乙", "答", "公司:1000", "人员组:财务部"],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows, change=lambda sheet: sheet.merge_cells("C1:D1")))
    refused, taken = shown(database, row.id)
    assert refused["action"] == "invalid" and "财务部" in refused["message"]
    applied(database, row.id)
    assert by_question(database)["乙"].audience == Audience(frozenset({"1000"}), frozenset({"财务部"}))


def test_a_column_without_header_beside_the_audience_is_not_taken_for_public(database: Database) -> None:
    """A merged header that was saved as CSV."""
    row = read(database, "问答.csv", csv("问题,答案,适用范围,,备注,", "甲,答,,财务部,,", "乙,答,公司:1000,,,随便"))
    refused, taken = shown(database, row.id)
    assert refused["action"] == "invalid" and "“D 列”列写着“财务部”" in refused["message"]
    assert taken["action"] == "create"


def test_what_nobody_can_read_of_the_audience_is_refused(database: Database) -> None:
    rows = [
        ["问题", "答案", "适用主体", "口径密级"],
        ["甲", "答", "2000", "内部"],
        ["乙", "答", "仅2000公司", "公开"],
        ["丙", "答", "2000", "公开"],
        ["丁", "答", "全集团", None],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows))
    first, second, *_ = shown(database, row.id)
    assert "“口径密级”列写着“内部”" in first["message"] and "仅2000公司" in second["message"]
    assert applied(database, row.id)["failed"] == 2
    entries = by_question(database)
    assert entries["丙"].audience == Audience(companies=frozenset({"2000"}))
    assert entries["丁"].audience.public and set(entries) == {"丙", "丁"}


def test_every_column_of_the_audience_counts(database: Database) -> None:
    lines = (
        "问题,答案,适用范围,适用公司,人员组",
        "甲,答,公司:1000,,",
        "乙,答,,1000/2000,全部",
        "丙,答,人员组:财务部,１０００,",
    )
    row = read(database, "问答.csv", csv(*lines))
    applied(database, row.id)
    entries = by_question(database)
    assert entries["甲"].audience == Audience(companies=frozenset({"1000"}))
    assert entries["乙"].audience == Audience(companies=frozenset({"1000", "2000"}))
    assert entries["丙"].audience == Audience(frozenset({"1000"}), frozenset({"财务部"}))


def test_answers_are_what_the_sheet_shows_and_keep_their_links(database: Database) -> None:
    def change(sheet: Any) -> None:
        sheet["B2"].number_format = "0%"
        sheet["C2"].number_format = "#,##0"
        sheet["B3"].hyperlink = "https://intra.example.com/form (1)"
        sheet["B4"].hyperlink = "https://intra.example.com/uav/"
        sheet["B5"].hyperlink = "https://intra.example.com"
        sheet["A5"].hyperlink = "https://intra.example.com/q"

    rows = [
        ["问题", "答案", "适用公司"],
        ["维修专票税率是多少", 0.03, 1000],
        ["维修申请表在哪里", "维修申请表"],
        ["维修费怎么报", "需要提供：\n• 合同\n• 验收单"],
        ["制度在哪里", "见 intra.example.com"],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows, change=change))
    assert row.counts["create"] == 4
    assert "A 列单元格的链接没有导入：https://intra.example.com/q" in shown(database, row.id)[3]["message"]
    applied(database, row.id)
    entries = by_question(database)
    tax = entries["维修专票税率是多少"]
    assert (tax.answer, tax.audience.companies) == ("3%", {"1000"})
    assert entries["维修申请表在哪里"].answer == "[维修申请表](https://intra.example.com/form%20%281%29)"
    assert entries["维修费怎么报"].answer.endswith("• 验收单\n\n[查看链接](https://intra.example.com/uav/)")
    assert entries["制度在哪里"].answer == "见 intra.example.com"


def test_every_bad_row_says_why_and_the_others_go_in(database: Database) -> None:
    row = read(
        database,
        "问答.csv",
        csv(
            "编号,问题,回答,生效日期,失效日期,适用范围",
            ",好问题,好答案,,,",
            ",,没有问题,,,",
            ",没有答案,,,,",
            ",日期不对,答,明天,,",
            ",倒着,答,2026-02-01,2026-01-01,",
            ",范围,答,,,北京分公司",
            "a b,编号,答,,,",
            f",{'长' * 501},答,,,",
            ",？！,答,,,",
        ),
    )
    messages = {one["line"]: one["message"] for one in shown(database, row.id, "invalid")}
    words = ["缺少标准问", "缺少答案", "明天", "早于", "北京分公司", "编号", "500", "没有文字"]
    assert len(messages) == 8
    for (line, message), word in zip(messages.items(), words, strict=True):
        assert word in message, (line, message)
    counts = applied(database, row.id)
    assert (counts["created"], counts["failed"]) == (1, 8)
    assert list(by_question(database)) == ["好问题"]
    assert {one["outcome"] for one in shown(database, row.id, "invalid")} == {"failed"}


def test_a_row_that_asks_what_an_entry_asks_waits_for_a_person(database: Database) -> None:
    keep(database, STAY, LOAN)
    row = read(
        database,
        "问答.csv",
        csv("问题,相似问,回答", "出差住宿费能报多少,宾馆上限,新答案", "酒店一晚，上限多少？,,另一个", "全新的问题,,答"),
    )
    first, second = shown(database, row.id, "collide")
    assert first["collides_with"]["entry_id"] == second["collides_with"]["entry_id"] == "t-1"
    assert (
        first["collides_with"]["answer"] == "限额内据实。" and second["collides_with"]["question"] == "酒店一晚上限多少"
    )
    with pytest.raises(Conflict, match="2 行"):
        confirm(database, row.id)
    decide(database, row.id, "merge", first["row"])
    assert [one["row"] for one in shown(database, row.id, "open")] == [second["row"]]
    with pytest.raises(NotFound):
        decide(database, row.id, "merge", 4)
    decide(database, row.id, "skip")
    counts = applied(database, row.id)
    assert (counts["merged"], counts["skipped"], counts["created"]) == (1, 1, 1)
    stay = stored(database)["t-1"]
    assert stay.similar == ("酒店一晚上限多少", "宾馆上限") and stay.answer == "限额内据实。"


@pytest.mark.parametrize("resolution", ["overwrite", "create"])
def test_overwrite_and_create(database: Database, resolution: str) -> None:
    keep(database, STAY)
    row = read(database, "问答.csv", csv("问题,回答", "出差住宿费能报多少,新答案"))
    decide(database, row.id, resolution)
    applied(database, row.id)
    entries = stored(database)
    if resolution == "overwrite":
        assert list(entries) == ["t-1"]
        assert (entries["t-1"].answer, entries["t-1"].similar) == ("新答案", STAY.similar)
        assert entries["t-1"].owner == "报销组", "what the file has no column for must stay"
    else:
        assert len(entries) == 2 and entries["t-1"].answer == STAY.answer


def test_an_empty_cell_takes_nothing_from_the_entry_that_a_row_meets_by_its_question(database: Database) -> None:
    keep(database, replace(STAY, sources=(Source("《差旅费管理办法》"),), effective_from=date(2026, 1, 1)))
    heading = "问题,相似问,回答,依据,生效日期,负责组"
    row = read(database, "问答.csv", csv(heading, "出差住宿费能报多少,,新答案,,,"))
    decide(database, row.id, "overwrite")
    applied(database, row.id)
    entry = stored(database)["t-1"]
    assert (entry.answer, entry.similar, entry.owner) == ("新答案", STAY.similar, "报销组")
    assert entry.sources and entry.effective_from == date(2026, 1, 1)
    assert "空着的列保留了原来的内容" in shown(database, row.id)[0]["message"]
    named = read(database, "问答.csv", csv("编号," + heading, "t-1,出差住宿费能报多少？,,新答案,,,"))
    applied(database, named.id)
    assert stored(database)["t-1"].similar == (), "a row that names the entry says all of it"


def test_rows_of_one_file_that_ask_the_same(database: Database) -> None:
    row = read(database, "问答.csv", csv("问题,相似问,回答", "甲问题,,一", "甲问题？,乙问法,二", "甲问题,,一"))
    create, collide, same = shown(database, row.id)
    assert (create["action"], collide["action"], same["action"]) == ("create", "collide", "same")
    assert collide["collides_with"]["row"] == create["row"] and collide["collides_with"]["answer"] == "一"
    decide(database, row.id, "merge")
    counts = applied(database, row.id)
    assert (counts["created"], counts["merged"], counts["skipped"]) == (1, 1, 1)
    (entry,) = stored(database).values()
    assert (entry.question, entry.similar, entry.answer) == ("甲问题", ("乙问法",), "一")


COMPANIES = (
    "问题,答案,适用范围",
    "夜航津贴一晚多少,每晚 120 元,公司:1000",
    "夜航津贴一晚多少,每晚 90 元,公司:2000",
    "夜航津贴一晚多少？,其他公司每晚 60 元,",
)


def test_one_question_with_an_answer_for_each_company(database: Database) -> None:
    row = read(database, "问答.csv", csv(*COMPANIES))
    first, second, third = shown(database, row.id)
    assert [one["action"] for one in (first, second, third)] == ["create", "create", "collide"]
    assert third["audience"] == {"companies": [], "groups": []}
    assert third["collides_with"]["audience"] == {"companies": ["1000"], "groups": []}
    decide(database, row.id, "create")
    applied(database, row.id)
    assert {entry.answer: set(entry.audience.companies) for entry in stored(database).values()} == {
        "每晚 120 元": {"1000"},
        "每晚 90 元": {"2000"},
        "其他公司每晚 60 元": set(),
    }
    again = read(database, "问答.csv", csv(*COMPANIES[:3]))
    assert again.counts["same"] == 2, "each meets its own company's before the one that is for everybody"


def test_the_same_file_again_finds_the_entry_of_each_company(database: Database) -> None:
    applied(database, read(database, "问答.csv", csv(*COMPANIES[:3])).id)
    assert read(database, "问答.csv", csv(*COMPANIES[:3])).counts["same"] == 2
    assert read(database, "问答.csv", csv(COMPANIES[0], "夜航津贴一晚多少,新,公司:3000")).counts["create"] == 1


PERIODS = (
    "问题,答案,生效日期,失效日期",
    "夜航津贴一晚多少,每晚 90 元,2026-01-01,2026-12-31",
    "夜航津贴一晚多少？,每晚 120 元,2027-01-01,",
)


def test_one_question_with_an_answer_for_each_period(database: Database) -> None:
    row = read(database, "问答.csv", csv(*PERIODS))
    assert [one["action"] for one in shown(database, row.id)] == ["create", "create"]
    assert applied(database, row.id)["created"] == 2
    assert {entry.answer: entry.effective_from for entry in stored(database).values()} == {
        "每晚 90 元": date(2026, 1, 1),
        "每晚 120 元": date(2027, 1, 1),
    }
    assert read(database, "问答.csv", csv(*PERIODS)).counts["same"] == 2, "each meets the one of its own period"
    lines = (PERIODS[0], "夜航津贴一晚多少,每晚 80 元,,2025-12-31", "夜航津贴一晚多少,每晚 100 元,2026-12-31,")
    again = read(database, "问答.csv", csv(*lines))
    assert [one["action"] for one in shown(database, again.id)] == ["create", "collide"]


def test_the_period_of_a_row_that_names_its_entry_is_the_entrys_where_the_file_has_none(database: Database) -> None:
    keep(database, replace(STAY, effective_to=date(2026, 12, 31)), replace(LOAN, effective_from=date(2027, 1, 1)))
    row = read(database, "问答.csv", csv("编号,问题,答案", f"t-1,{LOAN.question},改了"))
    assert [one["action"] for one in shown(database, row.id)] == ["update"]


def test_a_row_that_leaves_days_without_an_answer_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.ingest.faq.today", lambda: date(2026, 11, 23))
    keep(database, STAY, replace(LOAN, effective_to=date(2026, 1, 1)))
    header = "编号,问题,答案,生效日期,失效日期"
    named, met, ended = (
        f"t-1,{STAY.question},新口径,2027-01-01,",
        f",{STAY.question},新口径,2027-01-01,",
        f"t-2,{LOAN.question},新口径,2027-01-01,",
    )
    for line, begins in ((named, "这条知识现在有效，改成 2027-01-01 生效后"), (met, "如选“覆盖”：这条知识现在有效")):
        [one] = shown(database, read(database, "问答.csv", csv(header, line)).id)
        assert begins in one["message"] and "失效日期改为 2026-12-31" in one["message"]
    [one] = shown(database, read(database, "问答.csv", csv(header, ended)).id)
    assert (one["action"], one["message"]) == ("update", "")


def test_a_row_does_not_overwrite_what_its_file_says_to_somebody_else(database: Database) -> None:
    row = read(database, "问答.csv", csv(*COMPANIES))
    assert "可见范围不同" in shown(database, row.id)[2]["message"]
    decide(database, row.id, "overwrite")
    counts = applied(database, row.id)
    assert (counts["created"], counts["failed"]) == (2, 1)
    assert "第 2 行写给不同的可见范围" in shown(database, row.id)[2]["message"]
    answers = {tuple(entry.audience.companies): entry.answer for entry in stored(database).values()}
    assert answers == {("1000",): "每晚 120 元", ("2000",): "每晚 90 元"}


def test_a_row_that_replaces_another_of_its_file_says_so(database: Database) -> None:
    row = read(database, "问答.csv", csv(*COMPANIES[:2], "夜航津贴一晚多少,每晚 130 元,公司:1000"))
    decide(database, row.id, "overwrite")
    applied(database, row.id)
    assert "替换了第 2 行写入的内容" in shown(database, row.id)[1]["message"]
    assert [entry.answer for entry in stored(database).values()] == ["每晚 130 元"]


def test_an_empty_cell_opens_no_entry_to_everybody(database: Database) -> None:
    keep(database, replace(STAY, audience=Audience(frozenset({"1000"}))))
    row = read(database, "问答.csv", csv("问题,答案,适用范围", "出差住宿费能报多少,新,"))
    decide(database, row.id, "overwrite")
    applied(database, row.id)
    assert stored(database)["t-1"].audience.companies == {"1000"}
    assert "仍然只有公司“1000”能看到" in shown(database, row.id)[0]["message"]


def test_two_rows_of_a_file_do_not_overwrite_one_entry(database: Database) -> None:
    keep(database, Entry(id="n-1", question="夜航津贴一晚多少", answer="旧"))
    row = read(database, "问答.csv", csv(*COMPANIES[:3], "夜航津贴一晚多少,又一个,公司:1000"))
    assert "第 2 行也问这个问题" in shown(database, row.id)[2]["message"]
    for one in shown(database, row.id):
        decide(database, row.id, "overwrite", one["row"])
    counts = applied(database, row.id)
    assert (counts["updated"], counts["failed"]) == (1, 2)
    assert "第 2 行已经改写了条目 n-1" in shown(database, row.id)[1]["message"]
    assert stored(database)["n-1"].answer == "每晚 120 元"


def test_a_merged_row_says_that_its_answer_was_not_taken(database: Database) -> None:
    keep(database, STAY)
    lines = (
        "问题,相似问,答案",
        "出差住宿费能报多少,宾馆上限,800 元",
        "酒店一晚上限多少,,限额内据实",
        "酒店一晚上限多少？,,900 元",
    )
    row = read(database, "问答.csv", csv(*lines))
    decide(database, row.id, "merge")
    applied(database, row.id)
    first, second, third = (one["message"] for one in shown(database, row.id))
    assert "这一行的答案没有采用" in first and "没有采用" not in second and "这一行的答案没有采用" in third
    assert stored(database)["t-1"].answer == STAY.answer


def test_an_id_changes_its_entry_and_no_more_than_the_file_says(database: Database) -> None:
    keep(database, STAY, LOAN)
    row = read(
        database, "改答案.csv", csv("编号,答案", "t-1,新的答案", "t-2,提交借款单。", "t-9,没有这条", "t-1,又一个")
    )
    update, same, unknown, twice = shown(database, row.id)
    assert (update["action"], same["action"], unknown["action"], twice["action"]) == (
        "update",
        "same",
        "invalid",
        "invalid",
    )
    assert update["question"] == STAY.question
    assert applied(database, row.id)["updated"] == 1
    entry = stored(database)["t-1"]
    assert (entry.answer, entry.similar, entry.owner, entry.version) == ("新的答案", STAY.similar, "报销组", 2)
    assert stored(database)["t-2"].version == 1


def test_without_approval_everything_is_a_draft_for_review(database: Database) -> None:
    keep(database, STAY)
    row = read(database, "问答.csv", csv("编号,问题,答案", "t-1,出差住宿费能报多少？,改了", ",新问题,新答案"))
    assert applied(database, row.id, approve=False)["updated"] == 1
    assert stored(database) == {"t-1": STAY}
    with database.read() as session:
        drafts = session.scalars(select(DraftRow)).all()
    assert {(draft.state, draft.author) for draft in drafts} == {("submitted", "li")} and len(drafts) == 2
    again = read(database, "问答.csv", csv("问题,答案", "新问题,新答案", "新问题。,别的答案"))
    assert [one["action"] for one in shown(database, again.id)] == ["same", "collide"]


def test_drafts_of_an_import_carry_what_the_checks_find(database: Database) -> None:
    """A warning goes to the reviewer with the draft; an error keeps it with its author, and the row says why."""
    quoted = Source("规定", regulation="规定", quote="住宿费限额 500 元。")
    keep(database, replace(STAY, sources=(quoted,)))
    lines = ("编号,问题,答案", "t-1,出差住宿费能报多少？,限额 900 元", ",新问题,[看](javascript:alert(1))")
    row = read(database, "问答.csv", csv(*lines))
    counts = applied(database, row.id, approve=False)
    assert (counts["updated"], counts["created"], counts["held"]) == (1, 1, 1)
    with database.read() as session:
        drafts = {draft.question: draft for draft in session.scalars(select(DraftRow))}
    assert drafts[STAY.question].state == "submitted"
    assert "amount" in [one["kind"] for one in drafts[STAY.question].findings]
    assert drafts["新问题"].state == "draft" and drafts["新问题"].findings[0]["kind"] == "unsafe"
    assert [one["message"] for one in shown(database, row.id)][1].startswith(
        "存为草稿，处理后再送审；答案里的链接不安全"
    )


def test_imports_are_forgotten_and_their_entries_stay(database: Database) -> None:
    done = read(database, "问答.csv", csv("问题,答案", "甲,乙"))
    applied(database, done.id)
    left = read(database, "问答.csv", csv("问题,答案", "丙,丁"))
    with database.write() as session:
        assert forget(session, now() - timedelta(days=1)) == 0
        assert forget(session, now() + timedelta(seconds=1)) == 2
    with database.read() as session:
        assert not session.scalars(select(LineRow)).all() and not session.scalars(select(FileChunkRow)).all()
        with pytest.raises(NotFound):
            import_of(session, left.id)
    assert set(by_question(database)) == {"甲"}


def test_somebody_elses_draft_is_left_alone(database: Database) -> None:
    keep(database, STAY)
    with database.write() as session:
        propose(session, Entry(id="t-1", question=STAY.question, answer="她在改"), "zhao")
    row = read(database, "问答.csv", csv("编号,答案", "t-1,我也改"))
    for approve in (True, False):
        if seen(database, row.id).state != PREVIEW:
            row = read(database, "问答.csv", csv("编号,答案", "t-1,我也改"))
        assert applied(database, row.id, approve=approve)["failed"] == 1
        assert "zhao" in shown(database, row.id)[0]["message"]
    assert stored(database)["t-1"] == STAY


def test_what_changes_between_preview_and_confirmation_is_seen(database: Database) -> None:
    keep(database, STAY)
    row = read(database, "问答.csv", csv("问题,相似问,回答", "酒店一晚上限多少,甲|乙,x"))
    decide(database, row.id, "merge")
    keep(database, Entry(id="t-1", question=STAY.question, answer="刚改的", similar=("酒店一晚上限多少", "甲")))
    applied(database, row.id)
    entry = stored(database)["t-1"]
    assert (entry.answer, entry.similar) == ("刚改的", ("酒店一晚上限多少", "甲", "乙"))


def test_what_changes_while_the_worker_prepares_is_prepared_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.ingest import faq

    keep(database, STAY)
    row = read(database, "问答.csv", csv("问题,相似问,回答", "酒店一晚上限多少,甲,x"))
    decide(database, row.id, "merge")
    made, plans = faq.make_plan, []

    def slow(task: Any) -> Any:
        plans.append(made(task))
        if len(plans) == 1:
            keep(database, Entry(id="t-1", question=STAY.question, answer="同时改的", similar=STAY.similar))
        return plans[-1]

    monkeypatch.setattr(faq, "make_plan", slow)
    applied(database, row.id)
    entry = stored(database)["t-1"]
    assert len(plans) == 2 and (entry.answer, entry.similar) == ("同时改的", ("酒店一晚上限多少", "甲"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (csv("姓名,部门", "张三,财务"), "没有找到表头"),
        (csv("问题,答案"), "没有内容"),
        (csv("问题,答案", '"没有收尾的引号,答'), "缺少答案|引号"),
    ],
)
def test_a_sheet_of_no_use_fails_with_advice(database: Database, data: bytes, words: str) -> None:
    import re

    row = read(database, "问答.csv", data)
    told = row.error if row.state == FAILED else shown(database, row.id)[0]["message"]
    assert re.search(words, told or "")


def test_the_report_has_every_row_and_no_formula(database: Database, tmp_path: Path) -> None:
    row = read(
        database, "问答.csv", csv("问题,答案", '"=HYPERLINK(""http://x"",""y"")怎么办",答', "+86怎么打,", "正常,答")
    )
    applied(database, row.id)
    path = tmp_path / "report.xlsx"
    with database.read() as session:
        assert write_report(session, seen(database, row.id), path) == 3
    sheet = load_workbook(path).active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert all(cell.data_type == "s" and cell.value[0] not in "=+-@" for cell in cells)
    table = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    assert [line[5] for line in table] == ["已新建", "未导入", "已新建"]
    assert table[0][2].startswith("'=HYPERLINK") and "缺少答案" in table[1][9]


def test_the_report_names_the_sheets_that_were_passed_over(database: Database, tmp_path: Path) -> None:
    row = read(database, "问答.xlsx", workbook([["问题", "答案"], ["甲", "乙"]], [["我们怎么问"], ["丙"]], []))
    path = tmp_path / "report.xlsx"
    with database.read() as session:
        assert write_report(session, row, path) == 1
    last = [cell.value for cell in list(load_workbook(path).active.iter_rows())[-1]]
    assert (last[0], last[3]) == ("表2", "没有读取") and "没有找到表头" in last[9]


def test_what_a_sheet_shows_and_holds_not_is_told_with_its_row(database: Database) -> None:
    def change(sheet: Any) -> None:
        sheet["B2"].number_format, sheet["B3"].number_format = '0"元/天"', '[=1]"可以";[=0]"不可以";General'
        sheet["B4"].number_format = 'd"日"'
        sheet["D4"].number_format = "m月d日"
        sheet["C5"].font = sheet["E6"].font = Font(strike=True)
        sheet["B2"].comment = Comment("2026年起改为600元", "张三")
        sheet.merge_cells("A7:E7")
        sheet.merge_cells("A8:E8")

    rows = [
        ["问题", "答案", "相似问", "生效日期", "可见人员组"],
        ["住宿补贴多少", 500],
        ["能否报打车费", 1],
        ["每月几号发工资", date(2026, 1, 15), None, date(2026, 3, 1)],
        ["餐补多少", "30 元", "饭补"],
        ["高管年薪怎么报税", "按月", None, None, "finance"],
        ["二、发票"],
        ["说明：以上标准自2027年1月1日起停止执行，仅适用于华东区。"],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows, change=change))
    first, unclear, _, struck, hidden = shown(database, row.id)
    assert "B 列的批注没有读取：2026年起改为600元" in first["message"]
    assert unclear["action"] == "invalid" and "数字格式我们不认识" in unclear["message"]
    assert struck["action"] == "create" and "C 列的内容带删除线" in struck["message"]
    assert hidden["action"] == "invalid", "an audience that is struck out is not everybody"
    assert any("说明：以上标准自2027年" in note for note in row.summary["notes"])
    applied(database, row.id)
    entries = by_question(database)
    assert (entries["住宿补贴多少"].answer, entries["餐补多少"].similar) == ("500元/天", ())
    pay = entries["每月几号发工资"]
    assert (pay.answer, pay.effective_from) == ("15日", date(2026, 3, 1))


def test_html_of_a_web_page_becomes_text_or_is_refused(database: Database) -> None:
    lines = (
        "编号,问题,相似问,答案",
        "h-1,热带鱼<b>饲养费</b>能报吗,养鱼&nbsp;能报吗,<p>标准<br/>500元&nbsp;/天</p>",
        "h-2,企鹅观察费能报吗,,<script>alert(1)</script>可以",
        "h-3,沙漠植树费能报吗,,[看](javascript:alert(1))",
    )
    row = read(database, "问答.csv", csv(*lines))
    text, script, _ = shown(database, row.id)
    assert "答案里的网页标记换成了普通文字" in text["message"]
    assert script["action"] == "invalid" and "答案里有网页代码“<script>”" in script["message"]
    counts = applied(database, row.id)
    assert (counts["created"], counts["failed"]) == (1, 2)
    assert "不能直接通过" in shown(database, row.id)[2]["message"]
    (entry,) = stored(database).values()
    assert (entry.question, entry.similar, entry.answer) == ("热带鱼饲养费能报吗", ("养鱼 能报吗",), "标准\n500元 /天")
    keep(database, replace(entry, answer="<p>标准<br/>500元&nbsp;/天</p>"))
    again = read(database, "问答.csv", csv(*lines[:2]))
    assert again.counts["same"] == 1, "what was stored as HTML reads back the same"


def test_what_no_entry_may_hold_is_refused_with_its_column(database: Database) -> None:
    rows = [
        ["编号", "问题", "答案", "后续问题编号", "依据", "说明"],
        ["差旅-001", "甲", "一"],
        ["..", "乙", "二"],
        ["c", "丙", "三", "\n".join(f"k-{n}" for n in range(21))],
        ["d", "丁", "四", None, "长" * 301],
    ]
    row = read(database, "FAQ.xlsx", workbook(rows))
    messages = [one["message"] for one in shown(database, row.id)]
    assert messages[0] == "" and "编号最长 64 个字符" in messages[1]
    assert messages[2:] == ["后续问题编号超过 20 项，请精简", "依据里有一项超过 300 字，请精简，或检查分隔的符号"]


def test_a_header_that_is_struck_out_still_says_who_may_see(database: Database) -> None:
    def change(sheet: Any) -> None:
        sheet["C1"].font = Font(strike=True)

    row = read(database, "FAQ.xlsx", workbook([["问题", "答案", "可见公司"], ["甲", "一", "1000"]], change=change))
    applied(database, row.id)
    assert by_question(database)["甲"].audience == Audience(frozenset({"1000"}))
