"""Insight"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_FLAGS = ("matter", "involved", "answered", "filed", "handed", "again", "bad", "resolved")
_COUNTS = ("questions", "answers", "clarified", "nones")


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer(), autoincrement=True, nullable=False)


def _text(name: str, length: int) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=False)


def _small(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.SmallInteger(), nullable=nullable)


def _number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _day(name: str = "day", nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _json(name: str) -> sa.Column:
    return sa.Column(name, JSON, nullable=False)


def upgrade() -> None:
    op.create_table(
        "insight_origin",
        _id(),
        _text("company", 100),
        _text("department", 100),
        _text("channel", 20),
        _text("page", 100),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_origin")),
        sa.UniqueConstraint(
            "company", "department", "channel", "page", name=op.f("uq_insight_origin_company_department_channel_page")
        ),
    )
    op.create_table(
        "insight_person",
        _id(),
        _text("key", 80),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_person")),
        sa.UniqueConstraint("key", name=op.f("uq_insight_person_key")),
    )
    op.create_table(
        "insight_visit",
        _text("id", 36),
        _text("conversation_id", 36),
        _number("person"),
        _day(),
        sa.Column("started_at", MOMENT, nullable=False),
        _small("hour"),
        _number("origin"),
        _text("business_type", 40),
        _text("entry_id", 64),
        _small("wait", True),
        *(_small(name) for name in (*_FLAGS, *_COUNTS)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_visit")),
    )
    op.create_index("ix_insight_visit_day", "insight_visit", ["day", "started_at"])
    op.create_index("ix_insight_visit_origin", "insight_visit", ["origin", "day"])
    op.create_table(
        "insight_question",
        _text("turn_id", 36),
        _text("visit_id", 36),
        _day(),
        _number("origin"),
        _text("business_type", 40),
        _text("band", 10),
        _text("entry_id", 64),
        _number("release", True),
        _small("outright"),
        _small("bad"),
        sa.PrimaryKeyConstraint("turn_id", name=op.f("pk_insight_question")),
    )
    op.create_index("ix_insight_question_day", "insight_question", ["day", "outright"])
    op.create_index("ix_insight_question_entry", "insight_question", ["entry_id", "day"])
    op.create_index("ix_insight_question_origin", "insight_question", ["origin", "day"])
    op.create_table(
        "insight_ticket",
        _text("number", 20),
        _text("status", 20),
        _day("filed_day"),
        _day("solved_day", True),
        _day("left_day", True),
        _number("origin"),
        _text("business_type", 40),
        _text("group_id", 40),
        _text("policy", 40),
        _small("first_kept", True),
        _small("resolve_kept", True),
        sa.Column("first_min", sa.Float()),
        sa.Column("resolve_min", sa.Float()),
        _small("escalated"),
        _small("reopened"),
        _small("once"),
        _small("score", True),
        _json("reasons"),
        sa.Column("quality", sa.Float()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_insight_ticket")),
    )
    for name in ("filed", "solved", "left"):
        op.create_index(f"ix_insight_ticket_{name}", "insight_ticket", [f"{name}_day"])
    op.create_table(
        "insight_day",
        _text("by", 30),
        _text("a", 100),
        _text("b", 100),
        _day(),
        _number("visits"),
        *(_number(name) for name in (*_FLAGS, *_COUNTS)),
        _json("hours"),
        _json("waits"),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("by", "a", "b", "day", name=op.f("pk_insight_day")),
    )
    op.create_index("ix_insight_day_day", "insight_day", ["day", "by"])
    op.create_table(
        "insight_entry_day",
        _text("by", 20),
        _text("a", 100),
        _day(),
        _text("entry_id", 64),
        _number("asked"),
        _number("bad"),
        sa.PrimaryKeyConstraint("by", "a", "day", "entry_id", name=op.f("pk_insight_entry_day")),
    )
    op.create_index("ix_insight_entry_day_day", "insight_entry_day", ["day"])
    op.create_table(
        "insight_release_day",
        _day(),
        sa.Column("release", sa.Integer(), autoincrement=False, nullable=False),
        *(_number(name) for name in (*_COUNTS, "bad")),
        sa.PrimaryKeyConstraint("day", "release", name=op.f("pk_insight_release_day")),
    )
    op.create_table(
        "insight_state",
        _text("name", 40),
        _json("body"),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_insight_state")),
    )
    op.create_table(
        "insight_price_list",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        _json("body"),
        _text("author", 64),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_insight_price_list")),
    )
    op.create_table(
        "insight_report",
        _id(),
        _text("kind", 20),
        _text("period", 10),
        _json("body"),
        sa.Column("made_at", MOMENT, nullable=False),
        _text("made_by", 64),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_report")),
        sa.UniqueConstraint("kind", "period", name=op.f("uq_insight_report_kind_period")),
    )
    op.create_table(
        "kb_sample",
        _id(),
        _text("week", 10),
        _text("turn_id", 36),
        _text("message_id", 36),
        _text("conversation_id", 36),
        _text("entry_id", 64),
        _number("release", True),
        sa.Column("probability", sa.Float()),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("verdict", sa.String(10)),
        sa.Column("right_entry", sa.String(64)),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(64)),
        sa.Column("reviewed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_sample")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_kb_sample_turn_id")),
    )
    op.create_index("ix_kb_sample_week", "kb_sample", ["week", "verdict"])
    op.create_index(op.f("ix_kb_sample_reviewed_at"), "kb_sample", ["reviewed_at"])


def downgrade() -> None:
    for table in (
        "kb_sample",
        "insight_report",
        "insight_price_list",
        "insight_state",
        "insight_release_day",
        "insight_entry_day",
        "insight_day",
        "insight_ticket",
        "insight_question",
        "insight_visit",
        "insight_person",
        "insight_origin",
    ):
        op.drop_table(table)
