"""What is taken away after a release was made is taken from that release too: at once, and when somebody goes back to it."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.clock import now, today
from core.database import Database
from kb.entries import PUBLIC, Audience, Entry, Viewer
from kb.policies import save_policy
from kb.release.contents import Contents, live_contents
from kb.release.narrowing import Narrowing
from kb.release.releases import ReleaseMoveRow, ReleaseRow
from kb.store import retire_entry, save_entry

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
