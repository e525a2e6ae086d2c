"""Entries of the first version of the product come along: their dates can be filtered, their versions read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from core.clock import today
from core.database import Database
from core.settings import Settings
from kb.care import health, versions
from kb.store import EntryRow, live_entries
from service.migrate import alembic_config, migrate
from tests.conftest import fresh_postgres

pytestmark = pytest.mark.slow

BODY = {
    "id": "old-1",
    "question": "旧问题？",
    "answer": "旧答案",
    "similar": ["旧问法"],
    "business_type": "发票",
    "scenes": [],
    "audience": {"companies": [], "groups": []},
    "sources": [],
    "effective_from": "2025-01-01",
    "effective_to": "2025-12-31",
    "related": [],
    "owner": "税务组",
    "version": 1,
}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_entries_of_the_first_tables_are_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    else:
        url = Settings(DATABASE_URL=fresh_postgres(request.getfixturevalue("postgres"))).database
    command.upgrade(alembic_config(url), "0001")
    database = Database(url)
    with database.write() as session:
        row = {"body": json.dumps(BODY), "at": "2025-06-01 00:00:00+00:00"}
        session.execute(
            text(
                "INSERT INTO kb_entry (id, version, question, business_type, owner, search_text, body, deleted, updated_at)"
                " VALUES ('old-1', 1, '旧问题？', '发票', '税务组', '', :body, false, :at)"
            ),
            row,
        )
        session.execute(
            text(
                "INSERT INTO kb_entry_version (entry_id, version, body, author, at) VALUES ('old-1', 1, :body, 'x', :at)"
            ),
            row,
        )
    migrate(url)
    with database.read() as session:
        stored = session.get_one(EntryRow, "old-1")
        assert (stored.effective_from, stored.effective_to) == (date(2025, 1, 1), date(2025, 12, 31))
        assert stored.review_on is None and live_entries(session)[0].similar == ("旧问法",)
        assert health.counts(session, today())["expired"] == 1
        assert [(v["version"], v["reviewer"], v["retired"]) for v in versions.versions_of(session, "old-1")] == [
            (1, None, False)
        ]
        assert versions.whole(versions.version_of(session, "old-1", 1).body)["review_on"] is None
    database.close()
