"""From a draft to an approved version, on both databases; whoever may not, cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.database import Database
from core.errors import Conflict, FSSCError, NotFound
from kb.care.drafts import DraftRow, approve, newest_version, propose, reject, submit, submit_drafts, withdraw
from kb.care.flags import FlagRow, flag, open_flags, resolve
from kb.entries import Entry
from kb.store import EntryRow, EntryVersionRow, live_entries, save_entries, save_entry

STAY = Entry(
    id="t-1", question="出差住宿费能报多少？", answer="按标准表执行。", business_type="差旅报销", owner="报销组"
)


@pytest.fixture
def stored(database: Database) -> Database:
    with database.write() as session:
        save_entry(session, STAY, "starter")
    return database


def refused(code: str):
    """The block raises an error of ours with this code."""

    class Refused:
        def __enter__(self) -> None: ...

        def __exit__(self, kind, error, _) -> bool:
            assert isinstance(error, FSSCError), f"not refused as {code}"
            assert error.code == code, error.message
            assert error.message
            return True

    return Refused()


def submitted(database: Database, entry: Entry, author: str = "wang", **more) -> None:
    with database.write() as session:
        propose(session, entry, author, **more)
        submit(session, entry.id, author)


def test_a_change_becomes_a_version_once_somebody_else_approves_it(stored: Database) -> None:
    submitted(stored, replace(STAY, answer="见新表。"), base_version=1)
    with stored.read() as session:
        assert live_entries(session) == [STAY]
    with refused("own_draft"), stored.write() as session:
        approve(session, "t-1", "wang")
    with stored.write() as session:
        assert approve(session, "t-1", "li", revision=1).version == 2
    with stored.read() as session:
        assert live_entries(session) == [replace(STAY, answer="见新表。", version=2)]
        assert session.get(DraftRow, "t-1") is None
        versions = session.execute(
            select(EntryVersionRow.version, EntryVersionRow.author, EntryVersionRow.reviewer, EntryVersionRow.retired)
        )
        assert [tuple(v) for v in versions] == [(1, "starter", None, False), (2, "wang", "li", False)]


def test_an_administrator_may_approve_their_own_draft(stored: Database) -> None:
    submitted(stored, replace(STAY, answer="见新表。"), "admin")
    with stored.write() as session:
        assert approve(session, "t-1", "admin", admin=True).answer == "见新表。"


def test_a_new_entry_lives_only_after_approval(database: Database) -> None:
    submitted(database, STAY, base_version=0)
    with database.read() as session:
        assert live_entries(session) == []
    with database.write() as session:
        approve(session, "t-1", "li")
    with database.read() as session:
        assert live_entries(session) == [STAY]


def test_retiring_takes_an_entry_out_and_keeps_its_versions_and_it_can_come_back(stored: Database) -> None:
    submitted(stored, STAY, deletes=True)
    with stored.write() as session:
        approve(session, "t-1", "li")
    with stored.read() as session:
        assert live_entries(session) == [] and newest_version(session, "t-1") == 2
        assert session.get_one(EntryVersionRow, ("t-1", 2)).retired
    submitted(stored, STAY, base_version=2)
    with stored.write() as session:
        assert approve(session, "t-1", "li").version == 3
    with stored.read() as session:
        assert live_entries(session) == [replace(STAY, version=3)]


def test_a_rejected_draft_goes_back_with_the_reason_and_is_mended(stored: Database) -> None:
    submitted(stored, replace(STAY, answer="错"))
    with refused("comment_missing"), stored.write() as session:
        reject(session, "t-1", "li", " ")
    with refused("own_draft"), stored.write() as session:
        reject(session, "t-1", "wang", "不行")
    with stored.write() as session:
        row = reject(session, "t-1", "li", "金额不对")
        assert (row.state, row.comment, row.reviewer) == ("rejected", "金额不对", "li")
    with refused("not_submitted"), stored.write() as session:
        approve(session, "t-1", "li")
    with stored.write() as session:
        row = propose(session, replace(STAY, answer="对"), "wang", base_version=1)
        assert (row.state, row.comment, row.reviewer, row.revision) == ("draft", "", None, 2)


def test_two_editors_do_not_overwrite_each_other(stored: Database) -> None:
    with stored.write() as session:
        propose(session, replace(STAY, answer="王的"), "wang", base_version=1)
    with refused("draft_by_other"), stored.write() as session:
        propose(session, replace(STAY, answer="赵的"), "zhao", base_version=1)
    with refused("not_the_author"), stored.write() as session:
        withdraw(session, "t-1", "zhao")
    with refused("not_the_author"), stored.write() as session:
        submit(session, "t-1", "zhao")
    with stored.write() as session:
        withdraw(session, "t-1", "zhao", admin=True)
        propose(session, replace(STAY, answer="赵的"), "zhao", base_version=1)


def test_what_changed_meanwhile_is_never_approved_over(stored: Database) -> None:
    submitted(stored, replace(STAY, answer="王的"), base_version=1)
    with stored.write() as session:
        save_entry(session, replace(STAY, answer="导入的"), "import")
    with refused("version_conflict"), stored.write() as session:
        approve(session, "t-1", "li")
    with refused("version_conflict"), stored.write() as session:
        propose(session, replace(STAY, answer="王的"), "wang", base_version=1)
    submitted(stored, replace(STAY, answer="王的"), base_version=2)
    with stored.write() as session:
        assert approve(session, "t-1", "li").version == 3


def test_a_reviewer_approves_only_what_they_have_read(stored: Database) -> None:
    submitted(stored, replace(STAY, answer="一"))
    submitted(stored, replace(STAY, answer="二"))
    with refused("draft_changed"), stored.write() as session:
        approve(session, "t-1", "li", revision=1)


def test_an_error_among_the_findings_keeps_a_draft_from_being_submitted(stored: Database) -> None:
    bad = {"kind": "amount", "severity": "error", "message": "金额不在来源里"}
    with stored.write() as session:
        propose(session, STAY, "wang")
    with refused("findings"), stored.write() as session:
        submit(session, "t-1", "wang", [bad])
    with stored.write() as session:
        row = submit(session, "t-1", "wang", [bad | {"severity": "warning"}])
        assert row.state == "submitted" and row.findings[0]["kind"] == "amount"


def test_a_flag_is_raised_once_and_again_after_it_was_resolved(stored: Database) -> None:
    with stored.write() as session:
        assert flag(session, "t-1", "source_changed", "第十二条已修改")
        assert not flag(session, "t-1", "source_changed", "第十二条已修改")
        assert flag(session, "t-1", "source_changed", "第十三条已删除")
        found = open_flags(session, ["t-1", "t-2"])
        assert [one["detail"] for one in found["t-1"]] == ["第十二条已修改", "第十三条已删除"] and "t-2" not in found
        resolve(session, found["t-1"][0]["id"], "li")
        assert flag(session, "t-1", "source_changed", "第十二条已修改")
    with pytest.raises(NotFound), stored.write() as session:
        resolve(session, 999, "li")


def test_approving_another_answer_puts_the_flags_down_that_were_up(stored: Database) -> None:
    with stored.write() as session:
        flag(session, "t-1", "source_changed", "第十二条已修改")
    submitted(stored, replace(STAY, owner="差旅组"), base_version=1)
    with stored.write() as session:
        approve(session, "t-1", "li")
        assert open_flags(session, ["t-1"]), "another owner says nothing of the source"
    submitted(stored, replace(STAY, owner="差旅组", answer="见新表。"))
    with stored.write() as session:
        flag(session, "t-1", "source_changed", "送审之后又改了")
        approve(session, "t-1", "li")
        assert [one["detail"] for one in open_flags(session, ["t-1"])["t-1"]] == ["送审之后又改了"]
        assert session.scalars(select(FlagRow.resolved_by).order_by(FlagRow.id)).all() == ["li", None]
        propose(session, STAY, "wang", deletes=True)
        submit(session, "t-1", "wang")
        approve(session, "t-1", "li")
        assert not open_flags(session, ["t-1"])


def test_nothing_is_drafted_twice_at_once(stored: Database) -> None:
    """Two editors start in the same moment: one gets the draft, the other is told."""
    if stored.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with stored.write() as first:
        propose(first, replace(STAY, answer="王的"), "wang")
        import threading

        told: list[str] = []

        def other() -> None:
            try:
                with stored.write() as second:
                    propose(second, replace(STAY, answer="赵的"), "zhao")
            except Conflict as error:
                told.append(error.code)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.5)
        first.commit()
        thread.join(10)
    assert told == ["draft_by_other"]


def test_many_are_saved_and_submitted_at_once_by_the_same_rules(database: Database) -> None:
    many = [replace(STAY, id=f"m-{n}", question=f"第{n}个问题？") for n in range(1200)]
    with database.write() as session:
        assert save_entries(session, many, "import", "li") == 1200
        held = session.get_one(EntryRow, "m-7")
        changed = [replace(many[7], answer="新"), replace(many[7], answer="更新"), *many[8:]]
        assert save_entries(session, changed, "import") == 1
        assert (held.version, held.body["answer"]) == (2, "更新")
        propose(session, many[3], "zhao")
        propose(session, many[4], "import")
        told = submit_drafts(session, [replace(one, answer="新") for one in many[:6]], "import")
        assert list(told) == ["m-3"] and "zhao" in told["m-3"]
    with database.read() as session:
        states = {row.entry_id: (row.state, row.author, row.revision) for row in session.scalars(select(DraftRow))}
        assert states["m-3"] == ("draft", "zhao", 1) and states["m-4"] == ("submitted", "import", 2)
        assert states["m-5"] == ("submitted", "import", 1) and len(states) == 6
        assert session.get_one(EntryVersionRow, ("m-7", 1)).reviewer == "li"
