"""Audit chain, attachments, links, experts by person; older tickets learn their company and department"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_POSTGRES_TRIGGER = (
    """
    CREATE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_append_only()
    """,
    """
    CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only()
    """,
)
_SQLITE_TRIGGER = tuple(
    f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "id"])
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor", "id"])
    for statement in _POSTGRES_TRIGGER if postgres else _SQLITE_TRIGGER:
        op.execute(statement)
    op.create_table(
        "ticket_expert",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_ticket_expert_ticket")),
        sa.PrimaryKeyConstraint("username", "ticket", name=op.f("pk_ticket_expert")),
    )
    op.create_index(op.f("ix_ticket_expert_ticket"), "ticket_expert", ["ticket"])
    op.create_table(
        "ticket_link",
        sa.Column("one", sa.String(20), nullable=False),
        sa.Column("other", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["ticket.number"], name=op.f("fk_ticket_link_one")),
        sa.ForeignKeyConstraint(["other"], ["ticket.number"], name=op.f("fk_ticket_link_other")),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_ticket_link")),
    )
    op.create_index(op.f("ix_ticket_link_other"), "ticket_link", ["other"])
    op.create_table(
        "ticket_attachment",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("ticket", sa.String(20), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("by_kind", sa.String(10), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name=op.f("fk_ticket_attachment_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_attachment")),
    )
    op.create_index("ix_ticket_attachment_ticket", "ticket_attachment", ["ticket", "at"])
    with op.batch_alter_table("ticket_event") as batch:
        batch.add_column(sa.Column("actor_kind", sa.String(10), nullable=False, server_default="system"))
        batch.add_column(sa.Column("actor_name", sa.String(64), nullable=False, server_default=""))
    op.execute("UPDATE ticket_event SET actor_kind = 'employee', public = true WHERE kind = 'filed'")
    for name in ("company", "department"):
        value = f"requester ->> '{name}'" if postgres else f"json_extract(requester, '$.{name}')"
        op.execute(f"UPDATE ticket SET {name} = substr({value}, 1, 100) WHERE {name} IS NULL")


def downgrade() -> None:
    with op.batch_alter_table("ticket_event") as batch:
        batch.drop_column("actor_name")
        batch.drop_column("actor_kind")
    for table in ("ticket_attachment", "ticket_link", "ticket_expert", "audit_entry"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entry_is_append_only()")
