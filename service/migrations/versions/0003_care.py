"""Drafts, reviews and flags of entries"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DATES = ("effective_from", "effective_to", "review_on")


def upgrade() -> None:
    with op.batch_alter_table("kb_entry", schema=None) as batch_op:
        for name in DATES:
            batch_op.add_column(sa.Column(name, sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f("ix_kb_entry_effective_to"), ["effective_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_entry_review_on"), ["review_on"], unique=False)
    entries = sa.table(
        "kb_entry", sa.column("id", sa.String()), sa.column("body", JSON), *(sa.column(d, sa.Date()) for d in DATES)
    )
    connection = op.get_bind()
    for entry_id, body in connection.execute(sa.select(entries.c.id, entries.c.body)).all():
        dates = {name: date.fromisoformat(body[name]) for name in DATES if body.get(name)}
        if dates:
            connection.execute(entries.update().where(entries.c.id == entry_id).values(**dates))
    with op.batch_alter_table("kb_entry_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reviewer", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("kb_hit", schema=None) as batch_op:
        batch_op.create_index("ix_kb_hit_day", ["day", "entry_id"], unique=False)

    op.create_table(
        "kb_draft",
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("deletes", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=500), nullable=False),
        sa.Column("business_type", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_kb_draft")),
    )
    with op.batch_alter_table("kb_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_draft_author"), ["author"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_draft_state"), ["state"], unique=False)

    op.create_table(
        "kb_flag",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_flag")),
    )
    with op.batch_alter_table("kb_flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_flag_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(
            "uq_kb_flag_open",
            ["entry_id", "kind", "detail"],
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )


def downgrade() -> None:
    op.drop_table("kb_flag")
    op.drop_table("kb_draft")
    with op.batch_alter_table("kb_hit", schema=None) as batch_op:
        batch_op.drop_index("ix_kb_hit_day")
    with op.batch_alter_table("kb_entry_version", schema=None) as batch_op:
        batch_op.drop_column("retired")
        batch_op.drop_column("reviewer")
    with op.batch_alter_table("kb_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_entry_review_on"))
        batch_op.drop_index(batch_op.f("ix_kb_entry_effective_to"))
        for name in reversed(DATES):
            batch_op.drop_column(name)
