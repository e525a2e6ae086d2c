"""Files that were written when the knowledge was another: what colleagues did meanwhile stays, and who sees what is asked."""

from __future__ import annotations

import csv as csv_file
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict
from kb.care.drafts import propose
from kb.entries import Audience, Entry
from kb.ingest import faq
from kb.ingest.export import write_entries
from kb.store import retire_entry, save_entry
from tests.ingesters import confirm, read, work
from tests.integration.test_import_faq import applied, by_question, csv, decide, keep, shown, stored

FINANCE = Audience(groups=frozenset({"finance"}))
PAY = Entry(id="p-1", question="高管年薪怎么报税", answer="每天999元")
LOAN = Entry(id="p-2", question="员工借款怎么办理", answer="提交借款单")


def exported(database: Database, path: Path, **answers: str) -> bytes:
    """The export as .csv, with other answers for some ids."""
    with database.read() as session:
        write_entries(session, path / "x.csv")
    head, *rows = csv_file.reader(io.StringIO((path / "x.csv").read_text("utf-8-sig")))
    made = io.StringIO()
    writer = csv_file.writer(made)
    writer.writerow(head)
    for row in rows:
        row[head.index("答案")] = answers.get(row[0], row[head.index("答案")])
        writer.writerow(row)
    return made.getvalue().encode("utf-8-sig")


def test_a_stale_export_undoes_nothing(database: Database, tmp_path: Path) -> None:
    keep(database, PAY, LOAN)
    data = exported(database, tmp_path, **{"p-2": "在费用系统提交借款单"})
    with database.write() as session:
        save_entry(session, replace(PAY, answer="每天1099元", audience=FINANCE), "zhao")
    row = read(database, "知识条目.csv", data)
    kept, update = shown(database, row.id)
    assert (kept["action"], update["action"], update["message"]) == ("same", "update", "")
    assert "zhao 于 20" in kept["message"] and "保持现在的内容" in kept["message"]
    applied(database, row.id)
    entries = stored(database)
    assert (entries["p-1"].answer, entries["p-1"].audience) == ("每天1099元", FINANCE)
    assert entries["p-2"].answer == "在费用系统提交借款单"


@pytest.mark.parametrize(
    ("resolution", "answers"),
    [("skip", {"zhao 的"}), ("overwrite", {"文件的"}), ("create", {"zhao 的", "文件的"}), ("merge", {"zhao 的"})],
)
def test_a_row_edited_at_both_ends_asks(database: Database, tmp_path: Path, resolution: str, answers: set[str]) -> None:
    keep(database, PAY)
    data = exported(database, tmp_path, **{"p-1": "文件的"})
    with database.write() as session:
        save_entry(session, replace(PAY, answer="zhao 的"), "zhao")
    row = read(database, "知识条目.csv", data)
    (asked,) = shown(database, row.id, "open")
    assert "第 1 版，现在是第 2 版（zhao 于" in asked["message"]
    assert asked["collides_with"]["answer"] == "zhao 的"
    with pytest.raises(Conflict):
        confirm(database, row.id)
    decide(database, row.id, resolution)
    if resolution == "create":
        assert shown(database, row.id, "open"), "all at once doubles nothing"
        decide(database, row.id, resolution, asked["row"])
    applied(database, row.id)
    assert {entry.answer for entry in stored(database).values()} == answers
    assert "p-1" in stored(database)


def test_a_row_says_whose_draft_it_meets(database: Database, tmp_path: Path) -> None:
    """`li` brings the file in."""
    keep(database, PAY, LOAN)
    data = exported(database, tmp_path, **{"p-1": "每天1099元", "p-2": "在费用系统提交借款单"})
    with database.write() as session:
        propose(session, replace(PAY, owner="税务组"), "zhao")
        propose(session, replace(LOAN, owner="资金组"), "li")
    others, own = shown(database, read(database, "知识条目.csv", data).id)
    assert "zhao 对条目 p-1 的修改还没有审核" in others["message"] and "写不进去" in others["message"]
    assert "您对条目 p-2 还有没审核完的修改" in own["message"] and "替换" in own["message"]


def test_a_stale_export_does_not_bring_back_what_was_retired(database: Database, tmp_path: Path) -> None:
    keep(database, PAY, LOAN)
    data = exported(database, tmp_path, **{"p-2": "改过的"})
    with database.write() as session:
        retire_entry(session, "p-1", "zhao")
        retire_entry(session, "p-2", "zhao")
    row = read(database, "知识条目.csv", data)
    kept, asked = shown(database, row.id)
    assert kept["action"] == "same" and "停用" in kept["message"]
    assert asked["action"] == "collide" and "停用" in asked["message"]
    decide(database, row.id, "overwrite")
    applied(database, row.id)
    assert list(stored(database)) == ["p-2"]


