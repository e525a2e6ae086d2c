"""Insight's facts can be summed from the indexes that find them"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_VISIT = (
    "person", "hour", "wait", "matter", "involved", "answered", "filed", "handed", "again", "bad", "resolved",
    "questions", "answers", "clarified", "nones",
)  # fmt: skip
_QUESTION = ("band", "entry_id", "bad")
_TABLES = (("visit", _VISIT), ("question", _QUESTION))


def upgrade() -> None:
    for name, summed in _TABLES:
        table = f"insight_{name}"
        op.drop_index(f"ix_{table}_origin", table)
        op.create_index(f"ix_{table}_origin", table, ["origin", "day"], postgresql_include=["business_type", *summed])
        op.create_index(f"ix_{table}_type", table, ["business_type", "day"], postgresql_include=["origin", *summed])


def downgrade() -> None:
    for name, _ in _TABLES:
        table = f"insight_{name}"
        op.drop_index(f"ix_{table}_type", table)
        op.drop_index(f"ix_{table}_origin", table)
        op.create_index(f"ix_{table}_origin", table, ["origin", "day"])
