"""Entries by the time of their last change: every replica asks for the newest again and again"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_kb_entry_updated_at"), "kb_entry", ["updated_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_kb_entry_updated_at"), "kb_entry")
