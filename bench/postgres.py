"""A PostgreSQL server for a bench."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server(url: str) -> Iterator[str]:
    """The database at `url`; where that is empty, one of a server that lives as long as it is used."""
    if url:
        yield url
        return
    import pgserver

    started = pgserver.get_server(tempfile.mkdtemp(prefix="fssc-bench-pg-"), cleanup_mode="delete")
    try:
        yield started.get_uri()
    finally:
        started.cleanup()
