"""Releases of the first version of the tables are there after the upgrade, and serve."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from core.clock import today
from core.database import Database
from core.settings import Settings
from kb.encoder import load_encoder
from kb.release.live import LiveKnowledge
from kb.release.publish import Publisher
from kb.release.releases import find_releases
from kb.search import Query
from kb.store import entry_to_dict
from service.migrate import alembic_config, migrate
from tests.conftest import fresh_postgres
from tests.integration.test_releases import entry

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_old_releases_serve_after_the_upgrade(
    kind: str, tmp_path: Path, encoder_dir: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    if kind == "postgresql":
        url = Settings(DATABASE_URL=fresh_postgres(request.getfixturevalue("postgres"))).database
    command.upgrade(alembic_config(url), "0001")
    encoder = load_encoder(None, encoder_dir.parent)
    database = Database(url)
    first = [entry(0), entry(1)]
    bodies = [[_old(one) for one in first], [_old(first[0]), _old(entry(1, "新口径。")), _old(entry(2))]]
    with database.write() as session:
        for number, entries in enumerate(bodies, 1):
            session.execute(
                text(
                    "INSERT INTO kb_release (number, digest, encoder, author, entries, wrong_rate, evaluation, created_at) "
                    "VALUES (:number, :digest, :encoder, 'admin', :entries, 0.03, :evaluation, :at)"
                ),
                {
                    "number": number,
                    "digest": f"{number:064d}",
                    "encoder": encoder.fingerprint,
                    "entries": json.dumps(entries),
                    "evaluation": json.dumps({"entries": len(entries)}),
                    "at": datetime(2026, 11, 1, tzinfo=UTC),
                },
            )
        session.execute(text("INSERT INTO kb_current_release (id, number) VALUES (1, 2)"))
    migrate(url)

    knowledge = LiveKnowledge(database, tmp_path, encoder)
    knowledge.refresh()
    found = knowledge.searcher.search(Query(entry(1).question, today()))
    assert found.release == 2 and found.candidates[0].entry.answer.endswith("新口径。")
    with database.read() as session:
        assert [(row.number, row.base, row.changes) for row in find_releases(session)] == [
            (2, 1, {"added": 1, "changed": 1, "removed": 0}),
            (1, None, {"added": 2, "changed": 0, "removed": 0}),
        ]
    candidate = Publisher(database, tmp_path, encoder)
    with pytest.raises(Exception, match="没有可发布的知识"):  # The first tables had releases, but here no entries.
        candidate.prepare(0.03, lambda _: None)
    database.close()


def _old(one) -> dict:
    return {key: value for key, value in entry_to_dict(one).items() if key not in ("title", "review_on", "extra")}
