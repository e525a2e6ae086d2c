"""The audit log on both databases: one chain, whoever writes; nobody changes it unnoticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from core import audit
from core.database import Database
from core.errors import SettingsError
from handoff import lifecycle
from handoff.timeline import altered
from service.audit_command import verify_log
from tests.tickets import ADMIN, filed, open_desk


def write(database: Database, subject: str, count: int = 1) -> None:
    with database.write() as session:
        for number in range(count):
            audit.append(session, "sun", "rule.changed", subject, {"n": number, "why": "月结", "share": 0.1})


def forbid(session: Session, on: bool) -> None:
    """What somebody with the database's own password could do: take the triggers away."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"ALTER TABLE audit_entry {'ENABLE' if on else 'DISABLE'} TRIGGER ALL"))
    elif not on:
        for verb in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER audit_entry_no_{verb}"))


def test_the_chain_holds_and_starts_from_nothing(database: Database) -> None:
    with database.read() as session:
        assert audit.verify(session) is None and audit.head(session) == (0, audit.GENESIS)
    write(database, "rules", 3)
    with database.read() as session:
        rows = list(audit.entries(session, batch=2))
        assert [row.id for row in rows] == [1, 2, 3]
        assert [row.previous for row in rows] == [audit.GENESIS, rows[0].hash, rows[1].hash]
        assert audit.verify(session) is None and audit.head(session) == (3, rows[2].hash)


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_a_change(database: Database, statement: str) -> None:
    write(database, "rules")
    with pytest.raises(DatabaseError, match="append-only"), database.write() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_entry SET actor = 'mallory' WHERE id = 3", 3),
        ("UPDATE audit_entry SET detail = '{}' WHERE id = 1", 1),
        ("UPDATE audit_entry SET at = '2020-01-01 00:00:00+00:00' WHERE id = 5", 5),
        ("UPDATE audit_entry SET previous = hash WHERE id = 2", 2),
        ("DELETE FROM audit_entry WHERE id = 2", 3),
        ("DELETE FROM audit_entry WHERE id = 1", 2),
    ],
)
def test_whoever_gets_around_that_is_found_out(database: Database, statement: str, broken: int) -> None:
    write(database, "rules", 5)
    with database.write() as session:
        forbid(session, False)
        session.execute(text(statement))
    with database.read() as session:
        assert audit.verify(session) == broken


def test_an_end_that_was_cut_off_is_noticed_by_a_noted_head(database: Database) -> None:
    console = Console(quiet=True)
    write(database, "rules", 5)
    with database.read() as session:
        number, digest = audit.head(session)
    write(database, "rules", 2)
    noted = f"{number}:{digest}"
    assert verify_log(database, noted, console)
    with database.write() as session:
        forbid(session, False)
        session.execute(text("DELETE FROM audit_entry WHERE id > 4"))
    with database.read() as session:
        assert audit.verify(session) is None
    assert not verify_log(database, noted, console)
    with pytest.raises(SettingsError):
        verify_log(database, "yesterday's", console)


def test_many_writers_at_once_make_one_chain(database: Database) -> None:
    open_desk(database)
    with database.write() as session:
        numbers = [filed(session).number for _ in range(4)]

    def work(writer: int) -> None:
        for step in range(4):
            write(database, f"writer {writer}", 2)
            with database.write() as session:
                lifecycle.note(session, numbers[(writer + step) % 4], ADMIN, f"第 {step} 条")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with database.read() as session:
        assert audit.verify(session) is None and altered(session) is None
        subjects = [row.subject for row in audit.entries(session)]
        assert [subjects.count(f"writer {writer}") for writer in range(6)] == [8] * 6
        assert sum(subjects.count(number) for number in numbers) >= 24 + 4


def test_what_was_rolled_back_was_never_written(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        audit.append(session, "sun", "rule.changed", "all of it", {})
        raise RuntimeError
    with database.write() as session:
        audit.append(session, "sun", "rule.changed", "kept", {})
        with session.begin_nested():
            audit.append(session, "sun", "rule.changed", "kept too", {})
        for depth in (1, 2):
            savepoint = session.begin_nested()
            if depth == 2:
                with session.begin_nested():
                    audit.append(session, "sun", "rule.changed", "inner", {})
            audit.append(session, "sun", "rule.changed", "outer", {})
            savepoint.rollback()
    with database.read() as session:
        assert [row.subject for row in audit.entries(session)] == ["kept", "kept too"]
        assert audit.verify(session) is None


def test_a_timeline_that_was_rewritten_no_longer_agrees(database: Database) -> None:
    open_desk(database)
    with database.write() as session:
        number = filed(session).number
        lifecycle.reply(session, number, ADMIN, "可以报销")
        lifecycle.note(session, number, ADMIN, "已核对")
    with database.read() as session:
        assert altered(session) is None
        event = session.scalar(text("SELECT id FROM ticket_event WHERE kind = 'replied'"))
    with database.write() as session:
        session.execute(text("UPDATE ticket_event SET text = '不能报销' WHERE kind = 'replied'"))
    with database.read() as session:
        assert audit.verify(session) is None and altered(session) == event
    assert not verify_log(database, "", Console(quiet=True))


def test_every_verb_leaves_an_entry(database: Database) -> None:
    open_desk(database)
    with database.write() as session:
        number = filed(session).number
        lifecycle.claim(session, number, ADMIN)
        lifecycle.resolve(session, number, ADMIN, "好了")
    with database.read() as session:
        actions = [(row.actor, row.action) for row in audit.entries(session) if row.subject == number]
    assert ("E1001", "ticket.filed") in actions and ("admin", "ticket.claimed") in actions
    assert actions.index(("admin", "ticket.claimed")) < actions.index(("admin", "ticket.resolved"))
