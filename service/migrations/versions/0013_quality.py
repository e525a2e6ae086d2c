"""Satisfaction, reviews, inspection, surveys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer(), autoincrement=True, nullable=False)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "quality_document",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "version", name=op.f("pk_quality_document")),
    )
    op.create_table(
        "satisfaction",
        _id(),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("resolution", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(40)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("invited_at", MOMENT, nullable=False),
        sa.Column("remind_at", MOMENT, nullable=False),
        sa.Column("reminded_at", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("score", sa.Integer()),
        sa.Column("reasons", JSON, nullable=False),
        _text("words"),
        sa.Column("rated_at", MOMENT),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_satisfaction_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfaction")),
        sa.UniqueConstraint("ticket", "resolution", name=op.f("uq_satisfaction_ticket_resolution")),
    )
    op.create_index("ix_satisfaction_state", "satisfaction", ["state", "expires_at"])
    op.create_index("ix_satisfaction_invited", "satisfaction", ["invited_at"])
    op.create_table(
        "quality_review",
        _id(),
        sa.Column("satisfaction_id", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(40)),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("overdue_told_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("cause", sa.String(20)),
        _text("finding"),
        _text("action"),
        sa.ForeignKeyConstraint(
            ["satisfaction_id"], ["satisfaction.id"], name=op.f("fk_quality_review_satisfaction_id")
        ),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_quality_review_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_review")),
        sa.UniqueConstraint("satisfaction_id", name=op.f("uq_quality_review_satisfaction_id")),
    )
    op.create_index(op.f("ix_quality_review_ticket"), "quality_review", ["ticket"])
    op.create_index("ix_quality_review_open", "quality_review", ["closed_at", "due_at"])
    op.create_table(
        "inspection_run",
        _id(),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_run")),
        sa.UniqueConstraint("key", name=op.f("uq_inspection_run_key")),
    )
    op.create_table(
        "inspection",
        _id(),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(40)),
        sa.Column("business_type", sa.String(40), nullable=False),
        sa.Column("solved_at", MOMENT, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("sampled_at", MOMENT, nullable=False),
        sa.Column("inspector", sa.String(64)),
        sa.Column("rubric_version", sa.Integer()),
        sa.Column("points", JSON, nullable=False),
        sa.Column("vetoes", JSON, nullable=False),
        sa.Column("total", sa.Float()),
        sa.Column("first_total", sa.Float()),
        _text("comment"),
        sa.Column("scored_at", MOMENT),
        sa.Column("appeal_until", MOMENT),
        _text("appeal"),
        sa.Column("appealed_at", MOMENT),
        sa.Column("decision", sa.String(10)),
        _text("decision_words"),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", MOMENT),
        sa.ForeignKeyConstraint(["run_id"], ["inspection_run.id"], name=op.f("fk_inspection_run_id")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_inspection_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
        sa.UniqueConstraint("ticket", name=op.f("uq_inspection_ticket")),
    )
    op.create_index(op.f("ix_inspection_run_id"), "inspection", ["run_id"])
    op.create_index("ix_inspection_state", "inspection", ["state", "sampled_at"])
    op.create_index("ix_inspection_agent", "inspection", ["agent", "solved_at"])
    op.create_table(
        "survey",
        _id(),
        sa.Column("title", sa.String(60), nullable=False),
        _text("intro"),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("population", JSON, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
    )
    op.create_table(
        "survey_invitation",
        sa.Column("token", sa.String(24), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("employee_no", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("company", sa.String(100)),
        sa.Column("department", sa.String(100)),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("answers", JSON),
        sa.Column("answered_at", MOMENT),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_invitation_survey_id")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_survey_invitation_ticket")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_survey_invitation")),
        sa.UniqueConstraint("survey_id", "employee_no", name=op.f("uq_survey_invitation_survey_id_employee_no")),
    )
    op.create_index("ix_survey_invitation_waiting", "survey_invitation", ["survey_id", "sent_at"])
    op.create_index(op.f("ix_survey_invitation_employee_no"), "survey_invitation", ["employee_no"])
    op.create_index("ix_ticket_solved", "ticket", ["resolved_at", "assignee"])


def downgrade() -> None:
    op.drop_index("ix_ticket_solved", "ticket")
    for table in (
        "survey_invitation",
        "survey",
        "inspection",
        "inspection_run",
        "quality_review",
        "satisfaction",
        "quality_document",
    ):
        op.drop_table(table)
