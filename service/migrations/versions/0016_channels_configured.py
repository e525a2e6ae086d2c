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
    op.add_column("conversation", sa.Column("thread", sa.String(160), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("conversation", "thread")
    op.drop_table("channel_person")
    op.drop_table("channel_setting")
