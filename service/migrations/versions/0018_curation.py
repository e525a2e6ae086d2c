"""Curation: open questions, clusters, decisions, policy gaps"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "curation_cluster",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("named_by", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("business_type", sa.String(40), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("recent", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Double(), nullable=False),
        sa.Column("snoozed_until", MOMENT),
        sa.Column("merged_into", sa.Integer()),
        sa.Column("split_from", sa.Integer()),
        sa.Column("came_back", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.ForeignKeyConstraint(["merged_into"], ["curation_cluster.id"], name=op.f("fk_curation_cluster_merged_into")),
        sa.ForeignKeyConstraint(["split_from"], ["curation_cluster.id"], name=op.f("fk_curation_cluster_split_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_cluster")),
    )
    op.create_index("ix_curation_cluster_state", "curation_cluster", ["state", "people"])
    op.create_table(
        "curation_question",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("company", sa.String(100), nullable=False),
        sa.Column("department", sa.String(100), nullable=False),
        sa.Column("groups", JSON, nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("page", sa.String(100), nullable=False),
        sa.Column("node", sa.String(100), nullable=False),
        sa.Column("shown", JSON, nullable=False),
        sa.Column("probability", sa.Double()),
        sa.Column("release", sa.Integer()),
        sa.Column("signals", JSON, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("cluster", sa.Integer()),
        sa.Column("likeness", sa.Double()),
        sa.Column("placed_by", sa.String(64), nullable=False),
        sa.Column("closed_as", sa.String(12)),
        sa.Column("closed_at", MOMENT),
        sa.Column("entry_id", sa.String(64)),
        sa.Column("probability_now", sa.Double()),
        sa.Column("release_now", sa.Integer()),
        sa.Column("told_at", MOMENT),
        sa.ForeignKeyConstraint(["cluster"], ["curation_cluster.id"], name=op.f("fk_curation_question_cluster")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_question")),
        sa.UniqueConstraint("conversation_id", "digest", name=op.f("uq_curation_question_conversation_id_digest")),
    )
    op.create_index("ix_curation_question_closed", "curation_question", ["closed_as", "last_at"])
    op.create_index("ix_curation_question_cluster", "curation_question", ["cluster", "last_at"])
    op.create_index("ix_curation_question_first_at", "curation_question", ["first_at"])
    op.create_index("ix_curation_question_last_at", "curation_question", ["last_at"])
    op.create_table(
        "curation_signal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("ticket", sa.String(20)),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["question"], ["curation_question.id"], name=op.f("fk_curation_signal_question")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_signal")),
        sa.UniqueConstraint("key", name=op.f("uq_curation_signal_key")),
    )
    op.create_index("ix_curation_signal_kind", "curation_signal", ["kind", "at"])
    op.create_index("ix_curation_signal_question", "curation_signal", ["question"])
    op.create_index("ix_curation_signal_ticket", "curation_signal", ["ticket"])
    op.create_table(
        "curation_decision",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("entry_id", sa.String(64)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["curation_cluster.id"], name=op.f("fk_curation_decision_cluster")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_decision")),
    )
    op.create_index("ix_curation_decision_at", "curation_decision", ["at"])
    op.create_index("ix_curation_decision_cluster", "curation_decision", ["cluster"])
    op.create_index("ix_curation_decision_entry_id", "curation_decision", ["entry_id"])
    op.create_table(
        "curation_gap",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(500), nullable=False),
        sa.Column("policy_id", sa.String(64)),
        sa.Column("policy", sa.String(200), nullable=False),
        sa.Column("article", sa.Integer()),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("assignee", sa.String(64)),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("opened_by", sa.String(64), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("closed_at", MOMENT),
        sa.ForeignKeyConstraint(["cluster"], ["curation_cluster.id"], name=op.f("fk_curation_gap_cluster")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_gap")),
    )
    op.create_index("ix_curation_gap_assignee", "curation_gap", ["assignee"])
    op.create_index("ix_curation_gap_cluster", "curation_gap", ["cluster"])
    op.create_index("ix_curation_gap_policy_id", "curation_gap", ["policy_id"])
    op.create_index("ix_curation_gap_state", "curation_gap", ["state", "opened_at"])
    op.create_table(
        "curation_contribution",
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("part", sa.String(10), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["decision"], ["curation_decision.id"], name=op.f("fk_curation_contribution_decision")),
        sa.PrimaryKeyConstraint("decision", "person", "part", name=op.f("pk_curation_contribution")),
    )
    op.create_index("ix_curation_contribution_person", "curation_contribution", ["person", "at"])
    op.create_table(
        "curation_run",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("progress", sa.String(200), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("claimed_until", MOMENT),
        sa.Column("until", MOMENT),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curation_run")),
    )
    op.create_index("ix_curation_run_state", "curation_run", ["state"])
    op.create_table(
        "curation_asked_again",
        sa.Column("release", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("release", name=op.f("pk_curation_asked_again")),
    )
    op.create_table(
        "curation_setting",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_curation_setting")),
    )


def downgrade() -> None:
    op.drop_table("curation_setting")
    op.drop_table("curation_asked_again")
    op.drop_table("curation_run")
    op.drop_table("curation_contribution")
    op.drop_table("curation_gap")
    op.drop_table("curation_decision")
    op.drop_table("curation_signal")
    op.drop_table("curation_question")
    op.drop_table("curation_cluster")
