"""`fssc user …`, as an operator types it, and two administrators who remove each other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from core.database import Database
from core.errors import Conflict, SettingsError
from service.cli import app
from service.migrate import migrate
from service.users import UserRow, add_user, create_first_admin, remove_user, sign_in, user_of

PASSWORD = "long-enough-for-this"


@pytest.fixture
def fssc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A command line; what it says and its exit code."""
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    migrate(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("FSSC_HOME", str(tmp_path))

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words), input=typed)
        return done.exit_code, done.output

    return run


def test_users_are_kept_from_the_command_line(fssc, tmp_path: Path) -> None:
    code, said = fssc("user", "add", "admin", "--name", "管理员", "--role", "admin", typed=f"{PASSWORD}\n")
    assert (code, "admin" in said, PASSWORD in said) == (0, True, False)
    assert fssc("user", "add", "li", "--role", "editor", "--role", "reviewer", typed=f"{PASSWORD}\n")[0] == 0
    code, said = fssc("user", "add", "li", typed=f"{PASSWORD}\n")
    assert code == 1 and "已存在" in said
    code, said = fssc("user", "add", "wang", typed="short\n")
    assert code == 1 and "密码" in said
    code, said = fssc("user", "add", "wang", "--role", "root", typed=f"{PASSWORD}\n")
    assert code == 1 and "root" in said
    assert fssc("user", "add", "wang")[0] == 1  # No password at all.
    code, said = fssc("user", "list")
    assert code == 0 and "editor, reviewer" in said and "管理员" in said and "wang" not in said
    assert fssc("user", "roles", "li", "--role", "agent")[0] == 0
    assert "agent" in fssc("user", "list")[1]
    code, said = fssc("user", "remove", "admin")
    assert code == 1 and "管理员" in said
    code, said = fssc("user", "roles", "admin")
    assert code == 1 and "管理员" in said
    assert fssc("user", "remove", "li")[0] == 0
    assert fssc("user", "remove", "li")[0] == 1
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    with database.write() as session:
        token, user = sign_in(session, "admin", PASSWORD, 1)
        assert user_of(session, token).username == "admin"
    database.close()


def test_a_short_password_for_the_first_administrator_is_refused(database: Database) -> None:
    with pytest.raises(SettingsError), database.write() as session:
        create_first_admin(session, "short")


def test_two_administrators_cannot_remove_each_other(database: Database) -> None:
    with database.write() as session:
        for name in ("a", "b"):
            add_user(session, name, "", PASSWORD, ["admin"])
    told: list[str] = []
    start = threading.Barrier(2)

    def remove(name: str) -> None:
        start.wait(10)
        try:
            with database.write() as session:
                remove_user(session, name)
        except Conflict as error:
            told.append(error.code)

    threads = [threading.Thread(target=remove, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.read() as session:
        assert len(session.scalars(select(UserRow)).all()) == 1
    assert told == ["last_admin"]
