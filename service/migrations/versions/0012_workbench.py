"""Saved views, canned replies, ticket search"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
_OPEN = sa.text("status IN ('new', 'assigned', 'in_progress', 'waiting', 'reopened')")
_UNREAD = sa.text("unread")


def upgrade() -> None:
    op.create_table(
        "ticket_search",
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grams", postgresql.TSVECTOR().with_variant(sa.Text(), "sqlite")),
        sa.ForeignKeyConstraint(["number"], ["ticket.number"], name=op.f("fk_ticket_search_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket_search")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_ticket_search_grams",
            "ticket_search",
            ["grams"],
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 1024},
        )
    op.create_index("ix_ticket_created", "ticket", ["created_at", "number"])
    op.create_index("ix_ticket_open", "ticket", ["group_id", "assignee"], postgresql_where=_OPEN, sqlite_where=_OPEN)
    op.create_index("ix_ticket_unread", "ticket", ["number"], postgresql_where=_UNREAD, sqlite_where=_UNREAD)
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("filter", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_view_owner")),
    )
    op.create_table(
        "canned_reply",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("business_type", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_reply")),
    )
    op.create_index("ix_canned_reply_owner", "canned_reply", ["owner"])


def downgrade() -> None:
    op.drop_table("canned_reply")
    op.drop_table("saved_view")
    for name in ("ix_ticket_unread", "ix_ticket_open", "ix_ticket_created"):
        op.drop_index(name, "ticket")
    op.drop_table("ticket_search")
