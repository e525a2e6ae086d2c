"""What the desk no longer needs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("ticket", "search_text")
    op.create_index("ix_notice_ticket_kind", "notice", ["ticket", "kind"])


def downgrade() -> None:
    op.drop_index("ix_notice_ticket_kind", "notice")
    op.add_column("ticket", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