def test_a_file_without_versions_changes_what_it_names(database: Database) -> None:
    keep(database, PAY)
    keep(database, replace(PAY, answer="新"))
    row = read(database, "问答.csv", csv("编号,答案", "p-1,文件的"))
    assert shown(database, row.id)[0]["action"] == "update"
    odd = read(database, "问答.csv", csv("编号,答案,条目版本", "p-1,文件的,V2"))
    assert "条目版本“V2”看不懂" in shown(database, odd.id)[0]["message"]


def test_a_row_that_shows_an_entry_to_others_asks(database: Database) -> None:
    keep(database, replace(PAY, audience=FINANCE))
    row = read(database, "问答.csv", csv("编号,答案,可见人员组", "p-1,每天999元,"))
    (asked,) = shown(database, row.id, "open")
    assert "可见范围会变宽：原来只有人员组“finance”能看到，写入后所有人都能看到" in asked["message"]
    decide(database, row.id, "overwrite")
    assert shown(database, row.id, "open"), "all at once opens nothing"
    decide(database, row.id, "overwrite", asked["row"])
    applied(database, row.id)
    assert stored(database)["p-1"].audience.public
    assert "会变宽" in shown(database, row.id)[0]["message"]


def test_another_group_is_others_too_and_fewer_are_told(database: Database) -> None:
    keep(database, replace(PAY, audience=FINANCE), LOAN)
    row = read(database, "问答.csv", csv("编号,可见人员组", "p-1,hr", "p-2,hr"))
    other, fewer = shown(database, row.id)
    assert other["action"] == "collide" and "可见范围会改变" in other["message"]
    assert fewer["action"] == "update" and "可见范围会变窄" in fewer["message"]


def test_a_companys_answer_does_not_take_the_groups_away(database: Database) -> None:
    keep(database, Entry(id="n-1", question="夜航津贴一晚多少", answer="全集团 100 元"))
    row = read(database, "问答.csv", csv("问题,答案,可见公司", "夜航津贴一晚多少,120 元,1000"))
    (asked,) = shown(database, row.id)
    assert "若选“覆盖”，可见范围会变窄：原来所有人都能看到，写入后只有公司“1000”能看到" in asked["message"]
    assert "请选“新建”" in asked["message"]
    decide(database, row.id, "overwrite")
    assert shown(database, row.id, "open")
    decide(database, row.id, "create")
    applied(database, row.id)
    entries = stored(database)
    assert entries["n-1"].audience.public and len(entries) == 2


def test_two_previews_of_one_file_make_one_entry(database: Database) -> None:
    lines = ("编号,问题,答案", ",火山口露营费能报吗,不能", "v-1,极光观测费能报吗,不能")
    first, second = (read(database, "问答.csv", csv(*lines)) for _ in range(2))
    assert applied(database, first.id)["created"] == 2
    assert applied(database, second.id)["skipped"] == 2
    assert len(stored(database)) == 2
    assert "预览之后已有人写入同样的内容" in shown(database, second.id)[0]["message"]


@pytest.mark.parametrize("approve", [True, False])
def test_what_was_new_in_the_preview_and_is_no_more_fails(database: Database, approve: bool) -> None:
    rows = [
        read(database, "问答.csv", csv("编号,问题,答案", f",火山口露营费能报吗,{said}", f"v-1,极光观测费能报吗,{said}"))
        for said in ("能", "不能")
    ]
    applied(database, rows[0].id, approve)
    counts = applied(database, rows[1].id, approve)
    assert (counts["failed"], counts["created"], counts["updated"]) == (2, 0, 0)
    asked, named = (one["message"] for one in shown(database, rows[1].id))
    assert "预览之后，知识库里有了问题相同的条目" in asked and "重新导入" in named


def test_an_update_does_not_go_over_what_changed_since_the_preview(database: Database) -> None:
    keep(database, PAY)
    row = read(database, "问答.csv", csv("编号,答案", "p-1,文件的"))
    with database.write() as session:
        save_entry(session, replace(PAY, answer="刚改的", audience=FINANCE), "zhao")
    assert applied(database, row.id)["failed"] == 1
    assert "预览之后，zhao 于" in shown(database, row.id)[0]["message"]
    assert stored(database)["p-1"].answer == "刚改的"


def test_a_question_that_comes_while_the_worker_prepares_is_seen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = read(database, "问答.csv", csv("问题,答案", "火山口露营费能报吗,不能", "极光观测费能报吗,不能"))
    made, plans = faq.make_plan, []

    def slow(task: Any) -> Any:
        plans.append(made(task))
        if len(plans) == 1:
            keep(database, Entry(id="m-1", question="火山口露营费能报吗？", answer="能"))
        return plans[-1]

    monkeypatch.setattr(faq, "make_plan", slow)
    counts = applied(database, row.id)
    assert (len(plans), counts["failed"], counts["created"]) == (2, 1, 1)
    assert set(by_question(database)) == {"火山口露营费能报吗？", "极光观测费能报吗"}
    assert work(database) == 0
