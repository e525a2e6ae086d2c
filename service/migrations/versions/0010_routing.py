"""Routing rules, shifts, on-call lists"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch.add_column(sa.Column("roles", JSON, nullable=False, server_default="[]"))
        batch.add_column(sa.Column("last_given_at", MOMENT))
    op.create_table(
        "dispatch_version",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("activated_by", sa.String(64)),
        sa.Column("activated_at", MOMENT),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_dispatch_version")),
    )
    for state in ("draft", "active"):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"uq_dispatch_version_{state}",
            "dispatch_version",
            ["kind"],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "shift",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("days", JSON, nullable=False),
        sa.Column("starts", sa.String(5), nullable=False),
        sa.Column("ends", sa.String(5), nullable=False),
        sa.Column("calendar", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_table(
        "roster",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shift", sa.String(40)),
        sa.PrimaryKeyConstraint("username", "day", name=op.f("pk_roster")),
    )
    op.create_table(
        "emergency_call",
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("list_name", sa.String(40), nullable=False),
        sa.Column("people", JSON, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("called", JSON, nullable=False),
        sa.Column("called_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("acknowledged_by", sa.String(64)),
        sa.Column("acknowledged_at", MOMENT),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("false_alarm", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_emergency_call")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_emergency_call_ticket")),
    )
    op.create_index("ix_emergency_call_next_at", "emergency_call", ["next_at"])


def downgrade() -> None:
    for table in ("emergency_call", "roster", "shift", "dispatch_version"):
        op.drop_table(table)
    with op.batch_alter_table("staff") as batch:
        for column in ("active", "roles", "last_given_at"):
            batch.drop_column(column)
