"""What is taken away after a release was made is taken from that release too: at once, and when somebody goes back to it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from core.clock import now, today
from core.database import Database
from kb.entries import PUBLIC, Audience, Entry, Viewer
from kb.passages import PIECE
from kb.policies import save_policy
from kb.release.contents import Contents, live_contents
from kb.release.narrowing import Narrowing
from kb.release.releases import ReleaseMoveRow, ReleaseRow
from kb.store import DocumentRow, retire_entry, save_document, save_entry

FINANCE = Viewer(groups=frozenset({"finance"}))
FOR_FINANCE = {"companies": [], "groups": ["finance"]}
BONUS = "首席研究员一次性签约奖金为80万元。"
OPEN = Entry("km4", "海底隧道差旅费怎么报销", "线上提交申请单。")
CLOSED = Entry("km4", OPEN.question, OPEN.answer, audience=Audience(groups=frozenset({"finance"})))


def policy(version: str, since: str, *texts: str, **more: Any) -> dict[str, Any]:
    articles = [
        {"number": n, "label": f"第{n}条", "title": "", "chapter": "", "text": text} for n, text in enumerate(texts, 1)
    ]
    return {
        "id": "bonus", "title": "奖金管理办法", "version": version, "effective_from": since, "owner": "薪酬组",
        "articles": articles, **more,
    }  # fmt: skip


def keep(database: Database, body: dict[str, Any]) -> None:
    with database.write() as session:
        save_policy(session, body, "chen")


def frozen(database: Database) -> Contents:
    with database.read() as session:
        return live_contents(session)


def narrowing(database: Database, contents: Contents) -> Narrowing:
    """As a replica has it that begins to serve release 1."""
    found = Narrowing(ReleaseRow(number=1), contents)
    again(database, found)
    return found


def again(database: Database, found: Narrowing) -> bool:
    with database.read() as session:
        return found.read(session)


def go_back(database: Database) -> None:
    with database.write() as session:
        session.add(ReleaseMoveRow(kind="rollback", before=2, number=1, author="li", reason="试", at=now()))


def shown(found: Narrowing, contents: Contents, viewer: Viewer, day: date | None = None) -> set[str]:
    day = day or today()
    return {
        entry.id
        for entry in contents.entries
        if entry.visible_to(viewer, day) and not found.limits.closes(entry.id, viewer, day)
    }


def test_a_retired_entry_that_comes_back_is_for_whom_it_was_for_last(database: Database) -> None:
    with database.write() as session:
        save_entry(session, OPEN, "chen")
    contents = frozen(database)
    with database.write() as session:
        save_entry(session, CLOSED, "chen")
    found = narrowing(database, contents)
    assert shown(found, contents, FINANCE) == {"km4"} and not shown(found, contents, PUBLIC)
    with database.write() as session:
        retire_entry(session, "km4", "chen")
    assert again(database, found) and not shown(found, contents, FINANCE)
    go_back(database)
    found = narrowing(database, contents)
    assert shown(found, contents, FINANCE) == {"km4"} and not shown(found, contents, PUBLIC)


def test_a_retired_entry_that_had_ended_stays_ended_when_it_comes_back(database: Database) -> None:
    with database.write() as session:
        save_entry(session, OPEN, "chen")
    contents = frozen(database)
    with database.write() as session:
        save_entry(session, Entry(OPEN.id, OPEN.question, OPEN.answer, effective_to=date(2020, 1, 1)), "chen")
    with database.write() as session:
        retire_entry(session, "km4", "chen")
    go_back(database)
    assert not shown(narrowing(database, contents), contents, FINANCE)


def test_what_was_retired_as_it_was_published_comes_back_as_it_was(database: Database) -> None:
    with database.write() as session:
        save_entry(session, OPEN, "chen")
    contents = frozen(database)
    with database.write() as session:
        retire_entry(session, "km4", "chen")
    assert not shown(narrowing(database, contents), contents, PUBLIC)
    go_back(database)
    assert shown(narrowing(database, contents), contents, PUBLIC) == {"km4"}


@pytest.mark.parametrize("texts", [("总则。", "按季度发放。"), ("总则。", "按季度发放。" * PIECE), ("总则。",)])
def test_a_narrowed_policy_takes_along_the_articles_that_it_no_longer_has(
    database: Database, texts: tuple[str, ...]
) -> None:
    keep(database, policy("1", "2026-01-01", "总则。", "按月发放。" * PIECE, BONUS, "附则。"))
    contents = frozen(database)
    found = narrowing(database, contents)
    everything = {entry.id for entry in contents.entries}
    assert shown(found, contents, PUBLIC) == everything and {"bonus#2.1", "bonus#3"} < everything
    keep(database, policy("2", "2026-03-01", *texts, audience=FOR_FINANCE))
    assert again(database, found)
    for one in (found, narrowing(database, contents)):  # At once, and of whoever begins to serve this release again.
        assert not shown(one, contents, PUBLIC)
        assert shown(one, contents, FINANCE) == everything


def test_a_new_version_for_as_many_takes_nothing_away(database: Database) -> None:
    keep(database, policy("1", "2026-01-01", "总则。", "附则。"))
    contents = frozen(database)
    keep(database, policy("2", "2026-03-01", "总则。"))
    assert shown(narrowing(database, contents), contents, PUBLIC) == {"bonus#1", "bonus#2"}


def test_a_version_to_come_narrows_nothing_before_its_day(database: Database) -> None:
    keep(database, policy("1", "2026-01-01", "总则。", BONUS))
    contents = frozen(database)
    begins = today() + timedelta(days=9)
    keep(database, policy("2", begins.isoformat(), "总则。", audience=FOR_FINANCE))
    found = narrowing(database, contents)
    assert shown(found, contents, PUBLIC) == {"bonus#1", "bonus#2"}
    assert not shown(found, contents, PUBLIC, begins)


def test_a_version_to_come_that_began_and_was_narrowed_is_limited_under_its_old_ids(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = today() + timedelta(days=9)
    keep(database, policy("1", "2026-01-01", "总则。"))
    keep(database, policy("2", begins.isoformat(), "总则。", BONUS))
    contents = frozen(database)
    keep(database, policy("2", begins.isoformat(), "总则。", BONUS, audience=FOR_FINANCE))
    monkeypatch.setattr("kb.policies.today", lambda: begins)
    found = narrowing(database, contents)
    assert "bonus@2#2" in shown(found, contents, FINANCE, begins)
    assert not shown(found, contents, PUBLIC, begins)


def test_the_version_in_force_is_narrowed_at_once_though_another_is_to_come(database: Database) -> None:
    keep(database, policy("1", "2026-01-01", "总则。", BONUS))
    keep(database, policy("2", (today() + timedelta(days=9)).isoformat(), "总则。"))
    contents = frozen(database)
    found = narrowing(database, contents)
    assert {"bonus#1", "bonus#2"} <= shown(found, contents, PUBLIC)
    keep(database, policy("1", "2026-01-01", "总则。", BONUS, audience=FOR_FINANCE))
    assert again(database, found)
    assert not shown(found, contents, PUBLIC) and "bonus#2" in shown(found, contents, FINANCE)


def test_the_passages_of_a_policy_that_is_gone_are_nobodys(database: Database) -> None:
    keep(database, policy("1", "2026-01-01", "总则。"))
    contents = frozen(database)
    found = narrowing(database, contents)
    with database.write() as session:
        session.execute(delete(DocumentRow).where(DocumentRow.kind == "policy"))
    assert again(database, found) and not shown(found, contents, FINANCE)


def test_a_change_is_seen_that_was_stored_later_than_a_newer_one(database: Database) -> None:
    """Two people confirm at once: whose transaction ends last need not be whose clock was read last."""
    keep(database, policy("1", "2026-01-01", "总则。"))
    contents = frozen(database)
    found = narrowing(database, contents)
    with database.write() as session:
        save_document(session, "policy", {**policy("1", "2026-01-01", "别的。"), "id": "other"})
    again(database, found)
    with database.write() as session:
        narrowed = policy("1", "2026-01-01", "总则。", audience=FOR_FINANCE)
        save_document(session, "policy", narrowed)
        session.flush()
        row = session.get_one(DocumentRow, ("policy", "bonus"))
        row.updated_at -= timedelta(seconds=5)
    assert again(database, found) and not shown(found, contents, PUBLIC)
