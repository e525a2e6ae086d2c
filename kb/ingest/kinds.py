"""The kinds of import."""

from __future__ import annotations

from kb.ingest.jobs import Ingester

KINDS: dict[str, Ingester] = {}
"""By the name that an import carries."""
