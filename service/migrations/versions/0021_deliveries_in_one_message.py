"""Deliveries that go in one message"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("rides_with", sa.Integer()))


def downgrade() -> None:
    op.drop_column("delivery", "rides_with")
