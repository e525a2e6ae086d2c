"""Calendars, SLA policies, clocks; tickets that are open already get theirs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_calendar",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("weekly", JSON, nullable=False),
        sa.Column("make_up", JSON, nullable=False),
        sa.Column("chinese_holidays", sa.Boolean(), nullable=False),
        sa.Column("days", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("updated_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_calendar")),
    )
    op.create_table(
        "work_calendar_version",
        sa.Column("calendar", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "version", name=op.f("pk_work_calendar_version")),
    )
    op.create_table(
        "sla_policy",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("business_type", sa.String(40), nullable=False),
        sa.Column("urgency", sa.String(10), nullable=False),
        sa.Column("service_tier", sa.String(20), nullable=False),
        sa.Column("calendar", sa.String(40)),
        sa.Column("first_response_min", sa.Integer()),
        sa.Column("next_response_min", sa.Integer()),
        sa.Column("resolution_min", sa.Integer()),
        sa.Column("warn_percent", sa.Integer(), nullable=False),
        sa.Column("chain", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("updated_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policy")),
        sa.UniqueConstraint(
            "business_type", "urgency", "service_tier", name=op.f("uq_sla_policy_business_type_urgency_service_tier")
        ),
    )
    op.create_table(
        "clock_rules",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("known_until", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_rules")),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(40)),
        sa.Column("calendar", sa.String(40)),
        sa.Column("calendar_version", sa.Integer()),
        sa.Column("promised_min", sa.Integer()),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("paused_at", MOMENT),
        sa.Column("stopped_at", MOMENT),
        sa.Column("stopped_by", sa.String(20)),
        sa.Column("actual_min", sa.Float()),
        sa.Column("warn_at", MOMENT),
        sa.Column("due_at", MOMENT),
        sa.Column("breaks_at", MOMENT),
        sa.Column("warned_at", MOMENT),
        sa.Column("breached_at", MOMENT),
        sa.Column("stage", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("recounts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rules", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_check_at", MOMENT),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_clock_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
        sa.UniqueConstraint("ticket", "kind", "round", name=op.f("uq_clock_ticket_kind_round")),
    )
    for name, column, where in (
        ("ix_clock_next_check", "next_check_at", "next_check_at IS NOT NULL"),
        ("ix_clock_rules", "rules", "stopped_at IS NULL"),
    ):
        op.create_index(name, "clock", [column], postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    op.create_table(
        "clock_pause",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("clock", sa.Integer(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.ForeignKeyConstraint(["clock"], ["clock.id"], name=op.f("fk_clock_pause_clock")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_pause")),
    )
    op.create_index("ix_clock_pause_clock", "clock_pause", ["clock"])
    for kind in ("first_response", "resolution"):
        op.execute(
            sa.text(
                "INSERT INTO clock (ticket, kind, round, started_at) SELECT number, :kind, 1, created_at FROM ticket "
                "WHERE status IN ('new', 'assigned', 'in_progress', 'waiting', 'reopened')"
            ).bindparams(kind=kind)
        )


def downgrade() -> None:
    for table in ("clock_pause", "clock", "clock_rules", "sla_policy", "work_calendar_version", "work_calendar"):
        op.drop_table(table)
