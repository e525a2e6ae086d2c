"""The ticket desk: what a ticket carries, its people, notices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _ticket() -> tuple[sa.Column, ...]:
    return (
        sa.Column("subtype", sa.String(40), nullable=False, server_default=""),
        sa.Column("company", sa.String(100)),
        sa.Column("department", sa.String(100)),
        sa.Column("service_tier", sa.String(20), nullable=False, server_default="standard"),
        sa.Column("tier", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="3"),
        sa.Column("risk_words", JSON, nullable=False, server_default="[]"),
        sa.Column("emergency", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("group_id", sa.String(40)),
        sa.Column("assignee", sa.String(64)),
        sa.Column("experts", JSON, nullable=False, server_default="[]"),
        sa.Column("merged_into", sa.String(20)),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("reopenings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("unread", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("resolution", sa.Text(), nullable=False, server_default=""),
        sa.Column("first_response_at", MOMENT),
        sa.Column("resolved_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("urged_at", MOMENT),
        sa.Column("sla_policy", sa.String(40)),
        sa.Column("due_at", MOMENT),
        sa.Column("due_kind", sa.String(20)),
        sa.Column("breached", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("rating", sa.Integer()),
    )


def _event() -> tuple[sa.Column, ...]:
    return (
        sa.Column("public", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("detail", JSON, nullable=False, server_default="{}"),
    )


def _conversation() -> tuple[sa.Column, ...]:
    return (
        sa.Column("held_by", sa.String(20)),
        sa.Column("read_seq", sa.Integer(), nullable=False, server_default="0"),
    )


def upgrade() -> None:
    for table, columns in (("ticket", _ticket()), ("ticket_event", _event()), ("conversation", _conversation())):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(column)
    op.create_table(
        "staff_group",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("business_types", JSON, nullable=False),
        sa.Column("dispatch", sa.String(10), nullable=False),
        sa.Column("calendar", sa.String(40)),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_group")),
    )
    op.create_table(
        "staff",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("groups", JSON, nullable=False),
        sa.Column("leads", JSON, nullable=False),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("on_duty", sa.Boolean(), nullable=False),
        sa.Column("duty_changed_at", MOMENT),
        sa.Column("shift", sa.String(40)),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_staff")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("ticket", sa.String(20)),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index("ix_notice_username_read", "notice", ["username", "read_at", "id"])


def downgrade() -> None:
    op.drop_table("notice")
    op.drop_table("staff")
    op.drop_table("staff_group")
    for table, columns in (("conversation", _conversation()), ("ticket_event", _event()), ("ticket", _ticket())):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
