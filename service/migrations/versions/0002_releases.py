"""Releases hold entries by digest, their matcher, and what they were measured by; who moved the pointer is kept"""

from __future__ import annotations

import hashlib
import json
import zlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ADDED = {
    "base": sa.Integer(),
    "contents": sa.LargeBinary(),
    "fitted": sa.LargeBinary(),
    "fitted_in": sa.Integer(),
    "changes": JSON,
    "report": JSON,
    "override_reason": sa.String(500),
}
LATER = {"title": "", "review_on": None, "extra": []}
"""What entries of the first releases did not have yet."""


def upgrade() -> None:
    frozen = op.create_table(
        "kb_frozen_entry",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kb_frozen_entry")),
    )
    op.create_table(
        "kb_release_move",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("before", sa.Integer()),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_release_move")),
    )
    op.create_table(
        "kb_setting",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kb_setting")),
    )
    op.create_table(
        "kb_preview",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refit", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("progress", sa.String(200), nullable=False),
        sa.Column("error", sa.String(500)),
        sa.Column("stamp", sa.String(64)),
        sa.Column("digest", sa.String(64)),
        sa.Column("encoder", sa.String(200)),
        sa.Column("base", sa.Integer()),
        sa.Column("wrong_rate", sa.Double()),
        sa.Column("contents", sa.LargeBinary()),
        sa.Column("fitted", sa.LargeBinary()),
        sa.Column("fitted_in", sa.Integer()),
        sa.Column("evaluation", JSON),
        sa.Column("changes", JSON),
        sa.Column("report", JSON),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_preview")),
    )
    with op.batch_alter_table("kb_release") as table:
        for name, kind in ADDED.items():
            table.add_column(sa.Column(name, kind))
    _convert(frozen)
    with op.batch_alter_table("kb_release") as table:
        for name in ("contents", "fitted", "changes", "report"):
            table.alter_column(name, nullable=False)
        table.drop_column("entries")


def _convert(frozen: sa.Table) -> None:
    """Releases that are there: their entries by digest. Their matchers lie on disk only, so they are fitted again."""
    releases = sa.table(
        "kb_release",
        sa.column("number", sa.Integer),
        sa.column("entries", JSON),
        *(sa.column(name, kind) for name, kind in ADDED.items()),
    )
    connection = op.get_bind()
    known: set[str] = set()
    before: dict[str, str] = {}
    previous = None
    for number in connection.scalars(sa.select(releases.c.number).order_by(releases.c.number)).all():
        bodies = connection.scalar(sa.select(releases.c.entries).where(releases.c.number == number))
        items, rows = [], []
        for body in bodies:
            body = {**LATER, **body}
            made = json.dumps(body, ensure_ascii=False, sort_keys=True)
            digest = hashlib.blake2b(made.encode(), digest_size=16).hexdigest()
            items.append((body["id"], body["version"], digest))
            if digest not in known:
                known.add(digest)
                rows.append({"digest": digest, "body": body})
        if rows:
            connection.execute(sa.insert(frozen), rows)
        now = {entry_id: digest for entry_id, _, digest in items}
        changes = {
            "added": len(now.keys() - before.keys()),
            "changed": sum(before[entry_id] != now[entry_id] for entry_id in now.keys() & before.keys()),
            "removed": len(before.keys() - now.keys()),
        }
        values = {
            "base": previous,
            "contents": zlib.compress(json.dumps(items, ensure_ascii=False, separators=(",", ":")).encode(), 1),
            "fitted": b"",
            "changes": changes,
            "report": {},
        }
        connection.execute(sa.update(releases).where(releases.c.number == number).values(values))
        before, previous = now, number
