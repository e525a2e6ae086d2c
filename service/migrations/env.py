"""Alembic's environment: the tables of every room, on the database that `service.migrate` names."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import NullPool, create_engine

import service.tables  # noqa: F401  brings every room's tables into the metadata
from core.database import Base, Moment

url = context.config.get_main_option("sqlalchemy.url") or ""


def render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration stands by itself: it names the column's type, not our class."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


with create_engine(url, poolclass=NullPool).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
