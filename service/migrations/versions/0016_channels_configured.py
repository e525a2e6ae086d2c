"""Channels as they are configured; who reads a conversation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_setting",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("shown", JSON, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.String(64), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel_setting")),
    )
    op.create_table(
        "channel_person",
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("employee_no", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("channel", "user", name=op.f("pk_channel_person")),
    )
    op.create_index("ix_channel_person_employee", "channel_person", ["channel", "employee_no"])
    op.create_table(
        "staff_message",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("employee_no", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("claim", sa.String(36)),
        sa.Column("claimed_until", MOMENT),
        sa.Column("first_tried_at", MOMENT),
        sa.Column("receipt", JSON),
        sa.Column("error", sa.String(300), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("delivered_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_message")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_staff_message_notice_id_notice")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_staff_message_notice_id")),
    )
    op.create_index("ix_staff_message_state_due", "staff_message", ["state", "due_at"])
    op.create_index("ix_notice_at", "notice", ["at"])
    op.add_column("staff", sa.Column("employee_no", sa.String(64)))
    op.create_index(op.f("ix_staff_employee_no"), "staff", ["employee_no"])
    op.add_column("conversation", sa.Column("thread", sa.String(160), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("conversation", "thread")
    op.drop_index(op.f("ix_staff_employee_no"), table_name="staff")
    op.drop_column("staff", "employee_no")
    op.drop_index("ix_notice_at", table_name="notice")
    op.drop_table("staff_message")
    op.drop_table("channel_person")
    op.drop_table("channel_setting")
